//! `defaults.toml` documents every key and nothing else.

use super::super::{
    Durability, Settings, Source, Streaming,
    file::DEFAULTS,
    keys::{KEYS, Key, Kind},
};

/// One setting as defaults.toml has it: `section.key`, the comment above it on one line, the value as written.
struct Documented {
    key: String,
    comment: String,
    value: String,
}

fn documented() -> Vec<Documented> {
    let (mut section, mut comment, mut all) = (String::new(), String::new(), Vec::new());
    for line in DEFAULTS.lines() {
        if let Some(said) = line.strip_prefix('#') {
            comment.push_str(said);
        } else if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((name, value)) = line.split_once(" = ") {
            let value = value.trim_matches('"').to_owned();
            let key = if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
            all.push(Documented { key, comment: std::mem::take(&mut comment), value });
        } else {
            assert_eq!(line, "");
            comment.clear();
        }
    }
    all
}

#[test]
fn the_file_the_table_and_the_struct_have_the_same_keys_in_the_same_order() {
    let in_file: Vec<String> = documented().into_iter().map(|one| one.key).collect();
    let in_table: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    let in_struct: Vec<&str> = Settings::builtin().effective().into_iter().map(|row| row.key).collect();
    assert_eq!(in_file, in_table);
    assert_eq!(in_file, in_struct);
}

#[test]
fn every_key_says_its_purpose_its_variable_its_older_name_and_its_range() {
    for Documented { key, comment, .. } in documented() {
        let known = Key::named(&key).unwrap();
        let purpose = comment.split_once(" Variable: ").map_or("", |(before, _)| before);
        assert!(purpose.split_whitespace().count() >= 3, "{key} does not say what it is for: {comment:?}");
        let names = match known.older {
            Some(older) => format!(" Variable: {}. Older name: {older}.", known.variable()),
            None => format!(" Variable: {}.", known.variable()),
        };
        assert!(comment.ends_with(&names), "{key} does not end with {names:?}: {comment:?}");
        let needed = match known.kind {
            Kind::Whole { least, most } => format!("From {least} to {most}"),
            Kind::Decimal { least, most } => format!("From {least} to {most}"),
            Kind::OneOf(words) | Kind::OneOfOrYesNo(words) => format!("One of {};", words.join(", ")),
            Kind::Secret => "Secret.".to_owned(),
            Kind::YesNo => "Whether".to_owned(),
            Kind::Text | Kind::Structure => continue,
        };
        assert!(comment.contains(&needed), "{key} does not say {needed:?}: {comment:?}");
    }
}

#[test]
fn times_and_sizes_say_their_unit() {
    for Documented { key, comment, .. } in documented() {
        for (ending, unit) in [("_ms", "milliseconds"), ("_secs", "seconds"), ("_hours", "hours"), ("bytes_max", "bytes")] {
            assert!(!key.ends_with(ending) || comment.contains(unit), "{key} does not say {unit}: {comment:?}");
        }
    }
}

#[test]
fn what_is_written_is_what_holds() {
    let written = documented().into_iter().map(|one| (one.key, if one.value.is_empty() { "(not set)".to_owned() } else { one.value }));
    let settings = Settings::builtin();
    let holds = settings.effective().into_iter().inspect(|row| assert_eq!(row.source, Source::Default));
    // What it comes to stands behind what is written.
    let written_of = |shown: String| shown.strip_suffix(" (never)").map_or(shown.clone(), str::to_owned);
    let holds = holds.map(|row| (row.key.to_owned(), written_of(row.value)));
    assert_eq!(written.collect::<Vec<_>>(), holds.collect::<Vec<_>>());
}

#[test]
fn the_defaults_alone_have_no_problem() {
    let loaded = Settings::load(super::with(&[])).unwrap();
    assert_eq!(loaded.effective(), Settings::builtin().effective());
}

#[test]
fn the_defaults_are_these() {
    let Settings {
        server,
        admin,
        store,
        auth,
        limits,
        turns,
        budgets,
        sessions,
        results,
        openapi,
        upstream,
        apis,
        policy,
        llm,
        agent,
        log,
        trace,
        found: _,
    } = Settings::builtin();
    assert_eq!((server.host.as_str(), server.port, server.connections_max), ("127.0.0.1", 5000, 4096));
    assert_eq!((server.header_timeout_ms, server.body_timeout_ms, server.idle_timeout_ms), (5000, 30_000, 75_000));
    assert!(server.trusted_proxies.is_empty());
    assert_eq!(admin.listen.as_deref(), Some("127.0.0.1:5001"));
    assert_eq!((server.body_bytes_max, server.drain_notice_ms, server.drain_ms), (65_536, 3000, 25_000));
    assert_eq!((store.redis_url.is_some(), store.data_dir.to_str(), store.timeout_ms), (false, Some("./data"), 800));
    assert_eq!((store.durability, store.durable_replicas, store.durable_timeout_ms), (Durability::Single, 1, 300));
    assert_eq!((store.sealing_keys.len(), store.seal_conversations, store.compress_over_bytes), (0, false, 0));
    assert_eq!((auth.signing_key.is_some(), auth.admin_username, auth.admin_password.is_some()), (false, None, false));
    assert_eq!((auth.keys.len(), auth.refresh_hours, auth.logins_at_once, auth.login_failures_per_address), (0, 720, None, 300));
    assert_eq!((auth.token_hours, limits.requests_per_minute, limits.turns_per_minute), (24, 600, 60));
    assert_eq!((turns.lease_ms, turns.deadline_ms), (15_000, 120_000));
    assert_eq!((turns.rounds_max, turns.calls_max, turns.tokens_max, turns.history_turns), (8, 32, 0, 10));
    assert_eq!((budgets.user_tokens_per_day, budgets.tokens_per_day), (0, 0));
    assert_eq!((sessions.idle_secs, sessions.max_secs), (86_400, 604_800));
    assert_eq!((sessions.turns_max, sessions.per_user_max, sessions.running_max), (10_000, 100, 8));
    assert_eq!(sessions.cleanup_interval_secs, 3600);
    assert_eq!((results.ttl_secs, results.bytes_max), (3600, 1_048_576));
    assert_eq!((openapi.file, upstream.base_url, upstream.token.is_some()), (None, None, false));
    assert!(apis.is_empty() && openapi.server_variables.is_empty() && upstream.headers.is_empty() && upstream.credentials.is_empty());
    assert!(upstream.idempotency.is_empty() && upstream.probes.is_empty());
    assert_eq!((openapi.external_references, openapi.watch_secs), (false, 0));
    assert_eq!((upstream.connect_timeout_ms, upstream.timeout_ms, upstream.reply_bytes_max), (2000, 10_000, 1_048_576));
    assert_eq!((llm.url, llm.api_key.is_some(), llm.model.as_str(), llm.timeout_ms), (None, false, "deepseek-chat", 60_000));
    assert_eq!((llm.temperature, llm.max_tokens, llm.context_tokens), (None, None, 64_000));
    assert_eq!((llm.stream, llm.idle_timeout_ms, llm.attempts_max), (Streaming::Auto, 30_000, 3));
    assert!(llm.headers.is_empty() && llm.fallbacks.is_empty());
    assert!(llm.embeddings.model.is_none() && llm.embeddings.url.is_none() && llm.embeddings.api_key.is_none());
    assert_eq!(llm.embeddings.timeout_ms, 1000);
    assert!(!agent.confirm_after_reply && !agent.read_only && policy.is_empty());
    assert!(upstream.token_for_changes.is_none() && upstream.credentials_for_changes.is_empty());
    assert_eq!((agent.confirm, agent.tools_max, agent.pinned.len(), agent.show_call_details), (None, 64, 0, true));
    assert!(agent.summaries);
    assert!(!agent.offline_fallback);
    assert_eq!(openapi.selection.rules().count(), 0);
    assert!(trace.url.is_none() && trace.headers.is_empty() && !trace.clients && trace.sample_percent == 100 && !trace.content);
    assert_eq!((log.level.as_str(), log.format), ("info", super::super::LogFormat::Auto));
}

//! Which layer wins, and what every name of every layer sets.

use secrecy::ExposeSecret;

use super::{super::Flag, file, load, load_file, shown, with};
use crate::{
    domain::policy::Confirm,
    settings::{LogFormat, Settings, keys::KEYS},
};

const KEY_OF_32_BYTES: &str = "0123456789abcdef0123456789abcdef";

/// A value for each setting that differs from its default, as a variable has it.
const OTHER_VALUES: &[(&str, &str)] = &[
    ("apis", r#"[{"name":"shop","file":"shop.yaml"}]"#),
    ("policy", r#"[{"role":"user","effect":"deny","operations":["method:DELETE"]}]"#),
    ("server.host", "0.0.0.0"),
    ("server.port", "8000"),
    ("server.connections_max", "11"),
    ("server.header_timeout_ms", "1001"),
    ("server.body_timeout_ms", "1002"),
    ("server.idle_timeout_ms", "1003"),
    ("server.body_bytes_max", "2048"),
    ("server.trusted_proxies", r#"["10.0.0.0/8"]"#),
    ("server.drain_notice_ms", "7"),
    ("server.drain_ms", "1004"),
    ("admin.listen", "127.0.0.1:9100"),
    ("store.redis_url", "rediss+sentinel://localhost:6379/main/2"),
    ("store.sealing_keys", "new:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=,old:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI="),
    ("store.seal_conversations", "true"),
    ("store.compress_over_bytes", "4096"),
    ("store.data_dir", "/var/lib/agent"),
    ("store.timeout_ms", "1005"),
    ("store.durability", "durable"),
    ("store.durable_replicas", "2"),
    ("store.durable_timeout_ms", "301"),
    ("store.tls_ca_file", "/etc/agent/ca.pem"),
    ("store.tls_cert_file", "/etc/agent/cert.pem"),
    ("store.tls_key_file", "/etc/agent/key.pem"),
    ("store.sentinel_username", "watcher"),
    ("store.sentinel_password", "correct watch"),
    ("auth.signing_key", KEY_OF_32_BYTES),
    ("auth.keys", r#"[{"id":"a","algorithm":"HS256","file":"Cargo.toml"}]"#),
    (
        "auth.issuers",
        r#"[{"id":"a","issuer":"https://id.example.org","audience":"agent","user_claim":"sub","user_prefix":"a/","admin_roles":[]}]"#,
    ),
    ("auth.token_hours", "2"),
    ("auth.refresh_hours", "48"),
    ("auth.logins_at_once", "3"),
    ("auth.login_failures_per_address", "31"),
    ("auth.admin_username", "root"),
    ("auth.admin_password", "correct horse"),
    ("limits.requests_per_minute", "12"),
    ("limits.turns_per_minute", "13"),
    ("turns.lease_ms", "200"),
    ("turns.deadline_ms", "1006"),
    ("turns.rounds_max", "14"),
    ("turns.calls_max", "15"),
    ("turns.tokens_max", "50000"),
    ("turns.history_turns", "16"),
    ("budgets.user_tokens_per_day", "200000"),
    ("budgets.tokens_per_day", "3000000"),
    ("sessions.idle_secs", "17"),
    ("sessions.max_secs", "18"),
    ("sessions.turns_max", "19"),
    ("sessions.per_user_max", "21"),
    ("sessions.running_max", "23"),
    ("sessions.cleanup_interval_secs", "20"),
    ("results.ttl_secs", "60"),
    ("results.bytes_max", "2048"),
    ("openapi.file", "https://example.com/openapi.json"),
    ("openapi.server_variables", r#"{"region":"eu"}"#),
    ("openapi.external_references", "true"),
    ("openapi.include", r#"["tag:pets"]"#),
    ("openapi.exclude", r#"["method:DELETE"]"#),
    ("openapi.watch_secs", "22"),
    ("upstream.base_url", "https://example.com/api/v2"),
    ("upstream.origins", r#"["https://uploads.example.com"]"#),
    ("upstream.token", "t0ken"),
    ("upstream.headers", r#"{"X-Key":"********"}"#),
    ("upstream.credentials", r#"{"key":{"value":"********"}}"#),
    ("upstream.token_for_changes", "t1ken"),
    ("upstream.credentials_for_changes", r#"{"key":{"value":"********"}}"#),
    ("upstream.idempotency", r#"[{"operations":["method:POST"],"header":"X-Once"}]"#),
    ("upstream.probes", r#"[{"operation":"id:put","call":"get","arguments":{"id":"{id}"},"took_effect":"gone"}]"#),
    ("upstream.connect_timeout_ms", "1007"),
    ("upstream.timeout_ms", "1008"),
    ("upstream.reply_bytes_max", "4096"),
    ("llm.url", "http://localhost:11434/v1/chat/completions"),
    ("llm.api_key", "sk-1"),
    ("llm.model", "qwen3"),
    ("llm.temperature", "0.7"),
    ("llm.max_tokens", "21"),
    ("llm.context_tokens", "8192"),
    ("llm.timeout_ms", "1009"),
    ("llm.headers", r#"{"X-Key":"********"}"#),
    ("llm.stream", "never"),
    ("llm.idle_timeout_ms", "1010"),
    ("llm.attempts_max", "4"),
    ("llm.fallbacks", r#"[{"url":"http://localhost:8080/v1","api_key":"********","model":"m","headers":{"X-Key":"********"}}]"#),
    ("llm.embeddings.model", "bge-m3"),
    ("llm.embeddings.url", "http://localhost:8081/v1"),
    ("llm.embeddings.api_key", "sk-2"),
    ("llm.embeddings.timeout_ms", "300"),
    ("agent.confirm", "always"),
    ("agent.confirm_after_reply", "true"),
    ("agent.read_only", "true"),
    ("agent.tools_max", "24"),
    ("agent.pinned", r#"["listPets"]"#),
    ("agent.summaries", "false"),
    ("agent.offline_fallback", "true"),
    ("agent.show_call_details", "false"),
    ("log.level", "debug"),
    ("log.format", "json"),
    ("trace.url", "http://localhost:4318/v1/traces"),
    ("trace.headers", r#"{"X-Key":"********"}"#),
    ("trace.clients", "true"),
    ("trace.sample_percent", "23"),
    ("trace.content", "true"),
];

/// Holds that each setting has its other value, taken from where `source` says.
fn assert_all_other(settings: &Settings, source: impl Fn(&str) -> String) {
    for (key, value) in OTHER_VALUES {
        let (value_shown, source_shown) = shown(settings, key);
        let masked = if value_shown == "********" { "********" } else { value };
        assert_eq!((value_shown.as_str(), source_shown), (masked, source(key)), "{key}");
    }
    let secret = |secret: &Option<secrecy::SecretString>| secret.as_ref().unwrap().expose_secret().to_owned();
    assert_eq!(secret(&settings.store.redis_url), "rediss+sentinel://localhost:6379/main/2");
    assert_eq!(secret(&settings.auth.signing_key), KEY_OF_32_BYTES);
    assert_eq!(secret(&settings.auth.admin_password), "correct horse");
    assert_eq!(secret(&settings.upstream.token), "t0ken");
    assert_eq!(secret(&settings.llm.api_key), "sk-1");
    assert_eq!(secret(&settings.llm.embeddings.api_key), "sk-2");
}

fn variable(key: &str) -> String {
    format!("SAA_{}", key.replace('.', "__").to_uppercase())
}

#[test]
fn other_values_are_those_of_all_keys() {
    assert_eq!(OTHER_VALUES.iter().map(|row| row.0).collect::<Vec<_>>(), KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
}

#[test]
fn every_key_has_its_variable() {
    let variables: Vec<(String, &str)> = OTHER_VALUES.iter().map(|(key, value)| (variable(key), *value)).collect();
    let settings = Settings::load(crate::settings::Sources::default().with_environment(variables)).unwrap();
    assert_all_other(&settings, variable);
}

#[test]
fn every_key_may_stand_in_the_file() {
    let line = |(key, value): &(&str, &str)| match value.parse::<f64>().is_ok() || ["true", "false"].contains(value) {
        true => format!("{key} = {value}\n"),
        // The same as TOML, which has no colons.
        false if value.starts_with(['[', '{']) => format!("{key} = {}\n", value.replace("\":", "\" = ")),
        false => format!("{key} = {value:?}\n"),
    };
    let (_file, path) = file(&OTHER_VALUES.iter().map(line).collect::<String>());
    let settings = Settings::load(with(&[]).with_file(Some(path.clone()))).unwrap();
    assert_all_other(&settings, |_| path.display().to_string());
}

#[test]
fn every_older_name_sets_its_key_and_ours_wins_over_it() {
    let older = [
        ("REDIS_URL", "store.redis_url", "redis://localhost:6379/2"),
        ("OPENAPI_FILE", "openapi.file", "api.yaml"),
        ("API_BASE_URL", "upstream.base_url", "https://example.com/api"),
        ("API_TOKEN", "upstream.token", "t0ken"),
        ("DEEPSEEK_API_KEY", "llm.api_key", "sk-1"),
        ("DEEPSEEK_API_URL", "llm.url", "https://api.deepseek.com"),
        ("DEEPSEEK_MODEL", "llm.model", "deepseek-reasoner"),
        ("JWT_SECRET_KEY", "auth.signing_key", KEY_OF_32_BYTES),
        ("JWT_EXPIRATION_HOURS", "auth.token_hours", "12"),
        ("WEB_API_USERNAME", "auth.admin_username", "root"),
        ("WEB_API_PASSWORD", "auth.admin_password", "correct horse"),
        ("REQUIRE_USER_CONFIRMATION", "agent.confirm", "changing"),
        ("SHOW_API_CALL_DETAILS", "agent.show_call_details", "false"),
        ("LOG_LEVEL", "log.level", "debug"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "trace.url", "http://localhost:4318/v1/traces"),
    ];
    assert_eq!(KEYS.iter().filter(|key| key.older.is_some()).count(), older.len());

    let settings = load(&older.map(|(name, _, value)| (name, value))).unwrap();
    for (name, key, value) in older {
        let (value_shown, source) = shown(&settings, key);
        let value = if value_shown == "********" { "********" } else { value };
        assert_eq!((value_shown.as_str(), source.as_str()), (value, name), "{key}");
    }
    // Ours come first here: the order of the variables decides nothing.
    let ours: Vec<(String, &str)> = OTHER_VALUES.iter().map(|(key, value)| (variable(key), *value)).collect();
    let both = ours.iter().map(|(name, value)| (name.as_str(), *value)).chain(older.map(|(name, _, _)| (name, "of the older name")));
    assert_all_other(&load(&both.collect::<Vec<_>>()).unwrap(), variable);
}

#[test]
fn a_flag_wins_over_a_variable_over_the_file_over_the_default() {
    let (_file, path) = file("[server]\nport = 1\nhost = \"in.file\"\nbody_bytes_max = 1025");
    let flag = Flag { name: "--port", key: "server.port", value: "3".to_owned() };
    let sources = with(&[("SAA_SERVER__PORT", "2"), ("SAA_SERVER__HOST", "in.variable")]).with_file(Some(path.clone()));
    let settings = Settings::load(sources.with_flags([flag])).unwrap();
    assert_eq!(shown(&settings, "server.port"), ("3".to_owned(), "--port".to_owned()));
    assert_eq!(shown(&settings, "server.host"), ("in.variable".to_owned(), "SAA_SERVER__HOST".to_owned()));
    assert_eq!(shown(&settings, "server.body_bytes_max"), ("1025".to_owned(), path.display().to_string()));
    assert_eq!(shown(&settings, "server.drain_ms"), ("25000".to_owned(), "default".to_owned()));
}

#[test]
fn a_wrong_value_that_another_layer_overrides_is_not_looked_at() {
    let settings = load(&[("LOG_LEVEL", "loud"), ("SAA_LOG__LEVEL", "warn")]).unwrap();
    assert_eq!(settings.log.level, "warn");
}

#[test]
fn the_variable_may_name_the_file_and_the_flag_wins_over_it() {
    let (_one, one) = file("server.port = 1");
    let (_two, two) = file("server.port = 2");
    let named = || with(&[("SAA_CONFIG", one.to_str().unwrap())]);
    assert_eq!(Settings::load(named()).unwrap().server.port, 1);
    assert_eq!(Settings::load(named().with_file(Some(two))).unwrap().server.port, 2);
    assert_eq!(load(&[("SAA_CONFIG", "")]).unwrap().server.port, 5000);
}

#[test]
fn an_empty_text_says_nothing_in_any_layer() {
    let (_file, path) = file("llm.model = \"\"\nserver.host = \"in.file\"\nauth.signing_key = \"\"");
    let variables = [("SAA_SERVER__HOST", ""), ("SAA_SERVER__PORT", " "), ("SAA_LLM__URL", ""), ("DEEPSEEK_API_URL", "http://m")];
    let flag = Flag { name: "--openapi", key: "openapi.file", value: String::new() };
    let settings = Settings::load(with(&variables).with_file(Some(path)).with_flags([flag])).unwrap();
    assert_eq!((settings.llm.model.as_str(), settings.server.host.as_str()), ("deepseek-chat", "in.file"));
    assert_eq!((settings.server.port, settings.llm.url.as_deref()), (5000, Some("http://m")));
    assert!(settings.openapi.file.is_none() && settings.auth.signing_key.is_none());
}

#[test]
fn yes_and_no_have_many_words() {
    for (word, yes) in [("true", true), ("YES", true), ("On", true), ("1", true), (" false ", false), ("no", false), ("OFF", false)] {
        let confirm = if yes { Confirm::Changing } else { Confirm::Never };
        assert_eq!(load(&[("REQUIRE_USER_CONFIRMATION", word)]).unwrap().agent.confirm, Some(confirm), "{word}");
        assert_eq!(load(&[("SHOW_API_CALL_DETAILS", word)]).unwrap().agent.show_call_details, yes, "{word}");
    }
    assert!(!load(&[("SHOW_API_CALL_DETAILS", "0")]).unwrap().agent.show_call_details);
}

#[test]
fn python_levels_are_understood() {
    let levels =
        [("INFO", "info"), ("DEBUG", "debug"), ("WARNING", "warn"), ("warning", "warn"), ("ERROR", "error"), ("CRITICAL", "error")];
    for (python, ours) in levels {
        assert_eq!(load(&[("LOG_LEVEL", python)]).unwrap().log.level, ours);
    }
    assert_eq!(load(&[("LOG_LEVEL", "warn,swagger_api_agent=debug")]).unwrap().log.level, "warn,swagger_api_agent=debug");
}

#[test]
fn a_model_needs_a_key_or_a_url_and_the_key_alone_means_deepseek() {
    let url = |variables: &[(&str, &str)]| load(variables).unwrap().llm.url;
    assert_eq!(url(&[]), None);
    assert_eq!(url(&[("DEEPSEEK_API_KEY", "sk-1")]).as_deref(), Some("https://api.deepseek.com/v1"));
    for given in ["https://m/v1", "https://m/v1/chat/completions", "https://m", "https://m/v1/"] {
        assert_eq!(url(&[("DEEPSEEK_API_URL", given)]).as_deref(), Some(given));
        assert_eq!(url(&[("DEEPSEEK_API_URL", given), ("DEEPSEEK_API_KEY", "sk-1")]).as_deref(), Some(given));
    }
}

#[test]
fn the_file_has_types_of_its_own() {
    let settings = load_file("[llm]\ntemperature = 1\n[agent]\nconfirm = true\n[log]\nformat = \"pretty\"\n[server]\n").unwrap();
    let told = (settings.llm.temperature, settings.agent.confirm, settings.log.format);
    assert_eq!(told, (Some(1.0), Some(Confirm::Changing), LogFormat::Pretty));
}

#[test]
fn what_waits_for_a_yes_is_said_in_words_and_otherwise_depends_on_who_plans() {
    let model = ("SAA_LLM__URL", "http://localhost:8080/v1");
    for (variables, comes_to, told) in [
        (vec![], Confirm::Never, "auto (never)"),
        (vec![model], Confirm::Changing, "auto (changing)"),
        (vec![("DEEPSEEK_API_KEY", "sk-1")], Confirm::Changing, "auto (changing)"),
        // Whoever stands in for a model is asked about as the model is.
        (vec![model, ("SAA_AGENT__OFFLINE_FALLBACK", "true")], Confirm::Changing, "auto (changing)"),
        (vec![model, ("SAA_AGENT__CONFIRM", "never")], Confirm::Never, "never"),
        (vec![model, ("REQUIRE_USER_CONFIRMATION", "false")], Confirm::Never, "never"),
        (vec![("REQUIRE_USER_CONFIRMATION", "true")], Confirm::Changing, "changing"),
        (vec![("SAA_AGENT__CONFIRM", " Always ")], Confirm::Always, "always"),
        (vec![("SAA_AGENT__CONFIRM", "auto"), ("REQUIRE_USER_CONFIRMATION", "true")], Confirm::Never, "auto (never)"),
    ] {
        let settings = load(&variables).unwrap();
        assert_eq!((settings.confirm(), settings.whole_policy().confirm), (comes_to, comes_to), "{variables:?}");
        assert_eq!(shown(&settings, "agent.confirm").0, told, "{variables:?}");
    }
    for (word, mode) in [("\"never\"", Confirm::Never), ("\"always\"", Confirm::Always), ("false", Confirm::Never)] {
        assert_eq!(load_file(&format!("[agent]\nconfirm = {word}\n")).unwrap().agent.confirm, Some(mode), "{word}");
    }
    let refused = load(&[("REQUIRE_USER_CONFIRMATION", "sometimes")]).unwrap_err().to_string();
    assert!(refused.contains("is \"sometimes\"; one of auto, never, changing, always, true, false is needed"), "{refused}");
}

#[test]
fn variables_of_others_do_not_matter() {
    let settings = load(&[("PATH", "/bin"), ("PORT", "x"), ("saa_server__port", "1"), ("SAAS", "x")]).unwrap();
    assert_eq!(settings.effective(), Settings::builtin().effective());
}

#[test]
fn what_kubernetes_says_about_a_service_of_our_name_does_not_matter() {
    let said = [
        ("SAA_SERVICE_HOST", "10.0.0.1"),
        ("SAA_SERVICE_PORT", "80"),
        ("SAA_SERVICE_PORT_HTTP", "80"),
        ("SAA_PORT", "tcp://10.0.0.1:80"),
        ("SAA_API_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("SAA_API_PORT_80_TCP_ADDR", "10.0.0.1"),
    ];
    assert_eq!(load(&said).unwrap().effective(), Settings::builtin().effective());
}

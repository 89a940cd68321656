//! The settings as `config check` shows them: every key, its value unless it is a secret, and where it was found.

use std::{collections::BTreeMap, num::NonZeroUsize, path::PathBuf};

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::{
    Agent, Api, Auth, Budgets, Credential, Durability, Embeddings, Fallback, Issuer, Limits, Llm, Log, LogFormat, OpenApi, Results, Server,
    Sessions, Settings, SigningKey, Source, Store, Streaming, Trace, Turns, Upstream, policy::policy_shown,
};
use crate::domain::{
    idempotency::KeyRule,
    policy::Confirm,
    probe::{Probe, Sign},
    selection::Rule,
};

/// What stands for a secret that is set.
const MASK: &str = "********";
const NOT_SET: &str = "(not set)";

/// One setting as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// `section.key`.
    pub key: &'static str,
    /// The value; `********` for a secret, `(not set)` for what is not set.
    pub value: String,
    /// Where it was found when it was loaded.
    pub source: Source,
}

impl Settings {
    /// All settings in the order of `defaults.toml`, safe to print. Every struct is taken apart by name, so that a new field does not
    /// compile before it is shown.
    pub fn effective(&self) -> Vec<Effective> {
        let Self {
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
            found,
        } = self;
        let rows = [
            vec![("apis", apis_shown(apis)), ("policy", policy_shown(policy).to_string())],
            server_rows(server),
            vec![("admin.listen", admin.listen.clone().unwrap_or_else(|| "off".to_owned()))],
            store_rows(store),
            auth_rows(auth),
            limits_rows(limits),
            turns_rows(turns),
            budgets_rows(budgets),
            sessions_rows(sessions),
            results_rows(results),
            openapi_rows(openapi),
            upstream_rows(upstream),
            llm_rows(llm),
            agent_rows(agent, self.confirm()),
            log_rows(log),
            trace_rows(trace),
        ];
        let source = |key| found.get(key).cloned().unwrap_or(Source::Default);
        rows.into_iter().flatten().map(|(key, value)| Effective { key, value, source: source(key) }).collect()
    }
}

impl Settings {
    /// Whether nobody said this setting, so that it is the default.
    pub fn is_default(&self, key: &str) -> bool {
        !self.found.contains_key(key)
    }
}

type Rows = Vec<(&'static str, String)>;

fn server_rows(server: &Server) -> Rows {
    let Server {
        host,
        port,
        connections_max,
        header_timeout_ms,
        body_timeout_ms,
        idle_timeout_ms,
        body_bytes_max,
        trusted_proxies,
        drain_notice_ms,
        drain_ms,
    } = server;
    vec![
        ("server.host", host.clone()),
        ("server.port", port.to_string()),
        ("server.connections_max", connections_max.to_string()),
        ("server.header_timeout_ms", header_timeout_ms.to_string()),
        ("server.body_timeout_ms", body_timeout_ms.to_string()),
        ("server.idle_timeout_ms", idle_timeout_ms.to_string()),
        ("server.body_bytes_max", body_bytes_max.to_string()),
        ("server.trusted_proxies", json!(trusted_proxies.iter().map(ToString::to_string).collect::<Vec<_>>()).to_string()),
        ("server.drain_notice_ms", drain_notice_ms.to_string()),
        ("server.drain_ms", drain_ms.to_string()),
    ]
}

fn store_rows(store: &Store) -> Rows {
    let Store {
        redis_url,
        sealing_keys,
        seal_conversations,
        compress_over_bytes,
        data_dir,
        timeout_ms,
        durability,
        durable_replicas,
        durable_timeout_ms,
        tls_ca_file,
        tls_cert_file,
        tls_key_file,
        sentinel_username,
        sentinel_password,
    } = store;
    let path = |path: &Option<PathBuf>| path.as_ref().map_or_else(|| NOT_SET.to_owned(), |path| path.display().to_string());
    let durability = match durability {
        Durability::Single => "single",
        Durability::Durable => "durable",
    };
    vec![
        ("store.redis_url", masked(redis_url)),
        ("store.sealing_keys", if sealing_keys.is_empty() { NOT_SET } else { MASK }.to_owned()),
        ("store.seal_conversations", seal_conversations.to_string()),
        ("store.compress_over_bytes", compress_over_bytes.to_string()),
        ("store.data_dir", data_dir.display().to_string()),
        ("store.timeout_ms", timeout_ms.to_string()),
        ("store.durability", durability.to_owned()),
        ("store.durable_replicas", durable_replicas.to_string()),
        ("store.durable_timeout_ms", durable_timeout_ms.to_string()),
        ("store.tls_ca_file", path(tls_ca_file)),
        ("store.tls_cert_file", path(tls_cert_file)),
        ("store.tls_key_file", path(tls_key_file)),
        ("store.sentinel_username", or_not_set(sentinel_username)),
        ("store.sentinel_password", masked(sentinel_password)),
    ]
}

fn auth_rows(auth: &Auth) -> Rows {
    let Auth {
        signing_key,
        keys,
        issuers,
        token_hours,
        refresh_hours,
        logins_at_once,
        login_failures_per_address,
        admin_username,
        admin_password,
    } = auth;
    vec![
        ("auth.signing_key", masked(signing_key)),
        ("auth.keys", signing_keys_shown(keys)),
        ("auth.issuers", issuers_shown(issuers)),
        ("auth.token_hours", token_hours.to_string()),
        ("auth.refresh_hours", refresh_hours.to_string()),
        ("auth.logins_at_once", logins_at_once.map_or(0, NonZeroUsize::get).to_string()),
        ("auth.login_failures_per_address", login_failures_per_address.to_string()),
        ("auth.admin_username", or_not_set(admin_username)),
        ("auth.admin_password", masked(admin_password)),
    ]
}

fn limits_rows(limits: &Limits) -> Rows {
    let Limits { requests_per_minute, turns_per_minute } = limits;
    vec![("limits.requests_per_minute", requests_per_minute.to_string()), ("limits.turns_per_minute", turns_per_minute.to_string())]
}

fn turns_rows(turns: &Turns) -> Rows {
    let Turns { lease_ms, deadline_ms, rounds_max, calls_max, tokens_max, history_turns } = turns;
    vec![
        ("turns.lease_ms", lease_ms.to_string()),
        ("turns.deadline_ms", deadline_ms.to_string()),
        ("turns.rounds_max", rounds_max.to_string()),
        ("turns.calls_max", calls_max.to_string()),
        ("turns.tokens_max", tokens_max.to_string()),
        ("turns.history_turns", history_turns.to_string()),
    ]
}

fn budgets_rows(budgets: &Budgets) -> Rows {
    let Budgets { user_tokens_per_day, tokens_per_day } = budgets;
    vec![("budgets.user_tokens_per_day", user_tokens_per_day.to_string()), ("budgets.tokens_per_day", tokens_per_day.to_string())]
}

fn sessions_rows(sessions: &Sessions) -> Rows {
    let Sessions { idle_secs, max_secs, turns_max, per_user_max, running_max, cleanup_interval_secs } = sessions;
    vec![
        ("sessions.idle_secs", idle_secs.to_string()),
        ("sessions.max_secs", max_secs.to_string()),
        ("sessions.turns_max", turns_max.to_string()),
        ("sessions.per_user_max", per_user_max.to_string()),
        ("sessions.running_max", running_max.to_string()),
        ("sessions.cleanup_interval_secs", cleanup_interval_secs.to_string()),
    ]
}

fn results_rows(results: &Results) -> Rows {
    let Results { ttl_secs, bytes_max } = results;
    vec![("results.ttl_secs", ttl_secs.to_string()), ("results.bytes_max", bytes_max.to_string())]
}

fn openapi_rows(openapi: &OpenApi) -> Rows {
    let OpenApi { file, server_variables, external_references, selection, watch_secs } = openapi;
    vec![
        ("openapi.file", url_or_not_set(file)),
        ("openapi.server_variables", json!(server_variables).to_string()),
        ("openapi.external_references", external_references.to_string()),
        ("openapi.include", rules_shown(&selection.include).to_string()),
        ("openapi.exclude", rules_shown(&selection.exclude).to_string()),
        ("openapi.watch_secs", watch_secs.to_string()),
    ]
}

fn upstream_rows(upstream: &Upstream) -> Rows {
    let Upstream {
        base_url,
        origins,
        token,
        headers,
        credentials,
        token_for_changes,
        credentials_for_changes,
        idempotency,
        probes,
        connect_timeout_ms,
        timeout_ms,
        reply_bytes_max,
    } = upstream;
    vec![
        ("upstream.base_url", url_or_not_set(base_url)),
        ("upstream.origins", json!(origins).to_string()),
        ("upstream.token", masked(token)),
        ("upstream.headers", headers_shown(headers).to_string()),
        ("upstream.credentials", credentials_shown(credentials).to_string()),
        ("upstream.token_for_changes", masked(token_for_changes)),
        ("upstream.credentials_for_changes", credentials_shown(credentials_for_changes).to_string()),
        ("upstream.idempotency", key_rules_shown(idempotency).to_string()),
        ("upstream.probes", probes_shown(probes).to_string()),
        ("upstream.connect_timeout_ms", connect_timeout_ms.to_string()),
        ("upstream.timeout_ms", timeout_ms.to_string()),
        ("upstream.reply_bytes_max", reply_bytes_max.to_string()),
    ]
}

fn llm_rows(llm: &Llm) -> Rows {
    let Llm {
        url,
        api_key,
        model,
        temperature,
        max_tokens,
        context_tokens,
        timeout_ms,
        headers,
        stream,
        idle_timeout_ms,
        attempts_max,
        fallbacks,
        embeddings,
    } = llm;
    let Embeddings { model: embeddings_model, url: embeddings_url, api_key: embeddings_key, timeout_ms: embeddings_timeout_ms } =
        embeddings;
    let stream = match stream {
        Streaming::Auto => "auto",
        Streaming::Never => "never",
    };
    vec![
        ("llm.url", url_or_not_set(url)),
        ("llm.api_key", masked(api_key)),
        ("llm.model", model.clone()),
        ("llm.temperature", or_not_set(temperature)),
        ("llm.max_tokens", or_not_set(max_tokens)),
        ("llm.context_tokens", context_tokens.to_string()),
        ("llm.timeout_ms", timeout_ms.to_string()),
        ("llm.headers", headers_shown(headers).to_string()),
        ("llm.stream", stream.to_owned()),
        ("llm.idle_timeout_ms", idle_timeout_ms.to_string()),
        ("llm.attempts_max", attempts_max.to_string()),
        ("llm.fallbacks", fallbacks_shown(fallbacks)),
        ("llm.embeddings.model", or_not_set(embeddings_model)),
        ("llm.embeddings.url", url_or_not_set(embeddings_url)),
        ("llm.embeddings.api_key", masked(embeddings_key)),
        ("llm.embeddings.timeout_ms", embeddings_timeout_ms.to_string()),
    ]
}

/// What nobody has said of `agent.confirm` is shown with what it comes to.
fn agent_rows(agent: &Agent, comes_to: Confirm) -> Rows {
    let Agent { confirm, confirm_after_reply, read_only, tools_max, pinned, summaries, offline_fallback, show_call_details } = agent;
    vec![
        ("agent.confirm", confirm.map_or_else(|| format!("auto ({})", comes_to.as_str()), |mode| mode.as_str().to_owned())),
        ("agent.confirm_after_reply", confirm_after_reply.to_string()),
        ("agent.read_only", read_only.to_string()),
        ("agent.tools_max", tools_max.to_string()),
        ("agent.pinned", json!(pinned).to_string()),
        ("agent.summaries", summaries.to_string()),
        ("agent.offline_fallback", offline_fallback.to_string()),
        ("agent.show_call_details", show_call_details.to_string()),
    ]
}

fn log_rows(log: &Log) -> Rows {
    let Log { level, format } = log;
    let format = match format {
        LogFormat::Auto => "auto",
        LogFormat::Json => "json",
        LogFormat::Pretty => "pretty",
    };
    vec![("log.level", level.clone()), ("log.format", format.to_owned())]
}

fn trace_rows(trace: &Trace) -> Rows {
    let Trace { url, headers, clients, sample_percent, content } = trace;
    vec![
        ("trace.url", url_or_not_set(url)),
        ("trace.headers", headers_shown(headers).to_string()),
        ("trace.clients", clients.to_string()),
        ("trace.sample_percent", sample_percent.to_string()),
        ("trace.content", content.to_string()),
    ]
}

/// What is not set is left out, as it may be in a file.
fn apis_shown(apis: &[Api]) -> String {
    let shown = apis.iter().map(|api| {
        let Api {
            name,
            file,
            server_variables,
            external_references,
            selection,
            base_url,
            origins,
            token,
            headers,
            credentials,
            token_for_changes,
            credentials_for_changes,
            idempotency,
            probes,
        } = api;
        let mut shown = Map::new();
        let mut show = |key: &str, is_set: bool, value: Value| is_set.then(|| shown.insert(key.to_owned(), value));
        show("name", true, json!(name));
        show("file", file.is_some(), url_or_not_set(file).into());
        show("server_variables", !server_variables.is_empty(), json!(server_variables));
        show("external_references", *external_references, true.into());
        show("include", !selection.include.is_empty(), rules_shown(&selection.include));
        show("exclude", !selection.exclude.is_empty(), rules_shown(&selection.exclude));
        show("base_url", base_url.is_some(), url_or_not_set(base_url).into());
        show("origins", !origins.is_empty(), json!(origins));
        show("token", token.is_some(), MASK.into());
        show("headers", !headers.is_empty(), headers_shown(headers));
        show("credentials", !credentials.is_empty(), credentials_shown(credentials));
        show("token_for_changes", token_for_changes.is_some(), MASK.into());
        show("credentials_for_changes", !credentials_for_changes.is_empty(), credentials_shown(credentials_for_changes));
        show("idempotency", !idempotency.is_empty(), key_rules_shown(idempotency));
        show("probes", !probes.is_empty(), probes_shown(probes));
        Value::Object(shown)
    });
    Value::from_iter(shown).to_string()
}

fn signing_keys_shown(keys: &[SigningKey]) -> String {
    let shown = keys.iter().map(|key| {
        let SigningKey { id, algorithm, key: _, file } = key;
        let (place, value) = file.as_ref().map_or(("key", MASK.to_owned()), |file| ("file", file.display().to_string()));
        json!({"id": id, "algorithm": algorithm.as_str(), place: value})
    });
    Value::from_iter(shown).to_string()
}

fn issuers_shown(issuers: &[Issuer]) -> String {
    let shown = issuers.iter().map(|one| {
        let Issuer { id, issuer, keys_url, audience, user_claim, user_prefix, role_claim, admin_roles } = one;
        let mut shown = Map::new();
        let always = [("id", id), ("issuer", issuer), ("audience", audience), ("user_claim", user_claim), ("user_prefix", user_prefix)];
        let set = [("keys_url", keys_url), ("role_claim", role_claim)];
        let set = set.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        shown.extend(always.into_iter().chain(set).map(|(name, value)| (name.to_owned(), json!(value))));
        shown.insert("admin_roles".to_owned(), json!(admin_roles));
        Value::Object(shown)
    });
    Value::from_iter(shown).to_string()
}

/// What is not set is left out, as it may be in a file.
fn fallbacks_shown(fallbacks: &[Fallback]) -> String {
    let shown = fallbacks.iter().map(|fallback| {
        let Fallback { url, api_key, model, headers } = fallback;
        let mut shown = Map::new();
        shown.insert("url".to_owned(), without_credentials(url).into());
        shown.extend(api_key.iter().map(|_| ("api_key".to_owned(), MASK.into())));
        shown.extend(model.iter().map(|model| ("model".to_owned(), json!(model))));
        shown.extend((!headers.is_empty()).then(|| ("headers".to_owned(), headers_shown(headers))));
        Value::Object(shown)
    });
    Value::from_iter(shown).to_string()
}

pub(super) fn rules_shown(rules: &[Rule]) -> Value {
    rules.iter().map(ToString::to_string).collect()
}

fn key_rules_shown(rules: &[KeyRule]) -> Value {
    let shown = |rule: &KeyRule| json!({"operations": rules_shown(&rule.operations), "header": rule.header.as_deref().unwrap_or_default()});
    rules.iter().map(shown).collect()
}

fn probes_shown(probes: &[Probe]) -> Value {
    let shown = |probe: &Probe| {
        let Probe { operation, call, arguments, took_effect } = probe;
        let took_effect = match took_effect {
            Sign::Found => "found",
            Sign::Gone => "gone",
        };
        json!({"operation": operation.to_string(), "call": call, "arguments": arguments, "took_effect": took_effect})
    };
    probes.iter().map(shown).collect()
}

fn headers_shown(headers: &BTreeMap<String, SecretString>) -> Value {
    headers.keys().map(|name| (name.clone(), MASK.into())).collect::<Map<_, _>>().into()
}

fn credentials_shown(credentials: &BTreeMap<String, Credential>) -> Value {
    let shown = |credential: &Credential| match credential {
        Credential::Secret(_) => json!({"value": MASK}),
        Credential::Basic { username, password: _ } => json!({"username": username, "password": MASK}),
        Credential::Client { client_id, client_secret: _, token_url, scopes } => {
            let mut shown = json!({"client_id": client_id, "client_secret": MASK});
            if let (Value::Object(members), Some(url)) = (&mut shown, token_url) {
                members.insert("token_url".to_owned(), without_credentials(url).into());
            }
            if let (Value::Object(members), Some(scopes)) = (&mut shown, scopes) {
                members.insert("scopes".to_owned(), json!(scopes));
            }
            shown
        }
    };
    credentials.iter().map(|(scheme, credential)| (scheme.clone(), shown(credential))).collect::<Map<_, _>>().into()
}

fn masked(secret: &Option<SecretString>) -> String {
    if secret.is_some() { MASK } else { NOT_SET }.to_owned()
}

fn or_not_set(value: &Option<impl ToString>) -> String {
    value.as_ref().map_or(NOT_SET.to_owned(), ToString::to_string)
}

fn url_or_not_set(url: &Option<String>) -> String {
    url.as_deref().map_or(NOT_SET.to_owned(), without_credentials)
}

/// A URL with a mask for the places where credentials travel: before the `@`, in the query and in the fragment. What is not even
/// nearly a URL (it has no `://`) is returned as it is. A wrong URL may have its `@` anywhere, so the last one counts.
pub(super) fn without_credentials(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    let (at, rest) = rest.rsplit_once('@').map_or(("", rest), |(_, rest)| ("********@", rest));
    match rest.find(['?', '#']) {
        Some(end) => format!("{scheme}://{at}{}{MASK}", rest.get(..=end).unwrap_or_default()),
        None => format!("{scheme}://{at}{rest}"),
    }
}

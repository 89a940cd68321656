//! What a value must be beyond its type and range, and which settings contradict each other.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    Durability, Embeddings, Settings, Store,
    keys::Key,
    reader::{Reader, quoted},
    redis_url::RedisUrl,
    source::Source,
};
use crate::domain::{
    limits::{PASSWORD_BYTES_MAX, PASSWORD_CHARS_MIN, SIGNING_KEY_BYTES_MIN},
    user::UserName,
};

/// What the settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    Anything,
    Serving,
}

/// Notes all that is wrong with values that were read.
pub(super) fn check(settings: &Settings, purpose: Purpose, reader: &mut Reader) {
    let Settings {
        server,
        admin,
        store,
        auth,
        limits: _,
        turns: _,
        budgets: _,
        sessions,
        results: _,
        openapi,
        upstream,
        apis,
        llm,
        agent: _,
        log,
        trace,
        policy: _,
        found: _,
    } = settings;
    if let Some(listen) = admin.listen.as_deref().filter(|listen| !is_address(listen)) {
        reader.refuse("admin.listen", format!("is {}; a host and a port are needed, like 127.0.0.1:5001, or off", quoted(listen)));
    }
    redis(store, reader);
    if store.seal_conversations && store.sealing_keys.is_empty() {
        let sentence = "is true, but store.sealing_keys is not set; conversations are sealed under keys of your own only";
        reader.refuse("store.seal_conversations", sentence.to_owned());
    }
    signing_key(settings, purpose, reader);
    administrator(auth.admin_username.as_deref(), auth.admin_password.as_ref(), reader);
    if let Some(file) = openapi.file.as_deref().filter(|file| file.contains("://")) {
        http_url("openapi.file", file, reader);
    }
    base_url(upstream.base_url.as_deref(), reader);
    if openapi.file.is_none() && !apis.is_empty() {
        without_a_document(reader);
    }
    if let Some(url) = &llm.url {
        http_url("llm.url", url, reader);
    }
    if llm.url.is_none() {
        for name in ["llm.headers", "llm.fallbacks", "llm.embeddings.model"] {
            if reader.layers.source(name) != Source::Default {
                reader.refuse(name, "holds for nothing: llm.url is not set, so there is no model".to_owned());
            }
        }
    }
    embeddings(&llm.embeddings, reader);
    credential("upstream.token", upstream.token.as_ref(), reader);
    credential("upstream.token_for_changes", upstream.token_for_changes.as_ref(), reader);
    credential("llm.api_key", llm.api_key.as_ref(), reader);
    at_most(("server.drain_notice_ms", server.drain_notice_ms), ("server.drain_ms", server.drain_ms), reader);
    at_most(("sessions.idle_secs", sessions.idle_secs), ("sessions.max_secs", sessions.max_secs), reader);
    at_most(("upstream.connect_timeout_ms", upstream.connect_timeout_ms), ("upstream.timeout_ms", upstream.timeout_ms), reader);
    at_most(("llm.max_tokens", llm.max_tokens.map_or(0, u64::from)), ("llm.context_tokens", llm.context_tokens), reader);
    if let Some(url) = &trace.url {
        http_url("trace.url", url, reader);
    } else {
        for name in ["trace.headers", "trace.clients", "trace.content"] {
            if reader.layers.source(name) != Source::Default {
                reader.refuse(name, "holds for nothing: trace.url is not set, so there are no spans".to_owned());
            }
        }
    }
    if !log.level.is_empty()
        && let Some(problem) = log_level_problem(&log.level)
    {
        reader.refuse("log.level", problem);
    }
}

/// What is wrong with a level of the log, as a sentence without its subject.
pub fn log_level_problem(level: &str) -> Option<String> {
    let needed = "trace, debug, info, warn, error or off is needed, or a list such as warn,swagger_api_agent=debug";
    (!level.split(',').all(is_log_directive)).then(|| format!("is {}; {needed}", quoted(level)))
}

/// `host:port`, with IPv6 addresses in brackets.
fn is_address(text: &str) -> bool {
    text.parse::<std::net::SocketAddr>().is_ok()
        || text.rsplit_once(':').is_some_and(|(host, port)| {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
            !host.is_empty() && host.chars().all(plain) && port.parse::<u16>().is_ok()
        })
}

fn embeddings(embeddings: &Embeddings, reader: &mut Reader) {
    let Embeddings { model, url, api_key, timeout_ms: _ } = embeddings;
    if let Some(url) = url {
        http_url("llm.embeddings.url", url, reader);
    }
    credential("llm.embeddings.api_key", api_key.as_ref(), reader);
    for (name, given) in [("llm.embeddings.url", url.is_some()), ("llm.embeddings.api_key", api_key.is_some())] {
        if given && model.is_none() {
            reader.refuse(name, "holds for nothing: llm.embeddings.model is not set".to_owned());
        }
    }
}

/// With other APIs and no document of their own, settings of the main API hold for nothing: somebody meant something else.
fn without_a_document(reader: &mut Reader) {
    let own = ["openapi.server_variables", "openapi.external_references", "openapi.include", "openapi.exclude", "upstream.base_url"];
    for name in own.into_iter().chain([
        "upstream.origins",
        "upstream.token",
        "upstream.headers",
        "upstream.credentials",
        "upstream.token_for_changes",
        "upstream.credentials_for_changes",
        "upstream.idempotency",
        "upstream.probes",
    ]) {
        if reader.layers.source(name) != Source::Default {
            reader.refuse(name, "holds for nothing: openapi.file is not set, and every one of apis has its own".to_owned());
        }
    }
}

/// The URL of Redis, and what holds only together with it.
fn redis(store: &Store, reader: &mut Reader) {
    let url = store
        .redis_url
        .as_ref()
        .and_then(|url| RedisUrl::read(url).map_err(|problem| reader.refuse("store.redis_url", problem.into())).ok());
    // A URL that was refused says nothing about what else there is.
    let known = url.is_some() || reader.layers.get("store.redis_url").is_none();
    let tls = url.as_ref().is_some_and(RedisUrl::has_tls);
    let sentinel = matches!(url, Some(RedisUrl::Sentinel { .. }));
    let mut needs = |name: &str, given: bool, met: bool, what: &str| {
        if given && known && !met {
            reader.refuse(name, format!("holds for nothing: {what}"));
        }
    };
    let no_tls = "store.redis_url does not begin with rediss";
    needs("store.tls_ca_file", store.tls_ca_file.is_some(), tls, no_tls);
    needs("store.tls_cert_file", store.tls_cert_file.is_some(), tls, no_tls);
    needs("store.tls_key_file", store.tls_key_file.is_some(), tls, no_tls);
    let no_sentinel = "store.redis_url names no Sentinels";
    needs("store.sentinel_username", store.sentinel_username.is_some(), sentinel, no_sentinel);
    needs("store.sentinel_password", store.sentinel_password.is_some(), sentinel, no_sentinel);
    needs(
        "store.durability",
        store.durability == Durability::Durable,
        url.is_some(),
        "store.redis_url is not set, and the embedded store has no replicas",
    );
    for (one, other) in [("store.tls_cert_file", "store.tls_key_file"), ("store.tls_key_file", "store.tls_cert_file")] {
        if reader.layers.get(one).is_none() && reader.layers.get(other).is_some() {
            reader.refuse(one, format!("is not set, but {other} is; both are needed, or neither"));
        }
    }
    if store.durability == Durability::Durable {
        at_most(("store.durable_timeout_ms", store.durable_timeout_ms), ("store.timeout_ms", store.timeout_ms), reader);
    }
}

fn signing_key(settings: &Settings, purpose: Purpose, reader: &mut Reader) {
    match &settings.auth.signing_key {
        Some(key) if key.expose_secret().len() < SIGNING_KEY_BYTES_MIN => {
            let bytes = key.expose_secret().len();
            reader.refuse("auth.signing_key", format!("is {bytes} bytes; at least {SIGNING_KEY_BYTES_MIN} are needed"));
        }
        // What is sealed has a key of its own then, and tokens have theirs.
        None if !settings.auth.keys.is_empty() && !settings.store.sealing_keys.is_empty() => {}
        None if purpose == Purpose::Serving && settings.store.redis_url.is_some() => {
            let sentence =
                "is not set; with store.redis_url it is needed, the same for every replica: JWT_SECRET_KEY=$(openssl rand -hex 32)";
            reader.refuse("auth.signing_key", sentence.to_owned());
        }
        Some(_) | None => {}
    }
}

fn administrator(name: Option<&str>, password: Option<&SecretString>, reader: &mut Reader) {
    if let Some(name) = name.filter(|name| UserName::new(name).is_none()) {
        reader.refuse("auth.admin_username", format!("is {}; 1 to 64 characters without white space are needed", quoted(name)));
    }
    if let Some(password) = password {
        let (chars, bytes) = (password.expose_secret().chars().count(), password.expose_secret().len());
        if chars < PASSWORD_CHARS_MIN {
            reader.refuse("auth.admin_password", format!("is {chars} characters; at least {PASSWORD_CHARS_MIN} are needed"));
        } else if bytes > PASSWORD_BYTES_MAX {
            reader.refuse("auth.admin_password", format!("is {bytes} bytes; at most {PASSWORD_BYTES_MAX} are allowed"));
        }
    }
    // Given, but refused, is not missing: the problem that was noted says enough.
    let missing = |name: &str, reader: &Reader| reader.layers.get(name).is_none();
    if password.is_some() && missing("auth.admin_username", reader) {
        reader.refuse("auth.admin_username", "is not set, but auth.admin_password is; both are needed, or neither".to_owned());
    }
    if name.is_some() && missing("auth.admin_password", reader) {
        reader.refuse("auth.admin_password", "is not set, but auth.admin_username is; both are needed, or neither".to_owned());
    }
}

fn http_url(key: &str, text: &str, reader: &mut Reader) -> Option<Url> {
    let url = Url::parse(text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    if url.is_none() {
        reader.refuse(key, format!("is {}; a URL that begins with http:// or https:// is needed", quoted(text)));
    }
    url
}

fn base_url(text: Option<&str>, reader: &mut Reader) {
    let url = text.and_then(|text| http_url("upstream.base_url", text, reader));
    if url.is_some_and(|url| url.query().is_some() || url.fragment().is_some()) {
        reader.refuse("upstream.base_url", "has a query or a fragment; paths cannot be added to it".to_owned());
    }
}

/// A credential that is sent as `Bearer …` consists of visible ASCII characters (RFC 6750, 2.1).
fn credential(key: &str, secret: Option<&SecretString>, reader: &mut Reader) {
    if secret.is_some_and(|secret| !secret.expose_secret().bytes().all(|byte| byte.is_ascii_graphic())) {
        reader.refuse(key, "has white space or a character outside ASCII in it; the credential alone is needed".to_owned());
    }
}

/// Two numbers of which the first must not be more. A default among them is named, because nobody wrote it.
fn at_most(small: (&str, u64), large: (&str, u64), reader: &mut Reader) {
    // A number that was refused reads as 0 and says nothing about the other.
    let refused = |name: &str| reader.layers.problems.iter().any(|problem| problem.key == name);
    if small.1 <= large.1 || refused(small.0) || refused(large.0) {
        return;
    }
    let place = |name: &str| match reader.layers.source(name) {
        Source::Default => format!("the default; {}", Key::named(name).map(Key::variable).unwrap_or_default()),
        source => source.to_string(),
    };
    let sentence = format!("is {}; at most {} is allowed, which is {} ({})", small.1, large.0, large.1, place(large.0));
    reader.refuse(small.0, sentence);
}

/// A level, or `target=level`. A word that is neither would be taken for a target, and a mistyped level would pass unseen.
fn is_log_directive(directive: &str) -> bool {
    let is_level = |word: &str| ["trace", "debug", "info", "warn", "error", "off"].iter().any(|level| word.eq_ignore_ascii_case(level));
    match directive.trim().rsplit_once('=') {
        Some((target, level)) => !target.is_empty() && !target.contains(char::is_whitespace) && is_level(level),
        None => is_level(directive.trim()),
    }
}

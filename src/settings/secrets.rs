//! Every secret that the settings hold, so that it can be taken out of whatever is told.

use secrecy::{ExposeSecret, SecretString};
use url::{Url, form_urlencoded};

use super::{Api, Auth, Credential, Embeddings, Fallback, Llm, RedisUrl, SealingKey, Settings, Store, Upstream};
use crate::domain::{base64, limits::UNNAMED_SECRET_BYTES_MIN};

/// Words in the name of a header that say that its value is a secret. Others (a version, a tenant, a language) are often ordinary words or
/// dates, and would be found where they mean something else.
const SECRET_HEADERS: [&str; 9] = ["auth", "cookie", "token", "key", "secret", "password", "credential", "session", "signature"];

/// A line of a PEM that is looked for, in characters: the last one may be a few that are found anywhere.
const PEM_LINE_CHARS_MIN: usize = 16;

impl Settings {
    /// Every secret, as whoever quotes it would write it. Every struct that has one is taken apart by name, so that a new field does not
    /// compile before it is looked at.
    pub fn secrets(&self) -> Vec<SecretString> {
        let Self {
            server: _,
            store,
            auth,
            limits: _,
            turns: _,
            sessions: _,
            results: _,
            openapi,
            upstream,
            apis,
            llm,
            agent: _,
            trace,
            ..
        } = self;
        let Auth {
            signing_key,
            keys,
            issuers: _,
            token_hours: _,
            refresh_hours: _,
            logins_at_once: _,
            login_failures_per_address: _,
            admin_username: _,
            admin_password,
        } = auth;
        let Upstream { token, headers, credentials, token_for_changes, credentials_for_changes, base_url, .. } = upstream;
        let mut found = Found::default();
        of_store(store, &mut found);
        found.all([signing_key, admin_password, token, token_for_changes].into_iter().flatten());
        for key in keys.iter().filter(|key| key.signs()) {
            // Whoever quotes a PEM may quote a line of it. What comes before the end of the first is alike in all keys of one kind.
            found.all([&key.key]);
            let lines = key.key.expose_secret().lines().filter(|line| line.len() >= PEM_LINE_CHARS_MIN && !line.starts_with("-----"));
            lines.for_each(|line| found.add(line));
        }
        found.headers(headers);
        found.credentials(credentials.values().chain(credentials_for_changes.values()));
        [&openapi.file, base_url].into_iter().flatten().for_each(|url| found.url(url));
        apis.iter().for_each(|api| of_api(api, &mut found));
        of_llm(llm, &mut found);
        found.headers(&trace.headers);
        trace.url.iter().for_each(|url| found.url(url));
        found.0
    }
}

#[derive(Default)]
struct Found(Vec<SecretString>);

impl Found {
    fn add(&mut self, text: impl Into<String>) {
        self.0.push(SecretString::from(text.into()));
    }

    fn all<'a>(&mut self, secrets: impl IntoIterator<Item = &'a SecretString>) {
        self.0.extend(secrets.into_iter().cloned());
    }

    fn pair(&mut self, name: &str, secret: &SecretString) {
        self.all([secret]);
        self.add(format!("{name}:{}", secret.expose_secret()));
    }

    fn headers<'a>(&mut self, headers: impl IntoIterator<Item = (&'a String, &'a SecretString)>) {
        for (name, value) in headers {
            let text = value.expose_secret();
            if !says_secret(name) && !looks_like_a_key(text) {
                continue;
            }
            self.all([value]);
            // What stands behind a scheme may be quoted without it (RFC 9110, 11.4).
            let credentials = text.split_once(' ').filter(|_| name.to_ascii_lowercase().ends_with("authorization"));
            credentials.into_iter().for_each(|(_, credentials)| self.add(credentials.trim()));
            // Of cookies each value as well.
            let cookies = text.split(';').filter(|_| name.eq_ignore_ascii_case("cookie")).filter_map(|pair| pair.split_once('='));
            cookies.for_each(|(_, cookie)| self.add(cookie.trim()));
        }
    }

    fn credentials<'a>(&mut self, credentials: impl IntoIterator<Item = &'a Credential>) {
        for credential in credentials {
            match credential {
                Credential::Secret(secret) => self.all([secret]),
                Credential::Basic { username, password } => self.pair(username, password),
                Credential::Client { client_id, client_secret, .. } => {
                    self.pair(client_id, client_secret);
                    // RFC 6749, 2.3.1: both are form-encoded before they become a name and a password.
                    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
                    self.add(format!("{}:{}", encoded(client_id), encoded(client_secret.expose_secret())));
                }
            }
        }
    }

    /// The password in a URL, and what its query says, which may be a token.
    fn url(&mut self, text: &str) {
        let Ok(url) = Url::parse(text) else { return };
        if let Some(password) = url.password() {
            self.add(password);
            self.add(percent_encoding::percent_decode_str(password).decode_utf8_lossy());
        }
        for (name, value) in url.query_pairs() {
            if says_secret(&name) || looks_like_a_key(&value) {
                self.add(value);
            }
        }
    }
}

fn of_store(store: &Store, found: &mut Found) {
    let Store { redis_url, sealing_keys, sentinel_password, .. } = store;
    found.all(sentinel_password);
    for SealingKey { key, .. } in sealing_keys {
        let key = base64::encode(key.expose_secret());
        found.add(key.trim_end_matches('='));
        found.add(key.trim_end_matches('=').replace('+', "-").replace('/', "_"));
    }
    match redis_url.as_ref().and_then(|url| RedisUrl::read(url).ok()) {
        Some(RedisUrl::Standalone { url, .. }) => found.url(url.expose_secret()),
        Some(RedisUrl::Sentinel { entry, .. } | RedisUrl::Cluster { entry, .. }) => found.all(&entry.password),
        None => {}
    }
}

fn of_api(api: &Api, found: &mut Found) {
    let Api { file, base_url, token, headers, credentials, token_for_changes, credentials_for_changes, .. } = api;
    found.all(token.iter().chain(token_for_changes));
    found.headers(headers);
    found.credentials(credentials.values().chain(credentials_for_changes.values()));
    [file, base_url].into_iter().flatten().for_each(|url| found.url(url));
}

fn of_llm(llm: &Llm, found: &mut Found) {
    let Llm { url, api_key, headers, fallbacks, embeddings, .. } = llm;
    let Embeddings { model: _, url: embeddings_url, api_key: embeddings_key, timeout_ms: _ } = embeddings;
    found.all([api_key, embeddings_key].into_iter().flatten());
    found.headers(headers);
    [url, embeddings_url].into_iter().flatten().for_each(|url| found.url(url));
    for Fallback { url, api_key, model: _, headers } in fallbacks {
        found.all(api_key);
        found.headers(headers);
        found.url(url);
    }
}

fn says_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_HEADERS.iter().any(|word| name.contains(word))
}

/// One long word of letters and digits: no product's name, no date, no media type, no address.
fn looks_like_a_key(value: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| value.as_bytes().iter().any(kind);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~+=".contains(&byte);
    value.len() >= UNNAMED_SECRET_BYTES_MIN && value.bytes().all(plain) && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Sources;

    fn found(variables: &[(&str, &str)]) -> Vec<String> {
        let settings = Settings::load(Sources::default().with_environment(variables.iter().copied())).unwrap();
        settings.secrets().iter().map(|secret| secret.expose_secret().to_owned()).collect()
    }

    #[test]
    fn every_secret_of_the_settings_is_known() {
        let key = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
        let sealing = format!("a:{key}");
        let told = found(&[
            ("SAA_STORE__REDIS_URL", "redis+sentinel://u:redis%2Fpass@h/main"),
            ("SAA_STORE__SENTINEL_PASSWORD", "sentinel-pass"),
            ("SAA_STORE__SEALING_KEYS", &sealing),
            ("SAA_AUTH__SIGNING_KEY", "signing-key-signing-key-signing-key"),
            ("SAA_AUTH__ADMIN_USERNAME", "root"),
            ("SAA_AUTH__ADMIN_PASSWORD", "admin-pass"),
            ("SAA_OPENAPI__FILE", "https://u:file-pass@docs.test/a.json?token=query-token&page=1"),
            ("SAA_UPSTREAM__BASE_URL", "http://up.test"),
            ("SAA_UPSTREAM__TOKEN", "upstream-token"),
            ("SAA_UPSTREAM__TOKEN_FOR_CHANGES", "changing-token"),
            ("SAA_UPSTREAM__CREDENTIALS_FOR_CHANGES", r#"{"k": {"value": "changing-value"}}"#),
            ("SAA_UPSTREAM__HEADERS", r#"{"X-Key": "header-key", "Cookie": "sid=cookie-value; l=en"}"#),
            (
                "SAA_UPSTREAM__CREDENTIALS",
                r#"{"k": {"value": "cred-value"}, "b": {"username": "ann", "password": "basic pass"},
                    "c": {"client_id": "me", "client_secret": "client/secret"}}"#,
            ),
            (
                "SAA_APIS",
                r#"[{"name": "shop", "file": "a.json", "token": "shop-token", "token_for_changes": "shop-changing", "headers": {"X-Token": "shop-header"}}]"#,
            ),
            ("SAA_LLM__URL", "https://u:url-pass@llm.test/v1"),
            ("SAA_LLM__API_KEY", "llm-key"),
            ("SAA_LLM__HEADERS", r#"{"api-key": "llm-header"}"#),
            ("SAA_LLM__EMBEDDINGS__MODEL", "meaning"),
            ("SAA_LLM__EMBEDDINGS__URL", "https://e.test/v1?key=embeddings-query-key"),
            ("SAA_LLM__EMBEDDINGS__API_KEY", "embeddings-key"),
            ("SAA_TRACE__URL", "https://t.test/v1/traces?token=collector-query-token"),
            ("SAA_TRACE__HEADERS", r#"{"authorization": "Bearer collector-header-token"}"#),
            ("SAA_LLM__FALLBACKS", r#"[{"url": "http://f.test/v1", "api_key": "fallback-key", "headers": {"X-Auth": "fallback-header"}}]"#),
        ]);
        for secret in [
            "redis/pass",
            "sentinel-pass",
            key.trim_end_matches('='),
            "signing-key-signing-key-signing-key",
            "admin-pass",
            "file-pass",
            "query-token",
            "upstream-token",
            "changing-token",
            "changing-value",
            "shop-changing",
            "header-key",
            "cookie-value",
            "cred-value",
            "basic pass",
            "ann:basic pass",
            "client/secret",
            "me:client%2Fsecret",
            "shop-token",
            "shop-header",
            "url-pass",
            "llm-key",
            "llm-header",
            "fallback-key",
            "fallback-header",
            "embeddings-key",
            "embeddings-query-key",
            "collector-query-token",
            "collector-header-token",
        ] {
            assert!(told.iter().any(|told| told == secret), "{secret} in {told:?}");
        }
        let redis = found(&[("REDIS_URL", "redis://u:p%40ssword@h:1/0"), ("JWT_SECRET_KEY", "signing-key-signing-key-signing-key")]);
        assert!(redis.contains(&"p@ssword".to_owned()), "{redis:?}");
    }

    #[test]
    fn a_header_that_is_no_secret_is_left_alone() {
        let told = found(&[(
            "SAA_UPSTREAM__HEADERS",
            r#"{"X-Version": "2026-11-22", "X-Title": "Swagger API Agent 2", "Accept-Language": "zh-CN,zh;q=0.9"}"#,
        )]);
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(found(&[("SAA_UPSTREAM__HEADERS", r#"{"X-Shop": "9f8a7d6e5c4b3a291817"}"#)]), ["9f8a7d6e5c4b3a291817"]);
    }
}

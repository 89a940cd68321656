//! `doctor` of the real binary: what an operator learns before the start, and when something is wrong.

use std::process::{Command, Output};

use serde_json::Value;

use crate::{
    harness::{
        bed::{Bed, On, SIGNING_KEY},
        certificates::{authority, shown_at_a_port, signed},
        servers::free_port,
    },
    topologies::sealed,
};

/// Runs it with these settings beside those of the bed.
async fn doctor(bed: &Bed, arguments: &'static [&'static str], more: &[(&str, String)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    let settings = &bed.settings;
    command
        .env_clear()
        .env("SAA_STORE__DATA_DIR", &settings.store.data_dir)
        .env("JWT_SECRET_KEY", SIGNING_KEY)
        .env("OPENAPI_FILE", settings.openapi.file.clone().unwrap())
        .env("API_BASE_URL", settings.upstream.base_url.clone().unwrap())
        .env("DEEPSEEK_API_URL", settings.llm.url.clone().unwrap())
        .env("SAA_SERVER__PORT", free_port().to_string())
        .envs(bed.redis.as_ref().map(|redis| ("REDIS_URL", redis.url())))
        .envs(more.iter().map(|(name, value)| (*name, value.clone())))
        .arg("doctor")
        .args(arguments);
    tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
}

fn found(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {output:?}"))
}

/// What is told of one thing: its state and its sentence, and what to do.
#[track_caller]
fn of(found: &Value, check: &str) -> (String, String, Option<String>) {
    let all = found["checks"].as_array().unwrap();
    let one = all.iter().find(|one| one["check"] == check).unwrap_or_else(|| panic!("{check} is missing in {found:#}"));
    let text = |name: &str| one[name].as_str().map(str::to_owned);
    (text("state").unwrap(), text("message").unwrap(), text("advice"))
}

#[tokio::test]
async fn where_all_is_well_it_says_so_of_everything() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("ok");
    let output = doctor(&bed, &["--json"], &[]).await;
    let told = found(&output);
    assert_eq!((output.status.code(), &told["healthy"]), (Some(0), &Value::Bool(true)), "{told:#}");
    for (check, part) in [
        ("settings", "all can be used"),
        ("store", "Redis answers"),
        ("store version", "Redis "),
        ("store keyspace", "this program's"),
        ("store safety", "nothing is set"),
        ("clock", "ms from the store's"),
        ("administrator", "there is one"),
        ("llm.url", "answers at"),
        ("openapi.file", "operations can be used"),
        ("upstream.base_url", "answers (status"),
        ("server", "none runs at"),
    ] {
        let (state, message, advice) = of(&told, check);
        assert!(message.contains(part), "{check}: {message}");
        assert!(state == "ok" || (state == "warn" && advice.is_some()), "{check} is {state}: {message}");
    }
    assert_eq!(bed.llm.heard().len(), 1, "one small question");
}

#[tokio::test]
async fn a_key_in_the_query_of_an_endpoint_is_not_told() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("ok");
    let url = format!("{}?key=canary-of-the-query", bed.settings.llm.url.clone().unwrap());
    let output = doctor(&bed, &["--json"], &[("DEEPSEEK_API_URL", url)]).await;
    let (state, message, _) = of(&found(&output), "llm.url");
    assert_eq!(state, "ok", "{message}");
    assert!(message.contains("answers at http://127.0.0.1:") && !format!("{output:?}").contains("canary"), "{output:?}");
}

#[tokio::test]
async fn what_may_lose_something_is_a_warning_and_no_failure() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("ok");
    bed.redis().command::<String>("CONFIG", &["SET", "appendonly", "no"]);
    let output = doctor(&bed, &["--json"], &[]).await;
    let (state, message, advice) = of(&found(&output), "store safety");
    assert_eq!(output.status.code(), Some(0));
    assert!(state == "warn" && message.contains("append-only") && advice.unwrap().contains("docs/REDIS.md"), "{message}");
}

#[tokio::test]
async fn all_that_is_wrong_is_told_in_one_go_each_with_what_to_do() {
    let bed = Bed::on(On::Redis).await;
    let nobody = |path: &str| format!("http://127.0.0.1:{}{path}", free_port());
    let more =
        [("REDIS_URL", format!("redis://127.0.0.1:{}/0", free_port())), ("DEEPSEEK_API_URL", nobody("/v1")), ("API_BASE_URL", nobody(""))];
    let output = doctor(&bed, &["--json"], &more).await;
    let told = found(&output);
    assert_eq!((output.status.code(), &told["healthy"]), (Some(1), &Value::Bool(false)), "{told:#}");
    for (check, advice_has) in [("store", "store.redis_url"), ("llm.url", "llm.url"), ("upstream.base_url", "is it running")] {
        let (state, message, advice) = of(&told, check);
        assert_eq!(state, "fail", "{check}: {message}");
        assert!(advice.unwrap().contains(advice_has), "{check}: {told:#}");
    }
    bed.llm.says("ok");
    let output = doctor(&bed, &["--json"], &[("OPENAPI_FILE", "/no/such/document.yaml".to_owned())]).await;
    let (state, message, _) = of(&found(&output), "openapi.file");
    assert!(state == "fail" && message.starts_with("/no/such/document.yaml: "), "the setting is named beside it: {message}");
}

#[tokio::test]
async fn credentials_that_operations_ask_for_and_nobody_has_set_are_a_warning() {
    let bed = Bed::on(On::Redis).await;
    let document = bed.settings.store.data_dir.join("secured.json");
    let text = r#"{"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "security": [{"key": []}],
        "paths": {"/open": {"get": {"operationId": "open", "security": []}},
            "/a": {"get": {"operationId": "list", "security": [{"key": []}, {"login": []}]}, "post": {"operationId": "add"}},
            "/b": {"delete": {"operationId": "drop", "security": [{"login": []}, {}]}}},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "login": {"type": "http", "scheme": "bearer"}}}}"#;
    std::fs::write(&document, text).unwrap();
    let secured = ("OPENAPI_FILE", document.display().to_string());
    let key = |setting: &'static str| (setting, r#"{"key": {"value": "canary-of-the-key"}}"#.to_owned());
    for (set, expected, told) in [
        (None, "warn", "2 of 2 operations that ask for credentials ask for some that are not set for everybody: key"),
        (Some(("API_TOKEN", "canary-of-the-token".to_owned())), "warn", "1 of 2 operations that ask for credentials"),
        (Some(key("SAA_UPSTREAM__CREDENTIALS_FOR_CHANGES")), "warn", "1 of 2 operations that ask for credentials"),
        (Some(key("SAA_UPSTREAM__CREDENTIALS")), "ok", "set for all 2 operations that ask for any"),
    ] {
        let more: Vec<_> = set.into_iter().chain([secured.clone(), ("DEEPSEEK_API_URL", String::new())]).collect();
        let output = doctor(&bed, &["--json"], &more).await;
        let (state, message, _) = of(&found(&output), "upstream.credentials");
        assert!(state == expected && message.contains(told), "{state}: {message}");
        assert!(!format!("{output:?}").contains("canary"), "{output:?}");
    }
}

#[tokio::test]
async fn a_redis_that_refuses_is_told_with_its_reason() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("ok");
    bed.redis().command::<String>("CONFIG", &["SET", "requirepass", "canary-of-redis"]);
    let told = found(&doctor(&bed, &["--json"], &[]).await);
    let (state, message, advice) = of(&told, "store");
    assert_eq!((state.as_str(), advice.as_deref()), ("fail", Some("are user and password in store.redis_url right?")), "{message}");
    assert!(message.to_lowercase().contains("auth") && !told.to_string().contains("canary"), "{told:#}");
}

#[tokio::test]
async fn a_credential_that_fits_no_scheme_of_the_document_is_a_failure_as_it_is_at_the_start() {
    let bed = Bed::on(On::Redis).await;
    let more =
        [("SAA_UPSTREAM__CREDENTIALS", r#"{"nokey": {"value": "canary-of-the-key"}}"#.to_owned()), ("DEEPSEEK_API_URL", String::new())];
    let told = found(&doctor(&bed, &["--json"], &more).await);
    let (state, message, _) = of(&told, "upstream.credentials");
    assert!(state == "fail" && message.contains("upstream.credentials.nokey names no security scheme of the document"), "{message}");
    assert!(!told.to_string().contains("canary"), "{told:#}");
}

#[tokio::test]
async fn settings_that_cannot_be_used_are_findings_too() {
    let bed = Bed::on(On::Redis).await;
    let more = [("SAA_TURNS__ROUNDS_MAX", "0".to_owned()), ("SAA_ADMIN__LISTEN", "somewhere".to_owned())];
    let output = doctor(&bed, &[], &more).await;
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    for part in ["fail  ", "turns.rounds_max", "SAA_TURNS__ROUNDS_MAX", "admin.listen", "is \"somewhere\"; a host and a port are needed"] {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_yet_is_not_made_and_one_in_use_is_left_alone() {
    let bed = Bed::on(On::Embedded).await;
    bed.llm.says("ok").says("ok");
    let (_, message, _) = of(&found(&doctor(&bed, &["--json"], &[]).await), "store");
    assert!(message.contains("in use by a server"), "{message}");
    let empty = tempfile::tempdir().unwrap();
    let place = empty.path().join("data");
    let output = doctor(&bed, &["--json"], &[("SAA_STORE__DATA_DIR", place.display().to_string())]).await;
    let (state, message, _) = of(&found(&output), "store");
    assert!(state == "ok" && message.contains("the first start makes one"), "{message}");
    assert!(!place.exists(), "it was made");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn certificates_of_redis_are_told_of_before_they_end() {
    let bed = Bed::on(On::Embedded).await;
    bed.llm.says("ok");
    let directory = tempfile::tempdir().unwrap();
    sealed::certified(directory.path());
    let redis = sealed::server(directory.path());
    let file = |name: &str| directory.path().join(name).display().to_string();
    let more = [
        ("REDIS_URL", format!("rediss://test:test@localhost:{}/0", redis.port)),
        ("SAA_STORE__TLS_CA_FILE", file("ca.pem")),
        ("SAA_STORE__TLS_CERT_FILE", file("client.pem")),
        ("SAA_STORE__TLS_KEY_FILE", file("client.key")),
        ("WEB_API_USERNAME", "admin".to_owned()),
        ("WEB_API_PASSWORD", "correct horse battery".to_owned()),
    ];
    let output = doctor(&bed, &["--json"], &more).await;
    let told = found(&output);
    assert_eq!(output.status.code(), Some(0), "{told:#}");
    for (check, name) in
        [("store.redis_url certificate", "CN=server"), ("store.tls_ca_file", "CN=authority"), ("store.tls_cert_file", "CN=client")]
    {
        let (state, message, advice) = of(&told, check);
        assert!(state == "warn" && message.contains(&format!("{name} is good until 20")), "{check} is {state}: {message}");
        assert!(advice.unwrap().contains("renew it"), "{check}");
    }
    let (_, message, _) = of(&told, "store.redis_url certificate");
    assert!(message.starts_with(&format!("localhost:{}: ", redis.port)), "where it is: {message}");
}

#[tokio::test]
async fn certificates_of_the_model_the_api_and_issuers_are_told_of_each_as_it_is() {
    let bed = Bed::on(On::Redis).await;
    let directory = tempfile::tempdir().unwrap();
    authority(directory.path());
    [("api", -1), ("model", 20), ("issuer", 90)].into_iter().for_each(|(who, days)| signed(directory.path(), who, days));
    let at = async |who: &str| format!("https://localhost:{}", shown_at_a_port(directory.path(), who).await);
    let (api, model, issuer) = (at("api").await, at("model").await, at("issuer").await);
    let issuers = format!(r#"[{{"id": "corp", "issuer": "{issuer}", "audience": "agent", "user_claim": "sub", "user_prefix": "corp."}}]"#);
    let more = [
        ("API_BASE_URL", api.clone()),
        ("DEEPSEEK_API_URL", format!("{model}/v1?key=canary-of-the-query")),
        ("SAA_AUTH__ISSUERS", issuers),
    ];
    let output = doctor(&bed, &["--json"], &more).await;
    let told = found(&output);
    for (check, expected, part) in [
        ("upstream.base_url certificate", "fail", format!("{api}/: CN=api ended on ")),
        ("llm.url certificate", "warn", format!("{model}/v1: CN=model is good until 20")),
        ("auth.issuers.corp certificate", "ok", format!("{issuer}/: CN=issuer is good until 20")),
    ] {
        let (state, message, _) = of(&told, check);
        assert!(state == expected && message.starts_with(&part), "{check} is {state}: {message}");
    }
    assert!(!format!("{output:?}").contains("canary"), "{output:?}");
}

#[tokio::test]
async fn a_server_without_tls_where_the_settings_say_so_is_told_of() {
    let bed = Bed::on(On::Redis).await;
    bed.llm.says("ok");
    let plain = bed.settings.upstream.base_url.clone().unwrap().replace("http://", "https://");
    let told = found(&doctor(&bed, &["--json"], &[("API_BASE_URL", plain)]).await);
    let (state, message, _) = of(&told, "upstream.base_url certificate");
    assert!(state == "warn" && message.contains("it speaks no TLS"), "{message}");
}

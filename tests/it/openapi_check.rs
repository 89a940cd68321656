//! `openapi check` of the real binary: what an operator learns of a document.

use std::{io::Write, process::Command};

const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {
    "/a": {"get": {"operationId": "listThings"}, "post": {"operationId": "addThing", "x-idempotency-header": "X-Once"}},
    "/b": {"put": {"operationId": "putThing"}, "delete": {"operationId": "dropThing"}}}}"#;

fn openapi_check(arguments: &[&str]) -> String {
    openapi_check_with(&[], arguments)
}

fn openapi_check_with(more: &[(&str, &str)], arguments: &[&str]) -> String {
    openapi_check_of(DOCUMENT, more, arguments)
}

fn openapi_check_of(text: &str, more: &[(&str, &str)], arguments: &[&str]) -> String {
    let mut document = tempfile::NamedTempFile::new().unwrap();
    document.write_all(text.as_bytes()).unwrap();
    let rules = r#"[{"operations": ["method:put"], "header": "Idempotency-Key"}]"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command
        .env_clear()
        .env("SAA_UPSTREAM__IDEMPOTENCY", rules)
        .envs(more.iter().copied())
        .args(["openapi", "check"])
        .arg(document.path())
        .args(arguments);
    let output = command.output().unwrap();
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), [].as_slice()));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn functions_that_carry_a_key_are_told_with_its_header() {
    let shown = openapi_check(&[]);
    let functions: Vec<&str> = shown.lines().filter(|line| line.starts_with("  ")).map(str::trim).collect();
    let expected =
        ["listThings  GET /a", "addThing  POST /a  (key in X-Once)", "putThing  PUT /b  (key in Idempotency-Key)", "dropThing  DELETE /b"];
    assert_eq!(functions, expected);
    let told: serde_json::Value = serde_json::from_str(&openapi_check(&["--json"])).unwrap();
    assert_eq!(told["key_headers"], serde_json::json!({"addThing": "X-Once", "putThing": "Idempotency-Key"}));
}

#[test]
fn security_schemes_are_told_with_whether_something_meets_them() {
    let document = r#"{"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {"/a": {"get": {"operationId": "listThings"}}},
        "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}, "login": {"type": "http", "scheme": "bearer"}}}}"#;
    let told = |more: &[(&str, &str)]| -> Vec<String> {
        let shown = openapi_check_of(document, more, &[]);
        shown.lines().filter_map(|line| line.strip_prefix("credential ")).map(str::to_owned).collect()
    };
    let schemes = |key: &str, login: &str| {
        vec![format!("key: an API key, {{ value = … }}; {key}"), format!("login: a bearer token, {{ value = … }}; {login}")]
    };
    assert_eq!(told(&[]), schemes("not set", "not set"));
    assert_eq!(told(&[("API_TOKEN", "t")]), schemes("not set", "met with the token"));
    let key = [("SAA_UPSTREAM__CREDENTIALS", r#"{"key": {"value": "secret"}}"#)];
    assert_eq!(told(&key), schemes("set", "not set"));
    let shown: serde_json::Value = serde_json::from_str(&openapi_check_of(document, &key, &["--json"])).unwrap();
    assert_eq!(shown["credentials_met"], serde_json::json!({"key": "set", "login": "not set"}));
}

#[test]
fn a_credential_that_fits_no_scheme_is_an_error_for_the_document_of_the_settings_and_a_warning_for_another() {
    let mut document = tempfile::NamedTempFile::new().unwrap();
    document.write_all(DOCUMENT.as_bytes()).unwrap();
    let sentence = "upstream.credentials.nokey names no security scheme of the document; it has none";
    let check = |named: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
        command.env_clear().env("SAA_UPSTREAM__CREDENTIALS", r#"{"nokey": {"value": "secret"}}"#).args(["openapi", "check"]);
        if named {
            command.arg(document.path())
        } else {
            command.env("OPENAPI_FILE", document.path())
        };
        let output = command.output().unwrap();
        let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
        (output.status.code(), out.contains(sentence), err.contains(sentence))
    };
    assert_eq!(check(true), (Some(0), true, false));
    assert_eq!(check(false), (Some(1), false, true));
}

#[test]
fn what_the_policy_makes_of_each_operation_is_told_with_the_reason() {
    let policy = r#"[
        {"role": "admin", "effect": "allow", "operations": ["method:delete"]},
        {"effect": "allow", "operations": ["method:get", "id:putThing"]},
        {"effect": "deny", "operations": ["tag:nothing", "path:/**"]}]"#;
    let told = |shown: &str| shown.lines().filter(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect::<Vec<_>>();
    let shown = openapi_check_with(&[("SAA_POLICY", policy)], &[]);
    let nobody = "not user (policy rule 3, path:/**), not admin (policy rule 3, path:/**)";
    assert_eq!(
        told(&shown),
        [
            "listThings  GET /a  for user and admin".to_owned(),
            format!("addThing  POST /a  (key in X-Once)  for nobody, {nobody}"),
            "putThing  PUT /b  (key in Idempotency-Key)  for user and admin".to_owned(),
            "dropThing  DELETE /b  for admin, not user (policy rule 3, path:/**)".to_owned(),
        ]
    );
    assert!(shown.contains("warning    policy: no operation fits the rule tag:nothing"), "{shown}");
    let environment = [("SAA_POLICY", policy), ("SAA_AGENT__READ_ONLY", "true")];
    let told: serde_json::Value = serde_json::from_str(&openapi_check_with(&environment, &["--json"])).unwrap();
    let expected = serde_json::json!({
        "listThings": {"user": {"allowed": true}, "admin": {"allowed": true}},
        "addThing": {"user": {"allowed": false, "reason": "agent.read_only"}, "admin": {"allowed": false, "reason": "agent.read_only"}},
        "putThing": {"user": {"allowed": false, "reason": "agent.read_only"}, "admin": {"allowed": false, "reason": "agent.read_only"}},
        "dropThing": {"user": {"allowed": false, "reason": "agent.read_only"}, "admin": {"allowed": false, "reason": "agent.read_only"}},
    });
    assert_eq!(told["roles"], expected);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&openapi_check(&["--json"])).unwrap()["roles"], serde_json::json!({}));
}

#[test]
fn what_waits_for_a_yes_is_told_with_who_says_so() {
    let check = |more: &[(&str, &str)], arguments: &[&str]| {
        let document = DOCUMENT
            .replace("\"operationId\": \"listThings\"", "\"operationId\": \"listThings\", \"x-agent-confirm\": \"always\"")
            .replace("\"operationId\": \"dropThing\"", "\"operationId\": \"dropThing\", \"x-agent-confirm\": \"never\"")
            .replace("\"operationId\": \"addThing\"", "\"operationId\": \"addThing\", \"x-agent-confirm\": \"sometimes\"");
        openapi_check_of(&document, more, arguments)
    };
    let policy =
        r#"[{"role": "admin", "confirm": "never", "operations": ["path:/a"]}, {"confirm": "never", "operations": ["id:putThing"]}]"#;
    let model = [("SAA_POLICY", policy), ("SAA_LLM__URL", "http://127.0.0.1:9/v1")];
    let shown = check(&model, &[]);
    let told: Vec<&str> = shown.lines().filter(|line| line.starts_with("  ")).map(str::trim).collect();
    let expected = [
        "listThings  GET /a  confirm always (x-agent-confirm) for user, never (policy rule 1, path:/a) for admin",
        "addThing  POST /a  (key in X-Once)  confirm always (x-agent-confirm) for user, never (policy rule 1, path:/a) for admin",
        "putThing  PUT /b  (key in Idempotency-Key)  confirm never (policy rule 2, id:putThing)",
        "dropThing  DELETE /b",
    ];
    assert_eq!(told, expected);
    assert!(shown.lines().any(|line| line == "confirm    changing (agent.confirm)"), "{shown}");
    let warned = "DELETE /b: `x-agent-confirm` says never and agent.confirm changing, which counts; a rule of policy may say less";
    assert!(shown.contains(warned), "{shown}");
    assert!(shown.contains("`x-agent-confirm` is none of never, changing, always; it is taken for always"), "{shown}");

    let told: serde_json::Value = serde_json::from_str(&check(&model, &["--json"])).unwrap();
    let confirm = &told["confirm"];
    assert_eq!((&confirm["agent.confirm"], &confirm["not_followed"]), (&"changing".into(), &serde_json::json!([warned])));
    let expected = serde_json::json!({
        "user": {"mode": "always", "by": "x-agent-confirm", "waits": true},
        "admin": {"mode": "never", "by": "policy rule 1, path:/a", "waits": false},
    });
    assert_eq!(confirm["functions"]["listThings"], expected);
    let by_setting = serde_json::json!({"mode": "changing", "by": "agent.confirm", "waits": true});
    assert_eq!(confirm["functions"]["dropThing"], serde_json::json!({"user": by_setting, "admin": by_setting}));
    // Without a model nothing waits by itself, and the document's never is what holds anyway.
    let shown = check(&[], &[]);
    assert!(shown.contains("confirm    never (agent.confirm)") && !shown.contains("which counts"), "{shown}");
}

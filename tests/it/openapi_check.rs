//! `openapi check` of the real binary: what an operator learns of a document.

use std::{io::Write, process::Command};

const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {
    "/a": {"get": {"operationId": "listThings"}, "post": {"operationId": "addThing", "x-idempotency-header": "X-Once"}},
    "/b": {"put": {"operationId": "putThing"}, "delete": {"operationId": "dropThing"}}}}"#;

fn openapi_check(arguments: &[&str]) -> String {
    let mut document = tempfile::NamedTempFile::new().unwrap();
    document.write_all(DOCUMENT.as_bytes()).unwrap();
    let rules = r#"[{"operations": ["method:put"], "header": "Idempotency-Key"}]"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command.env_clear().env("SAA_UPSTREAM__IDEMPOTENCY", rules).args(["openapi", "check"]).arg(document.path()).args(arguments);
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

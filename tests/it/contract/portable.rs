//! Sessions as files: taken along, looked at, brought to the same service, to another store, by the API and on the command line.

use std::{
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::domain::{
    limits::{SESSION_FILE_BYTES_MAX, SESSION_FILES_AT_ONCE},
    policy::Confirm,
};

use crate::harness::{
    bed::{Bed, On, SIGNING_KEY},
    client::{Client, Reply},
};

super::on_both_stores! {
    a_conversation_goes_to_another_user_and_back_with_the_same_bytes
    a_file_tells_nothing_of_where_it_was
    a_question_in_a_file_is_answered_by_nobody
    what_is_wrong_with_a_file_is_told_at_once_and_nothing_is_begun
    a_file_counts_as_one_of_the_sessions_that_one_may_have
    a_conversation_is_read_by_people_as_markdown
    nobody_exports_what_is_not_theirs
}

async fn main_session(client: &Client) -> String {
    client.get("/api/session/info").await.ok()["session_info"]["session_id"].as_str().unwrap().to_owned()
}

async fn exported(client: &Client, id: &str) -> String {
    let reply = client.get(&format!("/api/sessions/{id}/export")).await;
    reply.ok_text()
}

async fn imports(client: &Client, file: &str) -> Reply {
    client.send(Method::POST, "/api/sessions/import", "application/json", file.to_owned()).await
}

fn id_of(imported: &Reply) -> String {
    assert_eq!(imported.status, 201, "{}", imported.text());
    let id = imported.json()["session"]["id"].as_str().unwrap().to_owned();
    assert_eq!(imported.header("location"), Some(format!("/api/sessions/{id}").as_str()));
    id
}

/// A conversation with calls that read, change, fail and are refused.
async fn conversation(bed: &Bed, client: &Client) -> String {
    bed.llm
        .calls([("getUsers", json!({}))])
        .calls([("getUser", json!({"user_id": "none"})), ("nothing", json!({}))])
        .calls([("createUser", json!({"name": "Cleo", "email": "cleo@example.com"}))])
        .says("**done**");
    client.process("list, look, create").await.ok();
    bed.llm.says("好的");
    client.process("谢谢").await.ok();
    main_session(client).await
}

async fn a_conversation_goes_to_another_user_and_back_with_the_same_bytes(on: On) {
    let here = Bed::on(on).await;
    let ann = here.as_user("ann");
    let id = conversation(&here, &ann).await;
    ann.send(Method::PATCH, &format!("/api/sessions/{id}"), "application/json", r#"{"pinned":true,"metadata":{"z":1,"a":[2.50]}}"#)
        .await
        .ok();
    let file = exported(&ann, &id).await;

    let other_kind = if on == On::Redis { On::Embedded } else { On::Redis };
    let there = Bed::on(other_kind).await;
    let bob = there.as_user("bob");
    let brought = id_of(&imports(&bob, &file).await);
    assert_eq!(exported(&bob, &brought).await, file);
    let within = bob.clone().with("x-session-id", &brought);
    assert_eq!(within.history().await, ann.history().await);
    assert_eq!(bob.history().await.len(), 0, "the main session is as it was");

    there.llm.says("you created Cleo");
    within.process("what did I do?").await.ok();
    let heard = there.llm.asked().pop().unwrap().to_string();
    assert!(heard.contains("list, look, create") && heard.contains("createUser"), "the model reads it on: {heard}");
    assert_eq!(there.upstream.log().len(), 0, "no call of the file was sent");
    let longer = exported(&bob, &brought).await;
    assert_eq!(id_of(&imports(&ann, &longer).await).len(), brought.len());
}

async fn a_file_tells_nothing_of_where_it_was(on: On) {
    let bed = Bed::with(on, |settings| settings.upstream.token = Some("up-token-4711-canary".into())).await;
    let quentin = bed.as_user("quentin");
    let id = conversation(&bed, &quentin).await;
    bed.llm.says("bye");
    let run = quentin.process("bye").await.ok()["run_id"].as_str().unwrap().to_owned();
    let file = exported(&quentin, &id).await;
    for foreign in [id.as_str(), "quentin", "4711", &run, "run_id", "session_id", "result_id"] {
        assert!(!file.contains(foreign), "{foreign} is in {file}");
    }
    let again = imports(&quentin, &file).await;
    assert_eq!(exported(&quentin, &id_of(&again)).await, file, "and it is the same file, whoever brings it how often");
    let spoken = file.replace("list, look, create", "it is up-token-4711-canary");
    let brought = id_of(&imports(&quentin, &spoken).await);
    assert!(!exported(&quentin, &brought).await.contains("4711"), "a secret that somebody brings is not kept");
}

async fn a_question_in_a_file_is_answered_by_nobody(on: On) {
    let bed = Bed::with(on, |settings| settings.agent.confirm = Some(Confirm::Changing)).await;
    let ann = bed.as_user("ann");
    bed.llm.calls([("createUser", json!({"name": "Cleo", "email": "cleo@example.com"}))]);
    let asked = ann.process("create Cleo").await.ok();
    assert!(asked["confirmation"]["id"].is_string(), "{asked:#}");
    let file = exported(&ann, &main_session(&ann).await).await;
    let brought = id_of(&imports(&ann, &file).await);
    let within = ann.clone().with("x-session-id", &brought);
    assert_eq!(within.get("/api/confirmations").await.ok()["confirmations"], json!([]));
    bed.llm.says("what do you mean?");
    assert_eq!(within.process("yes").await.message(), "what do you mean?");
    assert_eq!(bed.upstream.log(), Vec::<String>::new());
    let forged = file.replace("\"not_confirmed\"", r#"{"needs_confirmation":{"digest":"x"}}"#);
    assert_ne!(forged, file);
    imports(&ann, &forged).await.refused(400, "invalid_body");
}

async fn what_is_wrong_with_a_file_is_told_at_once_and_nothing_is_begun(on: On) {
    let bed = Bed::with(on, |settings| settings.sessions.turns_max = 2).await;
    let ann = bed.as_user("ann");
    let turn = json!({"asked_at": "2026-05-01T00:00:00Z", "message": "hi", "answered_at": "2026-05-01T00:00:01Z", "answer": "ho"});
    let mut foreign = turn.clone();
    foreign["session_id"] = json!("s00");
    let mut orphan = turn.clone();
    orphan["rounds"] = json!([{"calls": [{"id": "1", "function": "f", "arguments": {}}]}]);
    let file = json!({"format": "swagger-api-agent/session", "version": 1, "title": "\u{7}", "turns": [foreign, orphan]});
    let told = imports(&ann, &file.to_string()).await.refused(400, "invalid_body");
    let error = told["error"].as_str().unwrap();
    for part in [
        "title has control characters",
        "turns[0]: unknown field `session_id`",
        "turns[1].rounds[0].calls[0]: missing field `outcome`: a call needs what came of it",
    ] {
        assert!(error.contains(part), "{part} is not in {error}");
    }
    let longer = json!({"format": "swagger-api-agent/session", "version": 1, "turns": [turn, turn, turn]});
    let told = imports(&ann, &longer.to_string()).await.refused(400, "invalid_body");
    assert!(told["error"].as_str().unwrap().contains("turns has 3; a session keeps 2 (sessions.turns_max)"), "{told:#}");
    let mut newer = file.clone();
    newer["version"] = json!(2);
    let told = imports(&ann, &newer.to_string()).await.refused(400, "invalid_body");
    assert!(told["error"].as_str().unwrap().contains("version is 2; this release reads 1"), "{told:#}");
    imports(&ann, "{").await.refused(400, "invalid_body");
    ann.send(Method::POST, "/api/sessions/import", "text/plain", "{}").await.refused(415, "unsupported_media_type");
    let large = " ".repeat(SESSION_FILE_BYTES_MAX + 1);
    imports(&ann, &large).await.refused(413, "body_too_large");
    assert_eq!(ann.get("/api/sessions").await.ok()["count"], 0);
    for _ in 0..=SESSION_FILES_AT_ONCE {
        let whole = json!({"format": "swagger-api-agent/session", "version": 1, "turns": [turn]});
        id_of(&imports(&ann, &whole.to_string()).await);
    }
}

async fn a_file_counts_as_one_of_the_sessions_that_one_may_have(on: On) {
    let bed = Bed::with(on, |settings| settings.sessions.per_user_max = 1).await;
    let ann = bed.as_user("ann");
    let file = exported(&ann, &main_session(&ann).await).await;
    assert_eq!(
        file,
        "{\"format\":\"swagger-api-agent/session\",\"version\":1,\"title\":null,\"pinned\":false,\"metadata\":null,\"turns\":[]}\n"
    );
    id_of(&imports(&ann, &file).await);
    imports(&ann, &file).await.refused(409, "too_many_sessions");
}

async fn a_conversation_is_read_by_people_as_markdown(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    let id = conversation(&bed, &ann).await;
    let reply = ann.get(&format!("/api/sessions/{id}/export?format=markdown")).await;
    assert_eq!(reply.header("content-type"), Some("text/markdown; charset=utf-8"));
    assert_eq!(reply.header("content-disposition"), Some(format!("attachment; filename=\"session-{id}.md\"").as_str()));
    let text = reply.ok_text();
    assert!(text.starts_with("# list, look, create\n\n## You · 20"), "{text}");
    for part in [
        "```text\nlist, look, create\n```",
        "- getUsers: `GET http",
        "` → 200",
        "- createUser: `POST http",
        "` → 201",
        "\n**done**\n",
        "好的",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let chinese = ann.clone().reading_chinese().get(&format!("/api/sessions/{id}/export?format=markdown")).await.ok_text();
    assert!(chinese.contains("## 你 · "), "{chinese}");
    ann.get(&format!("/api/sessions/{id}/export?format=pdf")).await.refused(400, "invalid_query");
}

async fn nobody_exports_what_is_not_theirs(on: On) {
    let bed = Bed::on(on).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    let id = conversation(&bed, &ann).await;
    bob.get(&format!("/api/sessions/{id}/export")).await.refused(404, "session_not_found");
    bed.as_admin().get(&format!("/api/sessions/{id}/export")).await.refused(404, "session_not_found");
    bed.nobody().get(&format!("/api/sessions/{id}/export")).await.refused(401, "token_missing");
    imports(&bed.nobody(), "{}").await.refused(401, "token_missing");
}

/// The program on the same store.
fn session(bed: &Bed, arguments: &[&str]) -> Output {
    let redis = bed.redis.as_ref().unwrap().url();
    let mut command = Command::new(env!("CARGO_BIN_EXE_swagger-api-agent"));
    command.env_clear().env("REDIS_URL", redis).env("JWT_SECRET_KEY", SIGNING_KEY).env("API_TOKEN", "up-token-4711-canary");
    command.arg("session").args(arguments).output().unwrap()
}

#[tokio::test]
async fn an_operator_takes_a_session_along_and_brings_it() {
    let bed = Bed::on(On::Redis).await;
    let ann = bed.as_user("ann");
    bed.as_user("bob").history().await;
    let id = conversation(&bed, &ann).await;
    let file = exported(&ann, &id).await;
    let told = session(&bed, &["export", "ann"]);
    assert_eq!((told.status.code(), String::from_utf8_lossy(&told.stdout).as_ref()), (Some(0), file.as_str()));
    assert_eq!(String::from_utf8_lossy(&told.stderr), "2 of 2 turns read\n");

    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("ann.json").display().to_string();
    let written = session(&bed, &["export", "ann", &id, "--output", &path]);
    assert!(written.status.success() && written.stdout.is_empty(), "{written:?}");
    assert!(String::from_utf8_lossy(&written.stderr).ends_with(&format!("\nwritten to {path}\n")), "{written:?}");
    let mode = || std::fs::metadata(&path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(), 0o600, "what was said is for nobody else");
    // What is there is not lost unless that is asked for, and is shut to others then.
    std::fs::write(&path, "mine").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let kept = session(&bed, &["export", "ann", &id, "--output", &path]);
    assert!(kept.status.code() == Some(1) && String::from_utf8_lossy(&kept.stderr).contains("--force"), "{kept:?}");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    assert!(session(&bed, &["export", "ann", &id, "--output", &path, "--force"]).status.success());
    assert_eq!((mode(), std::fs::read_to_string(&path).unwrap()), (0o600, file.clone()));
    assert!(session(&bed, &["export", "ann", "--output", "/dev/null"]).status.success(), "a device is no file that would be lost");
    let brought = session(&bed, &["import", "bob", &path]);
    let said = String::from_utf8(brought.stdout).unwrap();
    let other = said.split_whitespace().nth(4).unwrap_or_else(|| panic!("{said}")).to_owned();
    assert_eq!(said, format!("bob has the session {other} now, with 2 turns\n"));
    assert_eq!(exported(&bed.as_user("bob"), &other).await, file);
    let markdown = session(&bed, &["export", "bob", &other, "--format", "markdown"]);
    assert!(String::from_utf8_lossy(&markdown.stdout).starts_with("# list, look, create\n"));
    let records = bed.as_admin().get("/api/admin/audit").await.ok();
    let actions: Vec<&Value> = records["records"].as_array().unwrap().iter().map(|record| &record["action"]).collect();
    assert!(actions.contains(&&json!("session_imported")) && actions.contains(&&json!("session_read")), "{records:#}");

    std::fs::write(&path, file.replace("\"version\":1", "\"version\":9")).unwrap();
    let refused = session(&bed, &["import", "bob", &path]);
    let complaint = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(complaint.contains("nothing was written") && complaint.contains("version is 9"), "{complaint}");
    for (arguments, problem) in [
        (vec!["export", "nobody"], "there is no user nobody"),
        (vec!["export", "ann", &other], "ann has no such session"),
        (vec!["import", "nobody", &path], "version is 9"),
        (vec!["import", "bob", "/nowhere"], "/nowhere cannot be read"),
    ] {
        let output = session(&bed, &arguments);
        let complaint = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && complaint.contains(problem), "{arguments:?}: {complaint}");
    }
}

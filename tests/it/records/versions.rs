//! Records of other releases: what the one before wrote is read, what one to come writes is refused and left alone.

use serde_json::{Value, json};
use swagger_api_agent::domain::base64;

use super::{keyed, on_both_stores, sealed_under};
use crate::harness::{
    bed::{Bed, On},
    client::ADMIN,
    redis::run,
};

on_both_stores! {
    what_a_newer_release_wrote_is_refused_and_left_alone
}

/// What commit d808dd1, the last without the form, left in Redis: two turns of the user `root`, their answers under keys, and the journal
/// of a third turn, during whose second call it was killed.
const BEFORE: &str = include_str!("before.json");

fn before() -> Value {
    serde_json::from_str(BEFORE).unwrap()
}

/// A bed whose Redis is as that release left it, but that the lease has lapsed.
async fn left_behind(bed: &Bed) {
    let root = bed.as_admin();
    root.get("/api/session/info").await.ok();
    let (before, redis) = (before(), bed.redis());
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (session, connection) = (redis.key("s", ADMIN), &mut redis.connection());
    for field in ["v", "sid", "ver", "len", "base", "rid", "own", "tok", "lc"] {
        run::<i64>(connection, "HSET", &[session.as_str(), field, &text(&before["session"][field])]);
    }
    for turn in before["history"].as_array().unwrap() {
        run::<i64>(connection, "RPUSH", &[&session.replace(":s:", ":h:"), &text(turn)]);
    }
    for (field, value) in before["journal"].as_object().unwrap() {
        run::<i64>(connection, "HSET", &[&session.replace(":s:", ":j:"), field, &text(value)]);
    }
    for (digest, record) in before["requests"].as_object().unwrap() {
        let name = redis.key("u", ADMIN).replace(":u:", ":i:") + ":" + digest;
        run::<()>(connection, "SET", &[name.as_bytes(), &base64::decode(&text(record)).unwrap()]);
    }
}

async fn is_read(bed: &Bed) {
    let (root, before) = (bed.as_admin(), before());
    let history = root.history().await;
    assert_eq!(history, ["user: hello 你好", "assistant: Hello Root, 你好。", "user: create Ann", "assistant: Created."]);
    for (key, message) in [("key-0", "hello 你好"), ("key-1", "create Ann")] {
        let again = keyed(root.clone(), key).process(message).await;
        assert_eq!((again.status, again.text()), (200, before["answers"][key].as_str().unwrap()), "byte for byte");
    }
    bed.llm.says("Bob was created.");
    root.process("did it work?").await.ok();
    let heard = bed.llm.heard().join("\n");
    assert!(heard.contains("createUser") && heard.contains("User 2"), "the calls of the turns: {heard}");
    let history = root.history().await.join("\n");
    assert!(history.contains("user: create Bob, delete 1 and 2") && history.contains("status 201"), "{history}");
}

#[tokio::test]
async fn what_the_release_before_wrote_is_read() {
    let bed = Bed::on(On::Redis).await;
    left_behind(&bed).await;
    is_read(&bed).await;
}

#[tokio::test]
async fn what_the_release_before_wrote_is_read_by_one_that_seals() {
    let bed = Bed::with(On::Redis, sealed_under(&["a"])).await;
    left_behind(&bed).await;
    is_read(&bed).await;
}

#[tokio::test]
async fn what_is_neither_sealed_nor_compressed_is_written_as_the_release_before_wrote_it() {
    let mut bed = Bed::on(On::Redis).await;
    bed.llm.calls([("createUser", json!({"name": "Ann", "email": "a@example.com"}))]).says("Created.");
    let answer = keyed(bed.as_user("ann"), "k").process("create Ann").await;
    let turn = bed.behind(|store| store.turns("ann")).await.concat();
    assert!(turn.starts_with(b"10{\"run\":\""), "{}", String::from_utf8_lossy(&turn));
    let stored = bed.everything_stored();
    let holds = |bytes: &[u8]| stored.windows(bytes.len()).any(|window| window == bytes);
    assert!(holds(&answer.body), "the answer as it is");
    assert!(holds(b"\r\n{\"message\":\"create Ann\","), "the journal as it is");
}

/// Scenario 23; two releases side by side under load are `tests/upgrade`.
async fn what_a_newer_release_wrote_is_refused_and_left_alone(on: On) {
    let mut bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("One.");
    ann.process("one").await.ok();
    let own = bed.behind(|store| store.turns("ann")[0].clone()).await;
    for newer in [&b"30{\"run\":1}"[..], b"9", b"28\0\0"] {
        bed.behind(|store| store.put_turn("ann", 0, newer)).await;
        for _ in 0..2 {
            let refused = ann.get("/api/history").await.refused(409, "newer_schema");
            assert!(refused["error"].as_str().unwrap().contains("newer release"), "{refused}");
            keyed(ann.clone(), "k").process("two").await.refused(409, "newer_schema");
        }
        let chinese = ann.clone().reading_chinese().get("/api/history").await.refused(409, "newer_schema");
        assert!(chinese["error"].as_str().unwrap().contains("版本"), "{chinese}");
        let left = bed.behind(|store| (store.turns("ann"), store.session("ann", "ver"), store.journal("ann"))).await;
        assert_eq!(left, (vec![newer.to_vec()], Some("1".to_owned()), Vec::new()), "the session is as it was");
    }
    bed.behind(|store| store.put_turn("ann", 0, &own)).await;
    bed.llm.says("Two.");
    keyed(ann.clone(), "k").process("two").await.ok();
    assert_eq!(ann.history().await, ["user: one", "assistant: One.", "user: two", "assistant: Two."]);
}

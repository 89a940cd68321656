//! Rows 8 to 13 of the table of attacks, those that need no flood: other people's sessions, administrators' ways, and what comes for a password.

use reqwest::Method;
use serde_json::{Value, json};

use swagger_api_agent::domain::limits::LOGIN_FAILURES_FROM_ADDRESS_MAX;

use super::{Login, on_both_stores};
use crate::harness::{
    bed::{Bed, On},
    client::{PASSWORD, Reply},
};

on_both_stores! {
    row_08_another_users_session_is_as_one_that_is_not_there
    row_09_a_users_token_on_administrators_ways
    row_10_a_session_id_that_the_client_chose
    row_11_too_many_wrong_passwords
    row_11_who_is_believed_where_a_login_comes_from
    row_11_an_address_that_tries_many_names
    row_11_one_name_that_is_refused_uses_up_nothing_of_an_address
    row_12_a_user_who_is_not_there_and_a_wrong_password
    row_13_a_password_that_is_huge_or_no_text
}

/// What is told, without what is of the one request: its own id, and that of the run that was asked for.
fn told_of(reply: &Reply, status: u16, code: &str) -> Value {
    let mut body = reply.refused(status, code);
    for name in ["request_id", "run_id"] {
        body.as_object_mut().unwrap().remove(name);
    }
    body
}

async fn row_08_another_users_session_is_as_one_that_is_not_there(on: On) {
    let bed = Bed::on(on).await;
    let (ann, bob) = (bed.as_user("ann"), bed.as_user("bob"));
    bed.llm.says("Noted.");
    let turn = ann.process("my number is 42").await.ok();
    let of = |what: &str| turn[what].as_str().unwrap().to_owned();
    bob.get("/api/session/info").await.ok();
    for (path, anns, none) in [("/api/history", of("session_id"), "0".repeat(32)), ("/api/session/info", of("session_id"), "0".repeat(32))]
    {
        let [hers, absent] = [anns, none].map(|id| bob.clone().with("x-session-id", &id));
        let (hers, absent) = (hers.get(path).await, absent.get(path).await);
        assert_eq!(told_of(&hers, 404, "session_not_found"), told_of(&absent, 404, "session_not_found"), "{path}");
    }
    let absent = "01a22478569074a1bbf4aa324e3d8772";
    for (method, path) in [(Method::GET, ""), (Method::GET, "/events"), (Method::POST, "/cancel")] {
        let [hers, none] = [of("run_id"), absent.to_owned()].map(|run| format!("/api/runs/{run}{path}"));
        let (hers, none) =
            (bob.send(method.clone(), &hers, "application/json", "{}").await, bob.send(method, &none, "application/json", "{}").await);
        assert_eq!(hers.status, none.status, "{path}");
        assert_eq!(told_of(&hers, 404, "run_unknown"), told_of(&none, 404, "run_unknown"), "{path}");
    }
    assert_eq!(ann.history().await, ["user: my number is 42", "assistant: Noted."]);
    assert_eq!(bob.history().await, [""; 0]);
}

async fn row_09_a_users_token_on_administrators_ways(on: On) {
    let bed = Bed::on(on).await;
    let ann = bed.as_user("ann");
    bed.llm.says("Noted.");
    bed.as_user("bob").process("remember the milk").await.ok();
    for (method, path) in [
        (Method::GET, "/api/admin/sessions"),
        (Method::GET, "/api/admin/sessions/bob/keys"),
        (Method::GET, "/api/admin/sessions/bob/0/keys"),
        (Method::GET, "/api/admin/turns"),
        (Method::POST, "/api/admin/turns/0/cancel"),
        (Method::GET, "/api/admin/unknown"),
        (Method::GET, "/api/admin/replicas"),
        (Method::GET, "/api/admin/stats"),
        (Method::GET, "/api/admin/events"),
        (Method::DELETE, "/api/admin/sessions/bob"),
        (Method::DELETE, "/api/admin/sessions/nobody"),
        (Method::POST, "/api/admin/cleanup"),
        (Method::GET, "/api/admin/openapi"),
        (Method::POST, "/api/admin/openapi/reload"),
    ] {
        ann.send(method.clone(), path, "application/json", "{}").await.refused(403, "not_admin");
        bed.nobody().send(method, path, "application/json", "{}").await.refused(401, "token_missing");
    }
    assert_eq!(bed.as_user("bob").history().await, ["user: remember the milk", "assistant: Noted."]);
}

async fn row_10_a_session_id_that_the_client_chose(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let chosen = "5e0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d";
    let body = json!({"username": "ann", "password": PASSWORD, "session_id": chosen});
    let login = bed.nobody().with("x-session-id", chosen).post("/api/login", body).await;
    let login = Login::of(&login.ok());
    let info = login.at(&bed, 0).get("/api/session/info").await.ok();
    let given = info["session_info"]["session_id"].as_str().unwrap();
    assert!(given != chosen && given.len() == 32, "{info:#}");
    login.at(&bed, 0).with("x-session-id", chosen).get("/api/session/info").await.refused(404, "session_not_found");
}

/// A name and a password, as somebody at an address sends them through a proxy.
async fn tried(bed: &Bed, address: &str, username: &str, password: &str) -> Reply {
    let client = bed.nobody().with("x-forwarded-for", address);
    client.post("/api/login", json!({"username": username, "password": password})).await
}

async fn behind_a_proxy(on: On) -> Bed {
    let bed = Bed::with(on, |settings| settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()]).await;
    bed.as_user("ann").token().await;
    bed
}

async fn row_11_too_many_wrong_passwords(on: On) {
    let bed = behind_a_proxy(on).await;
    let mut told = Vec::new();
    for username in ["ann", "nobody"] {
        for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
            tried(&bed, "198.51.100.1", username, "wrong password").await.refused(401, "wrong_credentials");
        }
        // The right one is not tried any more either: otherwise it could be guessed on.
        let reply = tried(&bed, "198.51.100.1", username, PASSWORD).await;
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=15 * 60).contains(&wait), "{wait}");
        let mut body = told_of(&reply, 429, "too_many_failures");
        for text in ["error", "message"] {
            body[text] = body[text].as_str().unwrap().replace(char::is_numeric, "").into();
        }
        told.push(body);
    }
    assert_eq!(told[0], told[1], "whether there is such a user is not told");
    tried(&bed, "198.51.100.2", "ann", PASSWORD).await.ok();
    tried(&bed, "198.51.100.1", "ann", PASSWORD).await.refused(429, "too_many_failures");
    // Who is in stays in.
    bed.as_user("ann").get("/api/session/info").await.ok();
}

async fn row_11_who_is_believed_where_a_login_comes_from(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    for n in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        tried(&bed, &format!("198.51.100.{n}"), "ann", "wrong password").await.refused(401, "wrong_credentials");
    }
    tried(&bed, "198.51.100.99", "ann", PASSWORD).await.refused(429, "too_many_failures");
}

/// Behind a proxy, where so many passwords may be wrong from one address.
async fn bounded(on: On, failures_max: u32) -> Bed {
    let bed = Bed::with(on, |settings| {
        settings.server.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
        settings.auth.login_failures_per_address = failures_max;
    });
    let bed = bed.await;
    bed.as_user("ann").token().await;
    bed.as_user("bob").token().await;
    bed
}

async fn row_11_an_address_that_tries_many_names(on: On) {
    let bed = bounded(on, 4).await;
    // Right passwords count for nothing, before as after.
    for _ in 0..6 {
        tried(&bed, "2001:db8:1:2::7", "ann", PASSWORD).await.ok();
    }
    for (n, username) in ["ann", "nobody", "root", "guest"].into_iter().enumerate() {
        tried(&bed, &format!("2001:db8:1:2::{n}"), username, "wrong password").await.refused(401, "wrong_credentials");
        let right = tried(&bed, "2001:db8:1:2::7", "bob", PASSWORD).await;
        if n < 3 {
            right.ok()
        } else {
            right.refused(429, "too_many_failures")
        };
    }
    let mut told = Vec::new();
    for (username, password) in [("ann", "wrong password"), ("ann", PASSWORD), ("bob", PASSWORD), ("nobody", PASSWORD), ("never-seen", "x")]
    {
        let reply = tried(&bed, "2001:db8:1:2:ffff::1", username, password).await;
        let wait: u64 = reply.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=15 * 60).contains(&wait), "{wait}");
        let mut body = told_of(&reply, 429, "too_many_failures");
        for text in ["error", "message"] {
            body[text] = body[text].as_str().unwrap().replace(char::is_numeric, "").into();
        }
        told.push(body);
    }
    assert!(told.windows(2).all(|two| two[0] == two[1]), "{told:#?}");
    // Other networks are not concerned, nor are the names, nor is whoever is in.
    for address in ["2001:db8:1:3::1", "198.51.100.1"] {
        tried(&bed, address, "ann", PASSWORD).await.ok();
    }
    for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        tried(&bed, "2001:db8:1:2::1", "bob", PASSWORD).await.refused(429, "too_many_failures");
    }
    tried(&bed, "198.51.100.2", "bob", PASSWORD).await.ok();
    bed.as_user("ann").get("/api/session/info").await.ok();
    let records = bed.as_admin().get("/api/admin/audit?action=login_throttled").await.ok()["records"].clone();
    assert_eq!(records.as_array().map(Vec::len), Some(1), "once for each time that it begins: {records:#}");
    assert_eq!(records[0]["details"], json!({"address": "2001:db8:1:2::", "names": "all"}));
}

async fn row_11_one_name_that_is_refused_uses_up_nothing_of_an_address(on: On) {
    let bed = bounded(on, LOGIN_FAILURES_FROM_ADDRESS_MAX + 2).await;
    for _ in 0..LOGIN_FAILURES_FROM_ADDRESS_MAX {
        tried(&bed, "198.51.100.1", "ann", "wrong password").await.refused(401, "wrong_credentials");
    }
    for _ in 0..10 {
        // A program that has an old password, and goes on.
        tried(&bed, "198.51.100.1", "ann", "wrong password").await.refused(429, "too_many_failures");
    }
    tried(&bed, "198.51.100.1", "bob", "wrong password").await.refused(401, "wrong_credentials");
    tried(&bed, "198.51.100.1", "bob", PASSWORD).await.ok();
    tried(&bed, "198.51.100.1", "bob", "wrong password").await.refused(401, "wrong_credentials");
    tried(&bed, "198.51.100.1", "bob", PASSWORD).await.refused(429, "too_many_failures");
    // Without a bound an address is nothing.
    let bed = bounded(on, 0).await;
    for n in 0..2 * LOGIN_FAILURES_FROM_ADDRESS_MAX {
        tried(&bed, "198.51.100.1", &format!("user{n}"), "wrong password").await.refused(401, "wrong_credentials");
    }
    tried(&bed, "198.51.100.1", "bob", PASSWORD).await.ok();
}

async fn row_12_a_user_who_is_not_there_and_a_wrong_password(on: On) {
    let bed = Bed::on(on).await;
    bed.as_user("ann").token().await;
    let mut all = Vec::new();
    for (username, password) in [("ann", "not her password"), ("nobody", PASSWORD), ("a:b{c}", PASSWORD), ("ann\u{200b}", PASSWORD)] {
        all.push(told_of(
            &bed.nobody().post("/api/login", json!({"username": username, "password": password})).await,
            401,
            "wrong_credentials",
        ));
    }
    assert!(all.windows(2).all(|two| two[0] == two[1]), "{all:#?}");
}

async fn row_13_a_password_that_is_huge_or_no_text(on: On) {
    let bed = Bed::on(on).await;
    let login = Login::new(&bed, "ann").await;
    let post = async |body: Vec<u8>| bed.nobody().send(Method::POST, "/api/login", "application/json", body).await;
    let with = |password: &str| json!({"username": "ann", "password": password}).to_string().into_bytes();
    post(with(&"x".repeat(1024 * 1024))).await.refused(413, "body_too_large");
    post(with(&"x".repeat(16 * 1024))).await.refused(401, "wrong_credentials");
    post(with("\0")).await.refused(401, "wrong_credentials");
    post(with(&format!("{PASSWORD}\0"))).await.refused(401, "wrong_credentials");
    post(b"{\"username\": \"ann\", \"password\": \"\xff\xfe\"}".to_vec()).await.refused(400, "invalid_body");
    login.at(&bed, 0).get("/api/session/info").await.ok();
}

//! People whose tokens another issuer signs: an OpenID provider beside the service.

use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode},
    routing::get,
};
use reqwest::Method;
use serde_json::{Value, json};
use swagger_api_agent::{clock::Clock, settings::Issuer, store::contract::AccountChange};

use super::{bearer, forge::base64url, on_both_stores};
use crate::harness::{
    bed::{Bed, On},
    client::{Client, PASSWORD},
    serve_stub, until,
};

on_both_stores! {
    whoever_the_issuer_vouches_for_works_like_anybody
    roles_follow_the_issuer_and_an_account_that_was_shut_stays_so
    a_logout_ends_the_issuers_token_here
    a_new_key_is_asked_for_once_and_an_issuer_that_is_away_holds_nobody_up
    tokens_that_the_issuer_did_not_sign_for_us_are_refused
    nobody_here_has_a_password_for_the_name_of_somebody_outside
}

/// What the issuer has, and how often its keys were asked for.
#[derive(Default)]
struct Shared {
    keys: Vec<(String, Option<Ed25519KeyPair>)>,
    away: bool,
    asked: u32,
}

struct Provider {
    url: String,
    shared: Arc<Mutex<Shared>>,
}

impl Provider {
    async fn start() -> Self {
        let shared = Arc::new(Mutex::new(Shared::default()));
        let keys = async |State(shared): State<Arc<Mutex<Shared>>>| {
            let mut shared = shared.lock().unwrap();
            shared.asked += 1;
            let jwk = |(id, pair): &(String, Option<Ed25519KeyPair>)| {
                let x = base64url(pair.as_ref().unwrap().public_key().as_ref());
                json!({"kty": "OKP", "crv": "Ed25519", "use": "sig", "kid": id, "x": x})
            };
            let status = if shared.away { StatusCode::BAD_GATEWAY } else { StatusCode::OK };
            (status, Json(json!({"keys": shared.keys.iter().map(jwk).collect::<Vec<_>>()})))
        };
        let told = async |headers: HeaderMap| {
            let url = format!("http://{}/realms/shop", headers["host"].to_str().unwrap());
            Json(json!({"issuer": url, "jwks_uri": format!("{url}/keys")}))
        };
        let router = Router::new()
            .route("/realms/shop/.well-known/openid-configuration", get(told))
            .route("/realms/shop/keys", get(keys))
            .with_state(shared.clone());
        let url = format!("http://{}/realms/shop", serve_stub(router).await);
        let provider = Self { url, shared };
        provider.makes_a_key("k1");
        provider
    }

    /// A new key, which signs from now on.
    fn makes_a_key(&self, id: &str) {
        self.shared.lock().unwrap().keys.push((id.to_owned(), Some(Ed25519KeyPair::generate().unwrap())));
    }

    fn asked(&self) -> u32 {
        self.shared.lock().unwrap().asked
    }

    fn claims(&self, user: &str) -> Value {
        let now = Clock::System.now_ms() / 1000;
        let id = swagger_api_agent::secrets::random::hex_of(8);
        json!({"iss": self.url, "aud": "agent", "sub": user, "iat": now, "exp": now + 300, "jti": id, "roles": ["staff"]})
    }

    fn signs(&self, claims: &Value) -> String {
        let shared = self.shared.lock().unwrap();
        let (id, pair) = shared.keys.last().unwrap();
        let header = json!({"alg": "EdDSA", "kid": id, "typ": "JWT"});
        let signed = format!("{}.{}", base64url(header.to_string()), base64url(claims.to_string()));
        format!("{signed}.{}", base64url(pair.as_ref().unwrap().sign(signed.as_bytes()).as_ref()))
    }

    fn token_of(&self, user: &str) -> String {
        self.signs(&self.claims(user))
    }
}

async fn scene(on: On) -> (Bed, Provider) {
    let provider = Provider::start().await;
    let issuer = Issuer {
        id: "shop".to_owned(),
        issuer: provider.url.clone(),
        keys_url: None,
        audience: "agent".to_owned(),
        user_claim: "sub".to_owned(),
        user_prefix: "shop/".to_owned(),
        role_claim: Some("roles".to_owned()),
        admin_roles: vec!["ops".to_owned()],
    };
    let bed = Bed::with(on, |settings| settings.auth.issuers = vec![issuer]).await;
    (bed, provider)
}

fn at(bed: &Bed, token: &str) -> Client {
    bearer(bed, 0, token)
}

async fn whoever_the_issuer_vouches_for_works_like_anybody(on: On) {
    let (bed, provider) = scene(on).await;
    let (ann, bob) = (provider.token_of("ann"), provider.token_of("bob"));
    bed.llm.says("Noted.");
    let turn = at(&bed, &ann).process("my number is 42").await.ok();
    assert_eq!(turn["user_id"], "shop/ann");
    // Another token of hers goes on with the session; somebody else's does not see it, nor does a namesake of here.
    assert_eq!(at(&bed, &provider.token_of("ann")).history().await, ["user: my number is 42", "assistant: Noted."]);
    assert_eq!(at(&bed, &bob).history().await, [""; 0]);
    assert_eq!(bed.as_user("ann").history().await, [""; 0]);
    // There is no password to come in with.
    for password in ["", "password"] {
        let reply = bed.nobody().post("/api/login", json!({"username": "shop/ann", "password": password})).await;
        assert!([400, 401].contains(&reply.status), "{}", reply.text());
    }
    assert_eq!(provider.asked(), 1);
}

async fn roles_follow_the_issuer_and_an_account_that_was_shut_stays_so(on: On) {
    let (mut bed, provider) = scene(on).await;
    at(&bed, &provider.token_of("ann")).get("/api/admin/sessions").await.refused(403, "not_admin");
    let mut claims = provider.claims("ann");
    claims["roles"] = json!(["staff", "ops"]);
    at(&bed, &provider.signs(&claims)).get("/api/admin/sessions").await.ok();
    at(&bed, &provider.token_of("ann")).get("/api/admin/sessions").await.refused(403, "not_admin");
    bed.change_account("shop/ann", AccountChange::Disabled(true)).await;
    for _ in 0..2 {
        at(&bed, &provider.token_of("ann")).get("/api/session/info").await.refused(401, "token_revoked");
    }
}

async fn a_logout_ends_the_issuers_token_here(on: On) {
    let (bed, provider) = scene(on).await;
    let (one, other) = (provider.token_of("ann"), provider.token_of("ann"));
    at(&bed, &one).get("/api/session/info").await.ok();
    at(&bed, &one).post("/api/logout", json!({})).await.ok();
    at(&bed, &one).get("/api/session/info").await.refused(401, "token_revoked");
    at(&bed, &other).get("/api/session/info").await.ok();
    at(&bed, &other).post("/api/logout/all", json!({})).await.ok();
    at(&bed, &other).get("/api/session/info").await.refused(401, "token_revoked");
}

async fn a_new_key_is_asked_for_once_and_an_issuer_that_is_away_holds_nobody_up(on: On) {
    let (bed, provider) = scene(on).await;
    let before = provider.token_of("ann");
    at(&bed, &before).get("/api/session/info").await.ok();
    provider.makes_a_key("k2");
    // It was asked a moment ago, and is not asked at once again for a key that it may not have.
    for _ in 0..5 {
        at(&bed, &provider.token_of("ann")).get("/api/session/info").await.refused(401, "token_invalid");
    }
    assert_eq!(provider.asked(), 1);
    let after = provider.token_of("ann");
    until("the new key is taken", async || at(&bed, &after).get("/api/session/info").await.status == 200).await;
    assert_eq!(provider.asked(), 2);
    provider.shared.lock().unwrap().away = true;
    at(&bed, &before).get("/api/session/info").await.ok();

    // A replica that has never heard of its keys says when to come again.
    let (bed, away) = scene(on).await;
    away.shared.lock().unwrap().away = true;
    let reply = at(&bed, &away.token_of("ann")).get("/api/session/info").await;
    reply.refused(503, "issuer_unavailable");
    assert!(reply.header("retry-after").is_some());
    bed.as_user("ann").get("/api/session/info").await.ok();
}

async fn tokens_that_the_issuer_did_not_sign_for_us_are_refused(on: On) {
    let (bed, provider) = scene(on).await;
    let stranger = Provider::start().await;
    at(&bed, &provider.token_of("ann")).get("/api/session/info").await.ok();
    let mut for_others = provider.claims("ann");
    for_others["aud"] = json!("account");
    let mut of_stranger = stranger.claims("ann");
    of_stranger["iss"] = json!(provider.url);
    let mut old = provider.claims("ann");
    (old["iat"], old["exp"]) = (json!(1_700_000_000), json!(1_700_000_300));
    let refused = [
        (provider.signs(&for_others), "token_invalid"),
        (stranger.signs(&of_stranger), "token_invalid"),
        (stranger.token_of("ann"), "token_invalid"),
        (provider.signs(&old), "token_expired"),
    ];
    for (token, code) in refused {
        let reply = at(&bed, &token).post("/api/process", json!({"message": "hello"})).await;
        reply.refused(401, code);
        assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }
    assert_eq!(stranger.asked(), 0, "nobody is asked who is not in the settings");
    assert!(bed.llm.asked().is_empty());
}

/// Whoever had one would come in as them, with whatever role the issuer gives them.
async fn nobody_here_has_a_password_for_the_name_of_somebody_outside(on: On) {
    let (bed, provider) = scene(on).await;
    let root = bed.as_admin();
    let new = json!({"username": "shop/boss", "password": PASSWORD});
    let problems = root.post("/api/admin/users", new).await.refused(400, "invalid_body")["problems"].to_string();
    assert!(problems.contains("shop/") && problems.contains("issuer"), "{problems}");
    let boss = at(&bed, &provider.token_of("boss"));
    boss.get("/api/session/info").await.ok();
    let set = async |change: Value| root.send(Method::PATCH, "/api/admin/users/shop%2Fboss", "application/json", change.to_string()).await;
    let problems = set(json!({"password": PASSWORD})).await.refused(400, "invalid_body")["problems"].to_string();
    assert!(problems.contains("shop/") && problems.contains("issuer"), "{problems}");
    bed.nobody().post("/api/login", json!({"username": "shop/boss", "password": PASSWORD})).await.refused(401, "wrong_credentials");
    // What has no password in it is changed as of anybody.
    set(json!({"scopes": ["audit:read"]})).await.ok();
    boss.get("/api/admin/audit").await.ok();
    assert_eq!(root.post("/api/admin/users", json!({"username": "shop", "password": PASSWORD})).await.status, 201);
}

//! What a start refuses, what it leaves as it is, and what it does not tell.

use serde_json::json;
use swagger_api_agent::{app::App, secrets::passwords, settings::Settings, store::contract::AccountChange};

use crate::harness::{
    bed::{Bed, On},
    client::{ADMIN, PASSWORD, Reply},
};

super::on_both_stores! {
    an_administrator_who_is_there_keeps_the_password
    an_administrator_who_was_disabled_stays_out
    what_is_secret_in_the_documents_url_is_not_told
}

async fn login(bed: &Bed, password: &str) -> Reply {
    bed.nobody().post("/api/login", json!({"username": ADMIN, "password": password})).await
}

async fn an_administrator_who_is_there_keeps_the_password(on: On) {
    let mut bed = Bed::on(on).await;
    login(&bed, PASSWORD).await.ok();
    let hash = passwords::hash("another password").unwrap();
    bed.change_account(ADMIN, AccountChange::Password(&hash)).await;
    // It starts with the old password in its settings.
    bed.restart(async |_| {}).await;
    login(&bed, PASSWORD).await.refused(401, "wrong_credentials");
    login(&bed, "another password").await.ok();
}

async fn an_administrator_who_was_disabled_stays_out(on: On) {
    let mut bed = Bed::on(on).await;
    login(&bed, PASSWORD).await.ok();
    bed.change_account(ADMIN, AccountChange::Disabled(true)).await;
    bed.restart(async |_| {}).await;
    login(&bed, PASSWORD).await.refused(401, "wrong_credentials");
}

async fn what_is_secret_in_the_documents_url_is_not_told(on: On) {
    let bed = Bed::with(on, |settings| {
        let base = settings.upstream.base_url.clone().unwrap();
        settings.openapi.file = Some(format!("{base}/shop.json?token=hunter2"));
    })
    .await;
    assert_eq!(bed.upstream.log(), ["GET /shop.json?token=hunter2"], "it was needed");
    let health = bed.nobody().get("/health").await;
    assert_eq!(health.json()["openapi_file"], format!("{}/shop.json", bed.upstream.url));
    let (info, session) = (bed.as_user("ann").get("/api/info").await, bed.as_user("ann").get("/api/session/info").await);
    assert_eq!((info.status, session.status), (200, 200));
    for told in [health, info, session, bed.as_admin().get("/api/admin/sessions").await] {
        assert!(!told.text().contains("hunter2"), "{}", told.text());
    }
}

#[tokio::test]
async fn a_document_that_cannot_be_fetched_is_told_without_what_is_secret_in_its_url() {
    let directory = tempfile::tempdir().unwrap();
    for url in ["http://127.0.0.1:9/shop.json?token=hunter2", "http://ann:hunter2@127.0.0.1:9/shop.json"] {
        let mut settings = Settings::builtin();
        settings.store.data_dir = directory.path().to_owned();
        settings.openapi.file = Some(url.to_owned());
        let told = App::build(settings).await.err().expect("nobody listens there").to_string();
        assert!(told.contains("openapi.file") && !told.contains("hunter2"), "{told}");
    }
}

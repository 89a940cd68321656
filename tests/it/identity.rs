//! Who somebody is, and for how long: tokens that are exchanged, ended, stolen and forged. Rows are those of the table of attacks.

mod access;
mod api_keys;
mod attacks;
mod audit;
mod command_line;
pub mod forge;
mod forged;
mod issuers;
mod keys;
mod logout;
mod passwords;
mod refresh;
mod scopes;
mod users;

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    contract::on_both_stores,
    harness::{
        bed::Bed,
        client::{Client, PASSWORD, Reply},
        until,
    },
};

/// The tokens of one login.
#[derive(Debug, Clone)]
struct Login {
    token: String,
    refresh: String,
}

impl Login {
    fn of(answer: &Value) -> Self {
        let text = |name: &str| answer[name].as_str().unwrap_or_else(|| panic!("{name} in {answer:#}")).to_owned();
        Self { token: text("token"), refresh: text("refresh_token") }
    }

    /// A login of its own, beside the one that the bed keeps for a user.
    async fn new(bed: &Bed, user: &str) -> Self {
        bed.as_user(user).token().await;
        Self::of(&bed.nobody().post("/api/login", json!({"username": user, "password": PASSWORD})).await.ok())
    }

    /// Whoever has the access token, at a replica.
    fn at(&self, bed: &Bed, replica: usize) -> Client {
        bearer(bed, replica, &self.token)
    }

    /// Sends the refresh token to a replica.
    async fn refreshes(&self, bed: &Bed, replica: usize) -> Reply {
        exchanged(bed, replica, &self.refresh).await
    }
}

fn bearer(bed: &Bed, replica: usize, token: &str) -> Client {
    bed.at(replica).with_authorization(&format!("Bearer {token}"))
}

/// Changes a user, as the administrator of the bed.
async fn set(bed: &Bed, user: &str, change: Value) {
    let path = format!("/api/admin/users/{user}");
    bed.as_admin().send(Method::PATCH, &path, "application/json", change.to_string()).await.ok();
}

async fn exchanged(bed: &Bed, replica: usize, refresh: &str) -> Reply {
    bed.at(replica).nobody().post("/api/token/refresh", json!({"refresh_token": refresh})).await
}

/// Whether a token lets its bearer in.
async fn comes_in(bed: &Bed, replica: usize, token: &str) -> bool {
    let reply = bearer(bed, replica, token).get("/api/session/info").await;
    if reply.status != 200 {
        reply.refused(401, "token_revoked");
    }
    reply.status == 200
}

/// Waits until a login of a user's own ([`Login::new`]) and all before it are counted: that is written a moment after they were answered.
async fn logins_are_counted(bed: &Bed) {
    let admin = bed.as_admin();
    // The administrator's, and two of the user's.
    until("the logins are counted", async || admin.get("/api/admin/stats").await.ok()["totals"]["logins"]["succeeded"] == 3).await;
}

/// Everything that the store has, as far as it can be compared: what Redis has written so far, or the bytes of the file.
fn written(bed: &Bed) -> Vec<u8> {
    if let Some(redis) = &bed.redis {
        let info: String = redis.command("INFO", &["persistence"]);
        let changes = info.lines().find_map(|line| line.strip_prefix("rdb_changes_since_last_save:"));
        return changes.expect("a count of changes").trim().as_bytes().to_vec();
    }
    std::fs::read(bed.settings.store.data_dir.join("agent.redb")).expect("a data file")
}

//! What is stored of conversations: sealed where it is to be, unreadable anywhere but in its place, readable by the release after.

mod behind;
mod canary;
mod keys;
mod places;
mod versions;

use std::sync::Arc;

use secrecy::SecretBox;
use swagger_api_agent::settings::{SealingKey, Settings};

use crate::{contract::on_both_stores, harness::client::Client};

/// Keys of these ids, the first of which seals.
fn keys(ids: &[&str]) -> Vec<SealingKey> {
    let key = |id: &&str| SealingKey { id: (*id).to_owned(), key: Arc::new(SecretBox::new(Box::new([id.as_bytes()[0]; 32]))) };
    ids.iter().map(key).collect()
}

/// Everything is sealed, under the first of these keys.
pub fn sealed_under(ids: &[&str]) -> impl FnOnce(&mut Settings) {
    let keys = keys(ids);
    move |settings| {
        settings.store.sealing_keys = keys;
        settings.store.seal_conversations = true;
    }
}

/// A client that sends this key with every request.
fn keyed(client: Client, key: &str) -> Client {
    client.with("idempotency-key", key)
}

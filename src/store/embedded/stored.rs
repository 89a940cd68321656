//! The stored form of a session and of an account: `<version byte><JSON>`, names short, so that a shape can age.
//!
//! These are the records that are written again and again. Fields that this release does not know go along (`unknown`), so that one that
//! ran in between takes nothing from a newer one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use super::Fault;
use crate::{
    domain::{
        base64,
        scope::{Allowed, Scopes},
        session::{SessionId, SessionInfo},
        totals::Totals,
        user::{Account, Role, UserName},
    },
    store::contract::keys::KeptKey,
};

const VERSION: u8 = b'1';

/// A session without its conversation. Times are milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    #[serde(rename = "sid")]
    pub id: String,
    #[serde(rename = "ca")]
    pub created: u64,
    #[serde(rename = "la")]
    pub active: u64,
    /// When it ends even if it stays in use.
    #[serde(rename = "exp")]
    pub expires: u64,
    /// When it ends if nobody comes.
    #[serde(rename = "end")]
    pub ends: u64,
    #[serde(rename = "ver")]
    pub version: u64,
    /// Turns in the conversation.
    #[serde(rename = "len")]
    pub turns: u64,
    /// The number of its first turn.
    pub base: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<Held>,
    /// Why somebody wants the run that holds it to stop.
    #[serde(rename = "stop", default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<String>,
    /// How often its run was taken from a holder that died.
    #[serde(rename = "try", default, skip_serializing_if = "is_zero")]
    pub crashes: i64,
    /// The run and token that committed last.
    #[serde(rename = "lc", default, skip_serializing_if = "Option::is_none")]
    pub last: Option<(String, String)>,
    /// The key of its turns, wrapped, in base64.
    #[serde(rename = "dk", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// A title made from its first turn, closed, in base64.
    #[serde(rename = "ti", default, skip_serializing_if = "Option::is_none")]
    pub made_title: Option<String>,
    /// The title that its user gave it, closed, in base64.
    #[serde(rename = "ut", default, skip_serializing_if = "Option::is_none")]
    pub given_title: Option<String>,
    /// It stands before others.
    #[serde(rename = "pin", default, skip_serializing_if = "std::ops::Not::not")]
    pub pinned: bool,
    /// What its client notes of it, closed, in base64.
    #[serde(rename = "md", default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<String>,
    /// What it has come to, as it is written.
    #[serde(rename = "tot", default, skip_serializing_if = "Option::is_none")]
    totals: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// Who holds a session.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Held {
    #[serde(rename = "rid")]
    pub run: String,
    #[serde(rename = "own")]
    pub owner: String,
    #[serde(rename = "tok")]
    pub token: String,
    #[serde(rename = "lu")]
    pub until: u64,
    /// Digest of the API key that the run was begun with.
    #[serde(rename = "by", default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

impl Session {
    pub fn fresh(id: String, now: u64, max_ms: u64) -> Self {
        let expires = now.saturating_add(max_ms);
        let (version, turns, base, unknown) = (0, 0, 0, Map::new());
        let (held, stop, crashes, last, key) = (None, None, 0, None, None);
        let (made_title, given_title, pinned, metadata, totals) = (None, None, false, None, None);
        Self {
            id,
            created: now,
            active: now,
            expires,
            ends: expires,
            version,
            turns,
            base,
            held,
            stop,
            crashes,
            last,
            key,
            made_title,
            given_title,
            pinned,
            metadata,
            totals,
            unknown,
        }
    }

    /// The key of its turns, as the envelopes wrapped it.
    pub fn wrapped_key(&self) -> Result<Option<Vec<u8>>, Fault> {
        self.key.as_deref().map(|key| base64::decode(key).ok_or(Fault::Unreadable)).transpose()
    }

    /// The run whose lease has not lapsed, and for how long it holds.
    pub fn running(&self, now: u64) -> Option<(&Held, u64)> {
        self.held.as_ref().filter(|held| held.until > now).map(|held| (held, held.until - now))
    }

    /// What it has come to since it began.
    pub fn totals(&self) -> Totals {
        self.totals.as_deref().map(Totals::from_stored).unwrap_or_default()
    }

    pub fn add(&mut self, more: Totals) {
        self.totals = Some(self.totals().plus(more).to_string());
    }

    /// The number that the next turn gets.
    pub fn next(&self) -> u64 {
        self.base.saturating_add(self.turns)
    }

    pub fn told(&self, user: &UserName, now: u64, fence: u64) -> SessionInfo {
        SessionInfo {
            user: user.clone(),
            id: SessionId::from_stored(&self.id),
            created_ms: self.created,
            last_active_ms: self.active,
            expires_ms: self.expires,
            turns: self.turns,
            first_turn: self.base,
            version: self.version,
            fence,
            running: self.running(now).map(|(held, _)| held.run.clone()),
        }
    }
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// A user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredAccount {
    role: String,
    #[serde(rename = "ph")]
    password_hash: String,
    #[serde(rename = "dis", default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    #[serde(rename = "ca")]
    created: u64,
    /// Tokens issued before are void.
    #[serde(rename = "tv", default)]
    pub tokens_from: u64,
    /// API keys, by digest.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub keys: BTreeMap<String, StoredApiKey>,
    /// The password must be changed.
    #[serde(rename = "mc", default, skip_serializing_if = "std::ops::Not::not")]
    pub must_change: bool,
    /// Scopes of its own, by name.
    #[serde(rename = "sc", default, skip_serializing_if = "Option::is_none")]
    scopes: Option<String>,
    #[serde(flatten)]
    unknown: Map<String, Value>,
}

/// An API key, beside its digest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct StoredApiKey {
    #[serde(rename = "n")]
    pub name: String,
    #[serde(rename = "s", default)]
    pub scopes: String,
    #[serde(rename = "m")]
    pub made: u64,
    #[serde(rename = "e")]
    pub ends: u64,
}

impl StoredApiKey {
    pub fn kept(&self) -> KeptKey {
        KeptKey { name: self.name.clone(), scopes: Scopes::stored(&self.scopes), made_ms: self.made, ends_ms: self.ends }
    }
}

impl StoredAccount {
    pub fn of(account: &Account, now: u64) -> Self {
        let role = account.role.as_str().to_owned();
        let password_hash = account.password_hash.clone();
        let scopes = account.scopes.map(Scopes::text);
        // Tokens of somebody who had this name before are nobody's; for somebody without a password an issuer answers, and its tokens are older.
        let tokens_from = if password_hash.is_empty() { 0 } else { now };
        let must_change = account.must_change;
        Self {
            role,
            password_hash,
            disabled: false,
            created: now,
            tokens_from,
            keys: BTreeMap::new(),
            must_change,
            scopes,
            unknown: Map::new(),
        }
    }

    pub fn role(&self) -> Result<Role, Fault> {
        Role::parse(&self.role).ok_or(Fault::Unreadable)
    }

    pub fn set_role(&mut self, role: Role) {
        self.role = role.as_str().to_owned();
    }

    pub fn set_scopes(&mut self, scopes: Option<Scopes>) {
        self.scopes = scopes.map(Scopes::text);
    }

    pub fn allowed(&self) -> Result<Allowed, Fault> {
        Ok(Allowed { role: self.role()?, own: self.scopes.as_deref().map(Scopes::stored) })
    }

    pub fn has_password(&self, hash: &str) -> bool {
        self.password_hash == hash
    }

    pub fn set_password_hash(&mut self, hash: &str) {
        self.password_hash = hash.to_owned();
    }

    pub fn account(&self, name: &UserName) -> Result<Account, Fault> {
        Ok(Account {
            name: name.clone(),
            role: self.role()?,
            scopes: self.allowed()?.own,
            disabled: self.disabled,
            must_change: self.must_change,
            password_hash: self.password_hash.clone(),
            created_ms: self.created,
        })
    }
}

pub(super) fn encode(value: &impl Serialize) -> Vec<u8> {
    let mut record = vec![VERSION];
    // Writing JSON of strings and numbers into memory cannot fail.
    serde_json::to_writer(&mut record, value).unwrap_or_default();
    record
}

pub(super) fn decode<T: DeserializeOwned>(record: &[u8]) -> Result<T, Fault> {
    match record {
        [VERSION, json @ ..] => serde_json::from_slice(json).map_err(|_| Fault::Unreadable),
        _ => Err(Fault::Unreadable),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_comes_back_as_it_was_stored() {
        let mut session = Session::fresh("s1".into(), 5, 100);
        assert_eq!(decode::<Session>(&encode(&session)).ok(), Some(session.clone()));
        session.held = Some(Held { run: "r".into(), owner: "a#1".into(), token: "1:a#1".into(), until: 9, key: Some("d".into()) });
        session.stop = Some("cancelled".into());
        session.crashes = -1;
        session.last = Some(("q".into(), "0:a#0".into()));
        assert_eq!(decode::<Session>(&encode(&session)).ok(), Some(session));
    }

    #[test]
    fn what_a_newer_release_wrote_beside_is_still_there_after_a_rewrite() {
        let session = br#"1{"sid":"s","ca":1,"la":1,"exp":9,"end":9,"ver":0,"len":0,"base":0,"new":{"a":[1]}}"#;
        let account = br#"1{"role":"user","ph":"h","ca":1,"tv":0,"new":"n"}"#;
        let mut read = decode::<Session>(session).unwrap();
        read.turns = 1;
        assert!(String::from_utf8(encode(&read)).unwrap().ends_with(r#""len":1,"base":0,"new":{"a":[1]}}"#));
        assert_eq!(encode(&decode::<StoredAccount>(account).unwrap()), account);
    }

    #[test]
    fn what_is_no_record_of_a_known_version_is_not_guessed_at() {
        for record in [&b""[..], b"1", b"1{}", b"2{}", b"1{\"sid\":1}", b"\xff\xfe"] {
            assert!(matches!(decode::<Session>(record), Err(Fault::Unreadable)), "{record:?}");
        }
    }
}

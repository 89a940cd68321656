//! What is known of a request apart from its handler: its id, its language, and, once a token was read, its user.

use std::sync::{
    Arc, LazyLock, OnceLock,
    atomic::{AtomicU64, Ordering},
};

use axum::http::{HeaderMap, header};

use crate::{
    domain::{language::Language, rate::Counted, session::Revision, user::UserName},
    secrets::random,
};

/// An incoming id longer than this is replaced, in characters.
const REQUEST_ID_CHARS_MAX: usize = 64;
pub(super) const REQUEST_ID: &str = "x-request-id";

/// Shared by the layers and the handler of one request.
#[derive(Debug, Clone)]
pub(super) struct Context(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    id: String,
    language: Language,
    user: OnceLock<UserName>,
    known: OnceLock<Revision>,
    counted: OnceLock<Counted>,
}

impl Context {
    pub fn of(headers: &HeaderMap) -> Self {
        let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(|id| is_plain(id));
        let id = given.map_or_else(new_id, str::to_owned);
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|text| text.to_str().ok());
        let language = language.map_or(Language::English, Language::from_accept_language);
        Self(Arc::new(Inner { id, language, user: OnceLock::new(), known: OnceLock::new(), counted: OnceLock::new() }))
    }

    pub fn id(&self) -> &str {
        &self.0.id
    }

    pub fn language(&self) -> Language {
        self.0.language
    }

    /// The caller, once known.
    pub fn user(&self) -> Option<&UserName> {
        self.0.user.get()
    }

    pub fn name(&self, user: &UserName) {
        // A request has one caller; a second naming would be the same one.
        let _ = self.0.user.set(user.clone());
    }

    /// Where it is noted what is left of the caller's rates.
    pub fn counted(&self) -> Option<&Counted> {
        self.0.counted.get()
    }

    pub fn counts(&self, counted: &Counted) {
        let _ = self.0.counted.set(counted.clone());
    }

    /// What the caller was told of the session before this request.
    pub fn known(&self) -> Option<&Revision> {
        self.0.known.get()
    }

    pub fn knows(&self, revision: Revision) {
        let _ = self.0.known.set(revision);
    }
}

/// An id that no other request has: random for the process, counted within it. It is no secret, so it costs no randomness of its own.
fn new_id() -> String {
    static PROCESS: LazyLock<String> = LazyLock::new(|| random::hex_of(8));
    static COUNT: AtomicU64 = AtomicU64::new(0);
    format!("{}{:012x}", *PROCESS, COUNT.fetch_add(1, Ordering::Relaxed))
}

fn is_plain(id: &str) -> bool {
    (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'))
}

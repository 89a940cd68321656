//! The scripts, by name. A script whose behaviour changes gets a new name, because replicas of two releases overlap.

use std::sync::LazyLock;

use redis::Cmd;

/// One script: its text and the digest that Redis knows it by.
pub(super) struct Script(LazyLock<redis::Script>, &'static str);

impl Script {
    pub fn text(&self) -> &'static str {
        self.1
    }

    /// `EVALSHA digest count keys…`; arguments follow.
    pub fn on(&self, keys: &[&str]) -> Cmd {
        let mut call = redis::cmd("EVALSHA");
        call.arg(self.0.get_hash()).arg(keys.len());
        for key in keys {
            call.arg(*key);
        }
        call
    }
}

/// A script is its own file behind the preludes that it needs.
macro_rules! script {
    ($($file:literal),+) => {{
        const TEXT: &str = concat!($(include_str!(concat!("../lua/", $file, ".lua"))),+);
        Script(LazyLock::new(|| redis::Script::new(TEXT)), TEXT)
    }};
}

pub(super) static ENTER: Script = script!("clock", "gate", "session", "enter");
pub(super) static BEGIN: Script = script!("clock", "gate", "session", "begin");
pub(super) static STEP: Script = script!("clock", "step");
pub(super) static RELEASE: Script = script!("release");
pub(super) static COMMIT: Script = script!("clock", "session", "commit");
pub(super) static CLEAR: Script = script!("clock", "gate", "session", "clear");
pub(super) static RESET: Script = script!("clock", "gate", "session", "reset");
pub(super) static KEEP: Script = script!("clock", "keep");
pub(super) static CHECK: Script = script!("clock", "gate", "check");
pub(super) static COUNT: Script = script!("clock", "count");
pub(super) static SWEEP: Script = script!("clock", "sweep");
pub(super) static ACCOUNT_ADD: Script = script!("account_add");
pub(super) static ACCOUNT_CHANGE: Script = script!("account_change");
pub(super) static CREDENTIALS: Script = script!("clock", "gate", "credentials");
pub(super) static CREDENTIAL_PUT: Script = script!("clock", "gate", "credential_put");
pub(super) static CREDENTIAL_REMOVE: Script = script!("clock", "gate", "credential_remove");
pub(super) static UPSTREAM_TOKEN: Script = script!("clock", "upstream_token");
pub(super) static UPSTREAM_TOKEN_KEEP: Script = script!("clock", "upstream_token_keep");
pub(super) static UPSTREAM_TOKEN_DROP: Script = script!("upstream_token_drop");

pub(super) static ALL: [&Script; 19] = [
    &ENTER,
    &BEGIN,
    &STEP,
    &RELEASE,
    &COMMIT,
    &CLEAR,
    &RESET,
    &KEEP,
    &CHECK,
    &COUNT,
    &SWEEP,
    &ACCOUNT_ADD,
    &ACCOUNT_CHANGE,
    &CREDENTIALS,
    &CREDENTIAL_PUT,
    &CREDENTIAL_REMOVE,
    &UPSTREAM_TOKEN,
    &UPSTREAM_TOKEN_KEEP,
    &UPSTREAM_TOKEN_DROP,
];

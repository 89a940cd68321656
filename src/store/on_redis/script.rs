//! The scripts, by name. A script whose behaviour changes gets a new name, because replicas of two releases overlap.

use std::sync::LazyLock;

use redis::Cmd;

/// One script: the digest that Redis knows it by, its text, and its name here.
pub(super) struct Script(LazyLock<redis::Script>, &'static str, &'static str);

impl Script {
    pub fn text(&self) -> &'static str {
        self.1
    }

    pub fn name(&self) -> &'static str {
        self.2
    }

    /// As [`Script::on`].
    pub fn on_all(&self, keys: impl IntoIterator<Item = String>) -> Cmd {
        let keys: Vec<String> = keys.into_iter().collect();
        self.on(&keys.iter().map(String::as_str).collect::<Vec<_>>())
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
    ($name:ident: $($file:literal),+) => {{
        const TEXT: &str = concat!($(include_str!(concat!("../lua/", $file, ".lua"))),+);
        Script(LazyLock::new(|| redis::Script::new(TEXT)), TEXT, stringify!($name))
    }};
}

/// Declares the scripts and the list of all of them.
macro_rules! scripts {
    ($($name:ident = $($file:literal),+;)+) => {
        $(pub(super) static $name: Script = script!($name: $($file),+);)+
        pub(super) static ALL: &[&Script] = &[$(&$name),+];
    };
}

scripts! {
    ENTER = "clock", "gate", "glance", "changes", "session", "enter";
    BEGIN = "clock", "changes", "gate", "session", "expected", "waiting", "begin";
    TAKE = "clock", "changes", "session", "waiting", "take";
    BEGUN_WITH = "begun_with";
    STEP = "clock", "step";
    TELL = "tell";
    HANDOVER = "clock", "handover";
    RELEASE = "clock", "waiting", "release";
    COMMIT = "clock", "changes", "session", "overview", "runs", "commit";
    SUMMARY = "clock", "changes", "session", "summary";
    LOOK = "clock", "changes", "gate", "session", "overview", "runs", "waiting", "look";
    CANCEL = "clock", "changes", "gate", "session", "overview", "runs", "waiting", "cancel";
    CLEAR = "clock", "changes", "gate", "session", "expected", "waiting", "clear";
    RESET = "clock", "changes", "gate", "session", "expected", "overview", "runs", "waiting", "wipe", "reset";
    KILL = "clock", "changes", "overview", "runs", "waiting", "wipe", "slots", "ends", "kill";
    SESSION_OPEN = "clock", "changes", "gate", "session", "slots", "labels", "session_open";
    SESSION_LIST = "clock", "changes", "gate", "session", "slots", "labels", "session_list";
    SESSION_LABEL = "clock", "changes", "gate", "session", "session_label";
    SESSION_END = "clock", "changes", "gate", "overview", "runs", "waiting", "wipe", "slots", "ends", "session_end";
    REWIND = "clock", "changes", "gate", "session", "expected", "waiting", "rewind";
    KEEP = "clock", "keep";
    RESERVE = "clock", "budget", "reserve";
    SETTLE = "clock", "budget", "settle";
    CHECK = "clock", "gate", "check";
    COUNT = "clock", "count";
    PAGE = "clock", "places", "page";
    OPEN_RUNS = "clock", "changes", "session", "places", "open_runs";
    STOP = "clock", "changes", "session", "stop";
    SWEEP = "clock", "changes", "sweep";
    ACCOUNT_ADD = "account_add";
    ACCOUNT_REMOVE = "clock", "changes", "overview", "runs", "waiting", "wipe", "slots", "ends", "account_remove";
    ACCOUNT_CHANGE = "slots", "account_change";
    KEY_MAKE = "clock", "gate", "keys", "key_make";
    KEY_LIST = "clock", "gate", "keys", "key_list";
    KEY_REMOVE = "clock", "gate", "keys", "slots", "key_remove";
    AUDIT = "clock", "audit";
    PEEK = "clock", "changes", "session", "tail", "peek";
    SEARCH = "clock", "changes", "session", "tail", "search";
    ATTEMPT = "attempt";
    FORGIVE = "forgive";
    TAKE_BACK = "take_back";
    LOGIN = "clock", "tokens", "login";
    REFRESH = "clock", "gate", "tokens", "refresh";
    LOGOUT = "clock", "changes", "gate", "session", "overview", "runs", "waiting", "slots", "tokens", "logout";
    CREDENTIALS = "clock", "gate", "credentials";
    CREDENTIAL_PUT = "clock", "gate", "credential_put";
    CREDENTIAL_REMOVE = "clock", "gate", "credential_remove";
    UPSTREAM_TOKEN = "clock", "upstream_token";
    UPSTREAM_TOKEN_KEEP = "clock", "upstream_token_keep";
    UPSTREAM_TOKEN_DROP = "upstream_token_drop";
}

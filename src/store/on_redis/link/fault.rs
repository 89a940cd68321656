//! What an error says about where a call should go next.

use redis::{ErrorKind, RedisError, ServerErrorKind};

/// Why a call came to nothing.
#[derive(Debug)]
pub enum Failure {
    Redis(RedisError),
    /// It was done, but only so many replicas said in time that they have it too.
    NotDurable {
        replicas: u64,
    },
}

impl Failure {
    /// What an operator looks at first.
    pub fn advice(&self) -> &'static str {
        let Self::Redis(error) = self else { return "are its replicas running?" };
        match error.code() {
            _ if error.kind() == ErrorKind::AuthenticationFailed => WHO,
            Some("NOAUTH" | "WRONGPASS") => WHO,
            Some("NOPERM") => "what its user needs stands in docs/REDIS.md",
            Some(_) => "is store.redis_url right?",
            None => "is it running, may this machine reach it, and is store.redis_url right?",
        }
    }
}

const WHO: &str = "are user and password in store.redis_url right?";

impl From<RedisError> for Failure {
    fn from(error: RedisError) -> Self {
        Self::Redis(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Redis(error) => error.fmt(f),
            Self::NotDurable { replicas } => write!(f, "only {replicas} replicas have it"),
        }
    }
}

/// What may help.
#[derive(Debug, PartialEq, Eq)]
pub enum Remedy {
    /// Nothing: the error is the answer.
    None,
    /// A new connection: this one went away. What was asked may have been done.
    Reconnect,
    /// This server does not know the script (a restart, a failover, `SCRIPT FLUSH`).
    Load,
    /// Another server: this one is no primary any more, or has none.
    AnotherPrimary,
    /// The server that the error names has the slot now.
    Moved { slot: u16, to: String },
    /// The server that the error names has these keys already, this once.
    Ask { to: String },
    /// Some time: the server is loading, or the slot is between two servers.
    Time,
}

impl Remedy {
    pub fn of(error: &RedisError) -> Self {
        let named = |then: fn(u16, String) -> Self| error.redirect_node().map_or(Self::Time, |(to, slot)| then(slot, to.to_owned()));
        match error.kind() {
            ErrorKind::Server(ServerErrorKind::NoScript) => Self::Load,
            ErrorKind::Server(ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown) => Self::AnotherPrimary,
            ErrorKind::Server(ServerErrorKind::Moved) => named(|slot, to| Self::Moved { slot, to }),
            ErrorKind::Server(ServerErrorKind::Ask) => named(|_, to| Self::Ask { to }),
            ErrorKind::Server(ServerErrorKind::BusyLoading | ServerErrorKind::ClusterDown | ServerErrorKind::TryAgain) => Self::Time,
            _ if error.is_connection_dropped() => Self::Reconnect,
            _ => Self::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(said: &str) -> Remedy {
        let answer = redis::parse_redis_value(format!("-{said}\r\n").as_bytes()).and_then(redis::Value::extract_error);
        Remedy::of(&answer.expect_err("a server's error"))
    }

    #[test]
    fn what_redis_says_is_understood() {
        assert_eq!(of("MOVED 3999 127.0.0.1:6381"), Remedy::Moved { slot: 3999, to: "127.0.0.1:6381".into() });
        assert_eq!(of("ASK 3999 [::1]:6381"), Remedy::Ask { to: "[::1]:6381".into() });
        assert_eq!(of("READONLY You can't write against a read only replica. script: abc, on @user_script:1."), Remedy::AnotherPrimary);
        assert_eq!(of("MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'."), Remedy::AnotherPrimary);
        assert_eq!(of("NOSCRIPT No matching script. Please use EVAL."), Remedy::Load);
        for wait in ["LOADING Redis is loading the dataset in memory", "CLUSTERDOWN The cluster is down", "TRYAGAIN Multiple keys request"]
        {
            assert_eq!(of(wait), Remedy::Time, "{wait}");
        }
        for told in ["OOM command not allowed when used memory > 'maxmemory'.", "WRONGTYPE Operation against a key", "NOAUTH x", "ERR x"] {
            assert_eq!(of(told), Remedy::None, "{told}");
        }
        let lost = RedisError::from(std::io::Error::from(std::io::ErrorKind::ConnectionRefused));
        assert_eq!(Remedy::of(&lost), Remedy::Reconnect);
        let late = RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut));
        assert_eq!(Remedy::of(&late), Remedy::None);
    }
}

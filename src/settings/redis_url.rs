//! Where Redis is, as `store.redis_url` says it: one server, Sentinels that know the primary, or nodes of a Cluster.

use percent_encoding::percent_decode_str;
use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// Where a Sentinel listens unless the URL says otherwise.
const SENTINEL_PORT: u16 = 26_379;
/// Where a Redis listens unless the URL says otherwise.
const REDIS_PORT: u16 = 6379;

/// A host or an address (an IPv6 one without brackets), and a port.
pub type Place = (String, u16);

/// Where Redis is, and how to come in.
#[derive(Debug, Clone)]
pub enum RedisUrl {
    /// One server: the URL as it is.
    Standalone { url: SecretString, tls: bool },
    /// Sentinels, and the name that they watch the primary under.
    Sentinel { sentinels: Vec<Place>, primary: String, database: u32, entry: Entry },
    /// Some nodes of a Cluster; they know the others.
    Cluster { nodes: Vec<Place>, entry: Entry },
}

/// How to come in.
#[derive(Debug, Clone)]
pub struct Entry {
    pub tls: bool,
    pub user: Option<String>,
    pub password: Option<SecretString>,
}

impl RedisUrl {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong with it, as a sentence that quotes nothing of it.
    pub fn read(text: &SecretString) -> Result<Self, &'static str> {
        const UNKNOWN: &str = "is not the URL of a Redis; one that begins with redis://, redis+unix://, redis+sentinel:// or \
                               redis+cluster:// is needed (rediss…: the same with TLS)";
        let text = text.expose_secret();
        let (scheme, rest) = text.split_once("://").ok_or(UNKNOWN)?;
        match scheme {
            "redis" | "rediss" | "redis+unix" | "unix" => standalone(text, scheme == "rediss"),
            "redis+sentinel" | "rediss+sentinel" => {
                let (entry, sentinels, path) = several(rest, scheme == "rediss+sentinel", SENTINEL_PORT)?;
                let (primary, database) = path.split_once('/').unwrap_or((path, "0"));
                if primary.is_empty() {
                    return Err("names no primary; the name that the Sentinels watch it under stands behind the hosts: …/mymaster");
                }
                let database =
                    database.parse().map_err(|_| "has something else than the number of a database behind the primary's name")?;
                Ok(Self::Sentinel { sentinels, primary: decoded(primary)?, database, entry })
            }
            "redis+cluster" | "rediss+cluster" => {
                let (entry, nodes, path) = several(rest, scheme == "rediss+cluster", REDIS_PORT)?;
                match path {
                    "" | "0" => Ok(Self::Cluster { nodes, entry }),
                    _ => Err("names a database; a Cluster has only one"),
                }
            }
            _ => Err(UNKNOWN),
        }
    }

    /// Whether connections are encrypted.
    pub fn has_tls(&self) -> bool {
        match self {
            Self::Standalone { tls, .. } => *tls,
            Self::Sentinel { entry, .. } | Self::Cluster { entry, .. } => entry.tls,
        }
    }
}

fn standalone(text: &str, tls: bool) -> Result<RedisUrl, &'static str> {
    let url = Url::parse(text).map_err(|_| "names no host and no socket")?;
    let whole = match url.scheme() {
        "redis" | "rediss" => url.host().is_some(),
        _ => !url.path().trim_matches('/').is_empty(),
    };
    if whole { Ok(RedisUrl::Standalone { url: text.into(), tls }) } else { Err("names no host and no socket") }
}

/// `[user[:password]@]host[:port][,host[:port]…][/path]`
fn several(rest: &str, tls: bool, port: u16) -> Result<(Entry, Vec<Place>, &str), &'static str> {
    if rest.contains(['?', '#']) {
        return Err("has a query or a fragment; with several hosts there is none");
    }
    // A password may have a slash in it, hosts and what is behind them have no @.
    let (who, rest) = rest.rsplit_once('@').unwrap_or(("", rest));
    let (hosts, path) = rest.split_once('/').unwrap_or((rest, ""));
    let (user, password) = who.split_once(':').unwrap_or((who, ""));
    let some = |part: &str| if part.is_empty() { Ok(None) } else { decoded(part).map(Some) };
    let entry = Entry { tls, user: some(user)?, password: some(password)?.map(SecretString::from) };
    let places = hosts.split(',').map(|host| place(host.trim(), port)).collect::<Result<_, _>>()?;
    Ok((entry, places, path.trim_end_matches('/')))
}

/// `host`, `host:port`, `[address]` or `[address]:port`.
fn place(text: &str, port: u16) -> Result<Place, &'static str> {
    const NO_HOST: &str = "has a host that is none; host:port is needed, several separated by commas";
    let (host, rest) = match text.strip_prefix('[') {
        Some(address) => address.split_once(']').ok_or(NO_HOST)?,
        None => text.split_at(text.find(':').unwrap_or(text.len())),
    };
    let port = match rest.strip_prefix(':') {
        Some(port) => port.parse().ok().filter(|port| *port > 0).ok_or("has a port that is none")?,
        None if rest.is_empty() => port,
        None => return Err(NO_HOST),
    };
    if host.is_empty() || host.contains(|c: char| c.is_whitespace() || c == '/') { Err(NO_HOST) } else { Ok((host.to_owned(), port)) }
}

fn decoded(part: &str) -> Result<String, &'static str> {
    percent_decode_str(part).decode_utf8().map(Into::into).map_err(|_| "has something in it that is not UTF-8")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(url: &str) -> RedisUrl {
        RedisUrl::read(&url.into()).unwrap_or_else(|problem| panic!("{url} {problem}"))
    }

    #[test]
    fn sentinels_are_named_with_the_primary_that_they_watch() {
        let url = read("redis+sentinel://ann:p%40ss/word@s1,s2:1234,[::1]:26380/main/3");
        let RedisUrl::Sentinel { sentinels, primary, database, entry } = url else { panic!("sentinels are meant") };
        assert_eq!(sentinels, [("s1".into(), 26_379), ("s2".into(), 1234), ("::1".into(), 26_380)]);
        assert_eq!((primary.as_str(), database, entry.tls, entry.user.as_deref()), ("main", 3, false, Some("ann")));
        assert_eq!(entry.password.unwrap().expose_secret(), "p@ss/word");
    }

    #[test]
    fn nodes_of_a_cluster_may_have_no_port_and_nobody_need_sign_in() {
        let RedisUrl::Cluster { nodes, entry } = read("rediss+cluster://a, b:7000/") else { panic!("a cluster is meant") };
        assert_eq!(nodes, [("a".into(), 6379), ("b".into(), 7000)]);
        assert_eq!((entry.tls, entry.user, entry.password.is_none()), (true, None, true));
    }

    #[test]
    fn a_password_alone_needs_no_name() {
        let RedisUrl::Cluster { entry, .. } = read("redis+cluster://:secret@a") else { panic!("a cluster is meant") };
        assert_eq!((entry.user, entry.password.unwrap().expose_secret()), (None, "secret"));
    }

    #[test]
    fn what_is_wrong_is_told_without_quoting_it() {
        for (url, problem) in [
            ("redis+sentinel://a,b", "names no primary"),
            ("redis+sentinel://a/main/x", "something else than the number of a database"),
            ("redis+sentinel://a:x/main", "a port that is none"),
            ("redis+sentinel://a,,b/main", "a host that is none"),
            ("redis+cluster://a/1", "names a database"),
            ("redis+cluster://", "a host that is none"),
            ("redis+cluster://[::1:6379", "a host that is none"),
            ("redis+cluster://a?x=y", "has a query or a fragment"),
            ("redis+cluster://%ff@a", "not UTF-8"),
            ("redis+cluster:a", "is not the URL of a Redis"),
        ] {
            let told = RedisUrl::read(&url.into()).map(|_| ()).expect_err(url);
            assert!(told.contains(problem), "{url}: {told}");
        }
    }
}

//! Certificates of whatever is spoken to with TLS, and those in files of the settings: until when are they good?

use std::{path::Path, time::Duration};

use swagger_api_agent::{
    clock::Clock,
    domain::limits::CERTIFICATE_DAYS_MIN,
    outbound::{Outbound, Url, shown},
    secrets::certificates::{Certificate, in_pem, presented},
    settings::{RedisUrl, Settings},
};
use time::OffsetDateTime;
use tokio::{net::TcpStream, time::timeout};

use super::Finding;

const SECS_PER_DAY: i64 = 86_400;

/// That of the server of a URL, if it is spoken to with TLS. `outbound` decides whether it may be connected to at all.
pub(super) async fn of_url(key: &str, url: &str, outbound: &Outbound, patience: Duration) -> Option<Finding> {
    let url = Url::parse(url).ok().filter(|url| url.scheme() == "https")?;
    let looked = async {
        let stream = outbound.connect(&url).await.map_err(|error| error.to_string())?;
        presented_by(url.host_str().unwrap_or_default(), stream).await
    };
    Some(looked_at(key, &shown(&url), in_time(patience, looked).await))
}

/// Those of the issuers of tokens.
pub(super) async fn of_issuers(settings: &Settings) -> Vec<Finding> {
    let patience = Duration::from_millis(settings.upstream.connect_timeout_ms);
    let Ok(outbound) = Outbound::new(patience, patience) else { return Vec::new() };
    let mut found = Vec::new();
    for issuer in &settings.auth.issuers {
        let url = issuer.keys_url.as_ref().unwrap_or(&issuer.issuer);
        Url::parse(url).iter().for_each(|url| outbound.named_by_operator(url));
        found.extend(of_url(&format!("auth.issuers.{}", issuer.id), url, &outbound, patience).await);
    }
    found
}

/// Those of the servers of Redis, and what its settings name. `primaries` is where the store found them.
pub(super) async fn of_store(settings: &Settings, primaries: Vec<String>) -> Vec<Finding> {
    let store = &settings.store;
    let mut found = Vec::new();
    found.extend(store.tls_ca_file.as_deref().map(|path| in_file("store.tls_ca_file", path, of_authorities)));
    found.extend(store.tls_cert_file.as_deref().map(|path| in_file("store.tls_cert_file", path, of_chain)));
    let patience = Duration::from_millis(store.timeout_ms);
    for place in redis_servers(settings, primaries) {
        let (host, port) = place.rsplit_once(':').unwrap_or((&place, ""));
        let looked = async {
            let port = port.parse::<u16>().map_err(|_| "no port".to_owned())?;
            let stream = TcpStream::connect((bare(host), port)).await.map_err(|error| error.to_string())?;
            presented_by(host, stream).await
        };
        found.push(looked_at("store.redis_url", &place, in_time(patience, looked).await));
    }
    found
}

/// A host without the brackets that an IPv6 address stands in.
fn bare(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

async fn presented_by(host: &str, stream: TcpStream) -> Result<Vec<Certificate>, String> {
    presented(bare(host), stream).await.map_err(|error| error.to_string())
}

async fn in_time<T>(patience: Duration, looked: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    timeout(patience, looked).await.unwrap_or_else(|_| Err("no answer in time".to_owned()))
}

/// Where Redis is spoken to with TLS, each place once: those of the settings (Sentinels among them), and the primaries that they led to.
fn redis_servers(settings: &Settings, primaries: Vec<String>) -> Vec<String> {
    let url = settings.store.redis_url.as_ref().and_then(|url| RedisUrl::read(url).ok()).filter(RedisUrl::has_tls);
    let mut places: Vec<String> = match url {
        None => return Vec::new(),
        // Of one server the store knows the place, whether it answers or not.
        Some(RedisUrl::Standalone { .. }) => Vec::new(),
        Some(RedisUrl::Sentinel { sentinels: named, .. } | RedisUrl::Cluster { nodes: named, .. }) => {
            named.iter().map(|(host, port)| format!("{host}:{port}")).collect()
        }
    };
    for primary in primaries {
        if !places.contains(&primary) {
            places.push(primary);
        }
    }
    places
}

fn in_file(key: &str, path: &Path, judge: fn(&[Certificate], i64) -> Judgement) -> Finding {
    let read = std::fs::read(path).map_err(|error| error.to_string()).and_then(|file| in_pem(&file).map_err(|error| error.to_string()));
    match read {
        Ok(certificates) => judge(&certificates, now_secs()).finding(key, &path.display().to_string()),
        Err(problem) => Finding::fail(key, format!("{}: {problem}", path.display()), "name a PEM file with a certificate"),
    }
}

fn looked_at(key: &str, place: &str, looked: Result<Vec<Certificate>, String>) -> Finding {
    let what = format!("{key} certificate");
    match looked {
        Ok(chain) => of_chain(&chain, now_secs()).finding(&what, place),
        Err(problem) => {
            Finding::warn(&what, format!("{place}: {problem}"), "it could not be looked at: is the server running, and with TLS?")
        }
    }
}

fn now_secs() -> i64 {
    i64::try_from(Clock::System.now_ms() / 1000).unwrap_or(i64::MAX)
}

/// How certificates are, in a sentence.
#[derive(Debug, PartialEq, Eq)]
enum Judgement {
    Good(String),
    /// Good, but not for long, or one that matters less has ended.
    Soon(String),
    Bad(String),
}

impl Judgement {
    fn finding(self, what: &str, place: &str) -> Finding {
        match self {
            Self::Good(told) => Finding::ok(what, format!("{place}: {told}")),
            Self::Soon(told) => {
                Finding::warn(what, format!("{place}: {told}"), "renew it in time: docs/OPERATIONS.md says how without an interruption")
            }
            Self::Bad(told) => Finding::fail(what, format!("{place}: {told}"), "renew it, and look at the clocks of both machines"),
        }
    }
}

/// What a server presents, or we do: its own first, then those of authorities between. The first alone decides whether it is good; of the
/// others there may be a newer one that the other side knows.
fn of_chain(chain: &[Certificate], now_secs: i64) -> Judgement {
    let Some(own) = chain.first() else { return Judgement::Bad("no certificate is presented".to_owned()) };
    if !is_good(own, now_secs) {
        return Judgement::Bad(told(own, now_secs));
    }
    soonest(chain, now_secs)
}

/// Authorities that are believed: one that is good is enough.
fn of_authorities(all: &[Certificate], now_secs: i64) -> Judgement {
    if !all.iter().any(|one| is_good(one, now_secs)) {
        let sentences: Vec<String> = all.iter().map(|one| told(one, now_secs)).collect();
        return Judgement::Bad(sentences.join("; "));
    }
    soonest(all, now_secs)
}

fn is_good(one: &Certificate, now_secs: i64) -> bool {
    (one.begins_secs..=one.ends_secs).contains(&now_secs)
}

fn soonest(all: &[Certificate], now_secs: i64) -> Judgement {
    let soon = now_secs.saturating_add(CERTIFICATE_DAYS_MIN * SECS_PER_DAY);
    let few: Vec<String> = all.iter().filter(|one| one.ends_secs < soon).map(|one| told(one, now_secs)).collect();
    match all.iter().min_by_key(|one| one.ends_secs) {
        Some(first) if few.is_empty() => Judgement::Good(told(first, now_secs)),
        _ => Judgement::Soon(few.join("; ")),
    }
}

fn told(one: &Certificate, now_secs: i64) -> String {
    let Certificate { name, begins_secs, ends_secs } = one;
    if *ends_secs < now_secs {
        format!("{name} ended on {}, {} ago", date(*ends_secs), days(now_secs - ends_secs))
    } else if *begins_secs > now_secs {
        format!("{name} is good only from {} on", date(*begins_secs))
    } else {
        format!("{name} is good until {}, for {}", date(*ends_secs), days(ends_secs - now_secs))
    }
}

fn days(secs: i64) -> String {
    match secs / SECS_PER_DAY {
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}

fn date(secs: i64) -> String {
    OffsetDateTime::from_unix_timestamp(secs).map_or_else(|_| "a day that no calendar has".to_owned(), |at| at.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-01.
    const NOW: i64 = 1_767_225_600;

    fn certificate(name: &str, from_days: i64, to_days: i64) -> Certificate {
        let at = |days: i64| NOW + days * SECS_PER_DAY;
        Certificate { name: format!("CN={name}"), begins_secs: at(from_days), ends_secs: at(to_days) }
    }

    #[test]
    fn thirty_days_are_enough_and_a_day_less_is_not() {
        let chain = [certificate("shop", -10, CERTIFICATE_DAYS_MIN), certificate("between", -10, 400)];
        assert_eq!(of_chain(&chain, NOW), Judgement::Good("CN=shop is good until 2026-01-31, for 30 days".to_owned()));
        let chain = [certificate("shop", -10, CERTIFICATE_DAYS_MIN - 1), certificate("between", -10, 400)];
        assert_eq!(of_chain(&chain, NOW), Judgement::Soon("CN=shop is good until 2026-01-30, for 29 days".to_owned()));
    }

    #[test]
    fn one_that_is_over_or_has_not_begun_is_bad() {
        assert_eq!(of_chain(&[certificate("shop", -20, -3)], NOW), Judgement::Bad("CN=shop ended on 2025-12-29, 3 days ago".to_owned()));
        assert_eq!(of_chain(&[certificate("shop", 2, 90)], NOW), Judgement::Bad("CN=shop is good only from 2026-01-03 on".to_owned()));
        assert!(matches!(of_chain(&[], NOW), Judgement::Bad(_)));
    }

    #[test]
    fn an_authority_between_that_is_over_is_a_warning() {
        let chain = [certificate("shop", -10, 90), certificate("between", -90, -1)];
        assert_eq!(of_chain(&chain, NOW), Judgement::Soon("CN=between ended on 2025-12-31, 1 day ago".to_owned()));
    }

    #[test]
    fn one_good_authority_is_enough_and_the_old_one_is_told_of() {
        let (old, new) = (certificate("old", -90, -1), certificate("new", -10, 90));
        assert_eq!(of_authorities(&[old.clone(), new.clone()], NOW), Judgement::Soon("CN=old ended on 2025-12-31, 1 day ago".to_owned()));
        assert!(matches!(of_authorities(&[new], NOW), Judgement::Good(_)));
        assert!(matches!(of_authorities(&[old], NOW), Judgement::Bad(_)));
    }
}

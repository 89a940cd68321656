//! Where connections may go: what the operator named, and otherwise only addresses that everybody can reach (server-side request forgery).
//!
//! A name is resolved here and nowhere else, and what it resolves to is what is connected to, so it cannot mean another address between the
//! look and the connection. Addresses are judged as they will be used: whatever a URL writes (decimal, octal, hexadecimal, full-width), its
//! parser has made an address of it by then, and IPv4 inside IPv6 counts as IPv4.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard},
};

use futures_util::future::BoxFuture;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::{Host, Url};

/// What there is to know of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Reach {
    /// Everybody can reach it.
    Public,
    /// Of this machine or of a network of the operator's own (RFC 1918, 4193, 6598; loopback).
    Inside,
    /// Nothing that can be an API: link-local, where clouds keep their credentials, and more than one receiver.
    Never,
}

/// What is known of a host that the operator named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    /// Not looked up yet: whatever it is then, the operator meant.
    NotSeen,
    Public,
    Inside,
}

/// A connection that is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the host is at an address that may not be called")]
pub(super) struct Forbidden;

/// Why there is no address to connect to.
#[derive(Debug)]
pub(super) enum Unreachable {
    Forbidden(Forbidden),
    /// The name is not known.
    Unknown,
}

#[cfg(test)]
type Script = Arc<dyn Fn(&str) -> Vec<IpAddr> + Send + Sync>;

/// Says which addresses a host's name stands for.
#[derive(Clone)]
pub(super) enum Lookup {
    System,
    #[cfg(test)]
    Scripted(Script),
}

impl Lookup {
    async fn of(&self, name: &str) -> std::io::Result<Vec<IpAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect()),
            #[cfg(test)]
            Self::Scripted(says) => Ok(says(name)),
        }
    }
}

/// The one who decides. Clones decide together.
#[derive(Clone)]
pub(super) struct Guard {
    lookup: Lookup,
    /// Hosts that the operator named, as URLs have them.
    named: Arc<Mutex<HashMap<String, Named>>>,
}

impl Guard {
    pub fn new(lookup: Lookup) -> Self {
        Self { lookup, named: Arc::default() }
    }

    fn named(&self) -> MutexGuard<'_, HashMap<String, Named>> {
        self.named.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The operator named this host: it may be inside.
    pub fn name(&self, url: &Url) {
        if let Some(host) = url.host_str() {
            self.named().entry(host.to_ascii_lowercase()).or_insert(Named::NotSeen);
        }
    }

    /// Whether a URL may be called, as far as it says itself where that is: names are judged when they are looked up.
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) | None => return Ok(()),
        };
        let named = url.host_str().is_some_and(|host| self.named().contains_key(host));
        if reach(address) == Reach::Never || (reach(address) == Reach::Inside && !named) { Err(Forbidden) } else { Ok(()) }
    }

    /// Those of the addresses of a name that may be called. What a host of the operator's was when it was first looked up it stays: one
    /// that was public and is inside now is not followed there (DNS rebinding).
    fn judge(&self, name: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, Forbidden> {
        let furthest = addresses.iter().map(|address| reach(*address)).filter(|reach| *reach != Reach::Never).max();
        let mut named = self.named();
        let inside = match named.get_mut(&name.to_ascii_lowercase()) {
            None => false,
            Some(known) => {
                if let (Named::NotSeen, Some(furthest)) = (*known, furthest) {
                    *known = if furthest == Reach::Inside { Named::Inside } else { Named::Public };
                }
                *known == Named::Inside
            }
        };
        let may = |address: &IpAddr| match reach(*address) {
            Reach::Public => true,
            Reach::Inside => inside,
            Reach::Never => false,
        };
        let allowed: Vec<IpAddr> = addresses.iter().copied().filter(may).collect();
        if allowed.is_empty() && !addresses.is_empty() { Err(Forbidden) } else { Ok(allowed) }
    }
}

impl Guard {
    /// Where a URL leads, as far as it may.
    pub async fn addresses(&self, url: &Url) -> Result<Vec<SocketAddr>, Unreachable> {
        self.check(url).map_err(Unreachable::Forbidden)?;
        let found = match url.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let found = self.lookup.of(name).await.map_err(|_| Unreachable::Unknown)?;
                self.judge(name, found).map_err(Unreachable::Forbidden)?
            }
            None => Vec::new(),
        };
        let port = url.port_or_known_default().unwrap_or_default();
        Ok(found.into_iter().map(|address| SocketAddr::new(address, port)).collect())
    }
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = self.clone();
        let resolving: BoxFuture<'static, _> = Box::pin(async move {
            let addresses = guard.judge(name.as_str(), guard.lookup.of(name.as_str()).await?)?;
            let addresses: Addrs = Box::new(addresses.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        });
        resolving
    }
}

/// Whether a URL is plainly inside: by an address, or by a name that means this machine (RFC 6761, 6.3).
pub(super) fn is_inside(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => reach(address.into()) == Reach::Inside,
        Some(Host::Ipv6(address)) => reach(address.into()) == Reach::Inside,
        Some(Host::Domain(name)) => name.trim_end_matches('.').rsplit('.').next() == Some("localhost"),
        None => false,
    }
}

/// Whether a URL names an address that is never called.
pub(super) fn is_never(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => reach(address.into()) == Reach::Never,
        Some(Host::Ipv6(address)) => reach(address.into()) == Reach::Never,
        Some(Host::Domain(_)) | None => false,
    }
}

fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(address) => reach_of_4(address),
        IpAddr::V6(address) => carried(address).map_or_else(|| reach_of_6(address), reach_of_4),
    }
}

/// By the registries of special addresses (RFC 6890).
fn reach_of_4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    // Where clouds keep credentials outside the link-local range: in one that others use inside, in one that is nobody's (192.0.0.0/24), and in
    // the middle of the public ones, where only machines of that cloud reach it.
    let credentials = matches!(address.octets(), [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16]);
    if address.is_link_local() || address.is_multicast() || address.is_broadcast() || a >= 240 || credentials {
        Reach::Never
    } else if address.is_private()
        || address.is_loopback()
        || a == 0
        || (a, b, c) == (192, 0, 0)
        || (a == 100 && b & 0xc0 == 64)
        || (a == 198 && b & 0xfe == 18)
    {
        Reach::Inside
    } else {
        Reach::Public
    }
}

fn reach_of_6(address: Ipv6Addr) -> Reach {
    let [first, second, third, ..] = address.segments();
    // fd00:ec2:: is where another cloud keeps its credentials.
    let credentials = first == 0xfd00 && second == 0x0ec2;
    if address.is_multicast() || first & 0xffc0 == 0xfe80 || credentials {
        Reach::Never
    } else if address.is_loopback()
        || address.is_unspecified()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfec0
        // A translator of the operator's own network (RFC 8215): what is behind it is the network's affair.
        || (first, second, third) == (0x64, 0xff9b, 1)
    {
        Reach::Inside
    } else {
        Reach::Public
    }
}

/// The IPv4 address inside an IPv6 one: mapped and compatible (RFC 4291, 2.5.5), translated (RFC 6052; RFC 2765), 6to4 (RFC 3056), of a Teredo
/// client (RFC 4380, 4), ISATAP (RFC 5214, 6.1).
fn carried(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let of = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0, 0, 0, 0, 0xffff, 0, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            Some(of(high, low))
        }
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => None,
        [0, 0, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => Some(of(high, low)),
        // Every bit of it is turned round.
        [0x2001, 0, .., high, low] => Some(of(!high, !low)),
        // Whatever this network's own translator makes of it, it is not public; but it may be worse than inside.
        [0x64, 0xff9b, 1, .., high, low] => Some(of(high, low)).filter(|address| reach_of_4(*address) == Reach::Never),
        [.., 0 | 0x200, 0x5efe, high, low] => Some(of(high, low)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::net::TcpListener;

    use super::*;

    fn url(host: &str) -> Url {
        Url::parse(&format!("http://{host}:80/")).unwrap_or_else(|_| panic!("{host} is no host"))
    }

    #[test]
    fn every_way_to_write_an_address_is_that_address() {
        let guard = Guard::new(Lookup::System);
        for inside in [
            "127.0.0.1",
            "2130706433",
            "0x7f.1",
            "0x7f000001",
            "0177.0.0.1",
            "127.1",
            "127.0.1",
            "0",
            "0.0.0.0",
            "127.0.0.1.",
            "１２７.０.０.１",
            "127。0。0。1",
            "%31%32%37.0.0.1",
            "user@127.0.0.1",
            "[::1]",
            "[::]",
            "[::ffff:127.0.0.1]",
            "[::ffff:7f00:1]",
            "[::127.0.0.1]",
            "[64:ff9b::127.0.0.1]",
            "[2002:7f00:1::]",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "198.18.0.1",
            "[fc00::1]",
            "[fd12:3456::1]",
            "[fec0::1]",
            "192.0.0.8",
            "[64:ff9b:1::8.8.8.8]",
            "[64:ff9b:1:fffe::127.0.0.1]",
            "[2001:0:5db8:d822:0:0:80ff:fffe]",
            "[2001:db8::5efe:10.0.0.1]",
            "[2606:4700::200:5efe:192.168.0.1]",
        ] {
            assert_eq!(guard.check(&url(inside)), Err(Forbidden), "{inside}");
            let named = Guard::new(Lookup::System);
            named.name(&url(inside));
            assert_eq!(named.check(&url(inside)), Ok(()), "{inside}, which the operator names");
        }
        for never in [
            "169.254.169.254",
            "2852039166",
            "0xa9fea9fe",
            "0251.0376.0251.0376",
            "[::ffff:169.254.169.254]",
            "[::ffff:a9fe:a9fe]",
            "[64:ff9b::a9fe:a9fe]",
            "[fe80::1]",
            "[fd00:ec2::254]",
            "100.100.100.200",
            "224.0.0.1",
            "239.255.255.250",
            "255.255.255.255",
            "240.0.0.1",
            "[ff02::1]",
            "192.0.0.192",
            "168.63.129.16",
            "[::ffff:168.63.129.16]",
            "[64:ff9b:1::169.254.169.254]",
            "[2001:0:5db8:d822:0:0:5601:5601]",
            "[2606:4700::5efe:169.254.169.254]",
        ] {
            let guard = Guard::new(Lookup::System);
            guard.name(&url(never));
            assert_eq!(guard.check(&url(never)), Err(Forbidden), "{never}, which not even the operator can name");
            assert!(is_never(&url(never)), "{never}");
        }
        for public in [
            "93.184.216.34",
            "172.32.0.1",
            "100.128.0.1",
            "[2606:2800:220:1::1]",
            "[::ffff:93.184.216.34]",
            "192.0.1.1",
            "[2001:1::1]",
            "[64:ff9b::8.8.8.8]",
        ] {
            assert_eq!(guard.check(&url(public)), Ok(()), "{public}");
        }
        assert!(is_inside(&url("localhost")) && is_inside(&url("api.localhost.")) && !is_inside(&url("localhost.example.com")));
    }

    #[test]
    fn a_name_may_be_inside_only_if_the_operator_named_it_and_it_always_was() {
        let guard = Guard::new(Lookup::System);
        let (public, inside, never) = ("93.184.216.34".parse().unwrap(), "10.1.2.3".parse().unwrap(), "169.254.169.254".parse().unwrap());
        let judge = |name: &str, addresses: &[IpAddr]| guard.judge(name, addresses.to_vec());
        assert_eq!(judge("other.test", &[inside]), Err(Forbidden));
        assert_eq!(judge("other.test", &[public, inside, never]), Ok(vec![public]));
        guard.name(&url("Api.test"));
        guard.name(&url("shop.test"));
        assert_eq!(judge("shop.test", &[inside, never]), Ok(vec![inside]));
        assert_eq!(judge("shop.test", &[never]), Err(Forbidden));
        assert_eq!(judge("api.test", &[public]), Ok(vec![public]));
        guard.name(&url("api.test"));
        assert_eq!(judge("api.test", &[inside]), Err(Forbidden), "it was public");
        assert_eq!(judge("api.test", &[inside, public]), Ok(vec![public]));
        assert_eq!(judge("api.test", &[]), Ok(vec![]), "nothing was found, which is another error");
    }

    #[tokio::test]
    async fn a_name_that_turns_to_the_loopback_is_not_followed() {
        let canary = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = canary.local_addr().unwrap().port();
        let connections = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while canary.accept().await.is_ok() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        let looks = Arc::new(AtomicUsize::new(0));
        let asked = Arc::clone(&looks);
        // TEST-NET-1 (RFC 5737) at first: nobody is there.
        let flips: Script = Arc::new(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => vec![Ipv4Addr::new(192, 0, 2, 1).into()],
            _ => vec![Ipv4Addr::LOCALHOST.into()],
        });
        let soon = std::time::Duration::from_millis(300);
        let outbound = super::super::Outbound::looking_up(Lookup::Scripted(flips), soon, soon).unwrap();
        let target = Url::parse(&format!("http://rebinding.test:{port}/")).unwrap();
        outbound.named_by_operator(&target);
        let send = async || {
            let sending = super::super::Sending {
                method: "GET".to_owned(),
                url: target.clone(),
                headers: super::super::Headers::default(),
                body: None,
                deadline: soon * 4,
                reply_bytes_max: 1024,
            };
            outbound.send(sending).await.expect_err("nobody answers")
        };
        assert!(matches!(send().await, super::super::SendError::NotSent(_)));
        assert_eq!(send().await, super::super::SendError::NotSent(super::super::NoConnection::Forbidden));
        assert_eq!((looks.load(Ordering::SeqCst), connections.load(Ordering::SeqCst)), (2, 0));
    }
}

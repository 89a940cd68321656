//! Where a request comes from: the address at the other end of the connection, or what the operator's own proxies say of it.

use std::{
    convert::Infallible,
    net::{IpAddr, Ipv6Addr},
};

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, request::Parts},
};
use ipnet::IpNet;

use crate::app::App;

const FORWARDED_FOR: &str = "x-forwarded-for";
/// Bits of an IPv6 address that one customer shares (RFC 6177): whoever has one has all of a /64.
const IPV6_SHARED_BITS: u32 = 64;

/// The other end of a connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// Whom a request comes from, as text; of IPv6 the network. Nothing is known of a request that came over no connection.
pub(super) struct From(pub String);

impl FromRequestParts<App> for From {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let Some(Peer(peer)) = parts.extensions.get::<Peer>().copied() else { return Ok(Self("unknown".to_owned())) };
        Ok(Self(network(client(peer, &parts.headers, &app.settings().server.trusted_proxies)).to_string()))
    }
}

/// The last address on the way that is none of the operator's proxies. What stands left of it in the header was written by whoever sent it.
fn client(peer: IpAddr, headers: &HeaderMap, proxies: &[IpNet]) -> IpAddr {
    let is_proxy = |address: &IpAddr| proxies.iter().any(|network| network.contains(&address.to_canonical()));
    let told = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
    let told: Vec<Option<IpAddr>> = told.map(|address| address.trim().parse().ok()).collect();
    let mut client = peer.to_canonical();
    for before in told.into_iter().rev() {
        match before {
            Some(before) if is_proxy(&client) => client = before.to_canonical(),
            _ => break,
        }
    }
    client
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> IPV6_SHARED_BITS << IPV6_SHARED_BITS).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(peer: &str, told: &[&str]) -> String {
        let proxies = ["10.0.0.0/8", "192.168.7.1/32", "fd00::/8"].map(|network| network.parse().unwrap());
        let mut headers = HeaderMap::new();
        told.iter().for_each(|value| _ = headers.append(FORWARDED_FOR, value.parse().unwrap()));
        network(client(peer.parse().unwrap(), &headers, &proxies)).to_string()
    }

    #[test]
    fn only_what_the_operators_proxies_say_is_believed() {
        for (peer, told, client) in [
            ("203.0.113.9", &["198.51.100.1"][..], "203.0.113.9"),
            ("10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", &["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
            ("10.1.2.3", &["1.1.1.1", "198.51.100.1, 192.168.7.1"], "198.51.100.1"),
            ("10.1.2.3", &[], "10.1.2.3"),
            ("10.1.2.3", &["garbage"], "10.1.2.3"),
            ("10.1.2.3", &["198.51.100.1, garbage"], "10.1.2.3"),
            ("::ffff:10.1.2.3", &["198.51.100.1"], "198.51.100.1"),
            ("fd00::1", &["2001:db8:1:2:3:4:5:6"], "2001:db8:1:2::"),
            ("2001:db8:1:2:ffff::1", &["1.1.1.1"], "2001:db8:1:2::"),
        ] {
            assert_eq!(from(peer, told), client, "{peer} {told:?}");
        }
    }
}

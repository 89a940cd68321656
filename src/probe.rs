//! Asks a server on this machine whether it is ready: what the container's health check runs (`swagger-api-agent health`).
//!
//! Blocking and small on purpose: it starts every few seconds in an image that has no other HTTP client.

use std::{
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs},
    time::Duration,
};

use crate::domain::limits::PROBE_TIMEOUT_MS;

/// True if the server that was told to listen on `host` and `port` answers `GET /health/ready` with 200.
///
/// # Errors
/// If nobody listens there, or the answer does not begin within [`PROBE_TIMEOUT_MS`].
pub fn is_ready(host: &str, port: u16) -> io::Result<bool> {
    let within = Duration::from_millis(PROBE_TIMEOUT_MS);
    let mut connection = TcpStream::connect_timeout(&reachable(host, port)?, within)?;
    connection.set_read_timeout(Some(within))?;
    connection.set_write_timeout(Some(within))?;
    connection.write_all(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut status_line = [0; b"HTTP/1.1 200".len()];
    connection.read_exact(&mut status_line)?;
    Ok(&status_line == b"HTTP/1.1 200")
}

/// Where a listener is reached from the same machine: one on all addresses, by the loopback.
fn reachable(host: &str, port: u16) -> io::Result<SocketAddr> {
    let mut address = (host, port).to_socket_addrs()?.next().ok_or_else(|| io::Error::other(format!("{host} names no address")))?;
    if address.ip().is_unspecified() {
        address.set_ip(match address.ip() {
            IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        });
    }
    Ok(address)
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    /// A server that reads one request and answers it with `head`; its port.
    fn server(head: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            let (mut connection, _) = listener.accept().unwrap();
            let mut asked = [0; 1024];
            let n = connection.read(&mut asked).unwrap();
            assert!(asked[..n].starts_with(b"GET /health/ready HTTP/1.1\r\n"));
            connection.write_all(head.as_bytes()).unwrap();
        });
        port
    }

    #[test]
    fn a_server_on_all_addresses_that_answers_200_is_ready() {
        assert!(is_ready("0.0.0.0", server("HTTP/1.1 200 OK\r\n\r\n")).unwrap());
    }

    #[test]
    fn a_draining_server_is_not_ready() {
        assert!(!is_ready("127.0.0.1", server("HTTP/1.1 503 Service Unavailable\r\n\r\n")).unwrap());
    }

    #[test]
    fn a_server_that_closes_without_an_answer_is_an_error() {
        assert_eq!(is_ready("127.0.0.1", server("")).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    }

    #[test]
    fn nobody_there_is_an_error() {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        assert_eq!(is_ready("127.0.0.1", free).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
    }
}

//! Bytes on a socket, for what no HTTP client would send.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::COMES_WITHIN;

/// A connection to the service.
pub struct Wire(TcpStream);

impl Wire {
    pub async fn to(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.expect("the service listens"))
    }

    /// Whether nobody listens at `http://address` any more.
    pub async fn refused(base: &str) -> bool {
        TcpStream::connect(base.trim_start_matches("http://")).await.is_err()
    }

    /// Writes what the other side may already refuse to read.
    pub async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.0.write_all(bytes.as_ref()).await;
    }

    /// Writes; false if the other side takes nothing any more.
    pub async fn may_write(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.0.write_all(bytes.as_ref()).await.is_ok()
    }

    /// Reads until the service closes the connection.
    pub async fn rest(self) -> String {
        let (read, closed) = self.rest_within(COMES_WITHIN).await;
        assert!(closed, "the service keeps the connection open, and said {read}");
        read
    }

    /// Reads until the service closes the connection, or so long; whether it closed it.
    pub async fn rest_within(mut self, time: Duration) -> (String, bool) {
        let mut read = Vec::new();
        let mut chunk = [0; 4096];
        let reading = async {
            // A connection that is closed with unread bytes in it ends with a reset; what came before counts.
            while let Ok(n @ 1..) = self.0.read(&mut chunk).await {
                read.extend_from_slice(&chunk[..n]);
            }
        };
        let closed = tokio::time::timeout(time, reading).await.is_ok();
        (String::from_utf8(read).expect("UTF-8"), closed)
    }

    /// Whether the connection stays open and silent for so long.
    pub async fn is_quiet_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.read(&mut [0; 1])).await.is_err()
    }

    /// Reads one answer, and not a byte more.
    pub async fn whole_answer(&mut self) -> String {
        let mut answer = self.head_of_answer().await;
        let length = answer.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
        let mut body = vec![0; length.unwrap_or_else(|| panic!("the answer does not say how long it is: {answer}"))];
        let reading = tokio::time::timeout(COMES_WITHIN, self.0.read_exact(&mut body)).await;
        reading.expect("the body comes").expect("the whole body comes");
        answer.push_str(std::str::from_utf8(&body).expect("UTF-8"));
        answer
    }

    /// Reads the head of one answer, and not a byte more.
    pub async fn head_of_answer(&mut self) -> String {
        let mut read = Vec::new();
        let reading = async {
            while !read.ends_with(b"\r\n\r\n") {
                match self.0.read_u8().await {
                    Ok(byte) => read.push(byte),
                    Err(error) => panic!("{error} behind {}", String::from_utf8_lossy(&read)),
                }
            }
        };
        tokio::time::timeout(COMES_WITHIN, reading).await.expect("an answer comes");
        String::from_utf8(read).expect("UTF-8")
    }

    /// Reads the status line and the head of an answer, and as much of its body as has come with it.
    pub async fn answer(&mut self) -> String {
        let mut read = Vec::new();
        let mut chunk = [0; 4096];
        let reading = async {
            while !read.windows(4).any(|four| four == b"\r\n\r\n") {
                match self.0.read(&mut chunk).await {
                    Ok(n @ 1..) => read.extend_from_slice(&chunk[..n]),
                    _ => break,
                }
            }
        };
        tokio::time::timeout(COMES_WITHIN, reading).await.expect("an answer comes");
        String::from_utf8(read).expect("UTF-8")
    }
}

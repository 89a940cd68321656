//! A server for tests that does what it was told, request by request, down to the byte.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// What the server does when a whole request has come.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    /// Writes these bytes and waits for the next request.
    Write(Vec<u8>),
    /// Writes these bytes and closes.
    WriteAndClose(Vec<u8>),
    /// Writes these bytes and then nothing more, without closing.
    WriteAndHang(Vec<u8>),
    /// Writes these bytes, then zeros until the client goes.
    WriteAndFlood(Vec<u8>),
}

impl Act {
    /// A whole JSON reply.
    pub(crate) fn json(status: u16, body: &str) -> Self {
        Self::reply(status, "content-type: application/json\r\n", body.as_bytes())
    }

    /// A whole reply; each line of `fields` ends with CRLF.
    pub(crate) fn reply(status: u16, fields: &str, body: &[u8]) -> Self {
        let mut bytes = format!("HTTP/1.1 {status} X\r\n{fields}content-length: {}\r\n\r\n", body.len()).into_bytes();
        bytes.extend_from_slice(body);
        Self::Write(bytes)
    }
}

/// A running server on its own loopback port.
#[derive(Debug)]
pub(crate) struct Scripted {
    /// `http://127.0.0.1:port`
    pub(crate) url: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    script: VecDeque<Act>,
    requests: Vec<Received>,
    connections: usize,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// Request line and header fields, with the names in lower case.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("the request's body is JSON")
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }
}

impl Scripted {
    pub(crate) async fn start(script: impl IntoIterator<Item = Act>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Seen { script: script.into_iter().collect(), ..Seen::default() }));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().expect("seen").connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, seen }
    }

    pub(crate) fn requests(&self) -> Vec<Received> {
        self.seen.lock().expect("seen").requests.clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.seen.lock().expect("seen").connections
    }
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) -> Option<()> {
    loop {
        let request = receive(&mut stream).await?;
        let act = {
            let mut seen = seen.lock().expect("seen");
            seen.requests.push(request);
            seen.script.pop_front().expect("the script has an act for this request")
        };
        match act {
            Act::Write(bytes) => stream.write_all(&bytes).await.ok()?,
            Act::WriteAndClose(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                return stream.shutdown().await.ok();
            }
            Act::WriteAndHang(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                tokio::time::sleep(Duration::from_secs(60)).await;
            }
            Act::WriteAndFlood(bytes) => {
                stream.write_all(&bytes).await.ok()?;
                loop {
                    stream.write_all(&[b'0'; 4096]).await.ok()?;
                }
            }
        }
    }
}

/// Reads one request with its body; `None` when the client has gone.
async fn receive(stream: &mut TcpStream) -> Option<Received> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break at + 4;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let mut body = bytes.split_off(end);
    let head = String::from_utf8_lossy(&bytes);
    let head: Vec<String> = head
        .lines()
        .map(|line| match line.split_once(": ") {
            Some((name, value)) => format!("{}: {value}", name.to_ascii_lowercase()),
            None => line.to_owned(),
        })
        .collect();
    let received = Received { head: head.join("\n"), body: Vec::new() };
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Received { body, ..received })
}

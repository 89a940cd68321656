//! HTTP/1.1 as far as the lab needs it, by hand: a client can hang up after any byte, and a server can close without an answer.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncBufRead, AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    time::timeout,
};

/// A request or an answer: its first line, its headers with names in small letters, its body.
#[derive(Debug, Clone, Default)]
pub struct Message {
    pub first: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Message {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub fn status(&self) -> u16 {
        self.first.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }
}

/// Reads a message; `None` if the other side closed before it began.
pub async fn read(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<Message>> {
    let mut message = Message::default();
    let mut line = String::new();
    loop {
        line.clear();
        if from.read_line(&mut line).await? == 0 {
            return if message.first.is_empty() { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
        }
        let text = line.trim_end();
        if text.is_empty() {
            break;
        } else if message.first.is_empty() {
            text.clone_into(&mut message.first);
        } else if let Some((name, value)) = text.split_once(':') {
            message.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    if message.header("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
        message.body = chunks(from).await?;
    } else if let Some(length) = message.header("content-length").and_then(|length| length.parse().ok()) {
        message.body = vec![0; length];
        from.read_exact(&mut message.body).await?;
    } else if message.first.starts_with("HTTP/") {
        from.read_to_end(&mut message.body).await?;
    }
    Ok(Some(message))
}

async fn chunks(from: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Vec<u8>> {
    let (mut body, mut line) = (Vec::new(), String::new());
    loop {
        line.clear();
        from.read_line(&mut line).await?;
        let length = usize::from_str_radix(line.trim(), 16).map_err(io::Error::other)?;
        let at = body.len();
        body.resize(at + length, 0);
        from.read_exact(&mut body[at..]).await?;
        line.clear();
        from.read_line(&mut line).await?;
        if length == 0 {
            return Ok(body);
        }
    }
}

/// A request for a client to send.
#[derive(Debug, Clone)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub headers: Vec<(&'a str, String)>,
    pub body: Vec<u8>,
}

/// Where a client hangs up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hangup {
    Never,
    /// After so many bytes of the request.
    Sending(usize),
    /// After so many bytes of the answer.
    Reading(usize),
}

/// Sends a request over a connection of its own. An error means that no whole answer came.
pub async fn send(port: u16, request: &Request<'_>, hangup: Hangup, within: Duration) -> io::Result<Message> {
    timeout(within, exchange(port, request, hangup)).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}

async fn exchange(port: u16, request: &Request<'_>, hangup: Hangup) -> io::Result<Message> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
    stream.set_nodelay(true)?;
    let mut bytes = format!("{} {} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nconnection: close\r\n", request.method, request.path).into_bytes();
    for (name, value) in &request.headers {
        bytes.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
    }
    if !request.body.is_empty() || request.method != "GET" {
        bytes.extend_from_slice(format!("content-type: application/json\r\ncontent-length: {}\r\n", request.body.len()).as_bytes());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&request.body);
    if let Hangup::Sending(n) = hangup {
        bytes.truncate(n);
    }
    stream.write_all(&bytes).await?;
    match hangup {
        Hangup::Never => read(&mut BufReader::new(stream)).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into()),
        Hangup::Sending(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        Hangup::Reading(n) => {
            let mut part = vec![0; n.max(1)];
            stream.read_exact(&mut part).await?;
            Err(io::ErrorKind::ConnectionAborted.into())
        }
    }
}

/// An answer of a server of the lab.
pub fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

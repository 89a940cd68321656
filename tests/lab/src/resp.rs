//! Redis' protocol as far as the lab needs it: a client for looking and for giving orders, and the length of a reply for the proxy.

use std::{io, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// No order of the lab takes longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer of Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    Nothing,
    Number(i64),
    Text(String),
    Many(Vec<Reply>),
    Error(String),
}

impl Reply {
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            Self::Nothing | Self::Number(_) | Self::Many(_) | Self::Error(_) => "",
        }
    }

    pub fn number(&self) -> i64 {
        match self {
            Self::Number(n) => *n,
            Self::Text(text) => text.parse().unwrap_or(0),
            Self::Nothing | Self::Many(_) | Self::Error(_) => 0,
        }
    }

    pub fn many(self) -> Vec<Reply> {
        match self {
            Self::Many(replies) => replies,
            Self::Nothing | Self::Number(_) | Self::Text(_) | Self::Error(_) => Vec::new(),
        }
    }
}

/// A connection of the lab's own, past every proxy.
pub struct Redis {
    stream: TcpStream,
    /// What has come and is not read yet.
    come: Vec<u8>,
}

impl Redis {
    pub async fn connect(port: u16) -> io::Result<Self> {
        let connecting = TcpStream::connect(("127.0.0.1", port));
        let stream = timeout(PATIENCE, connecting).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        Ok(Self { stream, come: Vec::new() })
    }

    /// Gives an order and waits for its answer; an error of Redis is an error here too.
    pub async fn ask(&mut self, words: &[&str]) -> io::Result<Reply> {
        let mut bytes = format!("*{}\r\n", words.len()).into_bytes();
        for word in words {
            bytes.extend_from_slice(format!("${}\r\n{word}\r\n", word.len()).as_bytes());
        }
        let asking = async {
            self.stream.write_all(&bytes).await?;
            loop {
                if let Some((reply, length)) = parse(&self.come) {
                    self.come.drain(..length);
                    return Ok(reply);
                }
                if self.stream.read_buf(&mut self.come).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
            }
        };
        match timeout(PATIENCE, asking).await {
            Ok(Ok(Reply::Error(error))) => Err(io::Error::other(error)),
            Ok(answer) => answer,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

/// One order on a connection of its own.
pub async fn ask(port: u16, words: &[&str]) -> io::Result<Reply> {
    Redis::connect(port).await?.ask(words).await
}

/// The first reply of what has come, and its length; `None` if it is not whole yet.
pub fn parse(bytes: &[u8]) -> Option<(Reply, usize)> {
    let end = bytes.windows(2).position(|pair| pair == b"\r\n")?;
    let line = String::from_utf8_lossy(bytes.get(1..end)?).into_owned();
    let mut at = end + 2;
    let reply = match bytes[0] {
        b'+' | b',' | b'#' | b'(' => Reply::Text(line),
        b'-' => Reply::Error(line),
        b':' => Reply::Number(line.parse().unwrap_or(0)),
        b'$' | b'=' | b'!' => match usize::try_from(line.parse::<i64>().unwrap_or(-1)) {
            Err(_) => Reply::Nothing,
            Ok(length) => {
                let text = String::from_utf8_lossy(bytes.get(at..at + length)?).into_owned();
                bytes.get(at + length..at + length + 2)?;
                at += length + 2;
                Reply::Text(text)
            }
        },
        b'*' | b'~' | b'>' | b'%' => match usize::try_from(line.parse::<i64>().unwrap_or(-1)) {
            Err(_) => Reply::Nothing,
            Ok(length) => {
                let count = if bytes[0] == b'%' { length * 2 } else { length };
                let mut replies = Vec::new();
                for _ in 0..count {
                    let (reply, length) = parse(bytes.get(at..)?)?;
                    replies.push(reply);
                    at += length;
                }
                Reply::Many(replies)
            }
        },
        _ => Reply::Nothing,
    };
    Some((reply, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_when_it_is_whole() {
        let bytes = b"*3\r\n:7\r\n$3\r\na\r\n\r\n*-1\r\n+OK\r\n";
        let whole = bytes.len() - 5;
        for cut in 0..whole {
            assert_eq!(parse(&bytes[..cut]), None, "after {cut} bytes");
        }
        let wanted = Reply::Many(vec![Reply::Number(7), Reply::Text("a\r\n".to_owned()), Reply::Nothing]);
        assert_eq!(parse(bytes), Some((wanted, whole)));
    }
}

//! An API that writes requests down byte by byte: no HTTP library stands between the wire and what a test compares.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Listens for as long as the test's runtime lives, and answers everything with an empty JSON object.
pub struct Recorder {
    pub address: SocketAddr,
    shared: Arc<Mutex<Shared>>,
}

#[derive(Default)]
struct Shared {
    seen: Vec<Raw>,
    served: HashMap<String, String>,
}

/// One request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Raw {
    pub method: String,
    /// What stands between the method and the version.
    pub target: String,
    /// Names in lower case, in the order in which they came.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Raw {
    /// The values of a header, in order.
    pub fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(own, _)| own == name).map(|(_, value)| value.as_str()).collect()
    }
}

impl Recorder {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, shared) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Shared::default())));
        let kept = shared.clone();
        tokio::spawn(async move {
            while let Ok((connection, _)) = listener.accept().await {
                tokio::spawn(attend(connection, kept.clone()));
            }
        });
        Self { address, shared }
    }

    /// From now on a GET of this target is answered with this text, and not written down.
    pub fn serve(&self, target: &str, text: &str) {
        self.shared.lock().unwrap().served.insert(target.to_owned(), text.to_owned());
    }

    /// What came since the last time.
    pub fn take(&self) -> Vec<Raw> {
        std::mem::take(&mut self.shared.lock().unwrap().seen)
    }
}

async fn attend(mut connection: TcpStream, shared: Arc<Mutex<Shared>>) {
    let mut read = Vec::new();
    while let Some(raw) = next(&mut connection, &mut read).await {
        let reply = {
            let mut shared = shared.lock().unwrap();
            match shared.served.get(&raw.target) {
                Some(text) => text.clone(),
                None => {
                    shared.seen.push(raw);
                    "{}".to_owned()
                }
            }
        };
        let reply = format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{reply}", reply.len());
        if connection.write_all(reply.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The next request of a connection: a head, and as many bytes as it promises (RFC 9112, 6). The service never sends chunks.
async fn next(connection: &mut TcpStream, read: &mut Vec<u8>) -> Option<Raw> {
    let mut chunk = [0; 16 * 1024];
    loop {
        if let Some(end) = read.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(read[..end].to_vec()).expect("a head in ASCII");
            let mut lines = head.split("\r\n");
            let mut first = lines.next().unwrap_or_default().split(' ');
            let (method, target) = (first.next().unwrap_or_default().to_owned(), first.next().unwrap_or_default().to_owned());
            assert_eq!((first.next(), first.next()), (Some("HTTP/1.1"), None), "{head}");
            let field = |line: &str| {
                let (name, value) = line.split_once(':').unwrap_or_else(|| panic!("{line:?} is no header field"));
                (name.to_ascii_lowercase(), value.trim().to_owned())
            };
            let headers: Vec<(String, String)> = lines.map(field).collect();
            let length = headers.iter().find(|(name, _)| name == "content-length").map_or(0, |(_, value)| value.parse().unwrap());
            if read.len() >= end + 4 + length {
                let body = read[end + 4..end + 4 + length].to_vec();
                read.drain(..end + 4 + length);
                return Some(Raw { method, target, headers, body });
            }
        }
        match connection.read(&mut chunk).await {
            Ok(n @ 1..) => read.extend_from_slice(&chunk[..n]),
            _ => return None,
        }
    }
}

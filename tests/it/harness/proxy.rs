//! A wire to Redis that a test can cut or stall.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, UnixStream},
    sync::watch,
};

use super::redis::RedisServer;

/// What the wire does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wire {
    Carries,
    /// Every connection is closed, and so is every new one.
    Cut,
    /// Connections stay, and nothing moves on them.
    Stalled,
}

/// A TCP port that leads to a Redis.
pub struct Proxy {
    pub url: String,
    wire: watch::Sender<Wire>,
    /// What the request says whose reply is lost next.
    losing: Losing,
}

type Losing = Arc<Mutex<Option<Vec<u8>>>>;

impl Proxy {
    pub async fn to(redis: &RedisServer) -> Self {
        let socket = PathBuf::from(redis.url().strip_prefix("redis+unix://").expect("a socket"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (wire, watching) = watch::channel(Wire::Carries);
        let losing = Losing::default();
        let lost = losing.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, socket.clone(), watching.clone(), lost.clone()));
            }
        });
        Self { url, wire, losing }
    }

    pub fn cut(&self) {
        self.wire.send_replace(Wire::Cut);
    }

    /// The next request with this text in it is done, but its reply is lost, and the connection with it.
    pub fn lose_reply_to(&self, text: &str) {
        *self.losing.lock().unwrap() = Some(text.as_bytes().to_vec());
    }

    /// Whether that reply was lost by now.
    pub fn has_lost_it(&self) -> bool {
        self.losing.lock().unwrap().is_none()
    }

    pub fn stall(&self) {
        self.wire.send_replace(Wire::Stalled);
    }

    pub fn mend(&self) {
        self.wire.send_replace(Wire::Carries);
    }
}

/// Carries bytes both ways until an end closes or the wire is cut.
async fn carry(mut client: TcpStream, socket: PathBuf, mut wire: watch::Receiver<Wire>, losing: Losing) {
    if *wire.borrow() == Wire::Cut {
        return;
    }
    let Ok(mut redis) = UnixStream::connect(socket).await else { return };
    let (mut asked, mut told) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    loop {
        let state = *wire.borrow_and_update();
        let carries = state == Wire::Carries;
        if state == Wire::Cut {
            return;
        }
        let moved = tokio::select! {
            changed = wire.changed() => changed.is_ok(),
            n = client.read(&mut asked), if carries => match n {
                Ok(n) if n > 0 && redis.write_all(&asked[..n]).await.is_ok() => {
                    let lost = loses(&losing, &asked[..n]);
                    if lost {
                        // Redis has answered by then.
                        let _ = redis.read(&mut told).await;
                    }
                    !lost
                }
                _ => false,
            },
            n = redis.read(&mut told), if carries => matches!(n, Ok(n) if n > 0 && client.write_all(&told[..n]).await.is_ok()),
        };
        if !moved {
            return;
        }
    }
}

/// Whether this is the request whose reply is to be lost; only one is.
fn loses(losing: &Losing, request: &[u8]) -> bool {
    let mut losing = losing.lock().unwrap();
    let lost = losing.take_if(|text| request.windows(text.len()).any(|part| part == text.as_slice()));
    lost.is_some()
}

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
    swapping: Arc<Mutex<Swapping>>,
}

type Losing = Arc<Mutex<Option<Vec<u8>>>>;

/// Two requests whose replies are swapped.
#[derive(Default)]
struct Swapping {
    /// What the requests say.
    wanted: Option<(Vec<u8>, Vec<u8>)>,
    /// The reply to the first, and those that came after it.
    held: Vec<Vec<u8>>,
}

impl Swapping {
    /// What goes on to the client now, when this is the reply to this request.
    fn passes(&mut self, request: &[u8], reply: &[u8]) -> Vec<u8> {
        let says = |text: &[u8]| request.windows(text.len()).any(|part| part == text);
        let Some((first, second)) = &self.wanted else { return reply.to_vec() };
        if self.held.is_empty() && !says(first) {
            return reply.to_vec();
        }
        if self.held.is_empty() || !says(second) {
            self.held.push(reply.to_vec());
            return Vec::new();
        }
        self.wanted = None;
        let mut all = std::mem::take(&mut self.held);
        let first = all.remove(0);
        [reply.to_vec(), all.concat(), first].concat()
    }
}

impl Proxy {
    pub async fn to(redis: &RedisServer) -> Self {
        let socket = PathBuf::from(redis.url().strip_prefix("redis+unix://").expect("a socket"));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (wire, watching) = watch::channel(Wire::Carries);
        let losing = Losing::default();
        let lost = losing.clone();
        let swapping = Arc::<Mutex<Swapping>>::default();
        let swapped = swapping.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(carry(client, socket.clone(), watching.clone(), lost.clone(), swapped.clone()));
            }
        });
        Self { url, wire, losing, swapping }
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

    /// The replies to the next request with the first text in it and to the next after it with the second come to each other's.
    pub fn swap_replies(&self, first: &str, second: &str) {
        self.swapping.lock().unwrap().wanted = Some((first.as_bytes().to_vec(), second.as_bytes().to_vec()));
    }

    /// Whether the first of the two replies is there, and not the second.
    pub fn holds_a_reply(&self) -> bool {
        !self.swapping.lock().unwrap().held.is_empty()
    }

    pub fn stall(&self) {
        self.wire.send_replace(Wire::Stalled);
    }

    pub fn mend(&self) {
        self.wire.send_replace(Wire::Carries);
    }
}

/// Carries bytes both ways until an end closes or the wire is cut.
async fn carry(mut client: TcpStream, socket: PathBuf, mut wire: watch::Receiver<Wire>, losing: Losing, swapping: Arc<Mutex<Swapping>>) {
    if *wire.borrow() == Wire::Cut {
        return;
    }
    let Ok(mut redis) = UnixStream::connect(socket).await else { return };
    let (mut asked, mut told) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
    let mut request = Vec::new();
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
                    asked[..n].clone_into(&mut request);
                    let lost = loses(&losing, &request);
                    if lost {
                        // Redis has answered by then.
                        let _ = redis.read(&mut told).await;
                    }
                    !lost
                }
                _ => false,
            },
            n = redis.read(&mut told), if carries => match n {
                Ok(n) if n > 0 => {
                    let passes = swapping.lock().unwrap().passes(&request, &told[..n]);
                    client.write_all(&passes).await.is_ok()
                }
                _ => false,
            },
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

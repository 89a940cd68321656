//! A TCP proxy that can be made to behave badly: slow, narrow, a black hole in one or both directions, connections reset, half closed, cut
//! after so many bytes, two replies of Redis in the wrong order.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{broadcast, watch},
    time::{sleep, timeout},
};

use crate::resp;

/// A reply waits so long for the one that it changes places with.
const SWAP_PATIENCE: Duration = Duration::from_millis(30);

/// What bytes meet on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Weather {
    pub latency: Duration,
    /// 0: as many as come.
    pub bytes_per_sec: u64,
    /// Bytes of requests, or of replies, stay in the proxy until it is over.
    pub hold_requests: bool,
    pub hold_replies: bool,
    /// Bytes of connections on which a replica of Redis follows its primary stay in the proxy, both ways.
    pub hold_replication: bool,
}

/// What happens to every connection at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Deed {
    Reset,
    /// The server's side is closed for writing, as seen by the client.
    HalfClose,
    /// So many bytes of replies still pass, then the connection is closed.
    Truncate(usize),
    /// The next two replies change places.
    Swap,
}

/// One listening port that leads to another.
pub struct Proxy {
    pub port: u16,
    weather: watch::Sender<Weather>,
    deeds: broadcast::Sender<Deed>,
}

impl Proxy {
    /// Listens on `port` and leads to `target`, both on this machine.
    pub async fn start(port: u16, target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        let (weather, deeds) = (watch::Sender::default(), broadcast::Sender::new(16));
        let proxy = Self { port, weather: weather.clone(), deeds: deeds.clone() };
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                tokio::spawn(lead(client, target, weather.subscribe(), deeds.clone()));
            }
        });
        Ok(proxy)
    }

    pub fn weather(&self, weather: Weather) {
        self.weather.send_replace(weather);
    }

    pub fn deed(&self, deed: Deed) {
        // Nobody is connected: nothing happens to nobody.
        let _ = self.deeds.send(deed);
    }
}

async fn lead(client: TcpStream, target: u16, weather: watch::Receiver<Weather>, deeds: broadcast::Sender<Deed>) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", target)).await else { return reset(&client) };
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let follows = Arc::new(AtomicBool::new(false));
    let ((client_from, client_to), (server_from, server_to)) = (client.into_split(), server.into_split());
    let there = Pump { requests: true, follows: Arc::clone(&follows), weather: weather.clone(), deeds: deeds.subscribe() };
    let back = Pump { requests: false, follows, weather, deeds: deeds.subscribe() };
    // One side that ends badly ends both; one that ends well leaves the other open, as TCP does.
    let (there, back) = (tokio::spawn(there.run(client_from, server_to)), tokio::spawn(back.run(server_from, client_to)));
    let (abort_there, abort_back) = (there.abort_handle(), back.abort_handle());
    let watch = |ended: Result<io::Result<()>, _>, other: tokio::task::AbortHandle| {
        if !matches!(ended, Ok(Ok(()))) {
            other.abort();
        }
    };
    tokio::join!(async { watch(there.await, abort_back) }, async { watch(back.await, abort_there) });
}

/// The other side sees an error, not an end.
fn reset(stream: &TcpStream) {
    let _ = stream.set_zero_linger();
}

/// One direction of one connection.
struct Pump {
    requests: bool,
    /// Whether this is a replica of Redis that follows its primary: known by what it asks.
    follows: Arc<AtomicBool>,
    weather: watch::Receiver<Weather>,
    deeds: broadcast::Receiver<Deed>,
}

impl Pump {
    async fn run(mut self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let (mut bytes, mut left, mut swap) = (vec![0; 16 * 1024], usize::MAX, false);
        loop {
            let read = tokio::select! {
                read = from.read(&mut bytes) => read?,
                Ok(deed) = self.deeds.recv() => {
                    match deed {
                        Deed::Reset => {
                            reset(from.as_ref());
                            reset(to.as_ref());
                            return Err(io::ErrorKind::ConnectionReset.into());
                        }
                        Deed::HalfClose if !self.requests => return to.shutdown().await,
                        Deed::Truncate(n) if !self.requests => left = n,
                        Deed::Swap if !self.requests => swap = true,
                        Deed::HalfClose | Deed::Truncate(_) | Deed::Swap => {}
                    }
                    continue;
                }
            };
            if read == 0 {
                return to.shutdown().await;
            }
            let mut passing = bytes[..read].to_vec();
            if self.requests && read < 128 && passing.windows(5).any(|word| word == b"PSYNC") {
                self.follows.store(true, Ordering::Relaxed);
            }
            if swap {
                passing = swapped(passing, &mut from).await?;
                swap = false;
            }
            self.weather_over(passing.len()).await;
            if passing.len() >= left {
                to.write_all(&passing[..left]).await?;
                return Err(io::ErrorKind::ConnectionAborted.into());
            }
            left = left.saturating_sub(if left == usize::MAX { 0 } else { passing.len() });
            to.write_all(&passing).await?;
        }
    }

    /// Returns when so many bytes may go on.
    async fn weather_over(&mut self, bytes: usize) {
        let requests = self.requests;
        loop {
            let now = *self.weather.borrow_and_update();
            let held = if requests { now.hold_requests } else { now.hold_replies };
            let unheard = now.hold_replication && self.follows.load(Ordering::Relaxed);
            if !held && !unheard {
                let pace = if now.bytes_per_sec == 0 { 0.0 } else { bytes as f64 / now.bytes_per_sec as f64 };
                let wait = now.latency + Duration::from_secs_f64(pace);
                if !wait.is_zero() {
                    sleep(wait).await;
                }
                return;
            }
            if self.weather.changed().await.is_err() {
                return;
            }
        }
    }
}

/// Two replies in the other order, if two come.
async fn swapped(mut come: Vec<u8>, from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let whole = |come: &[u8]| {
        let first = resp::parse(come)?.1;
        Some((first, first + resp::parse(&come[first..])?.1))
    };
    let more = async {
        while whole(&come).is_none() {
            if from.read_buf(&mut come).await? == 0 {
                break;
            }
        }
        io::Result::Ok(())
    };
    if let Ok(read) = timeout(SWAP_PATIENCE, more).await {
        read?;
    }
    if let Some((first, second)) = whole(&come) {
        come[..second].rotate_left(first);
    }
    Ok(come)
}

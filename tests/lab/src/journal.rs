//! Log files of the lab: one JSON object a line, on the disk before anybody is told. Lines that come together share one sync.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::{mpsc, oneshot};

/// Microseconds of the machine's clock.
pub fn now_us() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

type Line = (Vec<u8>, oneshot::Sender<()>);

/// Appends to one file.
#[derive(Clone)]
pub struct Journal(mpsc::UnboundedSender<Line>);

impl Journal {
    /// Opens the file, and makes it if it is not there.
    pub fn open(path: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let (sender, receiver) = mpsc::unbounded_channel();
        std::thread::spawn(move || write_all(file, receiver));
        Ok(Self(sender))
    }

    /// Returns when the line is on the disk.
    pub async fn write(&self, record: &impl Serialize) {
        let mut line = serde_json::to_vec(record).expect("records of the lab are JSON");
        line.push(b'\n');
        let (done, waiting) = oneshot::channel();
        self.0.send((line, done)).expect("the writer lives as long as its journal");
        waiting.await.expect("a line is written or the lab ends");
    }
}

fn write_all(mut file: File, mut lines: mpsc::UnboundedReceiver<Line>) {
    while let Some(first) = lines.blocking_recv() {
        let mut together = vec![first];
        while let Ok(more) = lines.try_recv() {
            together.push(more);
        }
        let bytes: Vec<u8> = together.iter().flat_map(|(line, _)| line.iter().copied()).collect();
        file.write_all(&bytes).and_then(|()| file.sync_data()).expect("a log of the lab can be written");
        for (_, done) in together {
            // Whoever does not wait any more loses nothing.
            let _ = done.send(());
        }
    }
}

/// All records of a file; a file that is not there has none.
pub fn read_all<T: DeserializeOwned>(path: &Path) -> io::Result<Vec<T>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}

/// A short digest, for comparing (FNV-1a, 64 bits): nobody attacks the lab.
pub fn digest(bytes: &[u8]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("{hash:016x}")
}

//! What connections cost that nobody uses: resident memory of the service with none, with so many that have said nothing yet, and with as
//! many that were answered, all at once, and are kept open.
//!
//! `SERVICE_BINARY` and `REDIS_URL` are taken from the environment, and so is `OPENAPI_FILE`. Prints a table; ends with 1 if it is more
//! than it may be.

use std::time::Duration;

use rig::{Failure, Service};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const CONNECTIONS: usize = 10_000;
/// Of the whole process with those that have said nothing, in megabytes of 10⁶ bytes.
const SILENT_MB_MAX: f64 = 60.0;
/// The same with those that were answered all at once: what one thread freed of what another had, the allocator gives back when that other one
/// is next asked for such.
const ANSWERED_MB_MAX: f64 = 80.0;
/// By then a connection that was answered is at rest, and the allocator has given back what it will.
const RESTED: Duration = Duration::from_secs(4);
/// Answers to each connection, one after the other.
const ROUNDS: usize = 3;
/// What touches nothing but the connection.
const ASK: &[u8] = b"GET /health/live HTTP/1.1\r\nHost: idle\r\n\r\n";
const MODEL: &str = "http://127.0.0.1:1";
const SETTINGS: [(&str, &str); 3] =
    [("SAA_SERVER__CONNECTIONS_MAX", "10100"), ("SAA_SERVER__HEADER_TIMEOUT_MS", "600000"), ("SAA_SERVER__IDLE_TIMEOUT_MS", "3600000")];

/// Reads one answer; its status line.
async fn answer(wire: &mut TcpStream) -> Result<String, Failure> {
    let (mut read, mut chunk) = (Vec::new(), [0; 4096]);
    loop {
        let got = wire.read(&mut chunk).await?;
        read.extend_from_slice(chunk.get(..got).filter(|got| !got.is_empty()).ok_or("a connection was closed")?);
        let text = String::from_utf8_lossy(&read);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.to_ascii_lowercase().lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
        if body.len() >= length.unwrap_or(0) {
            return Ok(head.lines().next().unwrap_or_default().to_owned());
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).build()?;
    let service = Service::start(&http, MODEL, &SETTINGS).await?;
    let address = service.base.trim_start_matches("http://").to_owned();
    let mut too_much = false;
    let mut told = async |what: &str, mb_max: f64| {
        tokio::time::sleep(RESTED).await;
        let mb = service.resident_mb()?;
        println!("{mb:7.1} MB  {what}{}", if mb > mb_max { format!(": more than {mb_max}") } else { String::new() });
        too_much |= mb > mb_max;
        Ok::<_, Failure>(())
    };

    told("no connection", SILENT_MB_MAX).await?;
    let mut wires = Vec::new();
    for _ in 0..CONNECTIONS {
        wires.push(TcpStream::connect(&address).await?);
    }
    told(&format!("{CONNECTIONS} that have said nothing"), SILENT_MB_MAX).await?;
    for round in 1..=ROUNDS {
        for wire in &mut wires {
            wire.write_all(ASK).await?;
        }
        for wire in &mut wires {
            let status = answer(wire).await?;
            if status != "HTTP/1.1 200 OK" {
                return Err(status.into());
            }
        }
        told(&format!("{CONNECTIONS} that were answered {round} times, each time all at once"), ANSWERED_MB_MAX).await?;
    }
    println!("{:7.1} MB  at most, while all of them asked", service.resident_mb_max()?);
    drop(wires);
    told("none again", ANSWERED_MB_MAX).await?;
    if too_much { Err("it takes more memory than it may".into()) } else { Ok(()) }
}

//! Carrying faults out, and putting everything right again.

use std::{future::pending, io, sync::Arc, time::Duration};

use tokio::time::{Instant, sleep, sleep_until};

use super::{Planned, What};
use crate::{
    journal::now_us,
    proxy::{Deed, Weather},
    rig::{Rig, replica::Order},
};

/// Carries both lists out; returns when everything that was begun is over.
pub async fn carry_out(rig: &Arc<Rig>, together: Vec<Planned>, one_by_one: Vec<Planned>) -> io::Result<()> {
    let began = Instant::now();
    let store = tokio::spawn(store_faults(Arc::clone(rig), one_by_one, began));
    let mut running = Vec::new();
    for planned in together {
        sleep_until(began + planned.at).await;
        let rig = Arc::clone(rig);
        running.push(tokio::spawn(async move { fault(&rig, planned.what).await }));
    }
    for one in running {
        one.await.map_err(io::Error::other)?;
    }
    store.await.map_err(io::Error::other)?
}

/// All links as they should be, everything that was stopped goes on.
pub fn heal(rig: &Rig) {
    for link in rig.links.iter().chain(&rig.store.links) {
        link.weather(Weather::default());
    }
}

async fn store_faults(rig: Arc<Rig>, planned: Vec<Planned>, began: Instant) -> io::Result<()> {
    for planned in planned {
        sleep_until(began + planned.at).await;
        let from = now_us();
        let (kind, on) = match planned.what {
            What::FlushScripts => {
                rig.store.flush_scripts().await;
                ("script flush", String::new())
            }
            What::RestartStore(away) => {
                rig.store.lose_primary(0, away).await?;
                ("store restart", String::new())
            }
            What::LosePrimary(n, away) => (lose(&rig, n, away).await?, format!("primary {n}")),
            What::LosePrimaryUnheard(n, unheard) => {
                for link in &rig.store.links {
                    link.weather(Weather { hold_replication: true, ..Weather::default() });
                }
                sleep(unheard).await;
                let kind = lose(&rig, n, Duration::from_millis(2500)).await?;
                heal(&rig);
                (kind, format!("primary {n}, unheard of"))
            }
            What::ChangePrimary(n) => {
                let primaries = rig.store.primaries().await;
                let changed = match primaries.get(n % primaries.len().max(1)) {
                    Some(place) => rig.store.change_primary(*place).await?,
                    None => false,
                };
                (if changed { "failover" } else { "failover refused" }, format!("asked of primary {n}"))
            }
            other => {
                fault(&rig, other).await;
                continue;
            }
        };
        rig.store.writable().await?;
        rig.faults.span(kind, &on, from, now_us()).await;
    }
    Ok(())
}

async fn lose(rig: &Rig, n: usize, away: Duration) -> io::Result<&'static str> {
    let primaries = rig.store.primaries().await;
    let Some(place) = primaries.get(n % primaries.len().max(1)) else { return Ok("failover refused") };
    Ok(if rig.store.lose_primary(*place, away).await? { "failover" } else { "store restart" })
}

async fn fault(rig: &Rig, what: What) {
    let from = now_us();
    let store = |link: usize| &rig.store.links[link % rig.store.links.len()];
    let (kind, on) = match what {
        What::Kill(n) => return rig.replicas[n].order(Order::Kill),
        What::KillAll => return rig.replicas.iter().for_each(|replica| replica.order(Order::Kill)),
        What::Terminate(n) => return rig.replicas[n].order(Order::Terminate),
        What::Pause(n, time) => {
            rig.replicas[n].order(Order::Pause(time));
            // The fault is over when the replica goes on.
            return sleep(time).await;
        }
        What::Cut { link, requests, replies, time, reset } => {
            let weather = Weather { hold_requests: requests, hold_replies: replies, ..Weather::default() };
            under(store(link), weather, time).await;
            if reset {
                store(link).deed(Deed::Reset);
            }
            ("cut", format!("store link {link}, requests {requests}, replies {replies}, reset {reset}"))
        }
        What::Slow { link, latency, time } => {
            under(store(link), Weather { latency, ..Weather::default() }, time).await;
            ("slow", format!("store link {link}"))
        }
        What::Narrow { link, bytes_per_sec, time } => {
            under(store(link), Weather { bytes_per_sec, ..Weather::default() }, time).await;
            ("narrow", format!("store link {link}"))
        }
        What::Reset(link) => deed(store(link), Deed::Reset, "reset", link),
        What::HalfClose(link) => deed(store(link), Deed::HalfClose, "half close", link),
        What::Truncate(link, n) => deed(store(link), Deed::Truncate(n), "truncate", link),
        What::Swap(link) => deed(store(link), Deed::Swap, "swap", link),
        What::FrontReset(n) => deed(&rig.links[n], Deed::Reset, "front reset", n),
        What::FrontTruncate(n, bytes) => deed(&rig.links[n], Deed::Truncate(bytes), "front truncate", n),
        What::FrontCut(n, time) => {
            under(&rig.links[n], Weather { hold_requests: true, hold_replies: true, ..Weather::default() }, time).await;
            ("front cut", format!("link {n}"))
        }
        What::FlushScripts | What::RestartStore(_) | What::LosePrimary(..) | What::LosePrimaryUnheard(..) | What::ChangePrimary(_) => {
            // They come one by one, in a list of their own.
            return pending().await;
        }
    };
    rig.faults.span(kind, &on, from, now_us()).await;
}

async fn under(link: &crate::proxy::Proxy, weather: Weather, time: Duration) {
    link.weather(weather);
    sleep(time).await;
    link.weather(Weather::default());
}

fn deed(link: &crate::proxy::Proxy, deed: Deed, kind: &'static str, on: usize) -> (&'static str, String) {
    link.deed(deed);
    (kind, format!("link {on}"))
}

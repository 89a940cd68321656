//! One epoch: everything is started, goes wrong for a while, comes to rest, and is judged.

use std::{fs, io, path::Path, sync::Arc, time::Duration};

use crate::{
    check::{Verdict, check},
    clients::Clients,
    faults::{Rough, carry, schedule},
    figures::Figures,
    journal::read_all,
    left,
    records::{Fault, Histories, Op, Terms, Upstream},
    rig::{Rig, Wish},
};

/// What an epoch brought.
pub struct Epoch {
    pub histories: Histories,
    pub verdict: Verdict,
    pub figures: Figures,
}

/// Runs one epoch.
pub async fn run(wish: &Wish, time: Duration, rough: Rough) -> io::Result<Epoch> {
    let rig = Arc::new(Rig::start(wish).await?);
    let clients = Clients::arrive(&rig, wish.users, wish.terms, &wish.dir.join("C.ndjson")).await?;
    let working = clients.work(wish.seed);
    let (together, one_by_one) = schedule(wish.seed, time, wish.topology, rough);
    let began = tokio::time::Instant::now();
    let carried = carry::carry_out(&rig, together, one_by_one).await;
    tokio::time::sleep_until(began + time).await;
    carry::heal(&rig);
    clients.stop();
    carried?;
    for worker in working {
        worker.await.map_err(io::Error::other)?;
    }
    let left = left::look(&rig, &clients).await?;
    let upstream: Vec<Upstream> = read_all(&wish.dir.join("U.ndjson"))?;
    let mut terms = clients.terms;
    if wish.allow_missing && !upstream.iter().any(|record| matches!(record, Upstream::Received(request) if request.key.is_some())) {
        // Nothing was ever sent with a key: this service cannot do that yet.
        terms.dedup = false;
    }
    fs::write(wish.dir.join("D.json"), serde_json::to_vec(&(&left, terms))?)?;
    let histories =
        Histories { ops: clients.ops(), upstream, asked: read_all(&wish.dir.join("L.ndjson"))?, faults: rig.faults.all(), left, terms };
    if let Ok(rig) = Arc::try_unwrap(rig) {
        rig.end().await;
    }
    Ok(judged(histories, time))
}

/// An epoch that was written down earlier.
pub fn read(dir: &Path) -> io::Result<Epoch> {
    let (left, terms): (_, Terms) = serde_json::from_slice(&fs::read(dir.join("D.json"))?)?;
    let ops: Vec<Op> = read_all(&dir.join("C.ndjson"))?;
    let faults: Vec<Fault> = read_all(&dir.join("F.ndjson"))?;
    let (upstream, asked) = (read_all(&dir.join("U.ndjson"))?, read_all(&dir.join("L.ndjson"))?);
    Ok(judged(Histories { ops, upstream, asked, faults, left, terms }, Duration::ZERO))
}

fn judged(histories: Histories, time: Duration) -> Epoch {
    let verdict = check(&histories);
    let figures = Figures::of(&histories, &verdict, time.as_secs());
    Epoch { histories, verdict, figures }
}

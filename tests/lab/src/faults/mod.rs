//! What goes wrong, and when: drawn from a seed before anything runs, so that a run can be repeated.

pub mod carry;
pub mod log;

use std::time::Duration;

use fastrand::Rng;

use crate::rig::{LEASE, REPLICAS, store::Topology};

/// One thing that goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Kill(usize),
    KillAll,
    /// Asked to end, as in a rolling restart.
    Terminate(usize),
    Pause(usize, Duration),
    /// A link to the store swallows requests, or replies, or both, for a while; then its connections end or go on.
    Cut {
        link: usize,
        requests: bool,
        replies: bool,
        time: Duration,
        reset: bool,
    },
    Slow {
        link: usize,
        latency: Duration,
        time: Duration,
    },
    Narrow {
        link: usize,
        bytes_per_sec: u64,
        time: Duration,
    },
    Reset(usize),
    HalfClose(usize),
    Truncate(usize, usize),
    Swap(usize),
    /// The link between the balancer and a replica.
    FrontReset(usize),
    FrontCut(usize, Duration),
    FrontTruncate(usize, usize),
    FlushScripts,
    /// T1: the store is killed and comes back with what its AOF has.
    RestartStore(Duration),
    /// The primary is killed, and stays away for so long; T3: the n-th primary.
    LosePrimary(usize, Duration),
    /// Its replicas hear nothing of it for a while before it is killed.
    LosePrimaryUnheard(usize, Duration),
    ChangePrimary(usize),
}

/// When, from the beginning of an epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    pub at: Duration,
    pub what: What,
}

/// How rough it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rough {
    pub kills_per_sec: f64,
    pub pauses_per_sec: f64,
    pub links_per_sec: f64,
    /// Every so many seconds something happens to the store itself; 0: nothing.
    pub store_every_secs: f64,
    /// Replies of the store change places: only for services that promise to notice.
    pub swaps: bool,
}

impl Rough {
    pub const fn usual(topology: Topology) -> Self {
        let kills_per_sec = match topology {
            Topology::T1 => 2.4,
            Topology::T2 | Topology::T3 => 1.6,
        };
        let store_every_secs = match topology {
            Topology::T1 => 13.0,
            Topology::T2 | Topology::T3 => 4.0,
        };
        Self { kills_per_sec, pauses_per_sec: 0.22, links_per_sec: 0.35, store_every_secs, swaps: false }
    }
}

/// What goes wrong in an epoch of so many seconds: faults that overlap as they fall, and those of the store, one after the other.
pub fn schedule(seed: u64, time: Duration, topology: Topology, rough: Rough) -> (Vec<Planned>, Vec<Planned>) {
    let mut rng = Rng::with_seed(seed);
    let mut planned = Vec::new();
    let mut every = |per_sec: f64, rng: &mut Rng, draw: &dyn Fn(&mut Rng) -> What| {
        // Exponential gaps: faults come when they come, two at once as well. A rate of 0 makes the first gap endless.
        let gap = |rng: &mut Rng| -(1.0 - rng.f64()).ln() / per_sec;
        let mut at = gap(rng);
        while at < time.as_secs_f64() {
            planned.push(Planned { at: Duration::from_secs_f64(at), what: draw(rng) });
            at += gap(rng);
        }
    };
    every(rough.kills_per_sec, &mut rng, &|rng| match rng.u8(..100) {
        0..=2 => What::KillAll,
        3..=8 => What::Terminate(rng.usize(..REPLICAS)),
        _ => What::Kill(rng.usize(..REPLICAS)),
    });
    every(rough.pauses_per_sec, &mut rng, &|rng| What::Pause(rng.usize(..REPLICAS), LEASE.mul_f64(1.2 + rng.f64() * 1.3)));
    every(rough.links_per_sec, &mut rng, &|rng| link_fault(rng, topology, rough.swaps));
    planned.sort_by_key(|planned| planned.at);
    (planned, store_faults(&mut rng, time, topology, rough.store_every_secs))
}

fn link_fault(rng: &mut Rng, topology: Topology, swaps: bool) -> What {
    let links = match topology {
        Topology::T1 => REPLICAS,
        Topology::T2 => 2,
        Topology::T3 => 6,
    };
    let (link, front) = (rng.usize(..links), rng.usize(..REPLICAS));
    let time = Duration::from_millis(rng.u64(100..1500));
    match rng.u8(..if swaps { 13 } else { 12 }) {
        0 => What::Cut { link, requests: true, replies: true, time, reset: rng.bool() },
        1 | 2 => What::Cut { link, requests: false, replies: true, time, reset: rng.bool() },
        3 => What::Cut { link, requests: true, replies: false, time, reset: rng.bool() },
        4 => What::Slow { link, latency: Duration::from_millis(rng.u64(5..250)), time },
        5 => What::Narrow { link, bytes_per_sec: rng.u64(5_000..100_000), time },
        6 => What::Reset(link),
        7 => What::HalfClose(link),
        8 => What::Truncate(link, rng.usize(1..400)),
        9 => What::FrontReset(front),
        10 => What::FrontCut(front, time),
        11 => What::FrontTruncate(front, rng.usize(1..400)),
        _ => What::Swap(link),
    }
}

fn store_faults(rng: &mut Rng, time: Duration, topology: Topology, every_secs: f64) -> Vec<Planned> {
    let (mut planned, mut at) = (Vec::new(), every_secs);
    while every_secs > 0.0 && at < time.as_secs_f64() {
        let n = rng.usize(..3);
        let what = match (topology, rng.u8(..10)) {
            (Topology::T1, 0..=4) => What::FlushScripts,
            (Topology::T1, _) => What::RestartStore(Duration::from_millis(rng.u64(50..700))),
            (_, 0) => What::FlushScripts,
            // Sentinel needs ten seconds until the old primary follows the new one; a cluster one.
            (Topology::T2, 1) | (Topology::T3, 1..=3) => What::ChangePrimary(n),
            (_, 4) => What::LosePrimaryUnheard(n, Duration::from_millis(rng.u64(300..1500))),
            // It is back before anybody noticed, or long after.
            (_, _) => What::LosePrimary(n, Duration::from_millis(if rng.u8(..) < 25 { 100 } else { rng.u64(2200..3200) })),
        };
        planned.push(Planned { at: Duration::from_secs_f64(at), what });
        at += every_secs * (0.7 + 0.6 * rng.f64());
    }
    planned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_is_one_schedule() {
        let rough = Rough::usual(Topology::T2);
        let once = schedule(11, Duration::from_secs(60), Topology::T2, rough);
        assert_eq!(once, schedule(11, Duration::from_secs(60), Topology::T2, rough));
        assert_ne!(once, schedule(12, Duration::from_secs(60), Topology::T2, rough));
        assert!(once.0.len() > 40 && once.1.len() > 5, "{once:?}");
    }
}

//! What was done and found, in numbers, added up over epochs and runs.

use std::{collections::BTreeMap, fs, io, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    check::{INVARIANTS, Verdict},
    records::{Histories, Kind, Op, Outcome, Upstream},
};

/// Each bucket of a distribution is so much wider than the one below.
const STEP: f64 = 1.05;

/// Times, in buckets of 5 %.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    buckets: BTreeMap<u32, u64>,
    pub count: u64,
    pub max_ms: u64,
}

impl Times {
    pub fn add(&mut self, ms: u64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a logarithm of a time is small and not negative")]
        let bucket = (ms.max(1) as f64).log(STEP).floor() as u32;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
        self.max_ms = self.max_ms.max(ms);
    }

    /// Below it lies that part of all, to 5 %.
    pub fn percentile(&self, part: f64) -> Option<u64> {
        let mut left = part * self.count as f64;
        for (bucket, count) in &self.buckets {
            left -= *count as f64;
            if left <= 0.0 {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was made of a time")]
                return Some((STEP.powi(bucket.cast_signed() + 1)).round() as u64).map(|ms| ms.min(self.max_ms));
            }
        }
        None
    }

    fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.buckets {
            *self.buckets.entry(*bucket).or_default() += count;
        }
        self.count += other.count;
        self.max_ms = self.max_ms.max(other.max_ms);
    }
}

/// One topology's numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Figures {
    pub epochs: u64,
    pub seconds: u64,
    /// Faults by what they were.
    pub faults: BTreeMap<String, u64>,
    /// Deaths at kill points, by point.
    pub points: BTreeMap<String, u64>,
    /// Turns that were answered, and operations of clients in all, and how often one was sent again.
    pub turns: u64,
    pub operations: u64,
    pub repetitions: u64,
    /// Turns whose fate their client never learned.
    pub given_up: u64,
    pub upstream_requests: u64,
    pub effects: u64,
    /// Calls told as unknown.
    pub unknowns: u64,
    /// From the fault that cut a turn off to its answer.
    pub recovery: Times,
    /// By invariant: how many things were looked at, and how many were wrong.
    pub examined: BTreeMap<u8, u64>,
    pub violations: BTreeMap<u8, u64>,
}

/// Numbers by topology.
pub type All = BTreeMap<String, Figures>;

/// What all runs found since somebody began to count.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The commits of the service that the first and the last of them were about.
    pub since: String,
    pub until: String,
    pub topologies: All,
}

impl Found {
    /// One more run.
    pub fn add(&mut self, commit: &str, all: &All) {
        if self.since.is_empty() {
            commit.clone_into(&mut self.since);
        }
        commit.clone_into(&mut self.until);
        for (topology, figures) in all {
            self.topologies.entry(topology.clone()).or_default().merge(figures);
        }
    }
}

impl Figures {
    pub fn of(histories: &Histories, verdict: &Verdict, seconds: u64) -> Self {
        let mut figures = Self { epochs: 1, seconds, examined: verdict.examined.clone(), ..Self::default() };
        for fault in &histories.faults {
            *figures.faults.entry(fault.kind.clone()).or_default() += 1;
            if fault.kind == "killpoint" {
                let point = fault.on.split('@').nth(1).unwrap_or_default();
                let point = point.rsplit_once(':').map_or(point, |(point, _)| point);
                *figures.points.entry(point.to_owned()).or_default() += 1;
            }
        }
        for op in &histories.ops {
            let turn = op.is_turn();
            figures.operations += 1;
            figures.turns += u64::from(turn && op.outcome == Outcome::Ok);
            let answered = op.tries.iter().any(|tried| tried.status == 200);
            figures.given_up += u64::from(turn && op.outcome == Outcome::Info && !answered);
            figures.repetitions += op.tries.len().saturating_sub(1) as u64;
            figures.unknowns += op.told.iter().filter(|call| call.state == "unknown").count() as u64;
            if let Some(ms) = recovery_ms(histories, op) {
                figures.recovery.add(ms);
            }
        }
        for record in &histories.upstream {
            match record {
                Upstream::Received(_) => figures.upstream_requests += 1,
                Upstream::Applied(_) => figures.effects += 1,
            }
        }
        for violation in &verdict.violations {
            *figures.violations.entry(violation.invariant).or_default() += 1;
        }
        figures
    }

    pub fn fault(&self, kind: &str) -> u64 {
        self.faults.get(kind).copied().unwrap_or(0)
    }

    /// Deaths of replicas: by SIGKILL from outside, and at kill points.
    pub fn kills(&self) -> u64 {
        self.fault("kill") + self.fault("killpoint")
    }

    pub fn links(&self) -> u64 {
        ["cut", "slow", "narrow", "reset", "half close", "truncate", "swap", "front cut", "front reset", "front truncate"]
            .iter()
            .map(|kind| self.fault(kind))
            .sum()
    }

    pub fn merge(&mut self, other: &Self) {
        let add = |to: &mut BTreeMap<String, u64>, from: &BTreeMap<String, u64>| {
            from.iter().for_each(|(name, count)| *to.entry(name.clone()).or_default() += count);
        };
        add(&mut self.faults, &other.faults);
        add(&mut self.points, &other.points);
        for (to, from) in [(&mut self.examined, &other.examined), (&mut self.violations, &other.violations)] {
            from.iter().for_each(|(invariant, count)| *to.entry(*invariant).or_default() += count);
        }
        self.epochs += other.epochs;
        self.seconds += other.seconds;
        self.turns += other.turns;
        self.operations += other.operations;
        self.repetitions += other.repetitions;
        self.given_up += other.given_up;
        self.upstream_requests += other.upstream_requests;
        self.effects += other.effects;
        self.unknowns += other.unknowns;
        self.recovery.merge(&other.recovery);
    }
}

/// How long it took from the fault that lost a turn's answer to the answer.
fn recovery_ms(histories: &Histories, op: &Op) -> Option<u64> {
    let ended_us = op.ended_us.filter(|_| op.outcome == Outcome::Ok && matches!(op.kind, Kind::Turn(_)))?;
    let lost = op.tries.iter().find(|tried| matches!(tried.status, 0 | 502) && tried.ended_us < ended_us)?;
    let breaks = |kind: &str| matches!(kind, "kill" | "killpoint" | "pause" | "failover" | "store restart");
    let overlaps = |from: u64, until: u64| from <= lost.ended_us && until >= lost.sent_us;
    let fault = histories.faults.iter().find(|fault| breaks(&fault.kind) && overlaps(fault.from_us, fault.until_us))?;
    Some(ended_us.saturating_sub(fault.from_us.max(lost.sent_us)) / 1000)
}

/// A count of what must not be, beside how often it could have been: never a bare 0.
pub fn rate(wrong: u64, of: u64) -> String {
    match (wrong, of) {
        (_, 0) => "not examined".to_owned(),
        (0, n) => format!("0 of {n} (< {})", bound(n)),
        (wrong, n) => format!("**{wrong} of {n}**"),
    }
}

/// The 95 % bound where nothing was found in `n`: 3/n.
fn bound(n: u64) -> String {
    let percent = 300.0 / n as f64;
    if percent >= 100.0 { "100 %".to_owned() } else { format!("{:.1$} %", percent, if percent < 0.1 { 4 } else { 2 }) }
}

/// Reads what earlier runs found; a file that is not there has found nothing.
pub fn read(file: &Path) -> io::Result<Found> {
    match fs::read(file) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::other),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Found::default()),
        Err(error) => Err(error),
    }
}

pub fn write(file: &Path, found: &Found) -> io::Result<()> {
    fs::write(file, serde_json::to_string_pretty(found).map_err(io::Error::other)? + "\n")
}

/// The table for a terminal.
pub fn print(all: &All) {
    for (topology, figures) in all {
        println!("\n{topology}: {} epochs, {} s", figures.epochs, figures.seconds);
        println!(
            "  kills {} ({} at kill points), failovers {}, pauses {}, link faults {}, store restarts {}, script flushes {}, rolling restarts {}",
            figures.kills(),
            figures.fault("killpoint"),
            figures.fault("failover"),
            figures.fault("pause"),
            figures.links(),
            figures.fault("store restart"),
            figures.fault("script flush"),
            figures.fault("terminate"),
        );
        println!(
            "  turns answered {}, given up {}, operations {}, repetitions {}, requests at the API {}, effects {}, told as unknown {}",
            figures.turns,
            figures.given_up,
            figures.operations,
            figures.repetitions,
            figures.upstream_requests,
            figures.effects,
            figures.unknowns,
        );
        let times = &figures.recovery;
        let shown = |part: f64| times.percentile(part).map_or("-".to_owned(), |ms| ms.to_string());
        println!("  recovery of {} cut-off turns: p50 {} ms, p99 {} ms, max {} ms", times.count, shown(0.5), shown(0.99), times.max_ms);
        if !figures.points.is_empty() {
            println!("  points: {:?}", figures.points);
        }
        for (invariant, sentence) in INVARIANTS {
            let (wrong, of) =
                (figures.violations.get(&invariant).copied().unwrap_or(0), figures.examined.get(&invariant).copied().unwrap_or(0));
            println!("  {invariant:>2} {:<28} {sentence}", rate(wrong, of).replace("**", ""));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_five_percent() {
        let mut times = Times::default();
        (1..=1000).for_each(|ms| times.add(ms));
        for (part, wanted) in [(0.5, 500.0), (0.99, 990.0)] {
            let told = times.percentile(part).unwrap() as f64;
            assert!((told / wanted - 1.0).abs() < 0.06, "{part}: {told}");
        }
        assert_eq!(times.max_ms, 1000);
    }

    #[test]
    fn nothing_found_is_told_with_its_bound() {
        assert_eq!(rate(0, 3000), "0 of 3000 (< 0.10 %)");
        assert_eq!(rate(2, 50), "**2 of 50**");
        assert_eq!(rate(0, 0), "not examined");
    }
}

//! A run of the lab: one epoch after the other until the time is up, each judged at once.

use std::{
    collections::BTreeMap,
    fs, io,
    path::Path,
    time::{Duration, Instant},
};

use fastrand::Rng;

use crate::{
    arguments::Soak,
    check::{INVARIANTS, Violation},
    epoch::{self, Epoch},
    faults::Rough,
    figures::{self, All},
    records::Terms,
    report,
    rig::{Wish, store::Topology},
};

/// So many violations of one invariant are shown; the logs have all.
const SHOWN: usize = 5;

/// What one epoch after the other looks like: topology, and whether kill points are armed.
const ROUND: [(Topology, bool); 10] = [
    (Topology::T1, false),
    (Topology::T3, false),
    (Topology::T2, true),
    (Topology::T3, false),
    (Topology::T1, true),
    (Topology::T2, false),
    (Topology::T3, true),
    (Topology::T2, false),
    (Topology::T1, false),
    (Topology::T3, false),
];

/// Runs until the time is up. Says whether everything held.
pub async fn run(soak: &Soak) -> io::Result<bool> {
    println!("seed {}", soak.seed);
    let (began, mut rng) = (Instant::now(), Rng::with_seed(soak.seed));
    let (mut found, mut held, mut missing) = (All::new(), true, Vec::new());
    let (mut n, first) = (0, rng.usize(..1000));
    while began.elapsed().as_secs_f64() < soak.minutes * 60.0 {
        // Where a run begins depends on its seed, or many short runs would see the first kinds of epochs alone.
        let kind = first + n;
        let (topology, points) = ROUND[kind % ROUND.len()];
        let (topology, points) = soak.topology.map_or((topology, points), |wanted| (wanted, kind % 2 == 0));
        let seed = rng.u64(..);
        n += 1;
        if missing.contains(&topology.name()) {
            if missing.len() == 3 || soak.topology.is_some() {
                break;
            }
            continue;
        }
        let points = soak.points.as_ref().filter(|_| points);
        let wish = Wish {
            program: points.unwrap_or(&soak.program).clone(),
            house: soak.house.clone(),
            dir: soak.keep.join(format!("{}-{n}", soak.seed)),
            topology,
            users: soak.users,
            seed,
            // No two of these go round together, so that in time each kind of epoch meets each other.
            terms: Terms { dedup: kind % 4 != 2, confirm: kind % 3 == 2, ..Terms::default() },
            sealed: kind % 7 >= 4,
            points: points.is_some(),
            skew_secs: [0, 30, 0, -30, 3600, 0, 0, -3600, 1, 0, 0][kind % 11],
            allow_missing: soak.allow_missing,
            ablate: None,
        };
        let _ = fs::remove_dir_all(&wish.dir);
        let mut rough = Rough { swaps: soak.swaps, ..Rough::usual(topology) };
        if wish.points {
            // They die by themselves.
            rough.kills_per_sec /= 4.0;
        }
        let left = soak.minutes * 60.0 - began.elapsed().as_secs_f64();
        let time = Duration::from_secs_f64((soak.epoch_secs as f64).min(left.max(5.0)));
        let epoch = match epoch::run(&wish, time, rough).await {
            Ok(epoch) => epoch,
            // Settings that a service does not know are the only thing that may be missing.
            Err(error) if error.to_string().contains("does not take its settings") => {
                println!("epoch {n}: {} is not there: {error}", topology.name());
                missing.push(topology.name());
                continue;
            }
            Err(error) => return Err(io::Error::new(error.kind(), format!("epoch {n} ({}): {error}", wish.dir.display()))),
        };
        let well = tell(n, &wish, &epoch);
        held &= well;
        let epoch = All::from([(topology.name().to_owned(), epoch.figures)]);
        keep(soak, &epoch)?;
        found.entry(topology.name().to_owned()).or_default().merge(&epoch[topology.name()]);
        if well {
            fs::remove_dir_all(&wish.dir)?;
        }
    }
    figures::print(&found);
    println!("\nseed {}: {}", soak.seed, if held { "everything held" } else { "NOT everything held" });
    count(&found);
    if !missing.is_empty() {
        println!("not there: {}", missing.join(", "));
    }
    Ok(held && (missing.is_empty() || soak.allow_missing))
}

/// Adds what an epoch found to what earlier ones did: a run that is broken off has not been for nothing.
fn keep(soak: &Soak, epoch: &All) -> io::Result<()> {
    let Some(file) = &soak.figures else { return Ok(()) };
    let mut all = figures::read(file)?;
    all.add(&soak.commit, epoch);
    figures::write(file, &all)?;
    if soak.docs { report::write(&soak.house, &all) } else { Ok(()) }
}

/// The line that test scripts count: an invariant that was looked at and held has passed.
fn count(found: &All) {
    let total = |of: fn(&figures::Figures) -> &BTreeMap<u8, u64>, invariant: u8| -> u64 {
        found.values().map(|figures| of(figures).get(&invariant).copied().unwrap_or(0)).sum()
    };
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    for (invariant, _) in INVARIANTS {
        match (total(|figures| &figures.violations, invariant), total(|figures| &figures.examined, invariant)) {
            (0, 0) => skipped += 1,
            (0, _) => passed += 1,
            (_, _) => failed += 1,
        }
    }
    println!("{passed} passed, {failed} failed{}", if skipped > 0 { format!(", {skipped} skipped") } else { String::new() });
}

/// One line about an epoch, and what was wrong in it.
fn tell(n: usize, wish: &Wish, epoch: &Epoch) -> bool {
    let figures = &epoch.figures;
    println!(
        "epoch {n}: {}{}{}{}{} seed {}: {} s, kills {}, failovers {}, pauses {}, turns {}, effects {}, unknown {}, violations {}{}",
        wish.topology.name(),
        if wish.points { " points" } else { "" },
        if wish.terms.dedup { "" } else { " no-dedup" },
        if wish.terms.confirm { " confirm" } else { "" },
        if wish.sealed { " sealed" } else { "" },
        wish.seed,
        figures.seconds,
        figures.kills(),
        figures.fault("failover"),
        figures.fault("pause"),
        figures.turns,
        figures.effects,
        figures.unknowns,
        epoch.verdict.violations.len(),
        match (epoch.histories.terms.runs, epoch.histories.terms.dedup) {
            (false, _) => " (this service tells nothing of runs)",
            (true, false) if wish.terms.dedup => " (this service sends no keys)",
            (true, _) => "",
        },
    );
    if figures.fault("crashed") > 0 {
        println!(
            "  a replica ended by itself {} times: {:?}",
            figures.fault("crashed"),
            epoch.histories.faults.iter().find(|fault| fault.kind == "crashed")
        );
    }
    tell_violations(&epoch.verdict.violations);
    let well = epoch.verdict.violations.is_empty() && figures.fault("crashed") == 0;
    if !well {
        println!("  logs: {}", wish.dir.display());
    }
    well
}

fn tell_violations(violations: &[Violation]) {
    for invariant in 1..=20 {
        let of: Vec<&Violation> = violations.iter().filter(|violation| violation.invariant == invariant).collect();
        for violation in of.iter().take(SHOWN) {
            println!("  invariant {invariant}: {}", violation.what.chars().take(600).collect::<String>());
        }
        if of.len() > SHOWN {
            println!("  invariant {invariant}: {} more", of.len() - SHOWN);
        }
    }
}

/// Judges again what an epoch wrote down.
pub fn check_again(dir: &Path) -> io::Result<bool> {
    let epoch = epoch::read(dir)?;
    figures::print(&All::from([(dir.display().to_string(), epoch.figures)]));
    tell_violations(&epoch.verdict.violations);
    Ok(epoch.verdict.violations.is_empty())
}

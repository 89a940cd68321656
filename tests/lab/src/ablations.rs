//! The service with one safety after the other taken out: the checker must find each out, or it sees nothing.

use std::{collections::BTreeMap, fs, io, path::Path, time::Duration};

use crate::{
    arguments::Soak,
    epoch,
    faults::Rough,
    records::Terms,
    report,
    rig::{Wish, store::Topology},
};

/// So often a safety is tried before it is said that its absence is not seen.
const EPOCHS: u64 = 4;
const TIME: Duration = Duration::from_secs(30);

/// One safety.
struct Ablation {
    /// As `SAA_ABLATE` names it.
    name: &'static str,
    /// What is missing then.
    sentence: &'static str,
    chinese: &'static str,
    topology: Topology,
    rough: Rough,
    dedup: bool,
    /// Any of these is what must be found broken.
    breaks: &'static [u8],
}

/// What became of the service without one safety.
pub struct FoundOut {
    pub name: &'static str,
    pub english: &'static str,
    pub chinese: &'static str,
    /// By invariant, how often it was found broken.
    pub broken: BTreeMap<u8, usize>,
    /// Epochs that it took.
    pub epochs: u64,
}

const KILLS: Rough = Rough { kills_per_sec: 2.5, pauses_per_sec: 0.0, links_per_sec: 0.0, store_every_secs: 0.0, swaps: false };
const PAUSES: Rough = Rough { kills_per_sec: 0.2, pauses_per_sec: 0.5, ..KILLS };
const FAILOVERS: Rough = Rough { kills_per_sec: 0.3, links_per_sec: 0.3, store_every_secs: 4.0, ..KILLS };

const ABLATIONS: [Ablation; 6] = [
    Ablation {
        name: "fence",
        sentence: "writes do not prove the token of their claim",
        chinese: "写入不证明自己仍持有会话",
        topology: Topology::T1,
        rough: PAUSES,
        dedup: true,
        breaks: &[1, 3, 4, 5, 8, 9, 10],
    },
    Ablation {
        name: "wait",
        sentence: "nobody waits for the replica of the store",
        chinese: "不等待存储的副本",
        topology: Topology::T2,
        rough: FAILOVERS,
        dedup: true,
        breaks: &[1, 3, 4, 5, 8, 9],
    },
    Ablation {
        name: "marker",
        sentence: "a call is sent without a marker before it",
        chinese: "发送调用之前不写标记",
        topology: Topology::T1,
        rough: KILLS,
        dedup: false,
        breaks: &[1, 5, 6, 7],
    },
    Ablation {
        name: "blind_retry",
        sentence: "a call with an unknown outcome is sent again",
        chinese: "结果未知的调用被再次发送",
        topology: Topology::T1,
        rough: KILLS,
        dedup: false,
        breaks: &[1, 6],
    },
    Ablation {
        name: "idempotency",
        sentence: "the key of a request is not looked at",
        chinese: "不检查请求的幂等键",
        topology: Topology::T1,
        rough: KILLS,
        dedup: true,
        breaks: &[1, 3, 9],
    },
    Ablation {
        name: "plan",
        sentence: "the plan of a round is not stored: the model is asked again",
        chinese: "一轮的计划不保存：再次询问模型",
        topology: Topology::T1,
        rough: KILLS,
        dedup: true,
        breaks: &[1, 6, 7, 14, 18],
    },
];

/// Runs the service without each. Says whether all were found out.
pub async fn run(soak: &Soak, program: &Path) -> io::Result<bool> {
    println!("seed {}", soak.seed);
    let (mut rows, mut found_out, mut all) = (Vec::new(), Vec::new(), true);
    for ablation in &ABLATIONS {
        let mut broken = BTreeMap::<u8, usize>::new();
        let mut epochs = 0;
        while epochs < EPOCHS && !ablation.breaks.iter().any(|invariant| broken.contains_key(invariant)) {
            let wish = Wish {
                program: program.to_owned(),
                house: soak.house.clone(),
                dir: soak.keep.join(format!("ablation-{}-{epochs}", ablation.name)),
                topology: ablation.topology,
                users: soak.users,
                seed: soak.seed.wrapping_add(epochs),
                terms: Terms { dedup: ablation.dedup, ..Terms::default() },
                sealed: false,
                points: false,
                skew_secs: 0,
                allow_missing: soak.allow_missing,
                ablate: Some(ablation.name.to_owned()),
            };
            let _ = fs::remove_dir_all(&wish.dir);
            let epoch = epoch::run(&wish, TIME, ablation.rough).await?;
            for violation in &epoch.verdict.violations {
                *broken.entry(violation.invariant).or_default() += 1;
            }
            epochs += 1;
            fs::remove_dir_all(&wish.dir)?;
        }
        let found = ablation.breaks.iter().any(|invariant| broken.contains_key(invariant));
        all &= found;
        let told: Vec<String> = broken.iter().map(|(invariant, count)| format!("{invariant} ({count}×)")).collect();
        let row =
            format!("{:<12} {:<62} {}", ablation.name, ablation.sentence, if found { told.join(", ") } else { "NOT FOUND OUT".to_owned() });
        println!("{row}");
        rows.push(row);
        found_out.push(FoundOut { name: ablation.name, english: ablation.sentence, chinese: ablation.chinese, broken, epochs });
    }
    println!("\nsafety off   what is missing{:48}invariants that broke", "");
    rows.iter().for_each(|row| println!("{row}"));
    if soak.docs {
        report::write_ablations(&soak.house, &soak.commit, &found_out)?;
    }
    Ok(all)
}

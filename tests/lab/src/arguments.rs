//! What the lab is told on its command line.

use std::path::PathBuf;

use crate::rig::store::Topology;

/// What the lab does.
#[derive(Debug, Clone, PartialEq)]
pub enum Task {
    /// The API behind the service: port, dedup, log.
    Upstream(u16, bool, PathBuf),
    /// The planner behind the service: port, log.
    Model(u16, PathBuf),
    /// Judges again what an epoch wrote down.
    Check(PathBuf),
    Soak(Soak),
}

/// How the lab is to be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Soak {
    pub program: PathBuf,
    /// The service with kill points; `None`: nobody dies at one.
    pub points: Option<PathBuf>,
    /// The service that reads `SAA_ABLATE`; then only that is done.
    pub ablations: Option<PathBuf>,
    pub house: PathBuf,
    pub minutes: f64,
    pub epoch_secs: u64,
    /// `None`: all of them.
    pub topology: Option<Topology>,
    pub seed: u64,
    pub users: usize,
    /// Where logs stay of epochs in which something was wrong.
    pub keep: PathBuf,
    /// What earlier runs found; it is added to.
    pub figures: Option<PathBuf>,
    /// docs/RELIABILITY.md is written anew from them.
    pub docs: bool,
    /// Which commit of the service this is.
    pub commit: String,
    /// What the service cannot do yet is told, and is no failure.
    pub allow_missing: bool,
    pub swaps: bool,
}

const USAGE: &str =
    "usage: lab soak --program PATH --house PATH [--points PATH] [--minutes N] [--epoch-secs N] [--topology t1|t2|t3] [--seed N]
       [--users N] [--keep DIR] [--figures FILE] [--docs] [--commit NAME] [--allow-missing] [--swaps] [--ablations PATH]
       lab check DIR";

/// Reads the command line.
pub fn read(words: &[String]) -> Result<Task, String> {
    let mut words = words.iter().map(String::as_str);
    let mut next = |what: &str| words.next().map(str::to_owned).ok_or(format!("{what} is missing\n{USAGE}"));
    let number = |text: String| text.parse::<u64>().map_err(|_| format!("{text} is not a number"));
    let port = |text: String| text.parse::<u16>().map_err(|_| format!("{text} is not a port"));
    match next("what to do")?.as_str() {
        "upstream" => Ok(Task::Upstream(port(next("a port")?)?, next("dedup")? == "true", next("a log")?.into())),
        "model" => Ok(Task::Model(port(next("a port")?)?, next("a log")?.into())),
        "check" => Ok(Task::Check(next("a directory")?.into())),
        "soak" => {
            let mut soak = Soak {
                program: PathBuf::new(),
                points: None,
                ablations: None,
                house: PathBuf::new(),
                minutes: 10.0,
                epoch_secs: 60,
                topology: None,
                seed: fastrand::u64(..1_000_000_000),
                users: 12,
                keep: std::env::temp_dir().join("lab"),
                figures: None,
                docs: false,
                commit: "unknown".to_owned(),
                allow_missing: false,
                swaps: false,
            };
            while let Ok(word) = next("") {
                match word.as_str() {
                    "--program" => soak.program = next(&word)?.into(),
                    "--points" => soak.points = Some(next(&word)?.into()),
                    "--ablations" => soak.ablations = Some(next(&word)?.into()),
                    "--house" => soak.house = next(&word)?.into(),
                    "--minutes" => soak.minutes = next(&word)?.parse().map_err(|_| "--minutes takes a number".to_owned())?,
                    "--epoch-secs" => soak.epoch_secs = number(next(&word)?)?,
                    "--topology" => {
                        soak.topology = Some(match next(&word)?.to_ascii_lowercase().as_str() {
                            "t1" => Topology::T1,
                            "t2" => Topology::T2,
                            "t3" => Topology::T3,
                            other => return Err(format!("no such topology: {other}")),
                        });
                    }
                    "--seed" => soak.seed = number(next(&word)?)?,
                    "--users" => soak.users = usize::try_from(number(next(&word)?)?).unwrap_or(1).clamp(1, 99),
                    "--keep" => soak.keep = next(&word)?.into(),
                    "--figures" => soak.figures = Some(next(&word)?.into()),
                    "--docs" => soak.docs = true,
                    "--commit" => soak.commit = next(&word)?,
                    "--allow-missing" => soak.allow_missing = true,
                    "--swaps" => soak.swaps = true,
                    other => return Err(format!("unknown: {other}\n{USAGE}")),
                }
            }
            if soak.program.as_os_str().is_empty() || soak.house.as_os_str().is_empty() {
                return Err(format!("--program and --house are needed\n{USAGE}"));
            }
            Ok(Task::Soak(soak))
        }
        other => Err(format!("unknown: {other}\n{USAGE}")),
    }
}

//! The layer of variables: `SAA_SECTION__KEY`, and the names that the first implementation used.

use std::{
    ffi::{OsStr, OsString},
    path::PathBuf,
};

use super::{
    keys::{FILE_VARIABLE, KEYS, Key, PREFIX},
    layers::{Given, Layers, shown_name},
    problems::Problem,
    source::{Source, Sources},
};
use crate::domain::near::nearest;

/// The file of settings and who named it.
pub(super) struct FileNamed {
    pub path: PathBuf,
    pub by: &'static str,
}

/// The file that `--config` names, or else `SAA_CONFIG`.
pub(super) fn file_of(sources: &Sources) -> Option<FileNamed> {
    if let Some(path) = &sources.file {
        return Some(FileNamed { path: path.clone(), by: "--config" });
    }
    let (_, path) = sources.environment.iter().rfind(|(name, _)| name.as_os_str() == OsStr::new(FILE_VARIABLE))?;
    (!path.is_empty()).then(|| FileNamed { path: path.into(), by: FILE_VARIABLE })
}

/// What the fault lab tells builds that are made for it (`src/fault.rs`). To a release they are as unknown as any other.
const OF_THE_LAB: &[&str] = &[
    #[cfg(feature = "kill-points")]
    "SAA_KILL_AT",
    #[cfg(feature = "ablations")]
    "SAA_ABLATE",
];

/// What `build.rs` is told. Who builds and starts it in one shell has it set still.
const OF_THE_BUILD: &str = "SAA_COMMIT";

/// Lays the older names and then ours, which win. A variable that begins like ours and is none is a problem.
pub(super) fn lay(layers: &mut Layers, variables: &[(OsString, OsString)]) {
    let mut unknown = Vec::new();
    let mut ours = Vec::new();
    for (name, value) in variables {
        let Some(name) = name.to_str() else { continue };
        if let Some(key) = KEYS.iter().find(|key| key.older == Some(name)) {
            lay_variable(layers, key, name, value);
        } else if name.starts_with(PREFIX) && name != FILE_VARIABLE && name != OF_THE_BUILD && !OF_THE_LAB.contains(&name) {
            match KEYS.iter().find(|key| key.variable() == name) {
                Some(key) => ours.push((key, name, value)),
                None => unknown.push((name, value)),
            }
        }
    }
    for (key, name, value) in ours {
        lay_variable(layers, key, name, value);
    }
    unknown.retain(|(name, value)| !(value.is_empty() || is_service_link(name, value)));
    unknown.sort();
    for (name, _) in unknown {
        refuse_unknown(layers, name);
    }
}

fn lay_variable(layers: &mut Layers, key: &'static Key, name: &str, value: &OsStr) {
    match value.to_str() {
        Some(text) => layers.lay(key, Given::from_text(key.kind, text.to_owned()), Source::Variable(name.to_owned())),
        None => {
            let sentence = "is not UTF-8".to_owned();
            layers.problems.push(Problem { key: key.name.to_owned(), sentence, place: name.to_owned() });
        }
    }
}

fn refuse_unknown(layers: &mut Layers, name: &str) {
    let known: Vec<String> = KEYS.iter().map(Key::variable).collect();
    let known = known.iter().map(String::as_str).chain([FILE_VARIABLE]);
    let sentence = match nearest(name, known, 1).first() {
        Some(near) => format!("is not a setting; {near} is near"),
        None => "is not a setting".to_owned(),
    };
    layers.problems.push(Problem { key: shown_name(name), sentence, place: "environment".to_owned() });
}

/// Kubernetes gives every pod variables for each service of its namespace: a service named `saa` or `saa-…` must not stop the start.
/// Their names end in `_SERVICE_HOST`, `_SERVICE_PORT`, `_SERVICE_PORT_name`, `_PORT` (with a URL as the value) or `_PORT_80_TCP…`, and
/// never contain `__`, which all of ours do but `SAA_APIS`.
fn is_service_link(name: &str, value: &OsStr) -> bool {
    let by_protocol = |rest: &str| {
        let mut parts = rest.split('_');
        let number = parts.next().is_some_and(|port| port.parse::<u16>().is_ok());
        number && parts.next().is_some_and(|protocol| ["TCP", "UDP", "SCTP"].contains(&protocol))
    };
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.contains("_SERVICE_PORT")
            || (name.ends_with("_PORT") && value.to_string_lossy().contains("://"))
            || name.split_once("_PORT_").is_some_and(|(_, rest)| by_protocol(rest)))
}

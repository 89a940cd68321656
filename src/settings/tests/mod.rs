//! The settings, told from outside: variables, files and flags in, values and problems out.

mod documentation;
mod embeddings;
mod idempotency;
mod issuers;
mod layers;
mod policy;
mod problems;
mod ranges;
mod secrets;
mod signing;
mod structures;

use std::{io::Write, path::PathBuf};

use tempfile::NamedTempFile;

use super::{Problems, Settings, Sources};

fn with(variables: &[(&str, &str)]) -> Sources {
    Sources::default().with_environment(variables.iter().copied())
}

fn load(variables: &[(&str, &str)]) -> Result<Settings, Problems> {
    Settings::load(with(variables))
}

/// All that is told of wrong variables.
fn told(variables: &[(&str, &str)]) -> String {
    load(variables).unwrap_err().to_string()
}

/// A file of settings that lives as long as the first of these.
fn file(toml: &str) -> (NamedTempFile, PathBuf) {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(toml.as_bytes()).unwrap();
    let path = file.path().to_owned();
    (file, path)
}

fn load_file(toml: &str) -> Result<Settings, Problems> {
    let (_file, path) = file(toml);
    Settings::load(Sources::default().with_file(Some(path)))
}

/// The problems of a file as (key, sentence), after a check that all of them name the file.
fn told_of_file(toml: &str) -> Vec<(String, String)> {
    let (_file, path) = file(toml);
    let problems = Settings::load(Sources::default().with_file(Some(path.clone()))).unwrap_err();
    for problem in problems.iter() {
        assert_eq!(problem.place, path.display().to_string(), "{problems}");
    }
    problems.iter().map(|problem| (problem.key.clone(), problem.sentence.clone())).collect()
}

/// The value and the source of one key as `config check` shows them.
fn shown(settings: &Settings, key: &str) -> (String, String) {
    let row = settings.effective().into_iter().find(|row| row.key == key).unwrap();
    (row.value, row.source.to_string())
}

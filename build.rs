//! Which commit a program is built from, for `--version`, the metrics and the health report.
//!
//! The first of these that says one: `SAA_COMMIT`, for builds where there is no repository (deploy/Dockerfile); what cargo notes in a package;
//! the repository that this file is at the top of. Without any of them there is only the version. No time and no path gets into it, so
//! the same source gives the same bytes.
#![allow(clippy::print_stdout, reason = "cargo listens at standard output")]

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// Digits of a commit that are told: as many as tell commits apart in repositories of any size.
const DIGITS: usize = 12;
/// What cargo notes in a package.
const NOTE: &str = ".cargo_vcs_info.json";
/// What of the repository a program is made of.
const MADE_OF: [&str; 5] = ["build.rs", "Cargo.toml", "Cargo.lock", "src", "migrations"];

fn main() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed=SAA_COMMIT");
    // Asked when it runs: cargo compiles it once for the source and for a package of it.
    #[expect(clippy::disallowed_methods, reason = "it is a variable of the build, not of the service")]
    let root = std::env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from).ok_or("CARGO_MANIFEST_DIR is not set: cargo runs this")?;
    let root = root.as_path();
    for path in MADE_OF.map(str::to_owned).into_iter().chain(moved_with_commits(root)) {
        println!("cargo::rerun-if-changed={path}");
    }
    #[expect(clippy::disallowed_methods, reason = "it is a variable of the build, not of the service")]
    let said = std::env::var("SAA_COMMIT").unwrap_or_default();
    let commit = commit_of(&said, root)?;
    let version = env!("CARGO_PKG_VERSION");
    println!("cargo::rustc-env=BUILT_FROM_COMMIT={commit}");
    if commit.is_empty() {
        println!("cargo::rustc-env=BUILT_FROM_VERSION={version}");
    } else {
        println!("cargo::rustc-env=BUILT_FROM_VERSION={version} ({commit})");
    }
    Ok(())
}

/// The commit, with `-changed` if what is built is not quite it; empty if nobody knows. What `SAA_COMMIT` says must be one.
pub fn commit_of(said: &str, root: &Path) -> Result<String, String> {
    if !said.is_empty() {
        return short(said).ok_or(format!(
            "SAA_COMMIT is {said:?}; a commit is needed: at least {DIGITS} hexadecimal digits, as `git rev-parse HEAD` tells"
        ));
    }
    let noted = std::fs::read_to_string(root.join(NOTE)).ok().and_then(|note| of_package(&note));
    Ok(noted.or_else(|| of_repository(root)).unwrap_or_default())
}

/// `1f2e3d4c5b6a`, of all the digits that git tells, or with `-changed` behind them.
fn short(commit: &str) -> Option<String> {
    let (digits, changed) = commit.strip_suffix("-changed").map_or((commit, ""), |digits| (digits, "-changed"));
    let good = digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    Some(format!("{}{changed}", digits.get(..DIGITS).filter(|_| good)?))
}

/// `{"git": {"sha1": "…", "dirty": true}, …}`, which `cargo package` writes.
fn of_package(note: &str) -> Option<String> {
    let (_, after) = note.split_once("\"sha1\"")?;
    let commit = short(after.split('"').nth(1)?)?;
    Some(if note.contains("\"dirty\": true") { commit + "-changed" } else { commit })
}

fn of_repository(root: &Path) -> Option<String> {
    let commit = short(&git(root, &["rev-parse", "HEAD"])?)?;
    let status = [&["status", "--porcelain", "--untracked-files=no", "--"], &MADE_OF[..]].concat();
    Some(if git(root, &status)?.is_empty() { commit } else { commit + "-changed" })
}

/// Files that change with the commit, of those that are here: the note of a package, or what git writes whenever another commit is checked out or made.
fn moved_with_commits(root: &Path) -> Vec<String> {
    let of_git = ["HEAD", "logs/HEAD"].into_iter().filter_map(|name| git(root, &["rev-parse", "--git-path", name]));
    std::iter::once(NOTE.to_owned()).chain(of_git).filter(|path| root.join(path).exists()).collect()
}

/// What git says, if there is one and this is the top of a repository: a package may lie inside somebody else's.
fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    if !root.join(".git").exists() {
        return None;
    }
    let done = Command::new("git").arg("-C").arg(root).args(arguments).output().ok()?;
    done.status.success().then(|| String::from_utf8_lossy(&done.stdout).trim().to_owned())
}

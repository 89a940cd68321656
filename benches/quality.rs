//! How often the right function is found and planned, and what that takes: a table on stdout, and with `--write` in docs/QUALITY.md and its
//! Chinese twin. What is late or wrong is told on stderr. `tests/quality/run` fetches what is needed and runs this.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a measurement may fail where it stands, prints, and looks at its environment"
)]
#![allow(dead_code, unused_imports, reason = "tests use more of what is measured")]

#[path = "../tests/quality/measure/mod.rs"]
mod measure;

use std::{fs, path::Path};

use measure::{SETS, between_marks, score, table};
use swagger_api_agent::domain::language::Language;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Of so many repetitions of a sentence the fastest is told.
const REPETITIONS: u32 = 20;

fn main() {
    let scores: Vec<_> = SETS.iter().map(|set| (set, score(set, REPETITIONS))).collect();
    println!("{}", table(&scores, Language::English));
    if !std::env::args().any(|argument| argument == "--write") {
        return;
    }
    for (file, language) in [("QUALITY.md", Language::English), ("QUALITY.zh-CN.md", Language::Chinese)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(file);
        let document = fs::read_to_string(&path).unwrap();
        fs::write(&path, between_marks(&document, &table(&scores, language)).expect("marks in the document")).unwrap();
    }
}

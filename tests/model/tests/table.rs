//! Walks through every variant, prints what was found as a table, and fails where anything is not as expected. No test of the usual kind,
//! because the table is what one wants to see: `cargo test --manifest-path tests/model/Cargo.toml`.

use std::process::ExitCode;

use turn_model::{
    check::{Expected, Variant},
    properties::PROMISES,
    variants::{ABLATIONS, HOLD},
};

fn main() -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    let mut note = |name: &str, wrong: Vec<String>| {
        if wrong.is_empty() {
            passed += 1;
        } else {
            failed += 1;
        }
        for wrong in wrong {
            println!("FAILED {name}: {wrong}");
        }
    };
    let mut walk = |variant: &Variant| {
        let found = variant.check();
        println!("{:<58}{found}", variant.name);
        note(variant.name, found.wrong);
    };
    println!("With every rule:");
    HOLD.iter().for_each(&mut walk);
    println!("Without one of them:");
    ABLATIONS.iter().for_each(&mut walk);
    note("every promise is broken without one of the rules", never_broken());
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A promise that nothing breaks may be one that the model cannot break.
fn never_broken() -> Vec<String> {
    let breaks = |promise: &str| ABLATIONS.iter().any(|variant| matches!(variant.expected, Expected::Breaks(broken) if broken == promise));
    PROMISES.iter().filter(|promise| !breaks(promise)).map(|promise| format!("never broken: {promise}")).collect()
}

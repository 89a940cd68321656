//! `config check`: the settings that hold, or all that is wrong with them.

use std::{
    io::{Write, stdout},
    process::ExitCode,
};

use swagger_api_agent::settings::{Effective, Settings, Sources};

use super::settings_of;

/// Prints the settings as a server would have them. A reader that closes the pipe early has seen what it wanted.
pub fn run(sources: Sources) -> ExitCode {
    match settings_of(Settings::load_for_serving(sources)) {
        Ok(settings) => {
            let _closed_early = stdout().write_all(table(&settings.effective()).as_bytes());
            ExitCode::SUCCESS
        }
        Err(code) => code,
    }
}

/// One line a setting: key, value, where it was found.
fn table(rows: &[Effective]) -> String {
    let widest = |column: fn(&Effective) -> &str| rows.iter().map(|row| column(row).chars().count()).max().unwrap_or(0);
    let (keys, values) = (widest(|row| row.key), widest(|row| &row.value));
    rows.iter().map(|Effective { key, value, source }| format!("{key:keys$}  {value:values$}  ({source})\n")).collect()
}

#[cfg(test)]
mod tests {
    use swagger_api_agent::settings::Source;

    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |key, value: &str, source| Effective { key, value: value.to_owned(), source };
        let rows = [row("a.b", "王五", Source::Default), row("a.long", "x", Source::Flag("--long"))];
        assert_eq!(table(&rows), "a.b     王五  (default)\na.long  x   (--long)\n");
    }
}

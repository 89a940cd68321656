//! What operators of the first implementation are told (docs/MIGRATING.md) about names of settings is so.

use std::{collections::BTreeMap, fs, process::Command};

use swagger_api_agent::settings::{Settings, Source, Sources};

fn read(path: &str) -> String {
    fs::read_to_string(format!("{}/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// Old name and new name, of the rows that begin with two variables.
fn table(text: &str) -> BTreeMap<String, String> {
    let name = |cell: &str| {
        let name = cell.trim().strip_prefix('`')?.strip_suffix('`')?;
        name.bytes().all(|b| b.is_ascii_uppercase() || b"0123456789_".contains(&b)).then(|| name.to_owned())
    };
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(|line| line.split('|').skip(1));
    rows.filter_map(|mut cells| Some((name(cells.next()?)?, name(cells.next()?)?))).collect()
}

/// `Variable: SAA_LLM__URL. Older name: DEEPSEEK_API_URL.`, of the reference of all settings.
fn of_the_reference() -> BTreeMap<String, String> {
    let lines = read("src/settings/defaults.toml");
    let older = lines.lines().filter_map(|line| line.split_once("Variable: ")?.1.split_once(". Older name: "));
    older.map(|(new, old)| (old.trim_end_matches('.').to_owned(), new.to_owned())).collect()
}

const SECRET: &str = "at-least-thirty-two-bytes-as-a-key-has";

/// A value that each variable takes and that is not its default.
fn value(old: &str) -> &'static str {
    match old {
        "JWT_EXPIRATION_HOURS" => "7",
        "REQUIRE_USER_CONFIRMATION" => "true",
        "SHOW_API_CALL_DETAILS" => "false",
        "LOG_LEVEL" => "WARNING",
        "REDIS_URL" => "redis://127.0.0.1:6379/3",
        "API_BASE_URL" | "DEEPSEEK_API_URL" => "http://127.0.0.1:9/v1",
        "WEB_API_USERNAME" => "ann",
        _ => SECRET,
    }
}

#[test]
fn every_name_of_before_is_told_with_the_one_it_has_now() {
    let names = of_the_reference();
    assert!(names.len() >= 14, "{names:?}");
    for document in ["docs/MIGRATING.md", "docs/MIGRATING.zh-CN.md"] {
        assert_eq!(table(&read(document)), names, "{document}");
    }
}

#[test]
fn both_names_say_the_same_setting() {
    for (old, new) in of_the_reference() {
        let changed = |name: &str| -> Vec<(&str, String)> {
            // Some settings are good only together with others.
            let others = [("JWT_SECRET_KEY", SECRET), ("WEB_API_USERNAME", "root"), ("WEB_API_PASSWORD", SECRET)];
            let environment = others.into_iter().filter(|(other, _)| *other != old).chain([(name, value(&old))]);
            let settings =
                Settings::load(Sources::default().with_environment(environment)).unwrap_or_else(|problems| panic!("{name}: {problems}"));
            let rows = settings.effective().into_iter().filter(|row| row.source == Source::Variable(name.to_owned()));
            rows.map(|row| (row.key, row.value)).collect()
        };
        assert_eq!(changed(&old).len(), 1, "{old}");
        assert_eq!(changed(&old), changed(&new), "{old} {new}");
    }
}

#[test]
fn flags_of_before_are_taken_and_told() {
    let flags = ["--host 127.0.0.1", "--port 5010", "--api-url http://127.0.0.1:9", "--api-token t", "--openapi api.yaml", "--debug"];
    let said = flags.join(" ");
    let output =
        Command::new(env!("CARGO_BIN_EXE_swagger-api-agent")).env_clear().args(["config", "check"]).args(said.split(' ')).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    for document in ["docs/MIGRATING.md", "docs/MIGRATING.zh-CN.md"] {
        for flag in flags {
            assert!(read(document).contains(flag.split(' ').next().unwrap()), "{document}: {flag}");
        }
    }
}

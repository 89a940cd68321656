//! The walls of the house: a module names only floors below its own, and every outside package has one home.
//!
//! The tables here are the architecture. Changing one is a decision: it comes in the same commit as a sentence in
//! `docs/ARCHITECTURE.md`.

mod reading;

use std::{collections::BTreeMap, fs, path::Path};

use self::reading::{Source, sources};

/// Modules by floor, the lowest first. The command line stands above all.
const FLOORS: [&[&str]; 8] = [
    &["clock", "domain", "fault", "release"],
    &["settings", "markdown", "portable", "excerpt", "words", "demo", "secrets", "redact", "metrics", "spans"],
    &["outbound", "probe", "store", "openapi"],
    &["llm", "upstream"],
    &["agent"],
    &["app"],
    &["api"],
    &["main", "cli"],
];

/// Modules of one floor that may name each other: who, whom. Whoever adds a pair says why in `docs/ARCHITECTURE.md`.
const NEIGHBOURS: [(&str, &str); 3] = [("main", "cli"), ("store", "secrets"), ("clock", "fault")];

/// Outside packages with a home, and the modules that may name them.
const HOMES: [(&str, &[&str]); 40] = [
    ("pulldown_cmark", &["markdown"]),
    ("ammonia", &["markdown"]),
    ("arc_swap", &["app", "store"]),
    ("config", &["settings"]),
    ("jsonwebtoken", &["secrets"]),
    ("argon2", &["secrets"]),
    ("rustix", &["app", "cli"]),
    ("aws_lc_rs", &["secrets"]),
    ("rustls", &["secrets"]),
    ("tokio_rustls", &["secrets"]),
    ("x509_parser", &["secrets"]),
    ("aho_corasick", &["redact"]),
    ("reqwest", &["outbound"]),
    ("flate2", &["api", "outbound"]),
    ("redis", &["store"]),
    ("deadpool_redis", &["store"]),
    ("redb", &["store"]),
    ("prometheus_client", &["metrics"]),
    ("opentelemetry", &["spans"]),
    ("opentelemetry_sdk", &["spans"]),
    ("opentelemetry_otlp", &["spans"]),
    ("opentelemetry_http", &["spans"]),
    ("tracing_opentelemetry", &["spans"]),
    ("crc32fast", &["store"]),
    ("zstd", &["store"]),
    ("openapiv3", &["openapi"]),
    ("jsonschema", &["openapi"]),
    ("serde_saphyr", &["openapi"]),
    ("axum", &["api", "demo"]),
    ("ipnet", &["api", "settings"]),
    ("hyper", &["api"]),
    ("hyper_util", &["api"]),
    ("tower", &["api"]),
    ("tower_http", &["api"]),
    ("http_body_util", &["api"]),
    ("clap", &["main", "cli"]),
    ("clap_complete", &["cli"]),
    ("clap_mangen", &["cli"]),
    ("mimalloc", &["main"]),
    ("tracing_subscriber", &["main", "cli", "spans"]),
];

/// Outside packages that every module may name.
const EVERYWHERE: [&str; 14] = [
    "bytes",
    "futures_util",
    "percent_encoding",
    "secrecy",
    "serde",
    "serde_json",
    "thiserror",
    "time",
    "tokio",
    "tokio_util",
    "tracing",
    "url",
    "uuid",
    "std",
];

fn floor_of(module: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&module))
}

/// Everything that is wrong with these files, one sentence each that says what to do.
fn wrong_with(sources: &[Source]) -> Vec<String> {
    let mut wrong = Vec::new();
    for source in sources {
        let Source { path, module, .. } = source;
        let Some(own) = floor_of(module) else {
            wrong.push(format!(
                "{path}: the module {module} stands on no floor; give it one in tests/it/floors.rs and in docs/ARCHITECTURE.md"
            ));
            continue;
        };
        for (line, named) in source.modules_named() {
            let at = format!("{path}:{line}: {module} (floor {own}) names {named}");
            match floor_of(&named) {
                None => wrong.push(format!("{at}, which stands on no floor; is it a module?")),
                Some(other) if other > own => {
                    wrong.push(format!("{at} (floor {other}) above it; move the thing down, or pass it as a value"));
                }
                Some(other) if other == own && named != *module && !NEIGHBOURS.contains(&(module.as_str(), named.as_str())) => {
                    wrong.push(format!("{at} beside it; move the shared thing one floor down, or pass it as a value"));
                }
                Some(_) => {}
            }
        }
        for (package, homes) in HOMES {
            for line in source.lines_naming(package) {
                if !homes.contains(&module.as_str()) {
                    let homes = homes.join(" and ");
                    wrong.push(format!(
                        "{path}:{line}: {module} names the package {package}, whose home is {homes}; ask {homes} for what you need"
                    ));
                }
            }
        }
    }
    wrong
}

/// Modules that need each other, as `a → b → a`.
fn circles(sources: &[Source]) -> Vec<String> {
    let mut names: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for source in sources {
        let own = names.entry(source.module.clone()).or_default();
        own.extend(source.modules_named().into_iter().map(|(_, named)| named).filter(|named| *named != source.module));
        own.sort();
        own.dedup();
    }
    let mut found = Vec::new();
    for start in names.keys() {
        let mut ways = vec![vec![start.clone()]];
        while let Some(way) = ways.pop() {
            for next in names.get(&way[way.len() - 1]).into_iter().flatten() {
                if next == start {
                    found.push(format!("{} → {start}", way.join(" → ")));
                } else if !way.contains(next) && next > start {
                    ways.push([way.clone(), vec![next.clone()]].concat());
                }
            }
        }
    }
    found
}

fn house() -> Vec<Source> {
    let sources = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"));
    assert!(sources.len() > 50, "only {} files were read", sources.len());
    sources
}

#[test]
fn every_module_names_only_floors_below_it_and_every_package_stays_at_home() {
    let wrong = wrong_with(&house());
    assert!(wrong.is_empty(), "{} lines lean on the wrong wall:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn no_two_modules_need_each_other() {
    let circles = circles(&house());
    assert!(circles.is_empty(), "break these circles by moving what is shared one floor down:\n{}", circles.join("\n"));
}

#[test]
fn every_module_of_the_table_is_there() {
    let house = house();
    for module in FLOORS.iter().flat_map(|floor| floor.iter()) {
        assert!(
            house.iter().any(|source| source.module == *module),
            "{module} stands in the table of floors.rs and nowhere in src; take it out"
        );
    }
}

#[test]
fn every_dependency_has_its_place_in_the_table() {
    let manifest = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).unwrap();
    let section = manifest.split("\n[").find_map(|section| section.strip_prefix("dependencies]\n")).expect("[dependencies]");
    let mut packages: Vec<String> =
        section.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim().replace('-', "_")).collect();
    packages.retain(|name| !name.starts_with('#'));
    assert!(packages.len() > 20, "{packages:?}");
    for package in packages {
        let known = EVERYWHERE.contains(&package.as_str()) || HOMES.iter().any(|(home, _)| *home == package);
        assert!(known, "{package} is a new dependency; say in tests/it/floors.rs which module is its home");
    }
}

#[test]
fn a_wrong_wall_is_seen() {
    let source = |path: &str, text: &str| Source::of(path, text);
    let told = |path: &str, text: &str| wrong_with(&[source(path, text)]).join("\n");
    assert_eq!(told("llm/wire/ask.rs", "use crate::{domain::{limits, user}, outbound::Url};\nuse super::result_text;"), "");
    assert!(
        told("llm/wire/ask.rs", "use std::fmt;\nuse crate::{\n    domain::tool,\n    app::{App, AppError},\n};")
            .starts_with("llm/wire/ask.rs:4: llm (floor 3) names app")
    );
    assert!(told("store/mod.rs", "fn f() -> crate::openapi::Catalogue { todo!() }").contains("beside it"));
    assert!(told("store/keys.rs", "use super::super::api::router;").contains("above it"));
    assert!(told("clock.rs", "use super::domain::limits;").contains("beside it"));
    assert!(told("app/mod.rs", "use redis :: Value;").contains("whose home is store"));
    assert!(told("app/mod.rs", "pub extern crate redis;").contains("whose home is store"));
    assert!(told("weather.rs", "").contains("stands on no floor"));
    let words_only =
        "// use crate::api::X;\n/* redis::Value */ fn f() { let _ = \"crate::api::X redis::Value\"; let redis = 1; my::redis::x(); }";
    assert_eq!(told("clock.rs", words_only), "");
    let knot = [source("store/a.rs", "use crate::openapi::B;"), source("openapi/b.rs", "use crate::store::A;")];
    assert_eq!(circles(&knot), ["openapi → store → openapi"]);
}

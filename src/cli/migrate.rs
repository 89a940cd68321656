//! `migrate`: brings the store's keyspace to this program's schema.

use std::process::ExitCode;

use swagger_api_agent::{
    app::open_store,
    clock::Clock,
    secrets::random,
    settings::{Settings, Sources},
    store::migrate::{Keyspace, MIGRATIONS, Migrated, SCHEMA},
};

use super::{say, settings_of};

pub fn run(sources: Sources, only_status: bool) -> ExitCode {
    match settings_of(Settings::load(sources)) {
        Ok(settings) => super::block_on(migrate(settings, only_status)),
        Err(code) => code,
    }
}

async fn migrate(settings: Settings, only_status: bool) -> Result<(), String> {
    if only_status && let Err(nothing) = super::store_is_there(&settings) {
        say(&format!("{nothing}; all steps are due"));
        return Ok(());
    }
    let store = super::opened(move || open_store(&settings, &Clock::System)).await?;
    let keyspace = store.keyspace().await.map_err(|e| e.to_string())?;
    let reached = match keyspace {
        Keyspace::Empty => 0,
        Keyspace::Current => SCHEMA,
        Keyspace::Behind { schema } | Keyspace::Newer { schema } => schema,
    };
    if only_status {
        for step in MIGRATIONS {
            say(&format!("{}  {}", step.name, if step.number <= reached { "has run" } else { "is due" }));
        }
        if let Keyspace::Newer { schema } = keyspace {
            say(&format!("the keyspace has schema {schema}, newer than this program's {SCHEMA}"));
        }
        return Ok(());
    }
    match store.migrate(&random::hex_of(8)).await.map_err(|e| e.to_string())? {
        Migrated::Ran(steps) if steps.is_empty() => say("nothing is due"),
        Migrated::Ran(steps) => steps.iter().for_each(|step| say(&format!("{step}  has run"))),
        Migrated::Held => return Err("another process is migrating this keyspace at the moment".to_owned()),
        Migrated::Newer { schema } => {
            return Err(format!("the keyspace has schema {schema}, newer than this program's {SCHEMA}; run a newer swagger-api-agent"));
        }
    }
    Ok(())
}

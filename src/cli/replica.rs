//! `replica …`: which replicas there are, as the store that the settings name knows it.

use std::process::ExitCode;

use serde_json::Value;
use swagger_api_agent::{
    api::replica_shown,
    clock::rfc3339,
    settings::{Settings, Sources},
    store::contract::replicas::Alive,
};

use super::{ReplicaCommand, say, settings_of};

pub fn run(sources: Sources, command: &ReplicaCommand) -> ExitCode {
    let ReplicaCommand::List { json } = *command;
    match settings_of(Settings::load(sources)) {
        Ok(settings) => super::block_on(list(settings, json)),
        Err(code) => code,
    }
}

async fn list(settings: Settings, as_json: bool) -> Result<(), String> {
    if settings.store.redis_url.is_none() {
        // Whoever could be listed has the file, and then it cannot be opened; if it can be, there is nobody.
        return Err("the embedded store has one process, which says how it is with GET /api/admin/replicas; replicas are listed where \
                    store.redis_url is set"
            .to_owned());
    }
    let alive = super::store_as_it_is(settings).await?.replicas().await.map_err(|e| e.to_string())?;
    if as_json {
        say(&Value::from(alive.iter().map(replica_shown).collect::<Vec<_>>()).to_string());
        return Ok(());
    }
    for Alive { replica, seen_ms } in &alive {
        let state = if replica.draining { "going down" } else { "serving" };
        let memory = replica.memory_bytes.map_or_else(String::new, |bytes| format!("\t{} MiB", bytes / (1024 * 1024)));
        say(&format!(
            "{}\t{}\t{}\t{state}\t{} turns\t{} streams{memory}\tsince {}\tseen {}",
            replica.id,
            replica.version,
            replica.address,
            replica.turns,
            replica.streams,
            rfc3339(replica.started_ms),
            rfc3339(*seen_ms)
        ));
    }
    if alive.is_empty() {
        say("no replica has said in the last 15 seconds that it is there");
    }
    Ok(())
}

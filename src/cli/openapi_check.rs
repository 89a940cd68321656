//! `openapi check`: what can be used of a document, what was set aside, and why.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use serde_json::json;
use swagger_api_agent::{
    app::read_document,
    openapi::{Catalogue, Credential, Operation},
    outbound::Outbound,
    secrets,
    settings::{Api, Settings, Sources},
};

use super::{complain, say, settings_of};

/// Functions of which it is told that their names differ from what the document calls them.
const NAMES_SHOWN_MAX: usize = 20;

pub fn run(sources: Sources, document: Option<&str>, as_json: bool) -> ExitCode {
    let settings = match settings_of(Settings::load(sources)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let apis = document.map_or_else(|| settings.served_apis(), |document| vec![alone(&settings, document)]);
    let mut useless = Vec::new();
    let checked = super::block_on(async {
        secrets::install_crypto();
        let patience = Duration::from_millis(settings.upstream.connect_timeout_ms);
        let outbound = Outbound::new(patience, patience).map_err(|e| e.to_string())?;
        let mut read = Vec::new();
        let mut problems = Vec::new();
        for api in &apis {
            match read_document(api, &outbound).await {
                Ok(catalogue) => read.push((&api.name, catalogue)),
                Err(problem) => problems.push(problem),
            }
        }
        if as_json {
            say(&match read.as_slice() {
                [(_, catalogue)] if apis.len() == 1 => summary(catalogue).to_string(),
                several => {
                    let each: BTreeMap<&str, _> = several.iter().map(|(name, catalogue)| (name.as_str(), summary(catalogue))).collect();
                    json!({"apis": each}).to_string()
                }
            });
        } else {
            for (name, catalogue) in &read {
                if apis.len() > 1 {
                    say(&format!("== {}", if name.is_empty() { "openapi.file" } else { name }));
                }
                show(catalogue);
            }
        }
        useless.extend(read.iter().filter(|(_, catalogue)| catalogue.functions().is_empty()).map(|(name, _)| (*name).clone()));
        if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
    });
    for name in &useless {
        let of = if name.is_empty() { String::new() } else { format!(" of {name}") };
        complain(&format!("no operation of this document{of} can be used"));
    }
    if checked == ExitCode::SUCCESS && !useless.is_empty() { ExitCode::FAILURE } else { checked }
}

/// A document of the command line, read as that of `[openapi]` would be.
fn alone(settings: &Settings, document: &str) -> Api {
    Api {
        file: Some(document.to_owned()),
        server_variables: settings.openapi.server_variables.clone(),
        external_references: settings.openapi.external_references,
        selection: settings.openapi.selection.clone(),
        idempotency: settings.upstream.idempotency.clone(),
        ..Api::default()
    }
}

fn summary(catalogue: &Catalogue) -> serde_json::Value {
    let (info, report) = (catalogue.info(), catalogue.report());
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for one in &report.set_aside {
        *reasons.entry(&one.reason).or_default() += 1;
    }
    json!({
        "title": info.title,
        "version": info.version,
        "openapi": info.openapi,
        "servers": info.servers,
        "credentials": catalogue.schemes().iter().map(|(scheme, credential)| (scheme, meant_by(credential))).collect::<BTreeMap<_, _>>(),
        "fingerprint": catalogue.fingerprint(),
        "usable": catalogue.functions().len(),
        "set_aside": report.set_aside.len(),
        "filtered": report.filtered.len(),
        "reasons": reasons,
        "operations_set_aside": report.set_aside.iter().map(|one| json!({"operation": one.operation, "reason": one.reason})).collect::<Vec<_>>(),
        "operations_named": report.names_given.iter().map(|one| json!({"operation": one.operation, "operation_id": one.operation_id, "name": one.name})).collect::<Vec<_>>(),
        "operations_filtered": report.filtered.iter().map(|one| json!({"operation": one.operation, "rule": one.rule})).collect::<Vec<_>>(),
        "warnings": report.warnings,
        "key_headers": catalogue.operations().iter().filter_map(|one| Some((one.name(), one.key_header()?))).collect::<BTreeMap<_, _>>(),
        "functions": catalogue.functions().iter().map(|function| &function.name).collect::<Vec<_>>(),
    })
}

/// What `upstream.credentials` is to hold for a security scheme.
fn meant_by(credential: &Credential) -> &'static str {
    match credential {
        Credential::Bearer => "a bearer token, { value = … }",
        Credential::ApiKey { .. } => "an API key, { value = … }",
        Credential::Basic => "HTTP Basic, { username = …, password = … }",
        Credential::OAuth2 { token_url: Some(_) } => "OAuth 2.0, { client_id = …, client_secret = … } or a token, { value = … }",
        Credential::OAuth2 { token_url: None } => "OAuth 2.0, a token, { value = … }, or a client with a token_url of its own",
        Credential::Unsupported => "of a kind that is not supported",
    }
}

fn show(catalogue: &Catalogue) {
    let (info, report) = (catalogue.info(), catalogue.report());
    say(&format!("{} {} (OpenAPI {}, fingerprint {})", info.title, info.version, info.openapi, catalogue.fingerprint()));
    let left_out = if report.filtered.is_empty() { String::new() } else { format!(", {} are left out by rules", report.filtered.len()) };
    say(&format!("{} operations can be used, {} were set aside{left_out}", catalogue.functions().len(), report.set_aside.len()));
    for server in &info.servers {
        say(&format!("server     {server}"));
    }
    for (scheme, credential) in catalogue.schemes() {
        say(&format!("credential {scheme}: {}", meant_by(credential)));
    }
    for function in catalogue.functions() {
        let operation = catalogue.operation(&function.name);
        let asked = operation.map(|o| format!("{} {}", o.method(), o.path())).unwrap_or_default();
        let key = operation.and_then(Operation::key_header).map(|header| format!("  (key in {header})")).unwrap_or_default();
        say(&format!("  {}  {asked}{key}", function.name));
    }
    for one in &report.set_aside {
        say(&format!("set aside  {}: {}", one.operation, one.reason));
    }
    let renamed = report.names_given.iter().filter(|one| one.operation_id.is_some());
    if renamed.clone().count() > NAMES_SHOWN_MAX {
        say(&format!("named      {} functions differ from their operationId; --json shows them", renamed.clone().count()));
    }
    for one in renamed.take(NAMES_SHOWN_MAX) {
        let said = one.operation_id.as_deref().unwrap_or_default();
        say(&format!("named      {}: {} instead of {said:?}", one.operation, one.name));
    }
    for one in &report.filtered {
        say(&format!("left out   {}: {}", one.operation, one.rule));
    }
    for warning in &report.warnings {
        say(&format!("warning    {warning}"));
    }
}

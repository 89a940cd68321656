//! `openapi check`: what can be used of a document, what was set aside, and why.

use std::{collections::BTreeMap, process::ExitCode, time::Duration};

use serde_json::json;
use swagger_api_agent::{
    app::read_document,
    domain::{
        policy::{Confirm, ConfirmedBy, Confirms, Decided, Policy, Verdict},
        user::{ROLES, Role},
    },
    openapi::{Catalogue, Credential, Operation, names_over_all},
    outbound::Outbound,
    secrets,
    settings::{Api, Settings, Sources},
    upstream::misfits,
};

use super::{complain, say, settings_of, usable_and_aside};

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
                Ok(catalogue) => read.push((api, catalogue)),
                Err(problem) => problems.push(problem),
            }
        }
        let unfit: Vec<String> = read.iter().flat_map(|(api, catalogue)| misfits(api, catalogue)).collect();
        let policy = settings.whole_policy();
        let own: Vec<(&str, Vec<&str>)> = read.iter().map(|(api, catalogue)| (api.name.as_str(), names(catalogue))).collect();
        let called = names_over_all(&own);
        let read: Vec<_> = read
            .iter()
            .zip(&called)
            .map(|((api, catalogue), called)| {
                let (roles, waits) = (decided(&policy, catalogue, called), confirmed(&policy, catalogue, called));
                (&api.name, Checked { api, catalogue, roles, confirm: policy.confirm, waits })
            })
            .collect();
        if as_json {
            say(&match read.as_slice() {
                [(_, checked)] if apis.len() == 1 => summary(checked).to_string(),
                several => {
                    let each: BTreeMap<&str, _> = several.iter().map(|(name, checked)| (name.as_str(), summary(checked))).collect();
                    json!({"apis": each}).to_string()
                }
            });
        } else {
            for (name, checked) in &read {
                if apis.len() > 1 {
                    say(&format!("== {}", if name.is_empty() { "openapi.file" } else { name }));
                }
                show(checked);
            }
            for problem in unfit.iter().filter(|_| document.is_some()) {
                say(&format!("warning    {problem}"));
            }
            unfit_rules(&policy, read.iter().zip(&called).map(|((_, checked), called)| (checked.catalogue, called)));
        }
        useless.extend(read.iter().filter(|(_, checked)| checked.catalogue.functions().is_empty()).map(|(name, _)| String::clone(name)));
        // Credentials may be meant for the document of the settings and not for one that is named here.
        problems.extend(unfit.into_iter().filter(|_| document.is_none()));
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
        token: settings.upstream.token.clone(),
        credentials: settings.upstream.credentials.clone(),
        idempotency: settings.upstream.idempotency.clone(),
        ..Api::default()
    }
}

/// A document, and what the policy makes of each of its operations, in their order; nothing where there is no policy.
struct Checked<'a> {
    api: &'a Api,
    catalogue: &'a Catalogue,
    roles: Vec<RolesMay>,
    /// Which planned calls wait for a yes where nothing says otherwise.
    confirm: Confirm,
    /// The same of each operation, for each role.
    waits: Vec<[Waits; 2]>,
}

/// Whether planned calls of an operation wait for a yes, and who says so.
struct Waits {
    role: Role,
    mode: Confirm,
    by: String,
    /// Whether nothing but the setting says it.
    by_setting: bool,
    waits: bool,
}

/// Why a role may not call an operation; none: it may.
type RolesMay = Vec<(Role, Option<String>)>;

fn names(catalogue: &Catalogue) -> Vec<&str> {
    catalogue.functions().iter().map(|function| function.name.as_str()).collect()
}

/// What the policy decides of operations whose functions are called so where all APIs are served.
fn decided(policy: &Policy, catalogue: &Catalogue, called: &[String]) -> Vec<RolesMay> {
    if !policy.says_something() {
        return Vec::new();
    }
    let why_not =
        |role, operation: &Operation, function: &str| match policy.decides(role, operation.spec().effect, &operation.asked_as(function)) {
            Decided::ReadOnly => Some("agent.read_only".to_owned()),
            Decided::Rule { number, verdict: Verdict::Deny, operation } => Some(format!("policy rule {number}, {operation}")),
            Decided::Rule { verdict: Verdict::Allow, .. } | Decided::Nothing => None,
        };
    let operations = catalogue.operations().iter().zip(called);
    operations.map(|(operation, function)| ROLES.map(|role| (role, why_not(role, operation, function))).to_vec()).collect()
}

/// Which planned calls of operations wait, where their functions are called so.
fn confirmed(policy: &Policy, catalogue: &Catalogue, called: &[String]) -> Vec<[Waits; 2]> {
    let of = |role, operation: &Operation, function: &str| {
        let Confirms { mode, by } = policy.confirms(role, &operation.asked_as(function), operation.confirm());
        let told = match by {
            ConfirmedBy::Rule { number, operation } => format!("policy rule {number}, {operation}"),
            ConfirmedBy::Document => "x-agent-confirm".to_owned(),
            ConfirmedBy::Setting => "agent.confirm".to_owned(),
        };
        Waits { role, mode, by: told, by_setting: by == ConfirmedBy::Setting, waits: mode.asks(operation.spec().effect) }
    };
    let operations = catalogue.operations().iter().zip(called);
    operations.map(|(operation, function)| ROLES.map(|role| of(role, operation, function))).collect()
}

/// What waits otherwise than the setting says, for people.
fn waits_told(waits: &[Waits; 2]) -> String {
    let told = |one: &Waits| format!("{} ({})", one.mode.as_str(), one.by);
    let [user, admin] = waits;
    match (user.by_setting && admin.by_setting, told(user) == told(admin)) {
        (true, _) => String::new(),
        (false, true) => format!("  confirm {}", told(user)),
        (false, false) => format!(
            "  confirm {}",
            waits.iter().map(|one| format!("{} for {}", told(one), one.role.as_str())).collect::<Vec<_>>().join(", ")
        ),
    }
}

/// What the document asks for and does not get, because it is less than the setting.
fn not_followed(catalogue: &Catalogue, setting: Confirm) -> impl Iterator<Item = String> {
    let less = catalogue.operations().iter().filter_map(move |one| Some((one, one.confirm().filter(|said| *said < setting)?)));
    less.map(move |(one, said)| {
        let (method, path, said, setting) = (one.method(), one.path(), said.as_str(), setting.as_str());
        format!("{method} {path}: `x-agent-confirm` says {said} and agent.confirm {setting}, which counts; a rule of policy may say less")
    })
}

/// What the policy makes of an operation, for people.
fn roles_told(roles: &RolesMay) -> String {
    let may: Vec<&str> = roles.iter().filter(|(_, why_not)| why_not.is_none()).map(|(role, _)| role.as_str()).collect();
    let told = roles.iter().filter_map(|(role, why_not)| Some(format!("not {} ({})", role.as_str(), why_not.as_ref()?)));
    let may = if may.is_empty() { "nobody".to_owned() } else { may.join(" and ") };
    format!("  for {}", std::iter::once(may).chain(told).collect::<Vec<_>>().join(", "))
}

/// Rules of the policy that are about nothing there is.
fn unfit_rules<'a>(policy: &Policy, all: impl Iterator<Item = (&'a Catalogue, &'a Vec<String>)> + Clone) {
    for rule in policy.operations() {
        let mut operations = all.clone().flat_map(|(catalogue, called)| catalogue.operations().iter().zip(called));
        if !operations.any(|(operation, function)| rule.fits(&operation.asked_as(function))) {
            say(&format!("warning    policy: no operation fits the rule {rule}"));
        }
    }
}

fn summary(checked: &Checked<'_>) -> serde_json::Value {
    let Checked { api, catalogue, roles, confirm, waits } = checked;
    let may = |roles: &RolesMay| -> serde_json::Value {
        let one = |(role, why_not): &(Role, Option<String>)| {
            let told = why_not.as_ref().map_or_else(|| json!({"allowed": true}), |why| json!({"allowed": false, "reason": why}));
            (role.as_str().to_owned(), told)
        };
        serde_json::Value::Object(roles.iter().map(one).collect())
    };
    let waits_of = |waits: &[Waits; 2]| -> serde_json::Value {
        let one = |one: &Waits| (one.role.as_str().to_owned(), json!({"mode": one.mode.as_str(), "by": one.by, "waits": one.waits}));
        serde_json::Value::Object(waits.iter().map(one).collect())
    };
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
        "credentials_met": catalogue.schemes().iter().map(|(scheme, credential)| (scheme, met_with(api, scheme, credential))).collect::<BTreeMap<_, _>>(),
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
        "confirm": {
            "agent.confirm": confirm.as_str(),
            "functions": names(catalogue).into_iter().zip(waits.iter().map(waits_of)).collect::<BTreeMap<_, _>>(),
            "not_followed": not_followed(catalogue, *confirm).collect::<Vec<_>>(),
        },
        "roles": names(catalogue).into_iter().zip(roles.iter().map(may)).collect::<BTreeMap<_, _>>(),
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

/// What meets a security scheme, of what the operator has set for everybody.
fn met_with(api: &Api, scheme: &str, credential: &Credential) -> &'static str {
    match () {
        () if api.credentials.contains_key(scheme) => "set",
        () if api.token.is_some() && credential.takes_bearer_token() => "met with the token",
        () => "not set",
    }
}

fn show(checked: &Checked<'_>) {
    let Checked { api, catalogue, roles, confirm, waits } = checked;
    let (info, report) = (catalogue.info(), catalogue.report());
    say(&format!("{} {} (OpenAPI {}, fingerprint {})", info.title, info.version, info.openapi, catalogue.fingerprint()));
    let left_out = match report.filtered.len() {
        0 => String::new(),
        1 => ", 1 is left out by rules".to_owned(),
        several => format!(", {several} are left out by rules"),
    };
    say(&format!("{}{left_out}", usable_and_aside(catalogue.functions().len(), report.set_aside.len())));
    for server in &info.servers {
        say(&format!("server     {server}"));
    }
    for (scheme, credential) in catalogue.schemes() {
        say(&format!("credential {scheme}: {}; {}", meant_by(credential), met_with(api, scheme, credential)));
    }
    say(&format!("confirm    {} (agent.confirm)", confirm.as_str()));
    for (at, function) in catalogue.functions().iter().enumerate() {
        let operation = catalogue.operation(&function.name);
        let roles = roles.get(at).map(roles_told).unwrap_or_default();
        let asked = operation.map(|o| format!("{} {}", o.method(), o.path())).unwrap_or_default();
        let key = operation.and_then(Operation::key_header).map(|header| format!("  (key in {header})")).unwrap_or_default();
        let waits = waits.get(at).map(waits_told).unwrap_or_default();
        say(&format!("  {}  {asked}{key}{roles}{waits}", function.name));
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
    for warning in report.warnings.iter().cloned().chain(not_followed(catalogue, *confirm)) {
        say(&format!("warning    {warning}"));
    }
}

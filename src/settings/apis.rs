//! What is said of APIs: their documents, their places, and the credentials and headers that are sent to them.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    Api, Credential,
    idempotency::{key_rules, probes},
    reader::quoted,
    tables::{Notes, Part, Table},
};
use crate::domain::{
    header::{frames_message, is_field_name},
    limits::{API_NAME_CHARS_MAX, APIS_MAX, ORIGINS_MAX, SELECTION_RULES_MAX},
    selection::{Rule, Selection},
};

const API: [&str; 15] = [
    "name",
    "file",
    "base_url",
    "origins",
    "token",
    "headers",
    "credentials",
    "token_for_changes",
    "credentials_for_changes",
    "idempotency",
    "probes",
    "server_variables",
    "external_references",
    "include",
    "exclude",
];
const CREDENTIAL: [&str; 7] = ["value", "username", "password", "client_id", "client_secret", "token_url", "scopes"];

/// `[[apis]]`.
pub(super) fn apis(whole: &Part<'_>, notes: &mut Notes) -> Vec<Api> {
    let mut apis: Vec<Api> = Vec::new();
    for element in whole.few(APIS_MAX, notes) {
        let Some(table) = element.table(&API, notes) else { continue };
        let api = api(table, notes);
        if !api.name.is_empty() && apis.iter().any(|other| other.name == api.name) {
            notes.refuse(&format!("{}.name", element.path), format!("is {:?}, as another is; every API needs its own name", api.name));
        }
        apis.push(api);
    }
    apis
}

fn api(mut table: Table<'_>, notes: &mut Notes) -> Api {
    let name = table.needed("name", notes, |part, notes| {
        let name = part.text(notes)?;
        if is_api_name(&name) {
            return Some(name);
        }
        let needed = format!("a small letter, then at most {} small letters, digits and hyphens are needed", API_NAME_CHARS_MAX - 1);
        notes.refuse(&part.path, format!("is {}; {needed}", quoted(&name)));
        None
    });
    if let Some(name) = &name {
        table.path = format!("apis.{name}");
    }
    let file = table.needed("file", notes, |part, notes| {
        let file = part.text(notes)?;
        if file.contains("://") { part.url(notes) } else { Some(file) }
    });
    Api {
        name: name.unwrap_or_default(),
        idempotency: table.get("idempotency").map(|part| key_rules(&part, notes)).unwrap_or_default(),
        probes: table.get("probes").map(|part| probes(&part, notes)).unwrap_or_default(),
        file,
        base_url: table.get("base_url").and_then(|part| base_url(&part, notes)),
        origins: table.get("origins").map(|part| origins(&part, notes)).unwrap_or_default(),
        token: table.get("token").and_then(|part| token(&part, notes)),
        headers: table.get("headers").map(|part| headers(&part, notes)).unwrap_or_default(),
        credentials: table.get("credentials").map(|part| credentials(&part, notes)).unwrap_or_default(),
        token_for_changes: table.get("token_for_changes").and_then(|part| token(&part, notes)),
        credentials_for_changes: table.get("credentials_for_changes").map(|part| credentials(&part, notes)).unwrap_or_default(),
        server_variables: table.get("server_variables").map(|part| part.texts(notes)).unwrap_or_default(),
        external_references: table.get("external_references").is_some_and(|part| part.yes_no(notes)),
        selection: Selection {
            include: table.get("include").map(|part| rules(&part, notes)).unwrap_or_default(),
            exclude: table.get("exclude").map(|part| rules(&part, notes)).unwrap_or_default(),
        },
    }
}

/// A list of origins (RFC 6454, 4): scheme, host and port.
pub(super) fn origins(whole: &Part<'_>, notes: &mut Notes) -> Vec<String> {
    let mut origins = Vec::new();
    for text in whole.few_texts(ORIGINS_MAX, notes) {
        let url = Url::parse(&text).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let bare = |url: &Url| {
            url.path() == "/" && url.query().is_none() && url.fragment().is_none() && url.username().is_empty() && url.password().is_none()
        };
        match url.filter(bare) {
            Some(url) => origins.push(url.origin().ascii_serialization()),
            None => {
                notes.refuse(&whole.path, format!("has {}; a scheme, a host and a port are needed: https://up.test:8443", quoted(&text)));
            }
        }
    }
    origins
}

/// A list of rules about operations.
pub(super) fn rules(whole: &Part<'_>, notes: &mut Notes) -> Vec<Rule> {
    let mut rules = Vec::new();
    for text in whole.few_texts(SELECTION_RULES_MAX, notes) {
        match Rule::parse(&text) {
            Ok(rule) => rules.push(rule),
            Err(problem) => notes.refuse(&whole.path, format!("has the rule {}: {problem}", quoted(&text))),
        }
    }
    rules
}

/// `^[a-z][a-z0-9-]{0,31}$`: what the name of a function may begin with, and no underscore, which ends it there.
fn is_api_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    name.len() <= API_NAME_CHARS_MAX && name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(legal)
}

fn base_url(part: &Part<'_>, notes: &mut Notes) -> Option<String> {
    let text = part.url(notes)?;
    let url = Url::parse(&text).ok()?;
    if url.query().is_some() || url.fragment().is_some() {
        notes.refuse(&part.path, "has a query or a fragment; paths cannot be added to it");
        return None;
    }
    Some(text)
}

/// What is sent as `Bearer …` consists of visible ASCII characters (RFC 6750, 2.1).
fn token(part: &Part<'_>, notes: &mut Notes) -> Option<SecretString> {
    let token = part.secret(notes)?;
    if token.expose_secret().bytes().all(|byte| byte.is_ascii_graphic()) {
        return Some(token);
    }
    notes.refuse(&part.path, "has white space or a character outside ASCII in it; the credential alone is needed");
    None
}

/// A table of header fields, by name (RFC 9110, 5.1 and 5.5).
pub(super) fn headers(whole: &Part<'_>, notes: &mut Notes) -> BTreeMap<String, SecretString> {
    let mut headers: BTreeMap<String, SecretString> = BTreeMap::new();
    for (name, part) in whole.members(notes) {
        if !is_field_name(name) {
            notes.refuse(&part.path, "is not the name of a header");
        } else if frames_message(name) {
            notes.refuse(&part.path, "is a header that the sender sets itself");
        } else if headers.keys().any(|other| other.eq_ignore_ascii_case(name)) {
            notes.refuse(&part.path, "is set twice; case does not matter in a header's name");
        }
        let Some(value) = part.secret(notes) else { continue };
        let text = value.expose_secret();
        if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) && text.trim() == text {
            headers.insert(name.to_owned(), value);
        } else {
            notes.refuse(&part.path, "has white space around it or a character outside ASCII in it");
        }
    }
    headers
}

/// A table of credentials, by the name of the document's security scheme.
pub(super) fn credentials(whole: &Part<'_>, notes: &mut Notes) -> BTreeMap<String, Credential> {
    let members = whole.members(notes);
    members.into_iter().filter_map(|(scheme, part)| Some((scheme.to_owned(), credential(&part, notes)?))).collect()
}

/// One of three kinds; which one is said by the members that are there.
fn credential(part: &Part<'_>, notes: &mut Notes) -> Option<Credential> {
    let table = part.table(&CREDENTIAL, notes)?;
    let secret = |name: &str, notes: &mut Notes| table.needed(name, notes, Part::secret);
    let text = |name: &str, notes: &mut Notes| table.needed(name, notes, Part::text);
    let kinds: [(&str, &[&str]); 3] = [
        ("client_id", &["client_id", "client_secret", "token_url", "scopes"]),
        ("username", &["username", "password"]),
        ("value", &["value"]),
    ];
    let Some((kind, own)) = kinds.into_iter().find(|(_, own)| own.iter().any(|name| table.has(name))) else {
        notes.refuse(&part.path, "says nothing; value, or username and password, or client_id and client_secret are needed");
        return None;
    };
    for other in CREDENTIAL.iter().filter(|name| !own.contains(name) && table.has(name)) {
        notes.refuse(&format!("{}.{other}", part.path), format!("cannot stand beside {}", own.join(", ")));
    }
    match kind {
        "value" => secret("value", notes).map(Credential::Secret),
        "username" => {
            let (username, password) = (text("username", notes), secret("password", notes));
            // RFC 7617, 2: the first colon ends the name.
            let username = username.filter(|name| {
                let colon = name.contains(':');
                if colon {
                    notes.refuse(&format!("{}.username", part.path), "has a colon in it, which ends a user name");
                }
                !colon
            });
            Some(Credential::Basic { username: username?, password: password? })
        }
        _ => {
            let (client_id, client_secret) = (text("client_id", notes), secret("client_secret", notes));
            let token_url = table.get("token_url").and_then(|part| part.url(notes));
            let scopes = table.get("scopes").map(|part| part.words(notes));
            Some(Credential::Client { client_id: client_id?, client_secret: client_secret?, token_url, scopes })
        }
    }
}

//! Whether what the operator has set for an API fits its document. Pure.

use std::collections::BTreeSet;

use super::{
    choice::{Service, misfit},
    oauth::token_url_of,
};
use crate::{
    domain::{limits::NEAR_NAMES_MAX, near::nearest, tool::Effect},
    openapi::{Catalogue, Credential, Operation},
    settings,
};

/// What is set that the document cannot take: one sentence each. A service does not start with any.
pub fn misfits(api: &settings::Api, catalogue: &Catalogue) -> Vec<String> {
    let schemes = catalogue.schemes();
    let setting = |scheme: &str| format!("{}.{scheme}", api.setting("credentials"));
    let known = || schemes.keys().map(String::as_str);
    let told = |(name, set): (&String, &settings::Credential)| match schemes.get(name) {
        None => {
            let near = if schemes.len() > NEAR_NAMES_MAX { nearest(name, known(), NEAR_NAMES_MAX) } else { Vec::new() };
            let named = if near.is_empty() { known().take(NEAR_NAMES_MAX).collect() } else { near };
            let has = if named.is_empty() { "it has none".to_owned() } else { format!("it has {}", named.join(", ")) };
            Some(format!("{} names no security scheme of the document; {has}", setting(name)))
        }
        Some(scheme) => misfit(set, scheme).map(|why| format!("{}: {why}", setting(name))),
    };
    let all = || api.credentials.iter().chain(&api.credentials_for_changes);
    let token_urls = all().filter_map(|(name, set)| {
        let settings::Credential::Client { token_url, .. } = set else { return None };
        let documented = schemes.get(name).and_then(|scheme| match scheme {
            Credential::OAuth2 { token_url } => token_url.as_deref(),
            _ => None,
        });
        let why = token_url_of(token_url.as_deref().or(documented)?).err()?;
        Some(format!("{}: {why}", setting(name)))
    });
    let mut misfits: Vec<String> = all().filter_map(told).chain(token_urls).collect();
    // What holds for changes as well is told once.
    let mut told = BTreeSet::new();
    misfits.retain(|misfit| told.insert(misfit.clone()));
    misfits
}

/// Operations whose calls the operator's credentials do not meet.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Unmet {
    pub operations: usize,
    /// Operations that ask for a credential, these among them.
    pub asking: usize,
    /// The schemes that each of these asks for first.
    pub schemes: BTreeSet<String>,
}

/// What the operations of an API ask for, and what of it is not set for everybody. A user's own credentials may meet it all the same.
pub fn unmet(api: &settings::Api, operations: &[Operation]) -> Unmet {
    let (reading, changing) = (Service::of(api), Service::for_changes(api));
    let mut found = Unmet::default();
    for operation in operations {
        let service = match operation.spec().effect {
            Effect::Safe => &reading,
            Effect::Changing => &changing,
        };
        let Some(alternatives) = operation.security().filter(|_| operation.asks_for_credentials()) else { continue };
        found.asking += 1;
        if !alternatives.iter().any(|needs| needs.iter().all(|need| service.meets(need).is_some())) {
            found.operations += 1;
            let first = alternatives.iter().take(1).flatten();
            found.schemes.extend(first.filter(|need| service.meets(need).is_none()).map(|need| need.scheme.clone()));
        }
    }
    found
}

//! Which credentials go with a call: the document's alternatives against what the user and the operator have set. Pure.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::vault::{Own, OwnSecret};
use crate::{
    openapi::{Credential, Need},
    secrets::seal::CannotOpen,
    settings,
};

/// What the operator has set for an API.
#[derive(Debug, Clone, Default)]
pub(super) struct Service {
    /// Not blank.
    pub token: Option<SecretString>,
    /// By the name of the security scheme.
    pub credentials: BTreeMap<String, settings::Credential>,
}

/// Where a credential comes from.
#[derive(Debug, Clone, Copy)]
pub(super) enum Means<'a> {
    /// The user's own.
    Own(&'a OwnSecret),
    /// The operator's, for this scheme.
    Service(&'a settings::Credential),
    /// `upstream.token`.
    Token(&'a SecretString),
}

/// A need, and what meets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Met<'a> {
    /// Empty for `upstream.token` where the document names no scheme.
    pub scheme: &'a str,
    pub credential: &'a Credential,
    pub scopes: &'a [String],
    pub means: Means<'a>,
}

/// What goes with a call.
#[derive(Debug)]
pub(super) enum Choice<'a> {
    /// These, all of them; none at all if it is empty.
    Send(Vec<Met<'a>>),
    /// The user's own credential for this scheme is there, but cannot be used.
    Unusable { scheme: &'a str, reason: &'static str },
    /// The call is not sent: alternatives, with what of each is missing.
    Missing(Vec<Vec<String>>),
}

/// One alternative and how far it can be met.
#[derive(Default)]
struct Way<'a> {
    met: Vec<Met<'a>>,
    /// Whether the user's own is among them.
    own: bool,
    unusable: Option<(&'a str, &'static str)>,
    missing: Vec<&'a Need>,
}

impl Service {
    pub fn of(api: &settings::Api) -> Self {
        let token = api.token.as_ref().map(|token| token.expose_secret().trim()).filter(|token| !token.is_empty());
        Self { token: token.map(Into::into), credentials: api.credentials.clone() }
    }

    /// What goes with methods that change something: what is set for them, and otherwise the same.
    pub fn for_changes(api: &settings::Api) -> Self {
        let all = Self::of(api);
        let own = Self::of(&settings::Api { token: api.token_for_changes.clone(), ..settings::Api::default() });
        let mut credentials = all.credentials;
        credentials.extend(api.credentials_for_changes.clone());
        Self { token: own.token.or(all.token), credentials }
    }

    pub fn is_empty(&self) -> bool {
        self.token.is_none() && self.credentials.is_empty()
    }

    /// What meets a need, and how it is carried: the credential that is set for its scheme; where none is, the token, if the need is met
    /// with a bearer token.
    pub fn meets<'a>(&'a self, need: &'a Need) -> Option<(&'a Credential, Means<'a>)> {
        match self.credentials.get(&need.scheme) {
            Some(set) => misfit(set, &need.credential).is_none().then_some((&need.credential, Means::Service(set))),
            None if need.credential.takes_bearer_token() => self.token.as_ref().map(|token| (&Credential::Bearer, Means::Token(token))),
            None => None,
        }
    }
}

/// Why the operator's credential cannot meet a scheme of this kind.
pub(super) fn misfit(set: &settings::Credential, scheme: &Credential) -> Option<&'static str> {
    use settings::Credential as Set;
    match (scheme, set) {
        (Credential::Unsupported, _) => Some("the document's scheme of that name is of a kind that is not supported"),
        (Credential::Basic, Set::Basic { .. }) => None,
        (Credential::Basic, Set::Secret(secret)) if secret.expose_secret().contains(':') => None,
        (Credential::Basic, Set::Secret(_) | Set::Client { .. }) => Some("the scheme needs a user name and a password"),
        (Credential::ApiKey { .. }, Set::Secret(_)) => None,
        (Credential::ApiKey { .. }, Set::Basic { .. } | Set::Client { .. }) => Some("the scheme needs a key"),
        (Credential::Bearer | Credential::OAuth2 { .. }, Set::Secret(_)) => None,
        (Credential::Bearer | Credential::OAuth2 { .. }, Set::Basic { .. }) => Some("the scheme needs a token, or a client that gets one"),
        (Credential::OAuth2 { token_url: Some(_) }, Set::Client { .. }) => None,
        (_, Set::Client { token_url: Some(_), .. }) => None,
        (_, Set::Client { token_url: None, .. }) => Some("neither it nor the document names a token URL"),
    }
}

/// Picks what goes with a call.
///
/// 1. Where the document says nothing (`None`), `upstream.token` goes along: documents that forget to say are common.
/// 2. The first alternative that can be met with a credential of the user's own among those it needs; what the user has not set may be
///    the operator's.
/// 3. A credential of the user's own that is there but cannot be used ends the search: the call would go out under another name.
/// 4. The first alternative that can be met with the operator's.
/// 5. Nothing, if the document allows it (`[]`, or an alternative without needs).
/// 6. Nothing, if neither the operator nor the user has set any credential for this API: many APIs do not enforce what their documents
///    say, and somebody who has just pointed the service at one must be able to try it; what the API answers says the rest. Whoever has set
///    one means to use credentials: then a call that would be refused is not sent, and the sentence says what is missing.
pub(super) fn choose<'a>(security: Option<&'a [Vec<Need>]>, own: Option<Own<'a>>, service: &'a Service) -> Choice<'a> {
    let Some(alternatives) = security else {
        let token = service.token.as_ref().map(|token| Met {
            scheme: "",
            credential: &Credential::Bearer,
            scopes: &[],
            means: Means::Token(token),
        });
        return Choice::Send(token.into_iter().collect());
    };
    let mut ways: Vec<Way<'a>> = alternatives.iter().map(|needs| way(needs, own, service)).collect();
    let whole = |way: &Way<'_>| way.missing.is_empty() && way.unusable.is_none();
    if let Some(at) = ways.iter().position(|way| whole(way) && way.own) {
        return Choice::Send(ways.swap_remove(at).met);
    }
    if let Some((scheme, reason)) = ways.iter().filter(|way| way.missing.is_empty()).find_map(|way| way.unusable) {
        return Choice::Unusable { scheme, reason };
    }
    if let Some(at) = ways.iter().position(|way| whole(way) && !way.met.is_empty()) {
        return Choice::Send(ways.swap_remove(at).met);
    }
    let optional = alternatives.is_empty() || alternatives.iter().any(Vec::is_empty);
    if optional || (service.is_empty() && own.is_none_or(|own| own.is_empty())) {
        return Choice::Send(Vec::new());
    }
    // What nobody can set is named only where nothing else would do.
    let supported = |way: &&Way<'_>| !way.missing.iter().any(|need| need.credential == Credential::Unsupported);
    let mut named: Vec<&Way<'_>> = ways.iter().filter(supported).collect();
    if named.is_empty() {
        named = ways.iter().collect();
    }
    Choice::Missing(named.iter().map(|way| way.missing.iter().map(|need| need.scheme.clone()).collect()).collect())
}

fn way<'a>(needs: &'a [Need], own: Option<Own<'a>>, service: &'a Service) -> Way<'a> {
    let mut way = Way::default();
    for need in needs {
        let met = |(credential, means)| Met { scheme: &need.scheme, credential, scopes: &need.scopes, means };
        match own.and_then(|own| own.get(&need.scheme)) {
            Some(Ok(secret)) if secret.fits(&need.credential) => {
                way.own = true;
                way.met.push(met((&need.credential, Means::Own(secret))));
            }
            Some(Ok(_)) => way.unusable = Some((&need.scheme, "what is kept for it is of another kind; set it again")),
            Some(Err(CannotOpen)) => {
                way.unusable = Some((&need.scheme, "it cannot be opened with any sealing key that is set; set it again"));
            }
            None => match service.meets(need) {
                Some(means) => way.met.push(met(means)),
                None => way.missing.push(need),
            },
        }
    }
    way
}

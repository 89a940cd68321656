//! The very last step before a call leaves: the operator's headers and the credentials that the document asks for are put on it. Whoever
//! shows, stores or logs a request does so before this, so no secret is in what they see.

use std::sync::Arc;

use secrecy::ExposeSecret;
use tracing::warn;

use super::{
    Terms, Upstream, UpstreamCall,
    choice::{Choice, Means, Met, choose},
    oauth::{Client, Lent},
    vault::UserCredentials,
};
use crate::{
    domain::{
        credential::MissingCredentials,
        tool::{Effect, Outcome, Refusal},
    },
    openapi::{Alternatives, Catalogue, UpstreamRequest},
    settings,
};

/// A request with its secrets on it: it can be sent, and nothing else.
pub struct Authorised {
    request: UpstreamRequest,
    /// Tokens of the operator's clients, which the API may refuse before their time.
    lent: Vec<Lent>,
    /// The request as it was and what it needs, where a refused token is replaced by a new one.
    before: Option<(UpstreamRequest, Option<Alternatives>)>,
}

impl Upstream {
    /// Puts on a request what goes with it: the operator's headers, which win over what the call says, and the credentials that are
    /// chosen for it (see `choose`). The user's own are read from the store only if the operation asks for any.
    ///
    /// This may take a while (the store, a token endpoint): whoever holds a lease looks at it afterwards.
    ///
    /// # Errors
    /// Why it is not sent.
    pub async fn authorise(
        &self,
        request: UpstreamRequest,
        security: Option<&Alternatives>,
        user: &UserCredentials,
    ) -> Result<Authorised, Refusal> {
        let asks = security.is_some_and(|alternatives| alternatives.iter().any(|needs| !needs.is_empty()));
        let own = if asks {
            let unusable = |error| Refusal::CredentialUnusable { scheme: String::new(), reason: format!("{error}") };
            Some(user.of(&self.api).await.map_err(unusable)?)
        } else {
            None
        };
        let service = match Effect::of_method(&request.method) {
            Effect::Safe => &self.service,
            Effect::Changing => &self.service_for_changes,
        };
        let met = match choose(security.map(|alternatives| &**alternatives), own, service) {
            Choice::Send(met) => met,
            Choice::Unusable { scheme, reason } => return Err(unusable(scheme, reason)),
            Choice::Missing(alternatives) => {
                return Err(Refusal::CredentialMissing(MissingCredentials { api: self.api.clone(), alternatives }));
            }
        };
        let mut authorised = Authorised { request, lent: Vec::new(), before: None };
        let renewable = met.iter().any(|met| matches!(met.means, Means::Service(settings::Credential::Client { .. })));
        authorised.before = renewable.then(|| (authorised.request.clone(), security.cloned()));
        self.add_headers(&mut authorised);
        for met in &met {
            self.add(met, &mut authorised, user).await?;
        }
        Ok(authorised)
    }

    /// Sends an authorised call. If the API refuses a token of the operator's client (401), the token is dropped; a safe call is sent once
    /// more with a new one, a changing one is not.
    pub async fn deliver(&self, authorised: Authorised, terms: Terms<'_>, user: &UserCredentials) -> Outcome {
        let outcome = self.exchange(&authorised, terms, user).await;
        let refused = matches!(&outcome, Outcome::Replied(reply) if reply.status == 401);
        if !refused || authorised.lent.is_empty() {
            return outcome;
        }
        for lent in &authorised.lent {
            self.forget(lent, &user.vault).await;
        }
        let Some((request, security)) = authorised.before.filter(|_| terms.effect == Effect::Safe) else { return outcome };
        match self.authorise(request, security.as_ref(), user).await {
            Ok(again) => self.exchange(&again, terms, user).await,
            // What the API said is what there is to tell.
            Err(_) => outcome,
        }
    }

    /// An API may send back what it was sent (in an error that quotes the request, in the address of a redirect), or what it got from
    /// another: nobody reads its reply before secrets are taken out.
    async fn exchange(&self, authorised: &Authorised, terms: Terms<'_>, user: &UserCredentials) -> Outcome {
        let UpstreamRequest { method, url, headers, body } = &authorised.request;
        let mut outcome = self.send(&UpstreamCall { method, url, headers, body: body.as_deref() }, terms).await;
        self.hidden.and(&user.hidden()).in_outcome(&mut outcome);
        outcome
    }

    /// The operator's headers. A call's own value of such a name is replaced; cookies are joined.
    fn add_headers(&self, authorised: &mut Authorised) {
        let headers = &mut authorised.request.headers;
        for (name, value) in self.extra.iter() {
            let value = value.expose_secret();
            match headers.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name)) {
                Some((_, cookies)) if name.eq_ignore_ascii_case("cookie") => *cookies = format!("{cookies}; {value}"),
                Some((_, own)) => value.clone_into(own),
                None => headers.push((name.clone(), value.to_owned())),
            }
        }
    }

    async fn add(&self, met: &Met<'_>, authorised: &mut Authorised, user: &UserCredentials) -> Result<(), Refusal> {
        let secret = match met.means {
            Means::Own(own) => own.carried(),
            Means::Token(token) => token.expose_secret().to_owned(),
            Means::Service(settings::Credential::Secret(secret)) => secret.expose_secret().to_owned(),
            Means::Service(settings::Credential::Basic { username, password }) => format!("{username}:{}", password.expose_secret()),
            Means::Service(set @ settings::Credential::Client { .. }) => {
                let client = Client::meeting(met, set).map_err(|why| unusable(met.scheme, &why))?;
                let Some(client) = client else { return Ok(()) };
                let lent = self.token_for(&client, &user.vault).await.map_err(|why| unusable(met.scheme, &why))?;
                let token = lent.token.expose_secret().to_owned();
                user.hide(&token);
                authorised.lent.push(lent);
                token
            }
        };
        authorised.request.authorise(met.credential, &secret).map_err(|why| unusable(met.scheme, why))
    }

    /// Says once, at the start, that operations ask for credentials and the operator has set none.
    pub fn warn_of_missing(&self, catalogue: &Catalogue) {
        let asking = catalogue.operations().iter().filter(|operation| operation.asks_for_credentials()).count();
        if asking > 0 && self.service.is_empty() && self.extra.is_empty() {
            let (api, setting) = match self.api.as_str() {
                "" => (String::new(), "upstream.credentials".to_owned()),
                name => (format!("{name}: "), format!("apis.{name}.credentials")),
            };
            warn!(
                api = %self.api, operations = asking,
                "{api}operations that ask for credentials: {asking}, and {setting} has none: until a user sets their own \
                 (PUT /api/credentials/{{scheme}}), calls go out without"
            );
        }
    }

    /// The names of the headers that the operator sets for every call.
    pub fn header_names(&self) -> Vec<&str> {
        self.extra.iter().map(|(name, _)| name.as_str()).collect()
    }
}

fn unusable(scheme: &str, reason: &str) -> Refusal {
    Refusal::CredentialUnusable { scheme: scheme.to_owned(), reason: reason.to_owned() }
}

/// The operator's headers, checked.
pub(super) fn extra_headers(api: &settings::Api) -> Result<super::ExtraHeaders, super::BadUpstream> {
    let mut probe = crate::outbound::Headers::default();
    for (name, value) in &api.headers {
        if crate::domain::header::frames_message(name) || probe.add(name, value.expose_secret()).is_err() {
            return Err(super::BadUpstream::Header { name: name.clone() });
        }
    }
    Ok(Arc::new(api.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect()))
}

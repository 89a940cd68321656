//! The API behind the document: sends one call to it with what the operator and the user have set for it, and turns what came into an
//! [`Outcome`].
//!
//! A call takes two steps: [`Upstream::authorise`] puts headers and credentials on the request, [`Upstream::deliver`] sends it. Only the
//! origins that the operator names are called, so no credential goes anywhere else. A redirect is a reply like any other.

use std::sync::Arc;

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use tracing::warn;

use crate::{
    domain::{
        header::frames_message,
        limits,
        tool::{Effect, Outcome, ReplyBody, UpstreamReply},
    },
    outbound::{Headers, Outbound, Reply, SendError, Sending, Url, is_inside, is_never_called},
    redact::Redactor,
    settings,
};

mod again;
#[cfg(test)]
mod again_tests;
mod authorise;
mod body;
mod choice;
#[cfg(test)]
mod choice_tests;
mod fit;
mod oauth;
#[cfg(test)]
mod tests;
mod vault;

pub use self::{
    again::{Terms, known_of_both},
    authorise::Authorised,
    fit::{Unmet, misfits, unmet},
    vault::{Kept, OwnSecret, UserCredentials, Vault},
};

/// Names and values of headers.
type ExtraHeaders = Arc<Vec<(String, SecretString)>>;

/// The API behind the document. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct Upstream {
    outbound: Outbound,
    /// Where it may be called: the base URL's own first. Path and the rest are not looked at.
    origins: Vec<Url>,
    /// Whether what the document says of servers may lead inside ([`leads_inside`]).
    document_leads_inside: bool,
    /// The API's name; empty for the one of `[openapi]` and `[upstream]`.
    api: String,
    /// What every call says unless it says otherwise: what it accepts.
    usual: Headers,
    /// The operator's headers, which go with every call.
    extra: ExtraHeaders,
    /// The operator's credentials for methods that only read.
    service: Arc<choice::Service>,
    /// The operator's credentials for methods that change something.
    service_for_changes: Arc<choice::Service>,
    /// What must not come back.
    hidden: Redactor,
    deadline: std::time::Duration,
    reply_bytes_max: usize,
}

/// One call, built: what openapi made of a planner's arguments.
#[derive(Debug, Clone, Copy)]
struct UpstreamCall<'a> {
    method: &'a str,
    /// Absolute; path and query are escaped and go out as they are.
    url: &'a str,
    headers: &'a [(String, String)],
    body: Option<&'a [u8]>,
}

/// Why there can be no upstream with these settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadUpstream {
    #[error("the base URL of the API is not an http(s) URL")]
    NotHttp,
    #[error("the base URL of the API has a user name or a password in it; credentials belong in upstream.token (SAA_UPSTREAM__TOKEN)")]
    Credentials,
    #[error("the base URL of the API is an address that is never called: link-local, multicast, or where a cloud keeps credentials")]
    NeverCalled,
    #[error("upstream.token cannot be sent in a header (SAA_UPSTREAM__TOKEN)")]
    Token,
    #[error("upstream.headers: the header {name:?} cannot be set for every call")]
    Header { name: String },
}

impl Upstream {
    /// `base_url` is where the operator says the API is: `upstream.base_url`, or the server that the document names. Nothing else is called
    /// but the origins that the operator allows beside it (`upstream.origins`).
    pub fn new(outbound: Outbound, bounds: &settings::Upstream, api: &settings::Api, base_url: &str) -> Result<Self, BadUpstream> {
        let origin = Url::parse(base_url).ok().filter(|url| matches!(url.scheme(), "http" | "https")).ok_or(BadUpstream::NotHttp)?;
        if has_credentials(&origin) {
            return Err(BadUpstream::Credentials);
        }
        if is_never_called(&origin) {
            return Err(BadUpstream::NeverCalled);
        }
        let document_leads_inside = leads_inside(api);
        if api.base_url.is_some() || document_leads_inside {
            outbound.named_by_operator(&origin);
        }
        let credentials = api.credentials.values().chain(api.credentials_for_changes.values());
        let token_urls = credentials.filter_map(|credential| match credential {
            settings::Credential::Client { token_url, .. } => token_url.as_deref(),
            settings::Credential::Secret(_) | settings::Credential::Basic { .. } => None,
        });
        for named in api.origins.iter().map(String::as_str).chain(token_urls).filter_map(|url| Url::parse(url).ok()) {
            outbound.named_by_operator(&named);
        }
        let origins = std::iter::once(Ok(origin)).chain(api.origins.iter().map(|origin| Url::parse(origin))).collect::<Result<_, _>>();
        let (service, service_for_changes) = (choice::Service::of(api), choice::Service::for_changes(api));
        let mut usual = Headers::default();
        let accept = usual.add("accept", "application/json, */*;q=0.5");
        let tokens = [&service.token, &service_for_changes.token];
        let sendable = tokens.into_iter().flatten().try_for_each(|token| Headers::default().add("authorization", token.expose_secret()));
        accept.and(sendable).map_err(|_| BadUpstream::Token)?;
        Ok(Self {
            outbound,
            origins: origins.map_err(|_| BadUpstream::NotHttp)?,
            document_leads_inside,
            api: api.name.clone(),
            usual,
            extra: authorise::extra_headers(api)?,
            service: Arc::new(service),
            service_for_changes: Arc::new(service_for_changes),
            hidden: Redactor::default(),
            deadline: std::time::Duration::from_millis(bounds.timeout_ms),
            reply_bytes_max: bounds.reply_bytes_max,
        })
    }

    /// Takes these out of every reply, beside what the user has set.
    #[must_use]
    pub fn hiding(self, hidden: Redactor) -> Self {
        Self { hidden, ..self }
    }

    /// Sends one call: a changing one once unless it carries a key, any other at most twice ([`again`]). Every way it can go is an [`Outcome`]; the sentences
    /// in it hold neither credentials nor the query.
    async fn send(&self, call: &UpstreamCall<'_>, terms: Terms<'_>) -> Outcome {
        let url = match self.address(call.url) {
            Ok(url) => url,
            Err(why) => return Outcome::Failed(format!("the request was not sent: {why}")),
        };
        let headers = match self.headers(call) {
            Ok(headers) => headers,
            Err(why) => return Outcome::Failed(format!("the request was not sent: {why}")),
        };
        let sending = Sending {
            method: call.method.to_owned(),
            url,
            headers,
            body: call.body.map(Bytes::copy_from_slice),
            deadline: self.deadline,
            reply_bytes_max: self.reply_bytes_max,
        };
        let came = again::send(&self.outbound, sending, terms).await;
        let outcome = match came.last {
            Ok(reply) => Outcome::Replied(replied(reply)),
            Err(error) => {
                // The query may hold secrets; credentials before the host were refused above.
                let what = format!("{} {}", call.method, call.url.split(['?', '#']).next().unwrap_or_default());
                warn!(request = what, effect = ?terms.effect, %error, "{what} got no usable reply: {error}");
                no_reply(&what, error, terms.effect)
            }
        };
        if came.lost_one { known_of_both(outcome) } else { outcome }
    }

    /// The URL to call, if it is on the configured origin and goes out as it was built.
    fn address(&self, text: &str) -> Result<Url, String> {
        if would_change(text) {
            return Err("its path has segments that would be read as another path".to_owned());
        }
        let url = Url::parse(text).map_err(|_| "its address is not a URL".to_owned())?;
        if has_credentials(&url) || !self.may_call(&url) {
            let origin = url.origin().ascii_serialization();
            return Err(format!("{origin} is not the configured API, and upstream.origins does not name it (SAA_UPSTREAM__ORIGINS)"));
        }
        Ok(url)
    }

    /// Whether the operator lets calls go there.
    pub fn may_call(&self, url: &Url) -> bool {
        let same = |origin: &Url| {
            let same_port = url.port_or_known_default() == origin.port_or_known_default();
            url.scheme() == origin.scheme() && url.host() == origin.host() && same_port
        };
        self.origins.iter().any(same)
    }

    fn headers(&self, call: &UpstreamCall<'_>) -> Result<Headers, String> {
        let mut headers = self.usual.clone();
        if call.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("accept")) {
            headers.remove("accept");
        }
        for (name, value) in call.headers {
            if frames_message(name) {
                return Err(format!("the header {name:?} cannot be set by a call"));
            }
            headers.add_secret(name, value).map_err(|_| format!("the value of the header {name:?} cannot be sent"))?;
        }
        Ok(headers)
    }
}

/// Whether servers that the document names may be of this machine or of a network of the operator's: if it is a file of the operator's, the
/// demo, or comes from inside itself. One that comes from elsewhere leads to public addresses, whatever it says.
pub fn leads_inside(api: &settings::Api) -> bool {
    let url = api.file.as_deref().filter(|file| file.starts_with("http://") || file.starts_with("https://"));
    url.is_none_or(|url| Url::parse(url).is_ok_and(|url| is_inside(&url)))
}

fn has_credentials(url: &Url) -> bool {
    !url.username().is_empty() || url.password().is_some()
}

/// Whether a URL parser would read another path than the one written: dot segments (also as `%2e`), back slashes, control characters
/// (WHATWG URL, 4.4). A value that got into a path must not lead to another operation.
fn would_change(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let dots = |segment: &str| {
        // `%2e%2e` is the longest of them, and few segments begin like one.
        segment.len() <= 6
            && segment.starts_with(['.', '%'])
            && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
    };
    url.chars().any(char::is_control) || url.trim() != url || path.contains('\\') || path.split('/').any(dots)
}

fn replied(reply: Reply) -> UpstreamReply {
    let mut room = limits::REPLY_HEADERS_BYTES_MAX;
    let headers = reply
        .headers
        .iter()
        .filter(|(name, _)| !is_credential(name))
        .map_while(|(name, value)| {
            room = room.checked_sub(name.len() + value.len())?;
            Some((name.to_owned(), value.into_owned()))
        })
        .collect();
    let body = body::read(reply.headers.get("content-type"), &reply.body);
    UpstreamReply { status: reply.status, headers, body, kept: None }
}

/// Whether a field of a reply carries, or by its name may carry, something that lets its bearer in. `www-authenticate` only asks for it.
fn is_credential(name: &str) -> bool {
    ["cookie", "authorization", "authentication-info", "token", "api-key", "apikey", "secret", "password"]
        .iter()
        .any(|word| name.contains(word))
}

fn no_reply(what: &str, error: SendError, effect: Effect) -> Outcome {
    match (error, effect) {
        (SendError::NotSent(_) | SendError::BadUrl, _) => Outcome::Failed(format!("{what} was not sent: {error}")),
        (SendError::TooLarge { .. } | SendError::Bomb { .. }, Effect::Safe) => {
            Outcome::Failed(format!("{what}: {error}; ask for less at once, for example by a page, a limit or a filter"))
        }
        (SendError::Packed { .. }, Effect::Safe) => Outcome::Failed(format!("{what}: {error}")),
        // The status says whether it took effect, and that is what matters of a change.
        (SendError::TooLarge { status, .. } | SendError::Bomb { status } | SendError::Packed { status }, Effect::Changing) => {
            let body = ReplyBody::Text(format!("({error} and was not read)"));
            Outcome::Replied(UpstreamReply { status, headers: Vec::new(), body, kept: None })
        }
        (SendError::TimedOut { .. } | SendError::Broken { .. }, Effect::Safe) => Outcome::Failed(format!("{what}: {error}")),
        (SendError::TimedOut { status } | SendError::Broken { status }, Effect::Changing) => Outcome::Unknown(match status {
            Some(status) => format!("{what} was sent; the answer began with status {status}, then: {error}"),
            None => format!("{what} was sent: {error}"),
        }),
    }
}

//! What the document says about credentials: which an operation needs, and how one is put on a request.
//!
//! No secret lives here. Who sends a request holds the secrets, picks an alternative it has them for, and calls
//! [`UpstreamRequest::authorise`]; parameters that carry an API key never become arguments, so a model can neither see nor set one.

use std::{collections::BTreeMap, sync::Arc};

use openapiv3::{APIKeyLocation, SecurityScheme as Shell};
use serde::Deserialize;
use serde_json::Value;

use super::{
    document::{Document, Edition},
    encode::{Keep, percent},
    parameter::Location,
    request::UpstreamRequest,
};
use crate::domain::base64;

/// One credential that an alternative asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The scheme's name in the document.
    pub scheme: String,
    pub credential: Credential,
    pub scopes: Vec<String>,
}

/// How a credential is carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer …` (RFC 6750); tokens of OpenID Connect too.
    Bearer,
    /// `Authorization: Basic …` of `user:password` (RFC 7617).
    Basic,
    ApiKey {
        place: KeyPlace,
        name: String,
    },
    /// A bearer token; `token_url` is where the client-credentials flow gets one.
    OAuth2 {
        token_url: Option<String>,
    },
    /// Anything else: mutual TLS, HTTP digest, a scheme that the document does not define.
    Unsupported,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyPlace {
    Header,
    Query,
    Cookie,
}

impl Credential {
    /// Whether a bearer token meets it: HTTP bearer, OpenID Connect, OAuth 2.0; and an API key in the header `Authorization`, which is how
    /// documents of version 2.0 say bearer, since they have no word for it.
    pub fn takes_bearer_token(&self) -> bool {
        match self {
            Self::Bearer | Self::OAuth2 { .. } => true,
            Self::ApiKey { place: KeyPlace::Header, name } => name.eq_ignore_ascii_case("authorization"),
            Self::ApiKey { .. } | Self::Basic | Self::Unsupported => false,
        }
    }
}

/// Alternatives, each of which is enough; the needs of one belong together.
pub type Alternatives = Arc<[Vec<Need>]>;

/// The document's schemes and the requirement that holds where an operation has none of its own.
pub(super) struct Security {
    schemes: BTreeMap<String, Credential>,
    /// None: the document says nothing of it.
    everywhere: Option<Alternatives>,
}

impl Security {
    pub fn read(document: &Document) -> Self {
        let pointer = if document.edition == Edition::Swagger2 { "/securityDefinitions" } else { "/components/securitySchemes" };
        let schemes = document.root.pointer(pointer).and_then(Value::as_object).into_iter().flatten();
        let schemes = schemes.map(|(name, raw)| (name.clone(), document.follow(raw).map_or(Credential::Unsupported, credential))).collect();
        let mut security = Self { schemes, everywhere: None };
        security.everywhere = document.root.get("security").and_then(|raw| security.alternatives(raw));
        security
    }

    /// What an operation needs: its own requirement (`[]` is none at all), else the document's, else nobody has said.
    pub fn of(&self, operation: &Value) -> Option<Alternatives> {
        operation.get("security").and_then(|raw| self.alternatives(raw)).or_else(|| self.everywhere.clone())
    }

    /// Every scheme that the document defines, by name.
    pub fn into_schemes(self) -> BTreeMap<String, Credential> {
        self.schemes
    }

    /// Whether a parameter is where an API key goes.
    pub fn carries_key(&self, location: Location, name: &str) -> bool {
        self.schemes.values().any(|scheme| match scheme {
            Credential::ApiKey { place: KeyPlace::Header, name: key } => location == Location::Header && key.eq_ignore_ascii_case(name),
            Credential::ApiKey { place: KeyPlace::Query, name: key } => location == Location::Query && key == name,
            Credential::ApiKey { place: KeyPlace::Cookie, name: key } => location == Location::Cookie && key == name,
            _ => false,
        })
    }

    fn alternatives(&self, raw: &Value) -> Option<Alternatives> {
        let need = |(scheme, scopes): (&String, &Value)| Need {
            scheme: scheme.clone(),
            credential: self.schemes.get(scheme).cloned().unwrap_or(Credential::Unsupported),
            scopes: scopes.as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        };
        Some(raw.as_array()?.iter().map(|all| all.as_object().into_iter().flatten().map(need).collect()).collect())
    }
}

fn credential(raw: &Value) -> Credential {
    let says = |key: &str| raw.get(key).and_then(Value::as_str);
    match says("type") {
        // 2.0 says `basic`, and its OAuth 2 has one flow whose address stands in the scheme itself.
        Some("basic") => return Credential::Basic,
        Some("oauth2") if raw.get("flows").is_none() => return Credential::OAuth2 { token_url: says("tokenUrl").map(str::to_owned) },
        _ => {}
    }
    match Shell::deserialize(raw) {
        Ok(Shell::APIKey { location, name, .. }) => {
            let place = match location {
                APIKeyLocation::Header => KeyPlace::Header,
                APIKeyLocation::Query => KeyPlace::Query,
                APIKeyLocation::Cookie => KeyPlace::Cookie,
            };
            Credential::ApiKey { place, name }
        }
        Ok(Shell::HTTP { scheme, .. }) if scheme.eq_ignore_ascii_case("bearer") => Credential::Bearer,
        Ok(Shell::HTTP { scheme, .. }) if scheme.eq_ignore_ascii_case("basic") => Credential::Basic,
        Ok(Shell::OAuth2 { flows, .. }) => Credential::OAuth2 { token_url: flows.client_credentials.map(|flow| flow.token_url) },
        Ok(Shell::OpenIDConnect { .. }) => Credential::Bearer,
        Ok(Shell::HTTP { .. }) | Err(_) => Credential::Unsupported,
    }
}

impl UpstreamRequest {
    /// Puts a secret on the request: a token, `user:password` for [`Credential::Basic`], or an API key. From then on the request must not
    /// be shown. The reason when the secret cannot be carried there; it never quotes the secret.
    pub fn authorise(&mut self, credential: &Credential, secret: &str) -> Result<(), &'static str> {
        let (name, value) = match credential {
            Credential::Bearer | Credential::OAuth2 { .. } => ("Authorization", format!("Bearer {secret}")),
            Credential::Basic => ("Authorization", format!("Basic {}", base64::encode(secret.as_bytes()))),
            Credential::ApiKey { place: KeyPlace::Header, name } => (name.as_str(), secret.to_owned()),
            Credential::ApiKey { place: KeyPlace::Query, name } => {
                self.url.push(if self.url.contains('?') { '&' } else { '?' });
                percent(&mut self.url, name, Keep::Unreserved);
                self.url.push('=');
                percent(&mut self.url, secret, Keep::Unreserved);
                return Ok(());
            }
            Credential::ApiKey { place: KeyPlace::Cookie, name } => ("Cookie", format!("{name}={secret}")),
            Credential::Unsupported => return Err("this kind of credential is not supported"),
        };
        if !value.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err("the secret has characters that a header cannot carry");
        }
        if name == "Cookie" && value.contains(';') {
            return Err("the secret has a semicolon, which a cookie cannot carry");
        }
        let same = self.headers.iter_mut().find(|(own, _)| own.eq_ignore_ascii_case(name));
        match same {
            Some((_, cookies)) if name == "Cookie" => {
                cookies.push_str("; ");
                cookies.push_str(&value);
            }
            Some((_, own)) => *own = value,
            None => self.headers.push((name.to_owned(), value)),
        }
        Ok(())
    }
}

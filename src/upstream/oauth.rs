//! OAuth 2.0 client credentials (RFC 6749, 4.4): a client of the operator's gets a token, and all replicas share it until it ends.

use std::time::{Duration, Instant};

use bytes::Bytes;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use tracing::{info, warn};
use url::{Host, form_urlencoded};

use super::{Upstream, choice::Met, vault::Vault};
use crate::{
    domain::{
        base64,
        limits::{
            TOKEN_REPLY_BYTES_MAX, UPSTREAM_TOKEN_BYTES_MAX, UPSTREAM_TOKEN_MARGIN_SECS, UPSTREAM_TOKEN_POLL_MS,
            UPSTREAM_TOKEN_SECS_DEFAULT, UPSTREAM_TOKEN_SECS_MAX, UPSTREAM_TOKEN_WAIT_MS,
        },
    },
    openapi::Credential,
    outbound::{Headers, Reply, Sending, Url, shown},
    secrets::{digest, random},
    settings,
    store::contract::{
        StoreError,
        credentials::{FetchedToken, UpstreamToken},
    },
};

/// What a sealed token is bound to, beside its place.
const PURPOSE: &str = "upstream token";

/// A client, where it gets its tokens, and what it asks for.
#[derive(Debug)]
pub(super) struct Client<'a> {
    id: &'a str,
    secret: &'a SecretString,
    token_url: Url,
    /// Separated by blanks (RFC 6749, 3.3); empty: the endpoint's default.
    scope: String,
}

/// A token that was got for a call.
#[derive(Debug)]
pub(super) struct Lent {
    pub token: SecretString,
    place: String,
    /// As it is kept: what tells it from one that was fetched since.
    sealed: Vec<u8>,
}

/// RFC 6749, 5.1. Some servers write the number as a text.
#[derive(Deserialize)]
struct Granted {
    access_token: SecretString,
    token_type: Option<String>,
    expires_in: Option<serde_json::Value>,
}

/// RFC 6749, 5.2.
#[derive(Deserialize)]
struct Denied {
    error: String,
}

impl<'a> Client<'a> {
    /// The client that meets a need, if it is met by one; or why its token URL will not do.
    pub fn meeting(met: &Met<'a>, set: &'a settings::Credential) -> Result<Option<Self>, String> {
        let settings::Credential::Client { client_id, client_secret, token_url, scopes } = set else { return Ok(None) };
        let documented = match met.credential {
            Credential::OAuth2 { token_url } => token_url.as_deref(),
            _ => None,
        };
        let token_url = token_url.as_deref().or(documented).ok_or("neither the settings nor the document name a token URL")?;
        let mut scopes = scopes.clone().unwrap_or_else(|| met.scopes.to_vec());
        scopes.sort();
        scopes.dedup();
        Ok(Some(Self { id: client_id, secret: client_secret, token_url: token_url_of(token_url)?, scope: scopes.join(" ") }))
    }

    /// Tells this client's token for this from every other, over all replicas. A secret that was changed makes another place.
    fn place(&self) -> String {
        let secret = self.secret.expose_secret();
        digest::of(&[self.token_url.as_str().as_bytes(), self.id.as_bytes(), secret.as_bytes(), self.scope.as_bytes()])
    }
}

/// A token URL that a secret may be sent to: `https`, or `http` to this very machine.
pub(super) fn token_url_of(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|_| "the token URL is not a URL".to_owned())?;
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    match url.scheme() {
        "https" => Ok(url),
        "http" if loopback => Ok(url),
        _ => Err(format!("the client's secret is not sent to {}: https is needed", shown(&url))),
    }
}

impl Upstream {
    /// A token for a client: the one that is kept; else one of all who ask for it fetches it, and the others wait a moment for it.
    /// The error is a sentence.
    pub(super) async fn token_for(&self, client: &Client<'_>, vault: &Vault) -> Result<Lent, String> {
        let away = |error: StoreError| format!("the token for the API cannot be looked up: {error}");
        let (place, by) = (client.place(), random::hex_of(8));
        // Whoever fetches is done by then, or has failed.
        let claim_ms = u64::try_from(self.deadline.as_millis()).unwrap_or(u64::MAX);
        let until = Instant::now() + Duration::from_millis(UPSTREAM_TOKEN_WAIT_MS);
        loop {
            match vault.store.upstream_token(&place, &by, claim_ms).await.map_err(away)? {
                UpstreamToken::Kept(sealed) => {
                    if let Some(token) = open(vault, &place, &sealed) {
                        return Ok(Lent { token, place, sealed });
                    }
                    // Sealed with a key that this replica does not have: one of its own is as good.
                    return self.fetch(client, vault, place, &by).await;
                }
                UpstreamToken::Awaited { left_ms } if Instant::now() < until => {
                    tokio::time::sleep(Duration::from_millis(left_ms.clamp(1, UPSTREAM_TOKEN_POLL_MS))).await;
                }
                UpstreamToken::Claimed | UpstreamToken::Awaited { .. } => return self.fetch(client, vault, place, &by).await,
            }
        }
    }

    /// Forgets a token that the API has refused.
    pub(super) async fn forget(&self, lent: &Lent, vault: &Vault) {
        if let Err(error) = vault.store.drop_upstream_token(&lent.place, &lent.sealed).await {
            warn!(%error, "a token that the API refused could not be dropped: {error}");
        }
    }

    async fn fetch(&self, client: &Client<'_>, vault: &Vault, place: String, by: &str) -> Result<Lent, String> {
        let fetched = self.ask_for_token(client).await;
        let sealed = fetched.as_ref().ok().and_then(|(token, _)| vault.ring.seal(&[PURPOSE, &place], token.expose_secret().as_bytes()));
        let kept = match (&fetched, &sealed) {
            (Ok((_, lasts)), Some(sealed)) if !lasts.is_zero() => {
                Some(FetchedToken { sealed, lasts_ms: u64::try_from(lasts.as_millis()).unwrap_or(u64::MAX) })
            }
            _ => None,
        };
        if let Err(error) = vault.store.keep_upstream_token(&place, by, kept).await {
            warn!(%error, "the token that was fetched could not be kept: {error}");
        }
        match fetched {
            Ok((token, lasts)) => {
                info!(token_url = shown(&client.token_url), lasts_secs = lasts.as_secs(), "got a token from {}", shown(&client.token_url));
                Ok(Lent { token, place, sealed: sealed.unwrap_or_default() })
            }
            Err(sentence) => {
                warn!(token_url = shown(&client.token_url), "{sentence}");
                Err(sentence)
            }
        }
    }

    /// The token request, and for how long what it brings is used. The secret goes to that very URL: redirects are not followed.
    async fn ask_for_token(&self, client: &Client<'_>) -> Result<(SecretString, Duration), String> {
        let shown = shown(&client.token_url);
        let refused = |why: String| format!("no token could be had from {shown}: {why}");
        // RFC 6749, 2.3.1: both are form-encoded before they become a name and a password.
        let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let scope = if client.scope.is_empty() { String::new() } else { format!("&scope={}", encoded(&client.scope)) };
        let basic = base64::encode(format!("{}:{}", encoded(client.id), encoded(client.secret.expose_secret())).as_bytes());
        let mut headers = Headers::default();
        let set = headers
            .add("accept", "application/json")
            .and(headers.add("content-type", "application/x-www-form-urlencoded"))
            .and(headers.set_secret("authorization", &format!("Basic {basic}")));
        set.map_err(|_| refused("the client cannot be named in a header".to_owned()))?;
        let sending = Sending {
            method: "POST".to_owned(),
            url: client.token_url.clone(),
            headers,
            body: Some(Bytes::from(format!("grant_type=client_credentials{scope}"))),
            deadline: self.deadline,
            reply_bytes_max: TOKEN_REPLY_BYTES_MAX,
        };
        if self.document_leads_inside {
            self.outbound.named_by_operator(&client.token_url);
        }
        let reply = self.outbound.send(sending).await.map_err(|error| refused(error.to_string()))?;
        granted(&reply).map_err(refused)
    }
}

fn open(vault: &Vault, place: &str, sealed: &[u8]) -> Option<SecretString> {
    let token = vault.ring.open(&[PURPOSE, place], sealed).ok()?;
    String::from_utf8(token).ok().map(Into::into)
}

/// What a token endpoint's answer comes to. Nothing of it is quoted but a code of RFC 6749, 5.2.
fn granted(reply: &Reply) -> Result<(SecretString, Duration), String> {
    if reply.status != 200 {
        let plain = |code: &String| code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        let code = serde_json::from_slice::<Denied>(&reply.body).ok().map(|denied| denied.error).filter(plain);
        return Err(match code {
            Some(code) => format!("it answered {} ({code})", reply.status),
            None => format!("it answered {}", reply.status),
        });
    }
    let granted: Granted = serde_json::from_slice(&reply.body).map_err(|_| "its answer holds no access_token".to_owned())?;
    if granted.token_type.as_deref().is_some_and(|kind| !kind.eq_ignore_ascii_case("bearer")) {
        return Err("the token it gives is no bearer token".to_owned());
    }
    let token = granted.access_token.expose_secret();
    if token.is_empty() || token.len() > UPSTREAM_TOKEN_BYTES_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(format!("the token it gives is not 1 to {UPSTREAM_TOKEN_BYTES_MAX} visible characters"));
    }
    let said = granted.expires_in.as_ref().and_then(|secs| secs.as_u64().or_else(|| secs.as_str()?.trim().parse().ok()));
    let secs = said.unwrap_or(UPSTREAM_TOKEN_SECS_DEFAULT).min(UPSTREAM_TOKEN_SECS_MAX);
    // Of a short life a fifth is margin, so that something is left of it.
    let margin = UPSTREAM_TOKEN_MARGIN_SECS.min(secs.div_ceil(5));
    Ok((granted.access_token.clone(), Duration::from_secs(secs - margin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: u16, body: &'static str) -> Result<(String, u64), String> {
        let reply = Reply { status, headers: Headers::default(), body: Bytes::from_static(body.as_bytes()) };
        granted(&reply).map(|(token, lasts)| (token.expose_secret().to_owned(), lasts.as_secs()))
    }

    #[test]
    fn a_token_is_used_until_shortly_before_its_end() {
        let lasts = |body| said(200, body).unwrap().1;
        assert_eq!(said(200, r#"{"access_token":"t","token_type":"Bearer","expires_in":3600}"#), Ok(("t".to_owned(), 3570)));
        assert_eq!(lasts(r#"{"access_token":"t","token_type":"bearer"}"#), 270);
        assert_eq!(lasts(r#"{"access_token":"t","expires_in":"600"}"#), 570);
        assert_eq!(lasts(r#"{"access_token":"t","expires_in":10}"#), 8);
        assert_eq!(lasts(r#"{"access_token":"t","expires_in":0}"#), 0);
        assert_eq!(lasts(r#"{"access_token":"t","expires_in":99999999999}"#), 86_370);
        assert_eq!(lasts(r#"{"access_token":"t","expires_in":-5}"#), 270);
    }

    #[test]
    fn an_answer_without_a_token_says_what_came_and_quotes_nothing() {
        assert_eq!(
            said(401, r#"{"error":"invalid_client","error_description":"canary"}"#),
            Err("it answered 401 (invalid_client)".to_owned())
        );
        assert_eq!(said(400, r#"{"error":"Canary canary"}"#), Err("it answered 400".to_owned()));
        assert_eq!(said(302, ""), Err("it answered 302".to_owned()));
        for body in ["", "[]", r#"{"token":"canary"}"#, r#"{"access_token":7}"#] {
            assert_eq!(said(200, body), Err("its answer holds no access_token".to_owned()), "{body}");
        }
        assert!(said(200, r#"{"access_token":"canary","token_type":"mac"}"#).is_err_and(|why| why.contains("no bearer token")));
        for body in [r#"{"access_token":""}"#, r#"{"access_token":"canary\r\nx: y"}"#] {
            assert!(said(200, body).is_err_and(|why| !why.contains("canary")), "{body}");
        }
    }

    #[test]
    fn a_secret_goes_to_https_or_to_this_machine() {
        for good in ["https://a.test/token", "http://127.0.0.1:8080/t", "http://localhost/t", "http://[::1]/t"] {
            assert!(token_url_of(good).is_ok(), "{good}");
        }
        for bad in ["http://a.test/token", "http://127.0.0.1.a.test/", "http://10.0.0.1/", "ftp://a.test/", "/token", "file:///etc/passwd"]
        {
            assert!(token_url_of(bad).is_err(), "{bad}");
        }
    }
}

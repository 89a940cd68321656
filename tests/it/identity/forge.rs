//! Tokens as forgers make them: header and payload byte by byte, signed with whatever key.

use aws_lc_rs::hmac;
use serde_json::{Value, json};
use swagger_api_agent::{clock::Clock, domain::base64};

use crate::harness::bed::SIGNING_KEY;

/// Base64url without padding (RFC 7515, 2).
pub fn base64url(bytes: impl AsRef<[u8]>) -> String {
    base64::encode(bytes.as_ref()).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// `header.payload.signature`, with an HMAC under any key.
pub fn signed_with(algorithm: hmac::Algorithm, key: &[u8], header: &str, payload: &str) -> String {
    let message = format!("{}.{}", base64url(header), base64url(payload));
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), message.as_bytes());
    format!("{message}.{}", base64url(tag.as_ref()))
}

/// Signed as the service signs, with the service's own key: what is wrong with it is what it says.
pub fn signed(header: &Value, payload: &str) -> String {
    signed_with(hmac::HMAC_SHA256, SIGNING_KEY.as_bytes(), &header.to_string(), payload)
}

/// The header of a good token.
pub fn header() -> Value {
    json!({"typ": "at+jwt", "alg": "HS256"})
}

/// The header of a good token with one field more, or another.
pub fn header_with(name: &str, value: Value) -> Value {
    let mut header = header();
    header[name] = value;
    header
}

/// The claims of a token that would be good for this user.
pub fn claims(user: &str) -> Value {
    let now = Clock::System.now_ms();
    let secs = now / 1000;
    let service = "swagger-api-agent";
    json!({"iss": service, "aud": service, "sub": user, "exp": secs + 3600, "nbf": secs, "iat": secs, "jti": "f", "iat_ms": now, "role": "admin"})
}

/// The same with one claim changed.
pub fn claims_with(user: &str, name: &str, value: Value) -> String {
    let mut claims = claims(user);
    claims[name] = value;
    claims.to_string()
}

/// The same without one.
pub fn claims_without(user: &str, name: &str) -> String {
    let mut claims = claims(user);
    claims.as_object_mut().expect("an object").remove(name);
    claims.to_string()
}

/// The parts of a token.
pub fn parts(token: &str) -> [&str; 3] {
    let parts: Vec<&str> = token.split('.').collect();
    parts.try_into().expect("three parts")
}

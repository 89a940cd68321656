//! Files that are embedded in the binary, as browsers get them: guarded, and tagged by their content.

use std::borrow::Cow;

use axum::{
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::secrets::digest;

/// What these responses may do in a browser (Content Security Policy 3, Trusted Types): scripts, styles, pictures and requests of this
/// origin, no inline code, no frame around them, and no text that becomes HTML or code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// What the page does not use, turned off for it and for whatever would run in it.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), \
     usb=(), xr-spatial-tracking=()";

pub(super) const GUARDS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (HeaderName::from_static("permissions-policy"), PERMISSIONS),
    // Asked again each time: the files of one page must be of one version, and a 304 costs nothing.
    (header::CACHE_CONTROL, "no-cache"),
];

/// One file as it is served.
pub(super) struct File {
    pub name: &'static str,
    pub kind: &'static str,
    pub text: Cow<'static, str>,
    /// Strong, from the content: equal on all replicas of one version (RFC 9110, 8.8.3).
    tag: String,
}

impl File {
    pub fn new(name: &'static str, kind: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let tag = format!("\"{}\"", digest::of(&[text.as_bytes()]));
        Self { name, kind, text, tag }
    }

    pub fn response(&self) -> Response {
        let mut response = self.text.clone().into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        guard(headers);
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// The file; nothing, if the browser has this version (RFC 9110, 13.1.2).
    pub fn response_to(&self, asked: &HeaderMap) -> Response {
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut tags = known.flat_map(|list| list.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        let mut response = self.response();
        if tags.any(|tag| tag == self.tag || tag == "*") {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            *response.body_mut() = axum::body::Body::empty();
            response.headers_mut().remove(header::CONTENT_TYPE);
        }
        response
    }
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

//! Files that are embedded in the binary, as browsers get them: guarded, tagged by their content, and packed for whoever can unpack.

use std::{borrow::Cow, io::Write, sync::OnceLock};

use axum::{
    body::{Body, Bytes},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use flate2::{Compression, write::GzEncoder};

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
    /// Of the content: equal on all replicas of one version.
    digest: String,
    /// The content as gzip (RFC 1952), once somebody asked for it. Empty if it could not be packed.
    packed: OnceLock<Bytes>,
}

impl File {
    pub fn new(name: &'static str, kind: &'static str, text: impl Into<Cow<'static, str>>) -> Self {
        let text = text.into();
        let digest = digest::of(&[text.as_bytes()]);
        Self { name, kind, text, digest, packed: OnceLock::new() }
    }

    /// The file, packed if the browser takes that; nothing, if it has this version (RFC 9110, 13.1.2).
    pub fn response_to(&self, asked: &HeaderMap) -> Response {
        let packed = if takes_gzip(asked) { self.packed() } else { None };
        // Strong, so each form of it has a tag of its own (RFC 9110, 8.8.3).
        let tags = [format!("\"{}\"", self.digest), format!("\"{}-gzip\"", self.digest)];
        let [whole, gzip] = &tags;
        let tag = if packed.is_some() { gzip } else { whole };
        let known = asked.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
        let mut named = known.flat_map(|list| list.split(',')).map(|tag| tag.trim().trim_start_matches("W/"));
        let is_known = named.any(|named| named == "*" || tags.iter().any(|tag| tag == named));

        let mut response = if is_known {
            StatusCode::NOT_MODIFIED.into_response()
        } else if let Some(packed) = packed {
            Body::from(packed).into_response()
        } else {
            self.text.clone().into_response()
        };
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_TYPE);
        if !is_known {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
            if tag == gzip {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            }
        }
        guard(headers);
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        if let Ok(tag) = HeaderValue::from_str(tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    fn packed(&self) -> Option<Bytes> {
        let packed = self.packed.get_or_init(|| {
            let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
            let written = gzip.write_all(self.text.as_bytes()).and_then(|()| gzip.finish());
            written.map(Bytes::from).unwrap_or_default()
        });
        (!packed.is_empty()).then(|| packed.clone())
    }
}

/// Whether somebody says that they can unpack gzip (RFC 9110, 12.5.3).
fn takes_gzip(asked: &HeaderMap) -> bool {
    let accepted = asked.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|list| list.split(',')).any(|coding| {
        let mut parts = coding.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused =
            parts.filter_map(|part| part.strip_prefix("q=")).any(|weight| weight.parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        is_gzip && !refused
    })
}

fn guard(headers: &mut HeaderMap) {
    for (name, value) in GUARDS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    const FILE: &str = "text/plain; charset=utf-8";

    fn asking(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[tokio::test]
    async fn whoever_takes_gzip_gets_the_same_text_in_fewer_bytes() {
        let text = "a line of a file\n".repeat(100);
        let file = File::new("a.txt", FILE, text.clone());
        let response = file.response_to(&asking(header::ACCEPT_ENCODING, "br, gzip;q=0.8"));
        assert_eq!(response.headers()[header::CONTENT_ENCODING], "gzip");
        assert_eq!(response.headers()[header::VARY], "Accept-Encoding");
        let packed = axum::body::to_bytes(response.into_body(), 4096).await.unwrap();
        assert!(packed.len() < text.len() / 4, "{}", packed.len());
        let mut unpacked = String::new();
        flate2::read::GzDecoder::new(packed.as_ref()).read_to_string(&mut unpacked).unwrap();
        assert_eq!(unpacked, text);
    }

    #[tokio::test]
    async fn whoever_does_not_gets_it_as_it_is() {
        let file = File::new("a.txt", FILE, "a line");
        for asked in [HeaderMap::new(), asking(header::ACCEPT_ENCODING, "br"), asking(header::ACCEPT_ENCODING, "gzip;q=0, br")] {
            let response = file.response_to(&asked);
            assert!(!response.headers().contains_key(header::CONTENT_ENCODING));
            assert_eq!(axum::body::to_bytes(response.into_body(), 64).await.unwrap(), "a line");
        }
    }

    #[test]
    fn each_form_has_a_tag_of_its_own_and_either_is_known_again() {
        let file = File::new("a.txt", FILE, "a line");
        let tag = |asked: &HeaderMap| file.response_to(asked).headers()[header::ETAG].clone();
        let gzip = asking(header::ACCEPT_ENCODING, "gzip");
        assert_ne!(tag(&gzip), tag(&HeaderMap::new()));
        for known in [tag(&gzip), tag(&HeaderMap::new())] {
            let response = file.response_to(&HeaderMap::from_iter([(header::IF_NONE_MATCH, known)]));
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
        }
    }
}

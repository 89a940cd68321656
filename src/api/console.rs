//! The console: the page that browsers get, embedded in the binary. It loads nothing from elsewhere, and its policy lets it neither run
//! nor fetch anything that is not one of these files or the service's own API.

use std::sync::LazyLock;

use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};

use super::error::ApiError;
use crate::secrets::digest;

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

/// What these responses may do in a browser (Content Security Policy 3, Trusted Types): scripts, styles, pictures and requests of this
/// origin, no inline code, no frame around them, and no text that becomes HTML or code.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; \
     base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'";

/// What the page does not use, turned off for it and for whatever would run in it.
const PERMISSIONS: &str = "accelerometer=(), autoplay=(), camera=(), display-capture=(), encrypted-media=(), geolocation=(), gyroscope=(), \
     magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), publickey-credentials-get=(), screen-wake-lock=(), \
     usb=(), xr-spatial-tracking=()";

const GUARDS: [(HeaderName, &str); 7] = [
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
struct File {
    name: &'static str,
    kind: &'static str,
    text: &'static str,
    /// Strong, from the content: equal on all replicas of one version (RFC 9110, 8.8.3).
    tag: String,
}

impl File {
    fn new(name: &'static str, kind: &'static str, text: &'static str) -> Self {
        Self { name, kind, text, tag: format!("\"{}\"", digest::of(&[text.as_bytes()])) }
    }

    fn response(&self) -> Response {
        let mut response = self.text.into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.kind));
        guard(headers);
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(header::ETAG, tag);
        }
        response
    }

    /// Nothing, if the browser has this version (RFC 9110, 13.1.2).
    fn response_to(&self, asked: &HeaderMap) -> Response {
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

static PAGE: LazyLock<File> = LazyLock::new(|| File::new("index.html", HTML, include_str!("console/index.html")));

static FILES: LazyLock<[File; 12]> = LazyLock::new(|| {
    [
        File::new("style.css", CSS, include_str!("console/style.css")),
        File::new("icon.svg", SVG, include_str!("console/icon.svg")),
        File::new("app.mjs", SCRIPT, include_str!("console/app.mjs")),
        File::new("calls.mjs", SCRIPT, include_str!("console/calls.mjs")),
        File::new("conversation.mjs", SCRIPT, include_str!("console/conversation.mjs")),
        File::new("element.mjs", SCRIPT, include_str!("console/element.mjs")),
        File::new("examples.mjs", SCRIPT, include_str!("console/examples.mjs")),
        File::new("inline.mjs", SCRIPT, include_str!("console/inline.mjs")),
        File::new("markdown.mjs", SCRIPT, include_str!("console/markdown.mjs")),
        File::new("service.mjs", SCRIPT, include_str!("console/service.mjs")),
        File::new("texts.mjs", SCRIPT, include_str!("console/texts.mjs")),
        File::new("turn.mjs", SCRIPT, include_str!("console/turn.mjs")),
    ]
});

/// The page itself, for a browser that asked for `/`. The same path answers programs with JSON, so caches must look at `Accept`.
pub(super) fn page() -> Response {
    let mut response = PAGE.response();
    response.headers_mut().insert(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// A file that the page loads.
pub(super) async fn file(name: Result<Path<String>, PathRejection>, asked: HeaderMap) -> Response {
    let found = FILES.iter().find(|file| name.as_ref().is_ok_and(|Path(name)| file.name == name));
    found.map_or_else(|| ApiError::no_such_path().into_response(), |file| file.response_to(&asked))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a text names between two others, each time.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
    }

    #[test]
    fn whatever_the_page_and_its_modules_name_is_served() {
        let served: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        let mut named = between(PAGE.text, "\"/console/", "\"");
        assert!(named.len() >= 3, "{named:?}");
        named.extend(FILES.iter().flat_map(|file| between(file.text, "from \"./", "\"")));
        for name in &named {
            assert!(served.contains(name), "{name} is named but not served");
        }
        for name in &served {
            assert!(named.contains(name), "{name} is served but nothing names it");
        }
    }

    #[test]
    fn nothing_parses_html_nor_writes_styles_into_elements() {
        for file in FILES.iter().filter(|file| file.kind == SCRIPT) {
            for word in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "eval(", "Function(", ".style."] {
                assert!(!file.text.contains(word), "{} has {word}", file.name);
            }
        }
        for word in [" style=", " onclick=", " onload=", "<style", "javascript:", "http://", "https://"] {
            assert!(!PAGE.text.contains(word), "index.html has {word}");
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_guards_and_a_tag() {
        let mut answers = vec![page()];
        for known in FILES.iter() {
            answers.push(file(Ok(Path(known.name.to_owned())), HeaderMap::new()).await);
        }
        for answer in answers {
            assert_eq!(answer.status(), StatusCode::OK);
            for (name, value) in GUARDS {
                assert_eq!(answer.headers().get(&name).unwrap(), value, "{name}");
            }
            assert!(answer.headers().contains_key(header::ETAG));
        }
    }

    #[tokio::test]
    async fn a_browser_that_has_the_version_gets_304() {
        let ask = |tag: String| HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_str(&tag).unwrap())]);
        let first = file(Ok(Path("app.mjs".to_owned())), HeaderMap::new()).await;
        let tag = first.headers().get(header::ETAG).unwrap().to_str().unwrap().to_owned();
        for (asked, expected) in [
            (tag.clone(), StatusCode::NOT_MODIFIED),
            (format!("\"other\", W/{tag}"), StatusCode::NOT_MODIFIED),
            ("\"other\"".to_owned(), StatusCode::OK),
        ] {
            assert_eq!(file(Ok(Path("app.mjs".to_owned())), ask(asked)).await.status(), expected);
        }
    }

    #[tokio::test]
    async fn other_files_are_not_found() {
        for name in ["index.html", "../mod.rs", "app.mjs.map", ""] {
            assert_eq!(file(Ok(Path(name.to_owned())), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}

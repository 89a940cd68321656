//! The console: the page that browsers get, the administrator's, and the one for the service's own document, embedded in the binary. They load
//! nothing from elsewhere, and their policy lets them neither run nor fetch anything that is not one of these files or the service's own API.

use std::sync::LazyLock;

use axum::{
    extract::{Path, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{error::ApiError, file::File};

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml";

static PAGE: LazyLock<File> = LazyLock::new(|| File::new("index.html", HTML, include_str!("console/index.html")));
static DOCS: LazyLock<File> = LazyLock::new(|| File::new("docs.html", HTML, include_str!("console/docs.html")));

static ADMIN: LazyLock<File> = LazyLock::new(|| File::new("admin.html", HTML, include_str!("console/admin.html")));

static FILES: LazyLock<[File; 46]> = LazyLock::new(|| {
    [
        File::new("style.css", CSS, include_str!("console/style.css")),
        File::new("icon.svg", SVG, include_str!("console/icon.svg")),
        File::new("account.mjs", SCRIPT, include_str!("console/account.mjs")),
        File::new("admin.css", CSS, include_str!("console/admin.css")),
        File::new("admin.mjs", SCRIPT, include_str!("console/admin.mjs")),
        File::new("admin_audit.mjs", SCRIPT, include_str!("console/admin_audit.mjs")),
        File::new("admin_chart.mjs", SCRIPT, include_str!("console/admin_chart.mjs")),
        File::new("admin_document.mjs", SCRIPT, include_str!("console/admin_document.mjs")),
        File::new("admin_end.mjs", SCRIPT, include_str!("console/admin_end.mjs")),
        File::new("admin_events.mjs", SCRIPT, include_str!("console/admin_events.mjs")),
        File::new("admin_link.mjs", SCRIPT, include_str!("console/admin_link.mjs")),
        File::new("admin_live.mjs", SCRIPT, include_str!("console/admin_live.mjs")),
        File::new("admin_log.mjs", SCRIPT, include_str!("console/admin_log.mjs")),
        File::new("admin_parts.mjs", SCRIPT, include_str!("console/admin_parts.mjs")),
        File::new("admin_replicas.mjs", SCRIPT, include_str!("console/admin_replicas.mjs")),
        File::new("admin_session.mjs", SCRIPT, include_str!("console/admin_session.mjs")),
        File::new("admin_sessions.mjs", SCRIPT, include_str!("console/admin_sessions.mjs")),
        File::new("admin_stats.mjs", SCRIPT, include_str!("console/admin_stats.mjs")),
        File::new("admin_table.mjs", SCRIPT, include_str!("console/admin_table.mjs")),
        File::new("admin_texts.mjs", SCRIPT, include_str!("console/admin_texts.mjs")),
        File::new("admin_turns.mjs", SCRIPT, include_str!("console/admin_turns.mjs")),
        File::new("admin_user_form.mjs", SCRIPT, include_str!("console/admin_user_form.mjs")),
        File::new("admin_users.mjs", SCRIPT, include_str!("console/admin_users.mjs")),
        File::new("app.mjs", SCRIPT, include_str!("console/app.mjs")),
        File::new("calls.mjs", SCRIPT, include_str!("console/calls.mjs")),
        File::new("chat.mjs", SCRIPT, include_str!("console/chat.mjs")),
        File::new("clock.mjs", SCRIPT, include_str!("console/clock.mjs")),
        File::new("confirmation.mjs", SCRIPT, include_str!("console/confirmation.mjs")),
        File::new("conversation.mjs", SCRIPT, include_str!("console/conversation.mjs")),
        File::new("docs.mjs", SCRIPT, include_str!("console/docs.mjs")),
        File::new("element.mjs", SCRIPT, include_str!("console/element.mjs")),
        File::new("examples.mjs", SCRIPT, include_str!("console/examples.mjs")),
        File::new("form.mjs", SCRIPT, include_str!("console/form.mjs")),
        File::new("functions.mjs", SCRIPT, include_str!("console/functions.mjs")),
        File::new("highlight.mjs", SCRIPT, include_str!("console/highlight.mjs")),
        File::new("inline.mjs", SCRIPT, include_str!("console/inline.mjs")),
        File::new("live.mjs", SCRIPT, include_str!("console/live.mjs")),
        File::new("markdown.mjs", SCRIPT, include_str!("console/markdown.mjs")),
        File::new("service.mjs", SCRIPT, include_str!("console/service.mjs")),
        File::new("sessions.mjs", SCRIPT, include_str!("console/sessions.mjs")),
        File::new("sign_in.mjs", SCRIPT, include_str!("console/sign_in.mjs")),
        File::new("stream.mjs", SCRIPT, include_str!("console/stream.mjs")),
        File::new("tabs.mjs", SCRIPT, include_str!("console/tabs.mjs")),
        File::new("texts.mjs", SCRIPT, include_str!("console/texts.mjs")),
        File::new("toast.mjs", SCRIPT, include_str!("console/toast.mjs")),
        File::new("turn.mjs", SCRIPT, include_str!("console/turn.mjs")),
    ]
});

/// The page itself, for a browser that asked for `/`. The same path answers programs with JSON, so caches must look at `Accept`.
pub(super) fn page(asked: &HeaderMap) -> Response {
    let mut response = PAGE.response_to(asked);
    response.headers_mut().append(header::VARY, HeaderValue::from_static("Accept"));
    response
}

/// The page on which the service's own document is read and tried.
pub(super) async fn docs(asked: HeaderMap) -> Response {
    DOCS.response_to(&asked)
}

/// The administrator's page. Everybody may have it: it shows nothing but what the service answers to whoever is signed in.
pub(super) async fn admin(asked: HeaderMap) -> Response {
    ADMIN.response_to(&asked)
}

/// A file that the pages load.
pub(super) async fn file(name: Result<Path<String>, PathRejection>, asked: HeaderMap) -> Response {
    let found = FILES.iter().find(|file| name.as_ref().is_ok_and(|Path(name)| file.name == name));
    found.map_or_else(|| ApiError::no_such_path().into_response(), |file| file.response_to(&asked))
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;

    use super::*;
    use crate::{
        api::file::GUARDS,
        domain::{audit::Action, scope::Scope},
    };

    /// What a text names between two others, each time.
    fn between<'a>(text: &'a str, before: &str, after: &str) -> Vec<&'a str> {
        text.split(before).skip(1).filter_map(|rest| rest.split(after).next()).collect()
    }

    #[test]
    fn whatever_the_page_and_its_modules_name_is_served() {
        let served: Vec<&str> = FILES.iter().map(|file| file.name).collect();
        let mut named = between(&PAGE.text, "\"/console/", "\"");
        assert!(named.len() >= 3, "{named:?}");
        named.extend([&DOCS, &ADMIN].into_iter().flat_map(|page| between(&page.text, "\"/console/", "\"")));
        named.extend(FILES.iter().flat_map(|file| between(&file.text, "import \"./", "\"")));
        named.extend(FILES.iter().flat_map(|file| between(&file.text, "from \"./", "\"")));
        // What is loaded when it is needed first.
        named.extend(FILES.iter().flat_map(|file| between(&file.text, "import(\"./", "\"")));
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
            for page in [&PAGE, &DOCS, &ADMIN] {
                assert!(!page.text.contains(word), "{} has {word}", page.name);
            }
        }
    }

    #[test]
    fn every_scope_and_every_action_of_the_audit_log_is_explained_to_administrators() {
        let texts = FILES.iter().find(|file| file.name == "admin_texts.mjs").unwrap();
        let explained = |name: &str| texts.text.contains(&format!("  \"{name}\": [\"")) || texts.text.contains(&format!("  {name}: [\""));
        for scope in Scope::ALL {
            assert!(explained(scope.as_str()), "{}", scope.as_str());
        }
        for action in Action::ALL {
            assert!(explained(action.as_str()), "{}", action.as_str());
        }
    }

    #[tokio::test]
    async fn every_answer_carries_the_guards_and_a_tag() {
        let mut answers = vec![page(&HeaderMap::new()), docs(HeaderMap::new()).await, admin(HeaderMap::new()).await];
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

    /// What a browser loads before anybody has signed in: the page, what it names, and what the modules import from each other.
    fn first_load() -> Vec<&'static File> {
        let named =
            |file: &'static File| between(&file.text, "\"/console/", "\"").into_iter().chain(between(&file.text, "from \"./", "\""));
        let mut loaded: Vec<&'static File> = vec![&PAGE];
        let mut at = 0;
        while let Some(file) = loaded.get(at).copied() {
            for name in named(file) {
                let next = FILES.iter().find(|file| file.name == name).unwrap();
                if !loaded.iter().any(|known| known.name == next.name) {
                    loaded.push(next);
                }
            }
            at += 1;
        }
        loaded
    }

    #[tokio::test]
    async fn the_first_load_stays_small() {
        const FIRST_LOAD_BYTES_MAX: usize = 80 * 1024;
        let asked = HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        let files = first_load();
        assert!(files.len() > 10 && !files.iter().any(|file| file.name == "functions.mjs"), "screens are loaded when they are opened");
        let mut bytes = 0;
        for file in files {
            bytes += axum::body::to_bytes(file.response_to(&asked).into_body(), usize::MAX).await.unwrap().len();
        }
        assert!(bytes <= FIRST_LOAD_BYTES_MAX, "{bytes}");
    }

    #[tokio::test]
    async fn other_files_are_not_found() {
        for name in ["index.html", "../mod.rs", "app.mjs.map", ""] {
            assert_eq!(file(Ok(Path(name.to_owned())), HeaderMap::new()).await.status(), StatusCode::NOT_FOUND, "{name}");
        }
    }
}

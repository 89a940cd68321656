//! A reply that was told in part: all of it as it came, or a page of it.

use axum::{
    extract::{Path, Query, State, rejection::PathRejection},
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};

use super::{error::ApiError, extract::Caller, problem::Problem, query::Asked};
use crate::{
    app::{App, Part},
    domain::{kept::KeptReply, limits::RESULT_SEARCH_CHARS_MAX, tool::ReplyBody},
    excerpt::page::Wanted,
};

/// What an API sent is shown as nothing but data: it can neither run nor load anything, should a browser ever open it.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox; default-src 'none'");

/// Without a query the whole reply with its own content type; with `?path=&offset=&limit=&search=` a page of it as JSON.
pub(super) async fn result(
    State(app): State<App>,
    Caller(caller): Caller,
    id: Result<Path<String>, PathRejection>,
    query: Query<Asked>,
) -> Result<Response, ApiError> {
    // What is no text is no id either.
    let id = id.map(|Path(id)| id).unwrap_or_default();
    let mut query = query.0;
    let (path, search) = (query.text("path"), query.text("search"));
    let (offset, limit) = (query.number("offset", 0, u64::MAX), query.number("limit", 1, u64::MAX));
    if search.as_ref().is_some_and(|search| search.chars().nth(RESULT_SEARCH_CHARS_MAX).is_some()) {
        query.problem(Problem::too_long("search", RESULT_SEARCH_CHARS_MAX));
    }
    query.done()?;
    let part = path.is_some() || search.is_some() || offset.is_some() || limit.is_some();
    let count = |number: u64| usize::try_from(number).unwrap_or(usize::MAX);
    let wanted = part.then(|| Wanted {
        path: path.unwrap_or_default(),
        offset: offset.map_or(0, count),
        limit: limit.map(count),
        search: search.filter(|search| !search.is_empty()),
    });
    Ok(match app.result(&caller, &id, wanted.as_ref()).await? {
        Part::Whole(reply) => whole(reply),
        Part::Page(page) => {
            // The page is an object with members: it gets what every answer has.
            let told = page.strip_prefix('{').map_or(page.clone(), |rest| format!("{{\"success\":true,{rest}"));
            ([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], told).into_response()
        }
    })
}

fn whole(reply: KeptReply) -> Response {
    let KeptReply { content_type, body } = reply;
    let (usual, bytes) = match body {
        ReplyBody::Empty => ("application/octet-stream", Vec::new().into()),
        ReplyBody::Json(json) => ("application/json", json.get().to_owned().into()),
        ReplyBody::Text(text) => ("text/plain; charset=utf-8", text.into()),
        ReplyBody::Binary { content, .. } => ("application/octet-stream", content),
    };
    // A text was read into UTF-8 whatever it came in.
    let said = HeaderValue::from_str(&utf8(&content_type)).ok().filter(|said| !said.is_empty());
    let headers = [
        (header::CONTENT_TYPE, said.unwrap_or(HeaderValue::from_static(usual))),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment")),
        (header::CONTENT_SECURITY_POLICY, SANDBOX),
    ];
    (headers, bytes).into_response()
}

/// A content type with the charset that is sent, if it names one.
fn utf8(content_type: &str) -> String {
    let mut parts = content_type.split(';').map(str::trim);
    let essence = parts.next().unwrap_or_default();
    let parts = parts.map(|part| {
        let charset = part.get(..8).is_some_and(|name| name.eq_ignore_ascii_case("charset="));
        if charset { "charset=utf-8" } else { part }
    });
    std::iter::once(essence).chain(parts).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::utf8;

    #[test]
    fn a_charset_is_what_is_sent() {
        for (came, sent) in [
            ("", ""),
            ("application/json", "application/json"),
            ("text/html;Charset=gbk", "text/html; charset=utf-8"),
            ("text/csv; header=present; charset=\"latin1\"", "text/csv; header=present; charset=utf-8"),
            ("text/plain; 字符集长长长长", "text/plain; 字符集长长长长"),
        ] {
            assert_eq!(utf8(came), sent);
        }
    }
}

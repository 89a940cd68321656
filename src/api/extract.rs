//! What handlers take: who calls, in which language, and a checked body.

use std::time::Duration;

use axum::{
    body::HttpBody,
    extract::{FromRequest, FromRequestParts, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use serde_json::{Map, Value};

use super::{context::Context, error::ApiError, problem::Problem, query::Asked};
use crate::{
    app::App,
    domain::{json::depth, language::Language, limits::JSON_DEPTH_MAX, rate::Counted, session::SessionId, unrepeated::repeated_names},
    secrets::{
        api_key,
        tokens::{Bearer, GoodFor},
    },
};

/// The header that says which session a request is about.
const SESSION_ID: &str = "x-session-id";
/// What most fields need.
const A_TEXT: (&str, &str) = ("a text", "文本");
/// How many names that stand twice a client is told of, and how much of each, in characters.
const REPEATED_NAMES_TOLD_MAX: usize = 5;
const REPEATED_NAME_CHARS_TOLD: usize = 64;

/// A caller with a valid token. Whether it was revoked is found out by the store, with whatever the handler does there.
pub(super) struct Caller(pub Bearer);

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let bearer = bearer_of(parts, app).await?;
        match bearer.good_for {
            GoodFor::Everything | GoodFor::Key { .. } => Ok(Self(bearer)),
            GoodFor::PasswordChange => Err(ApiError::password_change_required()),
        }
    }
}

/// As [`Caller`], but only one who has logged in.
pub(super) struct LoggedIn(pub Bearer);

impl FromRequestParts<App> for LoggedIn {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let Person(bearer) = Person::from_request_parts(parts, app).await?;
        if bearer.good_for == GoodFor::PasswordChange {
            return Err(ApiError::password_change_required());
        }
        Ok(Self(bearer))
    }
}

/// As [`LoggedIn`], but also one who must change the password before anything else.
pub(super) struct Person(pub Bearer);

impl FromRequestParts<App> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let bearer = bearer_of(parts, app).await?;
        match bearer.good_for {
            GoodFor::Everything | GoodFor::PasswordChange => Ok(Self(bearer)),
            GoodFor::Key { .. } => Err(ApiError::api_key_not_allowed()),
        }
    }
}

/// Whom the request's token or API key names.
async fn bearer_of(parts: &Parts, app: &App) -> Result<Bearer, ApiError> {
    let token = token_of(&parts.headers)?;
    let bearer = if token.starts_with(api_key::PREFIX) { app.bearer_of_key(token).await?? } else { app.caller(token).await? };
    // What is known of a token is shared; what is counted, and which session is meant, is of this request.
    let bearer = Bearer { counted: Counted::default(), session: session_of(parts), ..bearer };
    if let Some(context) = parts.extensions.get::<Context>() {
        context.name(&bearer.user);
        context.counts(&bearer.counted);
        app.seen().of(&bearer.user).into_iter().for_each(|known| context.knows(known));
    }
    Ok(bearer)
}

/// The session that the request is about, by its header or its query; without a name it is the one that every user has.
fn session_of(parts: &Parts) -> Option<SessionId> {
    if let Some(named) = parts.headers.get(SESSION_ID) {
        return Some(SessionId::named(named.to_str().unwrap_or_default()));
    }
    // Most requests name none, and are not looked into further.
    parts.uri.query().filter(|query| query.contains("session_id"))?;
    let Query(asked) = Query::<Asked>::try_from_uri(&parts.uri).ok()?;
    asked.text_of("session_id").map(|named| SessionId::named(&named))
}

/// The caller, asking about the session that the body names, if it names one.
pub(super) fn naming(caller: Bearer, named: Option<&str>) -> Result<Bearer, ApiError> {
    let Some(named) = named.map(SessionId::named) else { return Ok(caller) };
    if caller.session.as_ref().is_some_and(|other| *other != named) {
        return Err(ApiError::new(
            StatusCode::CONFLICT,
            "session_ambiguous",
            "session_id is another session than X-Session-Id names: name one",
            "session_id 与 X-Session-Id 指定的会话不同：请只指定一个",
        ));
    }
    Ok(Bearer { session: Some(named), ..caller })
}

/// A caller if the request has a valid token; nobody otherwise, and no complaint.
pub(super) struct MaybeCaller(pub Option<Bearer>);

impl FromRequestParts<App> for MaybeCaller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        Ok(Self(Caller::from_request_parts(parts, app).await.ok().map(|caller| caller.0)))
    }
}

fn token_of(headers: &HeaderMap) -> Result<&str, ApiError> {
    let Some(value) = headers.get(header::AUTHORIZATION) else {
        return Err(ApiError::unauthorized(
            "token_missing",
            "the Authorization header is missing: log in first",
            "缺少 Authorization 头，请先登录",
        ));
    };
    // RFC 6750, 2.1; the scheme's case does not matter (RFC 9110, 11.1).
    let token = value.to_str().ok().and_then(|text| text.split_once(' ')).filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    token.map(|(_, token)| token).ok_or_else(|| {
        ApiError::unauthorized(
            "token_malformed",
            "the Authorization header is not of the form `Bearer <token>`",
            "Authorization 头格式应为 `Bearer <token>`",
        )
    })
}

/// The language of the answer.
pub(super) struct Spoken(pub Language);

impl<S: Sync> FromRequestParts<S> for Spoken {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(parts.extensions.get::<Context>().map_or(Language::English, Context::language)))
    }
}

/// A JSON body of a known shape.
pub(super) struct Body<T>(pub T);

/// A shape that can be read from the fields of a JSON object, all that is wrong with it at once.
pub(super) trait Shape: Sized {
    fn read(fields: &mut Fields) -> Option<Self>;
}

impl<T: Shape> FromRequest<App> for Body<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let bytes = body_of(request, app, app.settings().server.body_bytes_max).await?;
        let mut fields = Fields::of(&bytes).map_err(|problem| ApiError::invalid_body(vec![problem]))?;
        match T::read(&mut fields) {
            Some(shape) if fields.problems.is_empty() => Ok(Self(shape)),
            _ => Err(ApiError::invalid_body(fields.problems)),
        }
    }
}

/// The bytes of a JSON body that may have so many.
pub(super) async fn body_of(request: Request, app: &App, max: usize) -> Result<Bytes, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_media_type",
            "the body must be JSON: send Content-Type: application/json",
            "请求内容必须是 JSON：请设置 Content-Type: application/json",
        ));
    }
    if request.headers().get(header::CONTENT_ENCODING).is_some_and(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity")) {
        // RFC 9110, 8.4: what is packed would have to be unpacked before its size is known.
        return Err(ApiError::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported_content_encoding",
            "the body must not be compressed: leave Content-Encoding out",
            "请求内容不能压缩：请去掉 Content-Encoding",
        ));
    }
    let reading = Limited::new(request.into_body(), max).collect();
    match tokio::time::timeout(Duration::from_millis(app.settings().server.body_timeout_ms), reading).await {
        Err(_) => {
            Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "body_timeout", "the body did not come in time", "请求内容未能及时到达")
                .closing())
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => Err(ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body_too_large",
            format!("the body has more than {max} bytes"),
            format!("请求内容超过 {max} 字节"),
        )
        .closing()),
        Ok(Err(_)) => Err(ApiError::invalid_body(vec![Problem::new("it ended too early", "内容不完整")])),
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
    }
}

/// A JSON body of a known shape, or none at all.
pub(super) struct MaybeBody<T>(pub T);

impl<T: Shape + Default> FromRequest<App> for MaybeBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        if request.body().is_end_stream() {
            return Ok(Self(T::default()));
        }
        Body::from_request(request, app).await.map(|Body(shape)| Self(shape))
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(kind) = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()) else { return false };
    let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || (essence.starts_with("application/") && essence.ends_with("+json"))
}

/// The fields of a JSON object and what was found wrong with them.
pub(super) struct Fields {
    map: Map<String, Value>,
    problems: Vec<Problem>,
}

impl Fields {
    fn of(bytes: &[u8]) -> Result<Self, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let at = e.valid_up_to();
            Problem::new(format!("it is not UTF-8: byte {at} is wrong"), format!("不是 UTF-8：第 {at} 个字节有误"))
        })?;
        if depth(text) > JSON_DEPTH_MAX {
            return Err(Problem::new(format!("it nests deeper than {JSON_DEPTH_MAX} levels"), format!("嵌套超过 {JSON_DEPTH_MAX} 层")));
        }
        match serde_json::from_str(text) {
            Ok(Value::Object(map)) => {
                let problems = repeated_names(text, REPEATED_NAMES_TOLD_MAX).iter().map(|name| twice(name)).collect();
                Ok(Self { map, problems })
            }
            Ok(_) => Err(Problem::new("it is JSON, but no object", "是 JSON，但不是对象")),
            Err(error) => Err(Problem::new(
                format!("it is not JSON: {error}"),
                format!("不是 JSON：第 {} 行第 {} 列：{error}", error.line(), error.column()),
            )),
        }
    }

    /// A text that must be there and must not be blank.
    pub fn text(&mut self, name: &str, chars_max: usize) -> Option<String> {
        match self.map.remove(name) {
            None | Some(Value::Null) => self.wrong(Problem::missing(name)),
            Some(Value::String(text)) if text.trim().is_empty() => self.wrong(Problem::empty(name)),
            Some(Value::String(text)) if text.chars().nth(chars_max).is_some() => self.wrong(Problem::too_long(name, chars_max)),
            Some(Value::String(text)) => Some(text),
            Some(other) => self.wrong(Problem::wrong_type(name, &other, A_TEXT)),
        }
    }

    /// A text that must be there; it may be anything.
    pub fn secret(&mut self, name: &str) -> Option<String> {
        match self.map.remove(name) {
            None | Some(Value::Null) => self.wrong(Problem::missing(name)),
            Some(Value::String(text)) => Some(text),
            Some(other) => self.wrong(Problem::wrong_type(name, &other, A_TEXT)),
        }
    }

    /// A text that may be missing; it may be anything.
    pub fn maybe_text(&mut self, name: &str) -> Option<String> {
        match self.map.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text),
            Some(other) => self.wrong(Problem::wrong_type(name, &other, A_TEXT)),
        }
    }

    /// True or false, or missing.
    pub fn maybe_flag(&mut self, name: &str) -> Option<bool> {
        match self.map.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Bool(flag)) => Some(flag),
            Some(other) => self.wrong(Problem::wrong_type(name, &other, ("true or false", " true 或 false"))),
        }
    }

    /// Whatever it is, `null` too, or missing.
    pub fn maybe(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name)
    }

    /// An object that may be missing.
    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.map.remove(name) {
            None | Some(Value::Null) => None,
            Some(Value::Object(map)) => Some(map),
            Some(other) => self.wrong(Problem::wrong_type(name, &other, ("an object", "对象"))),
        }
    }

    /// Whether something was found wrong so far.
    pub fn are_wrong(&self) -> bool {
        !self.problems.is_empty()
    }

    /// Notes a problem.
    pub fn wrong<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.push(problem);
        None
    }
}

fn twice(name: &str) -> Problem {
    let shown: String = name.chars().take(REPEATED_NAME_CHARS_TOLD).collect();
    let cut = if shown.len() < name.len() { "…" } else { "" };
    Problem::new(
        format!("{shown:?}{cut} stands more than once in one object; each name must stand once"),
        format!("{shown:?}{cut} 在同一对象中出现多次，每个名称只能出现一次"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn english(fields: &Fields) -> Vec<&str> {
        fields.problems.iter().map(|problem| problem.said_in(Language::English)).collect()
    }

    #[test]
    fn all_that_is_wrong_with_a_body_is_told_at_once() {
        let mut fields = Fields::of(br#"{"message": 5, "context": []}"#).unwrap();
        let message = fields.text("message", 10);
        let context = fields.object("context");
        assert!(message.is_none() && context.is_none());
        assert_eq!(english(&fields), ["message is a number; a text is needed", "context is a list; an object is needed"]);
        assert_eq!(Problem::all(&fields.problems, Language::Chinese), "message 是数字，应为文本；context 是列表，应为对象");
    }

    #[test]
    fn brackets_in_texts_do_not_nest() {
        assert!(Fields::of(format!("{}{}", "[".repeat(100), "]".repeat(100)).as_bytes()).is_err());
        assert!(Fields::of(b"\xff").is_err_and(|e| e.said_in(Language::English).contains("byte 0")));
        assert!(Fields::of(b"[]").is_err());
    }

    #[test]
    fn a_name_that_stands_twice_is_told_beside_what_else_is_wrong() {
        let long = "n".repeat(100);
        let mut fields =
            Fields::of(format!(r#"{{"message": 5, "context": {{"{long}": 1, "{long}": 2}}, "message": 6}}"#).as_bytes()).unwrap();
        assert!(fields.text("message", 10).is_none() && fields.problems.len() == 3, "{:?}", fields.problems);
        assert_eq!(english(&fields)[0], format!("{:?}… stands more than once in one object; each name must stand once", "n".repeat(64)));
    }
}

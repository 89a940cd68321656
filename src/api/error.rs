//! What goes wrong, as clients learn it: a code, a status, whether to come again, and a sentence in two languages. `table` has all of them.

mod table;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::{context::Context, problem::Problem};
use crate::{
    domain::{language::Language, rate::Rate},
    redact::Redactor,
};

/// An answer that is not a success. It is rendered by the outermost layer, which knows the request's id, language and caller.
#[derive(Debug, Clone)]
pub(super) struct ApiError(Box<Told>);

#[derive(Debug, Clone)]
struct Told {
    status: StatusCode,
    /// Stable, for programs.
    code: &'static str,
    english: String,
    chinese: String,
    retry_after_secs: Option<u64>,
    /// Where what it speaks of can be looked at.
    location: Option<String>,
    /// Whether the connection ends with it.
    closes: bool,
    /// All that is wrong with the request, where that is told one by one.
    problems: Vec<Problem>,
    /// More fields of the answer.
    details: Map<String, Value>,
    /// The rate that was exceeded, and for how many milliseconds.
    limited: Option<(Rate, u64)>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        let (english, chinese) = (english.into(), chinese.into());
        let (retry_after_secs, location, closes, problems, details, limited) = (None, None, false, Vec::new(), Map::new(), None);
        Self(Box::new(Told { status, code, english, chinese, retry_after_secs, location, closes, problems, details, limited }))
    }

    fn retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after_secs = Some(secs);
        self
    }

    fn limited_by(mut self, rate: Rate, wait_ms: u64) -> Self {
        self.0.limited = Some((rate, wait_ms));
        self
    }

    /// The rate that was exceeded, and for how many milliseconds.
    pub fn limited(&self) -> Option<(Rate, u64)> {
        self.0.limited
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.details.insert(name.to_owned(), value);
        self
    }

    /// Nothing more is read from this connection: who knows where the next request would begin.
    pub fn closing(mut self) -> Self {
        self.0.closes = true;
        self
    }

    /// Which run it is about, and where that is looked at.
    fn about_run(mut self, run: &str) -> Self {
        self.0.location = Some(super::runs::place(run));
        self.with("run_id", json!(run))
    }

    /// A body that is not what the endpoint takes: all that is wrong with it.
    pub fn invalid_body(problems: Vec<Problem>) -> Self {
        Self::of_problems("invalid_body", ("the request body is wrong", "请求内容有误"), problems)
    }

    pub fn invalid_query(problems: Vec<Problem>) -> Self {
        Self::of_problems("invalid_query", ("the query is wrong", "查询参数有误"), problems)
    }

    fn of_problems(code: &'static str, (english, chinese): (&str, &str), problems: Vec<Problem>) -> Self {
        let english = format!("{english}: {}", Problem::all(&problems, Language::English));
        let chinese = format!("{chinese}：{}", Problem::all(&problems, Language::Chinese));
        let mut error = Self::new(StatusCode::BAD_REQUEST, code, english, chinese);
        error.0.problems = problems;
        error
    }

    /// A request whose head is wrong: what, in both languages.
    pub fn malformed_request(english: &str, chinese: &str) -> Self {
        let (english, chinese) = (format!("the request is malformed: {english}"), format!("请求格式有误：{chinese}"));
        Self::new(StatusCode::BAD_REQUEST, "malformed_request", english, chinese)
    }

    pub fn unauthorized(code: &'static str, english: &str, chinese: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, english, chinese)
    }

    /// An API key where a login is needed.
    pub fn api_key_not_allowed() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "api_key_not_allowed",
            "an API key may not do this: log in with your password",
            "API 密钥不能执行此操作，请使用密码登录",
        )
    }

    /// A token that is good for changing the password only.
    pub fn password_change_required() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "password_change_required",
            "the password must be changed first: POST /api/password {old_password, new_password}",
            "请先更改密码：POST /api/password {old_password, new_password}",
        )
    }

    pub fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "there is nothing at this path; GET / lists what there is",
            "该路径不存在；GET / 列出所有接口",
        )
    }

    pub fn wrong_method() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method_not_allowed",
            "this path does not take this method; the Allow header lists those it takes",
            "该路径不支持此方法；Allow 头列出支持的方法",
        )
    }

    pub fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "something went wrong inside the service", "服务内部错误")
    }

    /// The same without secrets: sentences quote what clients and documents said.
    pub fn hiding(mut self, hidden: &Redactor) -> Self {
        let Told { english, chinese, location, problems, details, .. } = &mut *self.0;
        [Some(english), Some(chinese), location.as_mut()].into_iter().flatten().for_each(|text| hidden.in_text(text));
        problems.iter_mut().flat_map(Problem::wordings).for_each(|wording| hidden.in_text(wording));
        details.values_mut().for_each(|detail| hidden.in_value(detail));
        self
    }

    /// What a client is told of it that reads a stream: the body that a response would have, without the request's own fields.
    pub fn into_event(self, language: Language) -> Value {
        let Told { code, english, chinese, problems, details, .. } = *self.0;
        let mut body = body_of(code, if language == Language::Chinese { chinese } else { english });
        body.extend(problems_in(&problems, language));
        body.extend(details);
        Value::Object(body)
    }

    /// The response, for the reader of this request.
    pub fn told(self, context: &Context) -> Response {
        let Told { status, code, english, chinese, retry_after_secs, location, closes, problems, details, limited: _ } = *self.0;
        let sentence = match context.language() {
            Language::English => english,
            Language::Chinese => chinese,
        };
        let mut body = body_of(code, sentence);
        body.insert("request_id".to_owned(), json!(context.id()));
        if let Some(user) = context.user() {
            body.insert("user_id".to_owned(), json!(user.as_str()));
        }
        body.extend(problems_in(&problems, context.language()));
        body.extend(details);
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(secs) = retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
        }
        if let Some(location) = location.and_then(|location| HeaderValue::from_str(&location).ok()) {
            response.headers_mut().insert(header::LOCATION, location);
        }
        if closes {
            response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match code {
                "token_missing" | "wrong_credentials" => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if code == table::INSUFFICIENT_SCOPE {
            let challenge = HeaderValue::from_static("Bearer error=\"insufficient_scope\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

/// The field that lists them, if there are any.
fn problems_in(problems: &[Problem], language: Language) -> Option<(String, Value)> {
    let said: Vec<&str> = problems.iter().map(|problem| problem.said_in(language)).collect();
    (!said.is_empty()).then(|| ("problems".to_owned(), json!(said)))
}

fn body_of(code: &str, sentence: String) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("success".to_owned(), json!(false));
    body.insert("error".to_owned(), json!(sentence));
    body.insert("message".to_owned(), json!(sentence));
    body.insert("code".to_owned(), json!(code));
    body
}

impl IntoResponse for ApiError {
    /// A place holder that carries the error to the layer that renders it.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

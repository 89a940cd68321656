//! What goes wrong, as clients learn it: one table of code, status, whether to come again, and the sentence in two languages.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Map, Value, json};

use super::context::Context;
use crate::{app::AppError, domain::language::Language, llm::ModelError, secrets::tokens::TokenError, store::contract::StoreError};

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
    /// More fields of the answer.
    details: Map<String, Value>,
}

impl ApiError {
    pub fn new(status: StatusCode, code: &'static str, english: impl Into<String>, chinese: impl Into<String>) -> Self {
        let (english, chinese) = (english.into(), chinese.into());
        Self(Box::new(Told { status, code, english, chinese, retry_after_secs: None, details: Map::new() }))
    }

    fn retry_after(mut self, secs: u64) -> Self {
        self.0.retry_after_secs = Some(secs);
        self
    }

    fn with(mut self, name: &str, value: Value) -> Self {
        self.0.details.insert(name.to_owned(), value);
        self
    }

    /// A body that is not what the endpoint takes: all that is wrong with it.
    pub fn invalid_body(problems: Vec<String>) -> Self {
        let all = problems.join("; ");
        Self::new(StatusCode::BAD_REQUEST, "invalid_body", format!("the request body is wrong: {all}"), format!("请求内容有误：{all}"))
            .with("problems", json!(problems))
    }

    pub fn invalid_query(problems: Vec<String>) -> Self {
        let all = problems.join("; ");
        Self::new(StatusCode::BAD_REQUEST, "invalid_query", format!("the query is wrong: {all}"), format!("查询参数有误：{all}"))
            .with("problems", json!(problems))
    }

    pub fn unauthorized(code: &'static str, english: &str, chinese: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, english, chinese)
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

    /// The response, for the reader of this request.
    pub fn told(self, context: &Context) -> Response {
        let Told { status, code, english, chinese, retry_after_secs, details } = *self.0;
        let sentence = match context.language() {
            Language::English => english,
            Language::Chinese => chinese,
        };
        let mut body = json!({"success": false, "error": sentence, "message": sentence, "code": code, "request_id": context.id()});
        if let Value::Object(fields) = &mut body {
            if let Some(user) = context.user() {
                fields.insert("user_id".to_owned(), json!(user.as_str()));
            }
            fields.extend(details);
        }
        let mut response = (status, axum::Json(body)).into_response();
        if let Some(secs) = retry_after_secs {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(secs.max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match code {
                "token_missing" | "wrong_credentials" => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}

impl IntoResponse for ApiError {
    /// A place holder that carries the error to the layer that renders it.
    fn into_response(self) -> Response {
        let mut response = self.0.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<TokenError> for ApiError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Expired => Self::unauthorized("token_expired", "the token has expired: log in again", "令牌已过期，请重新登录"),
            TokenError::Invalid => Self::unauthorized("token_invalid", "the token is not valid", "令牌无效"),
        }
    }
}

impl From<AppError> for ApiError {
    fn from(error: AppError) -> Self {
        let conflict = |code, english: &str, chinese: &str| Self::new(StatusCode::CONFLICT, code, english, chinese);
        let away = |code, english: &str, chinese: &str| Self::new(StatusCode::SERVICE_UNAVAILABLE, code, english, chinese).retry_after(1);
        match error {
            AppError::Revoked => {
                Self::unauthorized("token_revoked", "the token has been revoked: log in again", "令牌已被撤销，请重新登录")
            }
            AppError::WrongCredentials => {
                Self::unauthorized("wrong_credentials", "the user name or the password is wrong", "用户名或密码错误")
            }
            AppError::NotAdmin => Self::new(StatusCode::FORBIDDEN, "not_admin", "only administrators may do this", "仅管理员可执行此操作"),
            AppError::Limited { retry_after_ms } => {
                let secs = retry_after_ms.div_ceil(1000);
                Self::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "rate_limited",
                    format!("too many requests: come again in {secs} s"),
                    format!("请求过于频繁，请在 {secs} 秒后重试"),
                )
                .retry_after(secs)
            }
            AppError::LoginsBusy => away("logins_busy", "too many logins at once: come again", "登录请求过多，请稍后重试"),
            AppError::Busy { run, left_ms: _ } => {
                conflict("turn_in_progress", "another turn of this session is running", "该会话正在处理另一条消息")
                    .with("run_id", json!(run))
                    .retry_after(1)
            }
            AppError::InFlight { run } => conflict("turn_in_progress", "this very request is being worked on", "相同的请求正在处理中")
                .with("run_id", json!(run))
                .retry_after(1),
            AppError::Lost { run } => conflict(
                "outcome_unknown",
                "this request was begun before, and its session has gone since: what became of it is not known, so it is not done again",
                "该请求此前已开始处理，但其会话已不存在：结果未知，因此不会重复执行",
            )
            .with("run_id", json!(run)),
            AppError::LeaseLost { run } => conflict(
                "turn_lost",
                "this turn lost its session to another in the middle; the history tells what was done",
                "本次处理中途失去了会话；历史记录会说明已完成的操作",
            )
            .with("run_id", json!(run))
            .retry_after(1),
            AppError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request",
                "该 Idempotency-Key 已用于另一个请求",
            ),
            AppError::NoSession => Self::new(StatusCode::NOT_FOUND, "session_not_found", "there is no such session", "会话不存在"),
            AppError::NoResult { id } => Self::new(
                StatusCode::NOT_FOUND,
                "result_not_found",
                "there is no kept result of this id, or not any more: results are kept for a while only",
                "没有保存此编号的结果，或已过期：结果只保留一段时间",
            )
            .with("result_id", json!(id)),
            AppError::NoSuchPart(problem) => Self::invalid_query(vec![problem]),
            AppError::UnknownFunction { name, near } => {
                let close = near.join(", ");
                let english = if near.is_empty() { String::new() } else { format!("; close names: {close}") };
                let chinese = if near.is_empty() { String::new() } else { format!("；相近的名称：{close}") };
                Self::new(
                    StatusCode::NOT_FOUND,
                    "function_unknown",
                    format!("there is no function {name}{english}"),
                    format!("函数 {name} 不存在{chinese}"),
                )
                .with("near", json!(near))
            }
            AppError::InvalidArguments(problems) => {
                let all = problems.join("; ");
                Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", format!("wrong parameters: {all}"), format!("参数有误：{all}"))
                    .with("problems", json!(problems))
            }
            AppError::UnknownScheme { name, near } => {
                let close = near.join(", ");
                let (english, chinese) = if near.is_empty() {
                    ("; GET /api/credentials lists those there are".to_owned(), "；GET /api/credentials 列出全部方案".to_owned())
                } else {
                    (format!("; close names: {close}"), format!("；相近的名称：{close}"))
                };
                Self::new(
                    StatusCode::NOT_FOUND,
                    "scheme_unknown",
                    format!("the API's document has no security scheme {name}{english}"),
                    format!("API 文档中没有名为 {name} 的安全方案{chinese}"),
                )
                .with("near", json!(near))
            }
            AppError::UnknownApi { name, names } => {
                let (english, chinese) = if names.is_empty() {
                    ("none has a name: leave api out".to_owned(), "这里的 API 没有名称，请省略 api".to_owned())
                } else {
                    (format!("there are {}", names.join(", ")), format!("现有：{}", names.join("、")))
                };
                Self::new(
                    StatusCode::NOT_FOUND,
                    "api_unknown",
                    format!("there is no API {name}; {english}"),
                    format!("没有名为 {name} 的 API；{chinese}"),
                )
                .with("names", json!(names))
            }
            AppError::AmbiguousScheme { name } => Self::new(
                StatusCode::BAD_REQUEST,
                "scheme_ambiguous",
                format!("several APIs have a security scheme {name}: say which with api"),
                format!("多个 API 都有名为 {name} 的安全方案：请用 api 指明"),
            ),
            AppError::InvalidCredential(problems) => {
                let all = problems.join("; ");
                Self::new(
                    StatusCode::BAD_REQUEST,
                    "invalid_credential",
                    format!("this credential cannot be used: {all}"),
                    format!("该凭据无法使用：{all}"),
                )
                .with("problems", json!(problems))
            }
            AppError::TooManyCredentials => conflict(
                "too_many_credentials",
                "you have as many credentials as one may have: take one away first",
                "您的凭据数量已达上限，请先移除一个",
            ),
            AppError::Documents(problems) => {
                let all = problems.join("; ");
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "document_unusable",
                    format!("the documents cannot be used, and are served as before: {all}"),
                    format!("文档无法使用，继续使用原有文档：{all}"),
                )
                .with("problems", json!(problems))
            }
            AppError::Model(error) => model(error),
            AppError::Store(StoreError::Unavailable) => {
                away("store_unavailable", "the session store does not answer: come again", "会话存储暂时不可用，请稍后重试")
            }
            AppError::Store(StoreError::Unreadable) => conflict(
                "session_unreadable",
                "a stored record of this session cannot be read; POST /api/session/reset begins anew",
                "该会话的存储记录无法读取；可调用 POST /api/session/reset 重新开始",
            ),
            AppError::Draining => away("draining", "this replica is going down: come again", "该副本正在下线，请重试"),
            AppError::Broken => Self::internal(),
        }
    }
}

fn model(error: ModelError) -> ApiError {
    let retry = match error {
        ModelError::RateLimited { retry_after_secs } => retry_after_secs.unwrap_or(5),
        _ => 5,
    };
    ApiError::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "model_unavailable",
        format!("the model could not answer: {error}; nothing was changed"),
        format!("模型无法应答（{error}）；没有执行任何更改"),
    )
    .retry_after(retry)
}

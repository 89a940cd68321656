//! The table of all errors: code, status, whether to come again, and the sentence in two languages.

use axum::http::StatusCode;
use serde_json::json;

use super::{ApiError, Problem};
use crate::{app::AppError, clock, domain::language::Language, llm::ModelError, secrets::tokens::TokenError, store::contract::StoreError};

/// The code, and how a run's end is called that it came to.
const BUDGET_EXHAUSTED: &str = "budget_exhausted";
/// The code, and the error of RFC 6750, 3.1.
pub(super) const INSUFFICIENT_SCOPE: &str = "insufficient_scope";

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
        let too_many = |code, english: &str, chinese: &str, retry_after_ms: u64| {
            let secs = retry_after_ms.div_ceil(1000);
            let (english, chinese) = (format!("{english}: come again in {secs} s"), format!("{chinese}，请在 {secs} 秒后重试"));
            Self::new(StatusCode::TOO_MANY_REQUESTS, code, english, chinese).retry_after(secs)
        };
        match error {
            AppError::Revoked => {
                Self::unauthorized("token_revoked", "the token has been revoked: log in again", "令牌已被撤销，请重新登录")
            }
            AppError::WrongCredentials => {
                Self::unauthorized("wrong_credentials", "the user name or the password is wrong", "用户名或密码错误")
            }
            AppError::NotRefreshed => Self::unauthorized(
                "refresh_token_invalid",
                "the refresh token is not valid, or not any more: log in again",
                "刷新令牌无效或已失效，请重新登录",
            ),
            AppError::RefreshUsed => Self::unauthorized(
                "refresh_token_reused",
                "the refresh token had been used before, so this login was ended for safety: log in again",
                "该刷新令牌此前已被使用，为安全起见，本次登录已终止，请重新登录",
            ),
            AppError::NotAdmin => Self::new(StatusCode::FORBIDDEN, "not_admin", "only administrators may do this", "仅管理员可执行此操作"),
            AppError::NotAllowed { function, read_only } => {
                let (english, chinese) = if read_only {
                    (
                        format!("{function} changes something, and this service only reads (agent.read_only)"),
                        format!("{function} 会更改数据，而本服务为只读模式（agent.read_only）"),
                    )
                } else {
                    (
                        format!("your role may not call {function}; GET /api/functions lists what it may"),
                        format!("您的角色不能调用 {function}；可调用的函数见 GET /api/functions"),
                    )
                };
                Self::new(StatusCode::FORBIDDEN, "operation_not_allowed", english, chinese)
            }
            AppError::NoUser { name } => {
                Self::new(StatusCode::NOT_FOUND, "user_not_found", format!("there is no user {name}"), format!("用户 {name} 不存在"))
            }
            AppError::UserExists { name } => conflict(
                "user_exists",
                &format!("there is a user {name} already: choose another name, or change that one with PATCH"),
                &format!("用户 {name} 已存在：请换一个用户名，或用 PATCH 更改该用户"),
            ),
            AppError::LastAdministrator => conflict(
                "last_administrator",
                "nobody else who is enabled may change users, so this would lock everybody out: give another user the scope users:write first",
                "没有其他已启用的用户可以管理用户，此操作会使所有人无法管理：请先为另一个用户授予权限 users:write",
            ),
            AppError::WrongPassword => Self::new(StatusCode::FORBIDDEN, "wrong_password", "the old password is wrong", "原密码错误"),
            AppError::KeyExists { name } => conflict(
                "key_exists",
                &format!("you have a key {name} already: choose another name, or revoke that one first"),
                &format!("您已有名为 {name} 的密钥，请换一个名称或先撤销它"),
            ),
            AppError::NoKey { name } => {
                Self::new(StatusCode::NOT_FOUND, "key_not_found", format!("you have no key {name}"), format!("您没有名为 {name} 的密钥"))
            }
            AppError::TooManyKeys => {
                conflict("too_many_keys", "you have as many keys as one may have: revoke one first", "您的密钥数量已达上限，请先撤销一个")
            }
            AppError::InsufficientScope(scope) => Self::new(
                StatusCode::FORBIDDEN,
                INSUFFICIENT_SCOPE,
                format!("this needs the scope {}, which you do not have", scope.as_str()),
                format!("此操作需要权限 {}，您没有该权限", scope.as_str()),
            )
            .with("scope", json!(scope.as_str())),
            AppError::Limited { rate, retry_after_ms } => {
                too_many("rate_limited", "too many requests", "请求过于频繁", retry_after_ms).limited_by(rate, retry_after_ms)
            }
            AppError::LoginsLimited { retry_after_ms } => too_many(
                "too_many_failures",
                "too many wrong passwords for this name or from this address",
                "该用户名或该地址的密码错误次数过多",
                retry_after_ms,
            ),
            AppError::BadToken(error) => error.into(),
            AppError::IssuerAway => {
                away("issuer_unavailable", "whoever issued the token cannot be asked for its keys", "暂时无法取得令牌签发方的公钥")
            }
            AppError::ImportsBusy => {
                away("imports_busy", "too many sessions are imported at once: come again", "正在导入的会话过多，请稍后重试")
            }
            AppError::TooManyWatchers => {
                away("too_many_watchers", "too many watch at this replica: come again", "在此副本上观看的连接过多，请稍后重试")
            }
            AppError::LoginsBusy => away("logins_busy", "too many logins at once: come again", "登录请求过多，请稍后重试"),
            AppError::Busy { run, left_ms: _ } => {
                conflict("turn_in_progress", "another turn of this session is running", "该会话正在处理另一条消息")
                    .about_run(&run)
                    .retry_after(1)
            }
            AppError::InFlight { run } => {
                conflict("turn_in_progress", "this very request is being worked on", "相同的请求正在处理中").about_run(&run).retry_after(1)
            }
            AppError::Lost { run } => conflict(
                "outcome_unknown",
                "this request was begun before, and its session has gone since: what became of it is not known, so it is not done again",
                "该请求此前已开始处理，但其会话已不存在：结果未知，因此不会重复执行",
            )
            .about_run(&run),
            AppError::LeaseLost { run } => conflict(
                "turn_lost",
                "this turn lost its session to another in the middle; the history tells what was done",
                "本次处理中途失去了会话；历史记录会说明已完成的操作",
            )
            .about_run(&run)
            .retry_after(1),
            AppError::QueueFull { run } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "queue_full",
                "as many messages wait for this session as may",
                "该会话等待处理的消息已达上限",
            )
            .about_run(&run)
            .retry_after(1),
            AppError::TooManyTurns { most } => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_turns",
                format!("turns run in {most} of your sessions, and no more may at once: come again when one of these turns has ended"),
                format!("同时处理的会话已达上限（{most} 个）：请等其中一个处理完成后重试"),
            )
            .retry_after(1),
            AppError::RunEnded { run, ending, detail } if detail == "model_unavailable" => {
                model(ModelError::Unavailable).about_run(&run).with("state", json!(ending.as_str()))
            }
            AppError::RunEnded { run, ending, detail } if detail == BUDGET_EXHAUSTED => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                BUDGET_EXHAUSTED,
                "the run ended without an answer: the token budget of the day did not suffice",
                "该请求已结束，没有答复：当天的 token 额度不足",
            )
            .about_run(&run)
            .with("state", json!(ending.as_str())),
            AppError::RunEnded { run, ending, detail } => {
                conflict("run_ended", "the run ended without an answer", "该请求已结束，没有答复")
                    .about_run(&run)
                    .with("state", json!(ending.as_str()))
                    .with("detail", json!(detail))
            }
            AppError::HandedOver { run } => away(
                "handed_over",
                "this replica is going down, and another goes on with the turn: its run tells the answer",
                "该副本正在下线，由其他副本继续处理；可通过该请求的编号查看答复",
            )
            .about_run(&run),
            AppError::AnswerNotDurable { run } => away(
                "storage_not_durable",
                "the turn was done, but its answer is not safely kept yet: look at its run, and do not send it again",
                "本次请求已处理，但答复尚未可靠保存：请查看该请求，不要重复发送",
            )
            .about_run(&run),
            AppError::NoRun { run } => {
                Self::new(StatusCode::NOT_FOUND, "run_unknown", "there is no such run, or not any more", "该请求不存在，或已不再保留")
                    .with("run_id", json!(run))
            }
            AppError::RolledBack { yours, stored } => conflict(
                "state_rolled_back",
                "the store lost what it had acknowledged: the session is behind what you know of it",
                "存储丢失了已确认的内容：会话落后于您所知的状态",
            )
            .with("yours", json!(yours.to_string()))
            .with("stored", json!(stored.to_string())),
            AppError::Moved { yours, stored } => Self::new(
                StatusCode::PRECONDITION_FAILED,
                "precondition_failed",
                "the session went on since you last saw it",
                "自您上次查看以来，会话已发生变化",
            )
            .with("yours", json!(yours.to_string()))
            .with("stored", json!(stored.to_string())),
            AppError::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "this Idempotency-Key was used for another request",
                "该 Idempotency-Key 已用于另一个请求",
            ),
            AppError::NoSession => Self::new(StatusCode::NOT_FOUND, "session_not_found", "there is no such session", "会话不存在"),
            AppError::TooManySessions { most } => Self::new(
                StatusCode::CONFLICT,
                "too_many_sessions",
                format!("you have {most} sessions beside the main one, and more are not allowed: end one first"),
                format!("除主会话外您已有 {most} 个会话，不能再多：请先结束一个"),
            ),
            AppError::NoTurn { first, next } => Self::new(
                StatusCode::CONFLICT,
                "turn_not_found",
                format!("the conversation has no such turn: turn is from {first} to {next}"),
                format!("对话中没有该轮次：turn 应在 {first} 到 {next} 之间"),
            ),
            AppError::NoQuestion => Self::new(
                StatusCode::NOT_FOUND,
                "confirmation_not_found",
                "nothing of yours waits for a confirmation of this id",
                "没有等待确认且编号为此的请求",
            ),
            AppError::QuestionOver => conflict(
                "confirmation_over",
                "it was decided already, or something else was said since: nothing more is sent on its strength",
                "该请求已作出决定，或之后又有其他消息：不会再据此发送任何请求",
            ),
            AppError::QuestionExpired => Self::new(
                StatusCode::GONE,
                "confirmation_expired",
                "it was not decided in time, so it cannot be sent any more: ask for it again",
                "未在有效时间内作出决定，已不能发送：请重新提出",
            ),
            AppError::NoResult { id } => Self::new(
                StatusCode::NOT_FOUND,
                "result_not_found",
                "there is no kept result of this id, or not any more: results are kept for a while only",
                "没有保存此编号的结果，或已过期：结果只保留一段时间",
            )
            .with("result_id", json!(id)),
            AppError::NoSuchPart(problem) => Self::invalid_query(vec![Problem::english(problem)]),
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
            AppError::LogFixed => conflict(
                "log_level_fixed",
                "the level of this process's log cannot be changed while it runs: set log.level and start it again",
                "本进程的日志级别无法在运行时更改：请设置 log.level 后重新启动",
            ),
            AppError::BudgetExhausted(exhausted) => Self::new(
                StatusCode::TOO_MANY_REQUESTS,
                BUDGET_EXHAUSTED,
                format!("{} Nothing was done.", exhausted.sentence(Language::English)),
                format!("{}没有执行任何操作。", exhausted.sentence(Language::Chinese)),
            )
            .retry_after(exhausted.left_ms.div_ceil(1000))
            .with("scope", json!(exhausted.whose.as_str()))
            .with("resets_at", json!(clock::rfc3339(exhausted.resets_ms))),
            AppError::Model(error) => model(error),
            AppError::Store(StoreError::Unavailable) => {
                away("store_unavailable", "the session store does not answer: come again", "会话存储暂时不可用，请稍后重试")
            }
            AppError::Store(StoreError::NotDurable) => away(
                "storage_not_durable",
                "the session store cannot keep this safely now, so it was not acted on: come again",
                "会话存储目前无法可靠保存，因此没有据此执行任何操作，请稍后重试",
            ),
            AppError::Store(StoreError::Unreadable) => conflict(
                "session_unreadable",
                "a stored record of this session cannot be read; POST /api/session/reset begins anew",
                "该会话的存储记录无法读取；可调用 POST /api/session/reset 重新开始",
            ),
            AppError::Store(StoreError::Newer) => conflict(
                "newer_schema",
                "a stored record of this session was written by a newer release than this replica's; it is left as it is: come again later",
                "该会话的存储记录由更新的版本写入，本副本无法读取；记录保持原样，请稍后重试",
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

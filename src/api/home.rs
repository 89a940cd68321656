//! The door: what this service is, and whether it is well.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    admin::session_stats,
    console,
    extract::{MaybeCaller, Spoken},
    shapes::{base_url, document, fallback},
};
use crate::{app::App, clock::rfc3339, domain::language::Language, release, store::warnings::StoreWarning};

const NAME: &str = "Swagger API Agent";

/// Browsers get the console, programs get a description.
pub(super) async fn home(State(app): State<App>, Spoken(language): Spoken, headers: HeaderMap) -> Response {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accepts.contains("text/html") {
        return console::page(&headers);
    }
    Json(description(&app, language)).into_response()
}

/// Groups, routes and what they do, for people: those that are told beside what stands in [`description`].
const MORE: [(&str, &str, &str, &str); 24] = [
    ("agent", "GET /api/confirmations", "what waits for your yes", "查看等待您确认的请求"),
    ("agent", "POST /api/confirmations/{id}", "say yes or no to it", "确认或拒绝该请求"),
    ("agent", "GET /api/runs/{id}/events", "what happens in a run, as it happens", "实时查看某次请求的过程"),
    ("session", "GET /api/sessions", "your sessions, and searching them", "查看和搜索您的会话"),
    ("session", "POST /api/sessions", "begin another session", "新建会话"),
    ("session", "GET /api/sessions/{id}", "one of them", "查看某个会话"),
    ("session", "PATCH /api/sessions/{id}", "call it otherwise, pin it", "重命名或置顶会话"),
    ("session", "DELETE /api/sessions/{id}", "end it", "结束会话"),
    ("session", "POST /api/sessions/{id}/fork", "branch off", "创建分支"),
    ("session", "POST /api/sessions/{id}/rewind", "wind it back", "回退对话"),
    ("session", "GET /api/sessions/{id}/export", "the session as a file", "导出会话"),
    ("session", "POST /api/sessions/import", "begin one with such a file", "导入会话"),
    ("admin", "GET /api/admin/sessions/{user}/{session}", "one of a user's sessions", "查看用户的某个会话"),
    ("admin", "DELETE /api/admin/sessions/{user}/{session}", "end it", "结束该会话"),
    ("admin", "GET /api/admin/sessions/{user}/{session}/keys", "its keys in the store", "查看该会话的存储键"),
    ("admin", "GET /api/admin/sessions/{user}/{session}/history", "what was said in it", "查看该会话的对话"),
    ("admin", "GET /api/admin/turns", "turns that run now", "查看正在处理的请求"),
    ("admin", "POST /api/admin/turns/{run_id}/cancel", "have one stop", "停止某个请求"),
    ("admin", "GET /api/admin/unknown", "changes of which it is not known what became of them", "查看结果未知的更改"),
    ("admin", "GET /api/admin/replicas", "who serves", "查看在线副本"),
    ("admin", "GET /api/admin/stats", "what was done, by the hour", "按小时查看统计"),
    ("admin", "GET /api/admin/events", "what begins and ends, as it happens", "实时查看变化"),
    ("documents", "GET /admin", "the administrators' page", "管理员页面"),
    ("documents", "GET /console/{file}", "what the pages are made of", "页面所用的文件"),
];

/// The service in words, with all routes.
fn description(app: &App, language: Language) -> Value {
    let mut described = in_words(app, language);
    for (group, route, english, chinese) in MORE {
        let group = described.get_mut("endpoints").and_then(|groups| groups.get_mut(group)).and_then(Value::as_object_mut);
        if let Some(group) = group {
            group.insert(route.to_owned(), language.choose(english, chinese).into());
        }
    }
    described
}

fn in_words(app: &App, language: Language) -> Value {
    let say = |english: &'static str, chinese: &'static str| language.choose(english, chinese);
    let hours = app.settings().auth.token_hours;
    json!({
        "name": NAME,
        "version": release::VERSION,
        "description": say(
            "An agent over an OpenAPI document: say what you want, and it calls the API",
            "基于 OpenAPI 文档的智能体：用自然语言说出需求，由它调用 API",
        ),
        "features": [
            say("natural language, English and Chinese", "支持中英文自然语言"),
            say("direct calls of every operation", "可直接调用每个接口"),
            say("a session for each user, shared by all replicas", "每个用户拥有独立会话，所有副本共享"),
            say("sessions survive restarts", "会话在重启后仍然保留"),
        ],
        "endpoints": {
            "auth": {
                "POST /api/login": say("a token for a name and a password", "登录并获取令牌"),
                "POST /api/token/refresh": say("new tokens for a refresh token", "用刷新令牌换取新令牌"),
                "POST /api/logout": say("end this login", "退出登录"),
                "POST /api/logout/all": say("end all logins of yours", "在所有设备退出登录"),
                "POST /api/password": say("change your password", "更改密码"),
                "GET /api/keys": say("your API keys", "查看您的 API 密钥"),
                "POST /api/keys": say("make an API key", "创建 API 密钥"),
                "DELETE /api/keys/{name}": say("revoke an API key", "撤销 API 密钥"),
            },
            "agent": {
                "POST /api/process": say("say what you want", "处理自然语言请求"),
                "POST /api/call": say("call one function", "直接调用函数"),
                "GET /api/functions": say("all functions", "列出所有函数"),
                "GET /api/results/{id}": say("a long result, whole or in parts", "完整或分段查看较长的结果"),
                "GET /api/runs/{id}": say("how a run stands, and its answer", "查看某次请求的状态与答复"),
                "POST /api/runs/{id}/cancel": say("have a run stop", "取消某次请求"),
                "GET /api/info": say("the API and the agent", "API 与智能体信息"),
            },
            "session": {
                "GET /api/history": say("the conversation", "查看对话历史"),
                "DELETE /api/history": say("empty the conversation", "清空对话历史"),
                "GET /api/session/info": say("this session", "会话信息"),
                "POST /api/session/reset": say("begin anew", "重置会话"),
            },
            "credentials": {
                "GET /api/credentials": say("which credentials of your own are set for the API", "查看您为 API 设置的凭据"),
                "GET /api/credentials/{scheme}": say("whether one is set", "查看某个凭据是否已设置"),
                "PUT /api/credentials/{scheme}": say("set one", "设置凭据"),
                "DELETE /api/credentials/{scheme}": say("take one away", "移除凭据"),
            },
            "admin": {
                "GET /api/admin/sessions": say("all sessions", "查看所有会话"),
                "DELETE /api/admin/sessions/{user}": say("end a user's session", "结束某个用户的会话"),
                "GET /api/admin/sessions/{user}/keys": say("the store's keys of a user's sessions", "查看用户会话的存储键"),
                "GET /api/admin/sessions/{user}/history": say("what was said in a user's session", "查看用户会话的对话"),
                "GET /api/admin/users": say("all users", "查看所有用户"),
                "POST /api/admin/users": say("add a user", "添加用户"),
                "GET /api/admin/users/{name}": say("one user", "查看用户"),
                "PATCH /api/admin/users/{name}": say("change a user", "更改用户"),
                "DELETE /api/admin/users/{name}": say("remove a user", "删除用户"),
                "GET /api/admin/audit": say("who did what", "查看审计日志"),
                "POST /api/admin/cleanup": say("clean ended sessions away", "清理过期会话"),
                "GET /api/admin/openapi": say("what came of reading the documents", "查看文档的解析结果"),
                "POST /api/admin/openapi/reload": say("read the documents again", "重新加载文档"),
                "PUT /api/admin/log-level": say("change what the log tells", "更改日志级别"),
            },
            "documents": {
                "GET /openapi.json": say("this API as an OpenAPI document", "本服务自身的 OpenAPI 文档"),
                "GET /docs": say("the same as a page, for trying it", "可在线试用的文档页面"),
            },
            "health": {
                "GET /health": say("how the service is", "健康检查"),
                "GET /health/live": say("the process lives", "存活检查"),
                "GET /health/ready": say("this replica takes requests", "就绪检查"),
            },
        },
        "openapi": "/openapi.json",
        "authentication": {
            "type": "JWT Bearer",
            "login_endpoint": "/api/login",
            "header_format": "Authorization: Bearer <token>",
            "token_expiration": format!("{hours} {}", say("hours", "小时")),
        },
        "session_management": {
            "description": say("each user has a session of their own", "每个用户拥有独立的会话"),
            "session_timeout": format!("{} {}", app.settings().sessions.idle_secs / 3600, say("hours without use", "小时未使用")),
            "auto_cleanup": true,
        },
    })
}

/// How the service is, for people and old monitors. Never refused, and makes no session.
pub(super) async fn health(State(app): State<App>, Spoken(language): Spoken, MaybeCaller(caller): MaybeCaller) -> Response {
    let stats = app.stats_lately().await;
    let mut told = json!({
        "status": if stats.is_some() { "healthy" } else { "degraded" },
        "service": NAME,
        "timestamp": rfc3339(app.now_ms()),
        "agent_initialized": true,
        "config_valid": true,
        "api_base_url": base_url(&app.served()),
        "openapi_file": document(&app.served()),
        "offline_fallback": fallback(&app),
        "session_stats": session_stats(&app, stats.unwrap_or_default()),
        "store_warnings": store_warnings(&app, language),
    });
    if let (Some(_), Value::Object(fields)) = (caller, &mut told) {
        let details = json!({
            "version": release::VERSION,
            "commit": Some(release::COMMIT).filter(|commit| !commit.is_empty()),
            "replica": app.replica(),
            "store": if app.settings().store.redis_url.is_some() { "redis" } else { "embedded" },
            "store_answers": stats.is_some(),
            "functions": app.served().apis.functions().len(),
        });
        fields.insert("service_details".to_owned(), details);
        fields.insert("natural_language_enabled".to_owned(), json!(true));
    }
    Json(told).into_response()
}

/// The process lives. Touches nothing.
pub(super) async fn live() -> Json<Value> {
    Json(json!({"status": "alive"}))
}

/// This replica takes requests. Touches nothing: what it says was found out before.
pub(super) async fn ready(State(app): State<App>, Spoken(language): Spoken) -> Response {
    let (draining, store) = (app.is_draining(), app.health().store_answers());
    let ready = !draining && store;
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let why = if ready {
        "ready"
    } else if draining {
        "draining"
    } else {
        "store away"
    };
    (status, Json(json!({"status": why, "store_warnings": store_warnings(&app, language)}))).into_response()
}

/// What is set in the store so that something may be lost. It does not keep this replica from taking requests. No addresses in it.
fn store_warnings(app: &App, language: Language) -> Vec<Value> {
    let told = |warning: StoreWarning| json!({"code": warning.code(), "message": warning.sentence(language)});
    app.health().store_warnings().into_iter().map(told).collect()
}

//! What must be right about any request before it is looked at (RFC 9112, 3 and 3.2): its method, its target, and whom it is for. What is
//! wrong there closes the connection, because whoever stands in front may have read something else.

use axum::{
    extract::Request,
    http::{Method, StatusCode, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::error::ApiError;

/// A request's target may have this many bytes, the recommended least (RFC 9112, 3).
const TARGET_BYTES_MAX: usize = 8000;

pub(super) async fn checked(request: Request, next: Next) -> Response {
    match wrong_with(&request) {
        Some(error) => error.closing().into_response(),
        None => next.run(request).await,
    }
}

fn wrong_with(request: &Request) -> Option<ApiError> {
    let target = request.uri();
    let target_bytes = target.authority().map_or(0, |authority| authority.as_str().len())
        + target.path_and_query().map_or(0, |target| target.as_str().len());
    if target_bytes > TARGET_BYTES_MAX {
        return Some(ApiError::new(
            StatusCode::URI_TOO_LONG,
            "target_too_long",
            format!("the request's target has {target_bytes} bytes; {TARGET_BYTES_MAX} are taken"),
            format!("请求目标有 {target_bytes} 字节，最多 {TARGET_BYTES_MAX} 字节"),
        ));
    }
    let problems: Vec<(&str, &str)> = [method(request.method()), host(request)].into_iter().flatten().collect();
    if problems.is_empty() {
        return None;
    }
    let (english, chinese): (Vec<_>, Vec<_>) = problems.into_iter().unzip();
    Some(ApiError::malformed_request(&english.join("; "), &chinese.join("；")))
}

fn method(method: &Method) -> Option<(&'static str, &'static str)> {
    if *method == Method::CONNECT {
        return Some(("this is no proxy: CONNECT leads nowhere", "本服务不是代理，不支持 CONNECT"));
    }
    let upper = method.as_str().bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
    (!upper).then_some(("a method is written in upper case", "方法名必须大写"))
}

fn host(request: &Request) -> Option<(&'static str, &'static str)> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let host = match (hosts.next(), hosts.next()) {
        (Some(host), None) => host,
        (None, _) if request.version() == Version::HTTP_10 => return None,
        (None, _) => return Some(("the Host header is missing", "缺少 Host 头")),
        (Some(_), Some(_)) => return Some(("there are several Host headers; one is needed", "有多个 Host 头，只能有一个")),
    };
    let host = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host.filter(|host| !host.as_str().contains('@') && !host.host().is_empty()) else {
        return Some(("the Host header names no host", "Host 头不是有效的主机名"));
    };
    let meant = request.uri().authority();
    let other = meant.is_some_and(|meant| !meant.as_str().eq_ignore_ascii_case(host.as_str()));
    other.then_some(("the target and the Host header name two hosts", "请求目标与 Host 头的主机不一致"))
}

//! Around every request: an id in and out, errors rendered for their reader, one line in the log.

use std::{collections::HashMap, sync::LazyLock, time::Instant};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{Extensions, HeaderName, HeaderValue, header},
    middleware::Next,
    response::Response,
};
use tracing::{Instrument, debug, info};

use super::{
    context::{Context, REQUEST_ID},
    error::ApiError,
    rates, revision,
};
use crate::{
    app::App,
    metrics::{Verb, metrics},
    spans,
};

/// How much of a path is logged, in characters.
const PATH_CHARS_MAX: usize = 200;
static REPLICA: HeaderName = HeaderName::from_static("x-replica");

pub(super) async fn around(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let began = Instant::now();
    let context = Context::of(request.headers());
    let method = request.method().clone();
    let path: String = request.uri().path().chars().take(PATH_CHARS_MAX).collect();
    let (verb, route) = (Verb::of(method.as_str()), template(request.extensions()));
    request.extensions_mut().insert(context.clone());

    let span = spans::request(verb.as_str(), route, request.headers().get(spans::TRACEPARENT).and_then(|value| value.to_str().ok()));
    let mut response = next.run(request).instrument(span.clone()).await;
    let mut limited = None;
    if let Some(error) = response.extensions_mut().remove::<ApiError>() {
        limited = error.limited();
        response = error.hiding(app.hidden()).told(&context);
    }
    if let Some(lost) = context.user().and_then(|user| revision::lost(&app, user, context.known(), &response)) {
        revision::tag_rolled_back(&mut response, &lost);
    }
    rates::tell(&mut response, &app.settings().limits, context.counted(), limited);
    let headers = response.headers_mut();
    for (name, value) in [(HeaderName::from_static(REQUEST_ID), context.id()), (REPLICA.clone(), app.replica())] {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));

    let status = response.status().as_u16();
    spans::answered(&span, status, 500);
    spans::set(&span, "saa.request.id", context.id().to_owned());
    metrics().request(route, verb, status);
    let duration_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
    let user = context.user().map_or("", |user| user.as_str());
    // Load balancers and supervisors ask several times a second; that all is well would be most of the log.
    if is_health(&path) && status < 400 {
        debug!(target: "access", %method, path, status, duration_us, request_id = context.id(), "{method} {path} {status}");
    } else {
        info!(target: "access", %method, path, status, duration_us, user, request_id = context.id(), "{method} {path} {status}");
    }
    response
}

fn is_health(path: &str) -> bool {
    path == "/health" || path.starts_with("/health/")
}

/// The route that the request is of, in the router's own words: whoever counts by it has no more series than there are routes.
fn template(extensions: &Extensions) -> &'static str {
    static KNOWN: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| super::paths().into_iter().map(|path| (path, path)).collect());
    extensions.get::<MatchedPath>().and_then(|path| KNOWN.get(path.as_str()).copied()).unwrap_or("none")
}

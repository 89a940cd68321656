//! What is served, for administrators: what came of reading each document, and reading them again.

use axum::{
    Json,
    extract::{Query, State},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::{
    error::ApiError,
    extract::{Caller, Spoken},
    problem::Problem,
    query::Asked,
};
use crate::{
    agent::Api,
    app::App,
    clock::rfc3339,
    domain::{
        language::Language,
        limits::{REPORT_PAGE_DEFAULT, REPORT_PAGE_MAX},
    },
    openapi::{Filtered, GivenName, SetAside},
};

/// One API: where it is, and what came of its document. Lists are cut to the page that was asked for; the counts are of all.
#[derive(Serialize)]
struct Served<'a> {
    name: &'a str,
    title: &'a str,
    version: &'a str,
    /// The version of the specification.
    openapi: &'a str,
    document: &'a str,
    fingerprint: &'a str,
    base_url: &'a str,
    served_since: String,
    operations: usize,
    usable: usize,
    set_aside: usize,
    filtered: usize,
    names_given: usize,
    warnings: usize,
    operations_set_aside: Vec<Unusable<'a>>,
    operations_filtered: Vec<LeftOut<'a>>,
    operations_named: Vec<Named<'a>>,
    warning_texts: &'a [String],
}

#[derive(Serialize)]
struct Unusable<'a> {
    operation: &'a str,
    reason: &'a str,
}

#[derive(Serialize)]
struct LeftOut<'a> {
    operation: &'a str,
    rule: &'a str,
}

#[derive(Serialize)]
struct Named<'a> {
    operation: &'a str,
    operation_id: Option<&'a str>,
    name: &'a str,
}

/// Which part of every list.
#[derive(Clone, Copy)]
struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    fn of<T>(self, list: &[T]) -> &[T] {
        let rest = list.get(self.offset..).unwrap_or_default();
        rest.get(..self.limit).unwrap_or(rest)
    }

    fn is_followed(self, api: &Api) -> bool {
        let report = api.catalogue.report();
        let longest =
            [report.set_aside.len(), report.filtered.len(), report.names_given.len(), report.warnings.len()].into_iter().max().unwrap_or(0);
        longest > self.offset.saturating_add(self.limit)
    }
}

impl<'a> Served<'a> {
    fn of(api: &'a Api, page: Page) -> Self {
        let (info, report) = (api.catalogue.info(), api.catalogue.report());
        let unusable = |one: &'a SetAside| Unusable { operation: &one.operation, reason: &one.reason };
        let left_out = |one: &'a Filtered| LeftOut { operation: &one.operation, rule: &one.rule };
        let named = |one: &'a GivenName| Named { operation: &one.operation, operation_id: one.operation_id.as_deref(), name: &one.name };
        Self {
            name: &api.name,
            title: &info.title,
            version: &info.version,
            openapi: &info.openapi,
            document: &api.document,
            fingerprint: api.catalogue.fingerprint(),
            base_url: &api.base_url,
            served_since: rfc3339(api.since_ms),
            operations: report.usable + report.set_aside.len() + report.filtered.len(),
            usable: report.usable,
            set_aside: report.set_aside.len(),
            filtered: report.filtered.len(),
            names_given: report.names_given.len(),
            warnings: report.warnings.len(),
            operations_set_aside: page.of(&report.set_aside).iter().map(unusable).collect(),
            operations_filtered: page.of(&report.filtered).iter().map(left_out).collect(),
            operations_named: page.of(&report.names_given).iter().map(named).collect(),
            warning_texts: page.of(&report.warnings),
        }
    }
}

/// `?api=` is one API alone; `?offset=` and `?limit=` are for each of the lists.
pub(super) async fn served(State(app): State<App>, Caller(caller): Caller, query: Query<Asked>) -> Result<Response, ApiError> {
    let mut query = query.0;
    let limit = query.number("limit", 1, REPORT_PAGE_MAX as u64).unwrap_or(REPORT_PAGE_DEFAULT as u64);
    let offset = query.number("offset", 0, u64::from(u32::MAX)).unwrap_or(0);
    let only = query.text("api");
    let (served, failure) = app.served_as(&caller).await?;
    if let Some(name) = only.as_deref().filter(|name| served.apis.named(name).is_none()) {
        let known: Vec<String> = served.apis.iter().map(|api| format!("{:?}", api.name)).collect();
        let known = known.join(", ");
        query
            .problem(Problem::new(format!("api is {name:?}; one of {known} is needed"), format!("api 是 {name:?}，应为以下之一：{known}")));
    }
    query.done()?;
    let page = Page { offset: usize::try_from(offset).unwrap_or(usize::MAX), limit: usize::try_from(limit).unwrap_or(REPORT_PAGE_MAX) };
    let shown: Vec<&Api> = served.apis.iter().map(AsRef::as_ref).filter(|api| only.as_ref().is_none_or(|only| api.name == *only)).collect();
    let next = shown.iter().any(|api| page.is_followed(api)).then(|| page.offset.saturating_add(page.limit));
    let failure = failure.map(|failure| json!({"at": rfc3339(failure.at_ms), "problems": failure.problems}));
    let told = json!({
        "success": true,
        "fingerprint": served.apis.fingerprint(),
        "functions": served.apis.functions().len(),
        "apis": shown.into_iter().map(|api| Served::of(api, page)).collect::<Vec<_>>(),
        "next_offset": next,
        "last_reload_failure": failure,
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

/// Reads all documents again and serves them, or says why not; then they are served as before.
pub(super) async fn reload(State(app): State<App>, Caller(caller): Caller, Spoken(language): Spoken) -> Result<Response, ApiError> {
    let done = app.reload_as(&caller).await?;
    let functions = done.served.apis.functions().len();
    let message = match (language, done.changed) {
        (Language::English, true) => format!("other documents are served now: {functions} functions"),
        (Language::English, false) => "the documents are the same as before".to_owned(),
        (Language::Chinese, true) => format!("已启用新的文档：{functions} 个函数"),
        (Language::Chinese, false) => "文档没有变化".to_owned(),
    };
    let told = json!({
        "success": true,
        "message": message,
        "changed": done.changed,
        "fingerprint": done.served.apis.fingerprint(),
        "functions": functions,
        "user_id": caller.user.as_str(),
    });
    Ok(Json(told).into_response())
}

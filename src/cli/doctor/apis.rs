//! Each API: can its document be read, what of it can be used, and does its server answer.

use std::time::Duration;

use swagger_api_agent::{
    app::read_document,
    domain::limits::DOCTOR_REPLY_BYTES_MAX,
    openapi::Catalogue,
    outbound::{Headers, Outbound, SendError, Sending, Url, shown},
    settings::{Api, Settings},
    upstream::{Unmet, leads_inside, misfits, unmet},
};

use super::{super::usable_and_aside, Finding, certificates};

pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    let patience = Duration::from_millis(settings.upstream.connect_timeout_ms);
    let outbound = match Outbound::new(patience, patience) {
        Ok(outbound) => outbound,
        Err(error) => return vec![Finding::fail("HTTP", error.to_string(), "look at the log above")],
    };
    let mut found = Vec::new();
    for api in settings.served_apis() {
        found.extend(look_at(&api, settings, &outbound).await);
    }
    found
}

async fn look_at(api: &Api, settings: &Settings, outbound: &Outbound) -> Vec<Finding> {
    let (file, base_url) = (api.setting("file"), api.setting("base_url"));
    if api.file.is_none() {
        return vec![Finding::ok(&file, "not set: the built-in demo is served")];
    }
    let catalogue = match read_document(api, outbound).await {
        Ok(catalogue) => catalogue,
        Err(problem) => {
            // What names the setting is told beside it.
            let problem = problem.strip_prefix(&format!("{file}: ")).unwrap_or(&problem);
            return vec![Finding::fail(&file, problem, "`swagger-api-agent openapi check` reads it alone")];
        }
    };
    let (usable, aside) = (catalogue.functions().len(), catalogue.report().set_aside.len());
    let told = format!("{} {}: {}", catalogue.info().title, catalogue.info().version, usable_and_aside(usable, aside));
    let document = match (usable, aside) {
        (0, _) => Finding::fail(&file, told, "`swagger-api-agent openapi check` says why; see openapi.include and openapi.exclude too"),
        (_, 0) => Finding::ok(&file, told),
        _ => Finding::warn(&file, told, "`swagger-api-agent openapi check` says which, and why"),
    };
    let credentials = credentials(api, &catalogue);
    let server = api.base_url.as_deref().or(catalogue.base_url());
    if api.base_url.is_some() || leads_inside(api) {
        // As the service would call it, and no further.
        server.and_then(|url| Url::parse(url).ok()).iter().for_each(|url| outbound.named_by_operator(url));
    }
    let Some(url) = server else {
        let told = "not set, and the document names no server that can be used";
        let server = Finding::fail(&base_url, told, "set it to the URL of the API");
        return [Some(document), credentials, Some(server)].into_iter().flatten().collect();
    };
    let patience = Duration::from_millis(settings.upstream.connect_timeout_ms);
    let (server, certificate) =
        tokio::join!(reach(&base_url, url, settings, outbound), certificates::of_url(&base_url, url, outbound, patience));
    [Some(document), credentials, Some(server)].into_iter().flatten().chain(certificate).collect()
}

/// Whether what the operations ask for is set, and fits. Nothing where none asks.
fn credentials(api: &Api, catalogue: &Catalogue) -> Option<Finding> {
    let what = api.setting("credentials");
    let unfit = misfits(api, catalogue);
    if !unfit.is_empty() {
        return Some(Finding::fail(&what, unfit.join("; "), "`swagger-api-agent openapi check` says what each scheme is set with"));
    }
    let Unmet { operations, asking, schemes } = unmet(api, catalogue.operations());
    match operations {
        0 if asking == 0 => None,
        0 => Some(Finding::ok(&what, format!("set for all {asking} operations that ask for any"))),
        _ => {
            let schemes = schemes.into_iter().collect::<Vec<_>>().join(", ");
            let told = format!(
                "{operations} of {asking} operations that ask for credentials ask for some that are not set for everybody: {schemes}"
            );
            Some(Finding::warn(&what, told, "`swagger-api-agent openapi check` says what each is set with; or people set their own"))
        }
    }
}

/// Whether anybody answers there. What, is no matter: whoever asks without credentials for the root may be told anything.
async fn reach(what: &str, url: &str, settings: &Settings, outbound: &Outbound) -> Finding {
    let Ok(parsed) = Url::parse(url) else { return Finding::fail(what, "is no URL", "set it to the URL of the API") };
    let at = shown(&parsed);
    let sending = Sending {
        method: "HEAD".to_owned(),
        url: parsed,
        headers: Headers::default(),
        body: None,
        deadline: Duration::from_millis(settings.upstream.timeout_ms),
        reply_bytes_max: DOCTOR_REPLY_BYTES_MAX,
    };
    match outbound.send(sending).await {
        Ok(reply) => Finding::ok(what, format!("{at} answers (status {})", reply.status)),
        Err(SendError::TooLarge { status, .. } | SendError::Bomb { status } | SendError::Packed { status }) => {
            Finding::ok(what, format!("{at} answers (status {status})"))
        }
        Err(error @ (SendError::TimedOut { .. } | SendError::Broken { .. })) => {
            Finding::warn(what, format!("{at}: {error}"), "it takes connections and does not answer HEAD: see whether it answers at all")
        }
        Err(error @ (SendError::NotSent(_) | SendError::BadUrl)) => {
            Finding::fail(what, format!("{at}: {error}"), "is it running, may this machine reach it, and is its certificate good?")
        }
    }
}

//! The model: one small question to each endpoint, which is the only thing that shows that key and name are right.

use std::time::Duration;

use swagger_api_agent::{
    domain::limits::DOCTOR_MODEL_MS_MAX,
    llm::{ChatModel, ModelError, Prompt, ToolSet},
    outbound::{Outbound, Url, shown},
    settings::{Llm, Settings},
};

use super::{Finding, certificates};

/// What is asked. A few tokens.
const QUESTION: &str = "Answer with the word ok.";

pub(super) async fn look(settings: &Settings) -> Vec<Finding> {
    let Some(url) = &settings.llm.url else {
        return vec![Finding::ok("llm.url", "not set: the offline planner does the simple things")];
    };
    let own = Llm {
        fallbacks: Vec::new(),
        attempts_max: 1,
        timeout_ms: settings.llm.timeout_ms.min(DOCTOR_MODEL_MS_MAX),
        ..settings.llm.clone()
    };
    let mut found = ask("llm.url", url, &own, settings).await;
    for (place, fallback) in settings.llm.fallbacks.iter().enumerate() {
        let model = fallback.model.clone().unwrap_or_else(|| own.model.clone());
        let (url, headers) = (Some(fallback.url.clone()), fallback.headers.clone());
        let other = Llm { url, api_key: fallback.api_key.clone(), model, headers, ..own.clone() };
        found.extend(ask(&format!("llm.fallbacks[{place}]"), &fallback.url, &other, settings).await);
    }
    found
}

async fn ask(what: &str, url: &str, llm: &Llm, settings: &Settings) -> Vec<Finding> {
    let connect = Duration::from_millis(settings.upstream.connect_timeout_ms);
    let model = Outbound::new(connect, connect)
        .map_err(|e| e.to_string())
        .and_then(|outbound| ChatModel::new(&outbound, llm).map(|model| (outbound, model)).map_err(|e| e.to_string()));
    let (outbound, model) = match model {
        Ok(both) => both,
        Err(problem) => return vec![Finding::fail(what, problem, "see src/settings/defaults.toml for what it may be")],
    };
    Url::parse(url).iter().for_each(|url| outbound.named_by_operator(url));
    let (answer, certificate) = tokio::join!(answers(what, url, llm, &model), certificates::of_url(what, url, &outbound, connect));
    std::iter::once(answer).chain(certificate).collect()
}

async fn answers(what: &str, url: &str, llm: &Llm, model: &ChatModel) -> Finding {
    // The query may hold a key.
    let (name, url) = (&llm.model, Url::parse(url).as_ref().map_or_else(|_| url.to_owned(), shown));
    match model.plan(&Prompt::of(QUESTION, &ToolSet::new(Vec::new())), None).await {
        Ok(_) => Finding::ok(what, format!("{name} answers at {url}")),
        Err(error @ ModelError::Empty) => {
            Finding::warn(what, format!("{name} at {url}: {error}"), "try another model if turns are without answers")
        }
        Err(error) => Finding::fail(what, format!("{name} at {url}: {error}"), advice(error)),
    }
}

fn advice(error: ModelError) -> &'static str {
    match error {
        ModelError::Unauthorized => "set the key that its server takes: llm.api_key (DEEPSEEK_API_KEY)",
        ModelError::RateLimited { .. } => "wait, or ask its operator for a higher limit",
        ModelError::Refused(404) => "the URL or the name of the model is wrong: llm.url (DEEPSEEK_API_URL), llm.model (DEEPSEEK_MODEL)",
        ModelError::Refused(_) | ModelError::ContextOverflow => {
            "see what its server logs: it does not take the request, so llm.model or llm.headers may be wrong"
        }
        ModelError::Unavailable | ModelError::TimedOut => "is it running, and may this machine reach it? See llm.url (DEEPSEEK_API_URL)",
        ModelError::Nonsense | ModelError::Empty => {
            "the URL must be that of an OpenAI-compatible server, up to /v1: llm.url (DEEPSEEK_API_URL)"
        }
    }
}

//! What is served at a moment: the functions of all APIs, and who plans with them. It is replaced whole, and whoever began with one ends
//! with it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, OnceLock},
};

use futures_util::future::join_all;
use tracing::warn;

use super::document::{read_document, shown_document};
use crate::{
    agent::{Api, Apis, Asking},
    domain::{
        selection::Asked,
        tool::FunctionSpec,
        user::{ROLES, Role},
    },
    llm::{Offline, Planner},
    openapi::{Catalogue, Operation, retrieve::Meanings},
    outbound::{Outbound, Url},
    redact::Redactor,
    settings::{self, Settings},
    upstream::{Upstream, misfits},
};

/// The APIs as they are served, until other documents take their place.
#[derive(Debug)]
pub struct Served {
    pub apis: Apis,
    pub(super) planner: Arc<Planner>,
    /// Who takes turns over whose model cannot be asked, if the operator wants it.
    pub(super) fallback: Option<Offline>,
    /// What the functions mean, once it is known (`meanings.rs`).
    pub(super) meanings: OnceLock<Meanings>,
    /// Which planned calls wait for a yes: users', and administrators'.
    asking: Arc<[Asking; 2]>,
    /// The same for each role that may not call everything.
    restricted: Vec<(Role, Arc<Self>)>,
}

/// What reading the documents takes, at the start and later.
pub(super) struct Sources<'a> {
    pub settings: &'a Settings,
    pub outbound: &'a Outbound,
    /// Where the built-in API listens.
    pub demo: Option<SocketAddr>,
    /// The model that plans; none: the offline planner, which has an index of the functions.
    pub model: Option<Arc<Planner>>,
    /// The operator's secrets.
    pub hidden: Redactor,
}

impl Served {
    /// What somebody of this role may call, and who plans with that.
    pub fn to(&self, role: Role) -> &Self {
        self.restricted.iter().find(|(own, _)| *own == role).map_or(self, |(_, served)| served)
    }

    /// Which planned calls of somebody of this role wait for a yes.
    pub fn asking(&self, role: Role) -> &Asking {
        let [users, administrators] = &*self.asking;
        match role {
            Role::User => users,
            Role::Admin => administrators,
        }
    }

    /// Whether anybody may call a function that there is.
    pub(super) fn is_anybodys(&self, function: &str) -> bool {
        ROLES.iter().any(|role| self.to(*role).apis.place(function).is_some())
    }

    /// What each role that may not call everything may.
    pub(super) fn restricted(&self) -> impl Iterator<Item = &Arc<Self>> {
        self.restricted.iter().map(|(_, served)| served)
    }

    /// Reads every document and makes one set of functions of them. An API whose document is the same as `before` stays the same.
    ///
    /// # Errors
    /// All that stands in the way, one sentence each.
    pub(super) async fn read(from: &Sources<'_>, now_ms: u64, before: Option<&Self>) -> Result<Self, Vec<String>> {
        let stated = from.settings.served_apis();
        let read = join_all(stated.iter().map(|api| one(from, api, now_ms))).await;
        let mut problems = twice(&stated);
        let mut apis = Vec::new();
        for (stated, api) in stated.iter().zip(read) {
            match api {
                Ok(api) => {
                    let known = before.and_then(|before| before.apis.named(&api.name));
                    problems.extend(known.map(|known| moved(stated, known, &api)).unwrap_or_default());
                    let same = known.filter(|known| known.catalogue.fingerprint() == api.catalogue.fingerprint());
                    apis.push(same.cloned().unwrap_or_else(|| {
                        api.upstream.warn_of_missing(&api.catalogue);
                        Arc::new(api)
                    }));
                }
                Err(these) => problems.extend(these),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let model = from.model.clone();
        let (pinned, falls_back) = (from.settings.agent.pinned.clone(), from.settings.agent.offline_fallback);
        let (hidden, policy) = (from.hidden.clone(), from.settings.whole_policy());
        let after_reply = from.settings.agent.confirm_after_reply;
        // Names and the index of many thousand functions take a while, and the runtime has other things to do.
        let joined = tokio::task::spawn_blocking(move || {
            let apis = Apis::hiding(apis, &hidden);
            for name in pinned.iter().filter(|name| apis.place(name).is_none()) {
                warn!(function = name, "agent.pinned names {name}, which is no function");
            }
            let useless = policy.operations().filter(|rule| !apis.operations().any(|(operation, spec)| rule.fits(&asked(operation, spec))));
            useless.for_each(|rule| warn!(%rule, "policy: no operation fits the rule {rule}"));
            let asking = Arc::new([Role::User, Role::Admin].map(|role| Asking::of(&policy, role, after_reply, &apis)));
            let planned = |apis: Apis, restricted| {
                let fallback = (falls_back && model.is_some()).then(|| Offline::in_place_of_model(apis.functions()));
                let planner = model.clone().unwrap_or_else(|| Arc::new(Planner::Offline(Offline::new(apis.functions()))));
                Self { apis, planner, fallback, meanings: OnceLock::new(), asking: Arc::clone(&asking), restricted }
            };
            let may = |role| apis.only(|operation, spec| policy.allows(role, spec.effect, &asked(operation, spec)));
            let restricted = ROLES.into_iter().filter_map(|role| Some((role, Arc::new(planned(may(role)?, Vec::new())))));
            let restricted = restricted.collect();
            planned(apis, restricted)
        });
        joined.await.map_err(|_| vec!["the functions of the documents could not be put together".to_owned()])
    }
}

/// What rules are asked about an operation.
fn asked<'a>(operation: &'a Operation, spec: &'a FunctionSpec) -> Asked<'a> {
    operation.asked_as(&spec.name)
}

/// One API: its document read, its place known.
async fn one(from: &Sources<'_>, stated: &settings::Api, now_ms: u64) -> Result<Api, Vec<String>> {
    let alone = |problem: String| vec![problem];
    let catalogue = read_document(stated, from.outbound).await.map_err(alone)?;
    if catalogue.functions().is_empty() {
        return Err(alone(format!("{}: the document has no operation that can be used{}", stated.setting("file"), set_aside(&catalogue))));
    }
    let (base_url, base_url_wins) = base_url(stated, &catalogue, from.demo).map_err(alone)?;
    let upstream = upstream(from, stated, &base_url).map_err(alone)?;
    let misfits = misfits(stated, &catalogue);
    if !misfits.is_empty() {
        return Err(misfits);
    }
    if !base_url_wins {
        warn_of_other_origins(stated, &catalogue, &upstream);
    }
    let catalogue = catalogue.without_headers(&upstream.header_names());
    let (name, document) = (stated.name.clone(), shown_document(stated));
    let api = Api { name, document, catalogue, upstream, base_url, base_url_wins, probes: stated.probes.clone(), since_ms: now_ms };
    for useless in api.useless_probes() {
        warn!(api = %api.name, "{}: {useless}", stated.setting("probes"));
    }
    Ok(api)
}

/// Why a changed document cannot take the place of the known one: it would lead credentials somewhere else, and a document is not who
/// decides that. At a start the operator looks at where they go.
fn moved(stated: &settings::Api, known: &Api, new: &Api) -> Vec<String> {
    let origin = |text: &str| Url::parse(text).map_or_else(|_| text.to_owned(), |url| url.origin().ascii_serialization());
    let (from, to) = (origin(&known.base_url), origin(&new.base_url));
    let mut problems = Vec::new();
    if from != to {
        let setting = stated.setting("base_url");
        problems.push(format!(
            "the document's server moved from {from} to {to}, and credentials would follow it: set {setting}, or start anew"
        ));
    }
    for (scheme, credential) in new.catalogue.schemes() {
        let (Some(known), Some(settings::Credential::Client { token_url: None, .. })) =
            (known.catalogue.schemes().get(scheme), stated.credentials.get(scheme))
        else {
            continue;
        };
        if known != credential {
            let setting = stated.setting("credentials");
            problems.push(format!(
                "the document's security scheme {scheme} changed, and the client's secret would follow it: say token_url in {setting}, or start anew"
            ));
        }
    }
    problems
}

/// Says which functions cannot be called because the document has them where nobody allowed a call to go.
fn warn_of_other_origins(stated: &settings::Api, catalogue: &Catalogue, upstream: &Upstream) {
    let mut elsewhere: BTreeMap<String, usize> = BTreeMap::new();
    for server in catalogue.operations().iter().filter_map(Operation::server).filter(|server| !upstream.may_call(server)) {
        *elsewhere.entry(server.origin().ascii_serialization()).or_default() += 1;
    }
    let setting = if stated.name.is_empty() { "upstream.origins".to_owned() } else { stated.setting("origins") };
    for (origin, functions) in elsewhere {
        warn!(origin, functions, "{functions} functions are at {origin} and cannot be called: {setting} does not name it");
    }
}

/// The way to one API, with what is its own and no other's.
fn upstream(from: &Sources<'_>, stated: &settings::Api, base_url: &str) -> Result<Upstream, String> {
    let told = |problem| if stated.name.is_empty() { format!("{problem}") } else { format!("{}: {problem}", stated.setting("base_url")) };
    Upstream::new(from.outbound.clone(), &from.settings.upstream, stated, base_url)
        .map(|upstream| upstream.hiding(from.hidden.clone()))
        .map_err(told)
}

/// Where the API is, and whether that wins over the document: the operator's word, the demo, or the document's own server.
fn base_url(stated: &settings::Api, catalogue: &Catalogue, demo: Option<SocketAddr>) -> Result<(String, bool), String> {
    if let Some(url) = &stated.base_url {
        return Ok((url.clone(), true));
    }
    if let (None, Some(demo)) = (&stated.file, demo) {
        return Ok((format!("http://{demo}"), true));
    }
    let variable = if stated.name.is_empty() { ": set API_BASE_URL" } else { "" };
    let missing = || format!("{} is not set and the document names no absolute server{variable}", stated.setting("base_url"));
    catalogue.base_url().map(|url| (url.to_owned(), false)).ok_or_else(missing)
}

/// Why nothing of the document can be used, briefly.
fn set_aside(catalogue: &Catalogue) -> String {
    let reasons: Vec<String> =
        catalogue.report().set_aside.iter().take(5).map(|one| format!("\n  {}: {}", one.operation, one.reason)).collect();
    let filtered = catalogue.report().filtered.len();
    let left_out = if filtered > 0 { format!("; {filtered} are left out by include and exclude") } else { String::new() };
    format!("{left_out}{}", reasons.concat())
}

/// Names that two APIs have: calls could not be told apart.
fn twice(stated: &[settings::Api]) -> Vec<String> {
    let names = stated.iter().enumerate();
    names
        .filter(|(at, api)| stated.iter().take(*at).any(|other| other.name == api.name))
        .map(|(_, api)| format!("two APIs have the name {:?}; every one needs its own", api.name))
        .collect()
}

//! All APIs that are served, as one set of functions.

use std::{collections::HashMap, sync::Arc};

use crate::{
    domain::{probe::Probe, tool::FunctionSpec},
    llm::ToolSet,
    openapi::{
        Catalogue, Operation, names_over_all, near,
        retrieve::{Entry, Index},
    },
    redact::Redactor,
    upstream::Upstream,
};

/// One API: its functions, and where they are called.
#[derive(Debug)]
pub struct Api {
    /// What the names of its functions begin with; empty for the API that stands for itself.
    pub name: String,
    /// Where its document is, for people; no credentials in it.
    pub document: String,
    pub catalogue: Catalogue,
    pub upstream: Upstream,
    /// Where it is, for people; no credentials in it.
    pub base_url: String,
    /// Whether `base_url` wins over the servers that operations name themselves.
    pub base_url_wins: bool,
    /// How to look what became of a change whose answer was lost.
    pub probes: Vec<Probe>,
    /// Since when it is served as it is, in milliseconds since 1970.
    pub since_ms: u64,
}

impl Api {
    /// The base URL for requests; none leaves it to the document's own servers.
    pub(super) fn base_url_for_requests(&self) -> Option<&str> {
        self.base_url_wins.then_some(&self.base_url)
    }
}

/// Every API that is served, in the operator's order. Immutable: another document makes another one.
#[derive(Debug)]
pub struct Apis {
    apis: Vec<Arc<Api>>,
    /// By the name of a function: its place among all.
    by_name: HashMap<String, usize>,
    /// By the place of a function: its API and the place of its operation there.
    origins: Vec<(usize, usize)>,
    tools: ToolSet,
    index: Index,
    fingerprint: String,
}

impl Apis {
    /// The functions of all: those of the nameless API under their own names, those of the others as `<api>_<function>`. The names of the
    /// APIs must differ.
    pub fn new(apis: Vec<Arc<Api>>) -> Self {
        Self::hiding(apis, &Redactor::default())
    }

    /// As [`Apis::new`], with these secrets taken out of what documents say: an operator may have left one in an example or a default.
    pub fn hiding(apis: Vec<Arc<Api>>, hidden: &Redactor) -> Self {
        let (functions, origins) = named(&apis, hidden);
        let tools = ToolSet::new(functions);
        Self::with(apis, origins, tools)
    }

    /// The same without the functions that may not be called, which are named here by their operation and their own name. The others keep
    /// their names. None: all may be.
    pub fn only(&self, may: impl Fn(&Operation, &FunctionSpec) -> bool) -> Option<Self> {
        let allowed = |place: &usize| match (self.functions().get(*place), self.operation_at(*place)) {
            (Some(function), Some((_, operation))) => may(operation, function),
            _ => false,
        };
        let places: Vec<usize> = (0..self.functions().len()).filter(allowed).collect();
        if places.len() == self.functions().len() {
            return None;
        }
        let functions = places.iter().filter_map(|place| self.functions().get(*place).cloned()).collect();
        let origins = places.iter().filter_map(|place| self.origins.get(*place).copied()).collect();
        Some(Self::with(self.apis.clone(), origins, ToolSet::beside(functions, self.functions())))
    }

    fn with(apis: Vec<Arc<Api>>, origins: Vec<(usize, usize)>, tools: ToolSet) -> Self {
        let by_name = tools.functions.iter().enumerate().map(|(place, function)| (function.name.clone(), place)).collect();
        let fingerprint = fingerprint(&apis);
        let operations = origins.iter().filter_map(|origin| operation_of(&apis, *origin)).map(|(_, operation)| operation);
        let index = Index::of(tools.functions.iter().zip(operations).map(|(function, operation)| Entry::of(&function.name, operation)));
        Self { apis, by_name, origins, tools, index, fingerprint }
    }

    pub fn named(&self, name: &str) -> Option<&Arc<Api>> {
        self.apis.iter().find(|api| api.name == name)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Arc<Api>> {
        self.apis.iter()
    }

    /// All functions: API after API, each ordered by path and method.
    pub fn functions(&self) -> &[FunctionSpec] {
        &self.tools.functions
    }

    pub fn tools(&self) -> &ToolSet {
        &self.tools
    }

    /// The place of a function in [`Apis::functions`].
    pub fn place(&self, function: &str) -> Option<usize> {
        self.by_name.get(function).copied()
    }

    /// What a model for embeddings is told of each function, in their order.
    pub fn told(&self, hidden: &Redactor) -> Vec<String> {
        let operations = self.origins.iter().filter_map(|origin| operation_of(&self.apis, *origin)).map(|(_, operation)| operation);
        let told = self.functions().iter().zip(operations).map(|(FunctionSpec { name, description, .. }, operation)| {
            let mut told = Entry { description, ..Entry::of(name, operation) }.told();
            hidden.in_text(&mut told);
            told
        });
        told.collect()
    }

    /// Where functions are found by what they do; by their places.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// All functions with their operations.
    pub fn operations(&self) -> impl Iterator<Item = (&Operation, &FunctionSpec)> {
        self.functions().iter().enumerate().filter_map(|(place, function)| Some((self.operation_at(place)?.1, function)))
    }

    /// The operation behind a function, and the API that it belongs to.
    pub fn operation(&self, function: &str) -> Option<(&Arc<Api>, &Operation)> {
        self.operation_at(self.place(function)?)
    }

    fn operation_at(&self, place: usize) -> Option<(&Arc<Api>, &Operation)> {
        operation_of(&self.apis, *self.origins.get(place)?)
    }

    /// Function names close to one that does not exist, closest first; at most
    /// [`NEAR_NAMES_MAX`](crate::domain::limits::NEAR_NAMES_MAX).
    pub fn near(&self, name: &str) -> Vec<String> {
        near(name, self.functions().iter().map(|function| function.name.as_str()))
    }

    /// Tells these documents from any others: 16 hexadecimal digits, the same on every replica that serves the same.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The titles of all, for people.
    pub fn title(&self) -> String {
        let titles: Vec<&str> = self.apis.iter().map(|api| api.catalogue.info().title.as_str()).collect();
        titles.join(", ")
    }
}

/// The operation at this place of this API.
fn operation_of(apis: &[Arc<Api>], (api, index): (usize, usize)) -> Option<(&Arc<Api>, &Operation)> {
    let api = apis.get(api)?;
    Some((api, api.catalogue.operations().get(index)?))
}

/// The functions of all under their names, and the API and the operation behind each.
fn named(apis: &[Arc<Api>], hidden: &Redactor) -> (Vec<FunctionSpec>, Vec<(usize, usize)>) {
    let own: Vec<(&str, Vec<&str>)> = apis
        .iter()
        .map(|api| (api.name.as_str(), api.catalogue.functions().iter().map(|function| function.name.as_str()).collect()))
        .collect();
    let (mut functions, mut origins) = (Vec::new(), Vec::new());
    for (at, (api, names)) in apis.iter().zip(names_over_all(&own)).enumerate() {
        for (index, (spec, name)) in api.catalogue.functions().iter().zip(names).enumerate() {
            origins.push((at, index));
            functions.push(told(FunctionSpec { name, ..spec.clone() }, hidden));
        }
    }
    (functions, origins)
}

fn told(mut spec: FunctionSpec, hidden: &Redactor) -> FunctionSpec {
    hidden.in_text(&mut spec.description);
    if hidden.bytes(spec.parameters.to_string().as_bytes()).is_some() {
        hidden.in_value(Arc::make_mut(&mut spec.parameters));
    }
    spec
}

/// One document that stands for itself has its own; several have one over names and fingerprints, whatever their order.
fn fingerprint(apis: &[Arc<Api>]) -> String {
    if let [api] = apis
        && api.name.is_empty()
    {
        return api.catalogue.fingerprint().to_owned();
    }
    let mut each: Vec<String> = apis.iter().map(|api| format!("{} {}\n", api.name, api.catalogue.fingerprint())).collect();
    each.sort();
    crate::openapi::fingerprint(&each.concat())
}

#[cfg(test)]
pub(super) mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{outbound::Outbound, settings::Settings};

    pub const DOCUMENT: &str = r#"{"openapi": "3.0.3", "info": {"title": "T", "version": "1"}, "paths": {
        "/a": {"get": {"operationId": "listThings", "responses": {}}, "post": {"operationId": "addThing", "responses": {}}}}}"#;

    pub fn api(name: &str, document: &str) -> Arc<Api> {
        let settings = Settings::builtin();
        let outbound = Outbound::new(Duration::from_secs(1), Duration::from_secs(1)).unwrap();
        let base_url = format!("http://{name}.test");
        let upstream = Upstream::new(outbound, &settings.upstream, &crate::settings::Api::default(), "http://up.test").unwrap();
        let catalogue = Catalogue::read(document, "d.json").unwrap();
        Arc::new(Api {
            name: name.to_owned(),
            document: "d.json".to_owned(),
            catalogue,
            upstream,
            base_url,
            base_url_wins: true,
            probes: Vec::new(),
            since_ms: 0,
        })
    }

    #[test]
    fn each_function_leads_to_its_own_api_and_operation() {
        let apis = Apis::new(vec![api("", DOCUMENT), api("shop", DOCUMENT)]);
        let names: Vec<&str> = apis.functions().iter().map(|function| function.name.as_str()).collect();
        assert_eq!(names, ["listThings", "addThing", "shop_listThings", "shop_addThing"]);
        for (function, of, method) in [("listThings", "", "GET"), ("shop_addThing", "shop", "POST")] {
            let (api, operation) = apis.operation(function).unwrap();
            assert_eq!((api.name.as_str(), operation.method()), (of, method));
        }
        assert!(apis.operation("shop_nothing").is_none());
        assert_eq!(apis.near("shop_addThin").first().map(String::as_str), Some("shop_addThing"));
    }

    #[test]
    fn the_fingerprint_is_the_documents_and_not_their_order() {
        let alone = Apis::new(vec![api("", DOCUMENT)]);
        assert_eq!(alone.fingerprint(), Catalogue::read(DOCUMENT, "d.json").unwrap().fingerprint());
        let other = DOCUMENT.replace("addThing", "makeThing");
        let two = Apis::new(vec![api("a", DOCUMENT), api("b", &other)]);
        let turned = Apis::new(vec![api("b", &other), api("a", DOCUMENT)]);
        assert_eq!(two.fingerprint(), turned.fingerprint());
        assert_ne!(two.fingerprint(), Apis::new(vec![api("a", &other), api("b", DOCUMENT)]).fingerprint());
        assert_ne!(two.fingerprint(), alone.fingerprint());
    }
}

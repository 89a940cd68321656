//! A document, read once: its functions, its operations by name, and what came of reading it.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::Value;

use super::{
    assemble::assemble,
    document::{Document, word},
    files::{self, ReadFile},
    gather::{Candidate, Gathered, gather},
    keyed,
    load::{DocumentError, read},
    model::clip,
    naming::{Identity, fingerprint, function_names},
    near::near,
    operation::{About, Operation},
    options::ReadOptions,
    report::{Filtered, GivenName, Report, SetAside},
    security::Credential,
    server::{check_variables, of_root},
};
use crate::domain::{
    limits::{DOCUMENT_BYTES_MAX, FUNCTIONS_BYTES_MAX, WARNINGS_MAX},
    selection::{Asked, Rule},
    tool::FunctionSpec,
};

/// What the document says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Info {
    pub title: String,
    /// The API's own version; empty when the document has none.
    pub version: String,
    pub description: String,
    /// Addresses, variables filled in, relative ones made absolute where that is possible.
    pub servers: Vec<String>,
    /// The version of the specification: `2.0`, `3.0.3` …
    pub openapi: String,
}

/// The functions of one document. Immutable; replicas that read the same text have the same catalogue.
#[derive(Debug)]
pub struct Catalogue {
    info: Info,
    pub(super) specs: Arc<[FunctionSpec]>,
    pub(super) operations: Vec<Operation>,
    by_name: HashMap<String, usize>,
    report: Report,
    fingerprint: String,
    base_url: Option<String>,
    schemes: BTreeMap<String, Credential>,
}

impl Catalogue {
    /// [`Catalogue::read_with`] for a document that says everything itself.
    pub fn read(text: &str, origin: &str) -> Result<Self, DocumentError> {
        Self::read_with(text, &ReadOptions::of(origin))
    }

    /// Reads a document: JSON or YAML, OpenAPI 2.0, 3.0 or 3.1, recognised by content.
    ///
    /// Only a text that is no OpenAPI document at all is an error. What is wrong with one operation is in [`Catalogue::report`].
    pub fn read_with(text: &str, options: &ReadOptions) -> Result<Self, DocumentError> {
        let root = read(text, &options.origin)?;
        Self::of(root, Vec::new(), fingerprint(text), options)
    }

    /// [`Catalogue::read_with`] for a document that may refer to other files, which `read_file` reads: see [`ReadFile`]. `own` is the
    /// document's own file name. A file that cannot be read sets aside what needs it.
    pub fn read_files(text: &str, own: &str, options: &ReadOptions, read_file: &mut ReadFile) -> Result<Self, DocumentError> {
        let mut root = read(text, &options.origin)?;
        let mut all = text.to_owned();
        let mut read_file = |path: &str| {
            let text = read_file(path)?;
            if all.len().saturating_add(text.len()) <= DOCUMENT_BYTES_MAX {
                all.push_str(path);
                all.push_str(&text);
            }
            Ok(text)
        };
        let warnings = files::gather(&mut root, own, text.len(), &mut read_file);
        let fingerprint = fingerprint(&all);
        drop(all);
        Self::of(root, warnings, fingerprint, options)
    }

    fn of(root: Value, notes: Vec<String>, fingerprint: String, options: &ReadOptions) -> Result<Self, DocumentError> {
        let origin = options.origin.as_str();
        let document = Document::new(root).map_err(|reason| DocumentError::new(origin, reason))?;
        if document.root.get("paths").is_some_and(|paths| !paths.is_object()) {
            return Err(DocumentError::new(origin, "`paths` is not an object"));
        }
        if !options.server_variables.is_empty() {
            check_variables(&document, options).map_err(|reason| DocumentError::new(origin, reason))?;
        }
        let Gathered { candidates, normaliser, mut warnings, schemes } = gather(&document, options);
        warnings.splice(0..0, notes);
        let mut report = Report { warnings, ..Report::default() };
        let (definitions, unusable) = normaliser.finish();
        let pattern = |pattern: String| format!("the pattern `{}` cannot be matched here; the API judges it", clip(&pattern, 200));
        report.warnings.extend(unusable.into_iter().take(WARNINGS_MAX).map(pattern));
        let definitions = Arc::new(definitions);
        let servers = of_root(&document, options);
        let info = info(&document, &servers);
        let base_url = servers.first().and_then(|first| first.as_ref().ok()).map(|base| base.text.clone());
        let root_server = Arc::new(servers.into_iter().next().unwrap_or_else(|| Err("the document names no server".to_owned())));

        let identity = |candidate: &Candidate| {
            let about = &candidate.about;
            (about.operation_id.clone(), about.method.clone(), about.path.clone())
        };
        let identities: Vec<(Option<String>, String, String)> = candidates.iter().map(identity).collect();
        let borrowed: Vec<Identity> =
            identities.iter().map(|(id, method, path)| Identity { operation_id: id.as_deref(), method, path }).collect();
        let names = function_names(&borrowed);
        report.warnings.extend(useless_rules(options, &candidates, &names));
        let (mut specs, mut operations) = (Vec::new(), Vec::new());
        let mut bytes_left = FUNCTIONS_BYTES_MAX;
        for (candidate, name) in candidates.into_iter().zip(names) {
            let label = candidate.label();
            if let Some(rule) = options.selection.leaves_out(&asked(&candidate.about, &name)) {
                report.filtered.push(Filtered { operation: label.trim_start().to_owned(), rule });
                continue;
            }
            let operation_id = candidate.about.operation_id.clone();
            let assembled = match bytes_left {
                0 => Err(format!("the functions before it take up {FUNCTIONS_BYTES_MAX} bytes, which is all there is for one document")),
                _ => candidate.draft.and_then(|mut draft| {
                    keyed::settle(&mut draft, &options.key_rules, &candidate.about, &asked(&candidate.about, &name));
                    assemble(candidate.about, draft, name.clone(), &definitions, &root_server)
                }),
            };
            match assembled {
                Ok((spec, operation)) => {
                    bytes_left = bytes_left.saturating_sub(weight(&spec.parameters));
                    if operation_id.as_ref() != Some(&name) {
                        report.names_given.push(GivenName { operation: label, operation_id, name });
                    }
                    specs.push(spec);
                    operations.push(operation);
                }
                Err(reason) => report.set_aside.push(SetAside { operation: label.trim_start().to_owned(), reason }),
            }
        }
        report.usable = operations.len();
        let specs: Arc<[FunctionSpec]> = specs.into();
        for (index, operation) in operations.iter_mut().enumerate() {
            operation.specs = Arc::clone(&specs);
            operation.index = index;
        }
        let by_name = specs.iter().enumerate().map(|(index, spec)| (spec.name.clone(), index)).collect();
        Ok(Self { info, specs, operations, by_name, report: report.printable(), fingerprint, base_url, schemes })
    }

    pub fn info(&self) -> &Info {
        &self.info
    }

    /// All functions, ordered by path and method, however the document orders them.
    pub fn functions(&self) -> &[FunctionSpec] {
        &self.specs
    }

    /// All operations, in the order of their functions.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    pub fn operation(&self, name: &str) -> Option<&Operation> {
        self.by_name.get(name).and_then(|index| self.operations.get(*index))
    }

    /// Function names close to one that does not exist, closest first; at most
    /// [`NEAR_NAMES_MAX`](crate::domain::limits::NEAR_NAMES_MAX).
    pub fn near(&self, name: &str) -> Vec<String> {
        near(name, self.specs.iter().map(|spec| spec.name.as_str()))
    }

    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Tells this text of the document from any other: 16 hexadecimal digits, the same on every replica.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// The security schemes that the document defines, by name, used or not.
    pub fn schemes(&self) -> &BTreeMap<String, Credential> {
        &self.schemes
    }

    /// The document's first server, when it is an absolute address.
    pub fn base_url(&self) -> Option<&str> {
        self.base_url.as_deref()
    }
}

/// What a value takes up, about.
fn weight(value: &Value) -> usize {
    64 + match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(weight).sum(),
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + 64 + weight(value)).sum(),
        _ => 0,
    }
}

fn asked<'a>(about: &'a About, function: &'a str) -> Asked<'a> {
    Asked { method: &about.method, path: &about.path, tags: &about.tags, operation_id: about.operation_id.as_deref(), function }
}

/// A sentence for every rule that is about no operation at all: it was meant to be about some.
fn useless_rules(options: &ReadOptions, candidates: &[Candidate<'_>], names: &[String]) -> Vec<String> {
    let about_any = |rule: &&Rule| candidates.iter().zip(names).any(|(candidate, name)| rule.fits(&asked(&candidate.about, name)));
    let of_keys = options.key_rules.iter().flat_map(|rule| &rule.operations);
    options
        .selection
        .rules()
        .chain(of_keys)
        .filter(|rule| !about_any(rule))
        .map(|rule| format!("no operation fits the rule {rule}"))
        .collect()
}

fn info(document: &Document, servers: &[super::server::Resolved]) -> Info {
    let stated = document.root.get("info");
    let text = |key: &str| stated.and_then(|info| info.get(key)).and_then(word).unwrap_or_default();
    let written = |at: usize| document.root.get("servers").and_then(|list| list.get(at)?.get("url")).and_then(Value::as_str);
    let address = |(at, server): (usize, &super::server::Resolved)| match server {
        Ok(base) => Some(base.text.clone()),
        Err(_) => written(at).map(str::to_owned),
    };
    Info {
        title: text("title"),
        version: text("version"),
        description: text("description"),
        servers: servers.iter().enumerate().filter_map(address).collect(),
        openapi: document.version.clone(),
    }
}

//! Every operation of the document, each read alone: one that cannot be used keeps its reason and the others work.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use serde_json::{Map, Value, json};

use super::{
    body::{self, Content, DeclaredBody},
    confirm,
    document::{Document, Edition, reference_of},
    encode::Keep,
    keyed,
    operation::About,
    options::ReadOptions,
    parameter::{self, Declared, Location, is_json, is_reserved_header, is_token},
    schema::{Normalised, Normaliser},
    security::{Alternatives, Credential, Security},
    server::{self, Resolved},
    style::{Style, Wire},
    template::Template,
};
use crate::domain::{
    limits::{PARAMETERS_MAX, PATH_BYTES_MAX, WARNINGS_MAX},
    policy::Confirm,
};

/// The methods of a path item, in the order functions are listed; `query` is 3.2's.
const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];

/// An operation as it was found.
pub(super) struct Candidate<'d> {
    pub about: About,
    pub draft: Result<Draft<'d>, String>,
}

/// An operation that can be used so far.
pub(super) struct Draft<'d> {
    pub description: Option<String>,
    pub template: Template,
    pub parameters: Vec<(Declared<'d>, Arc<Normalised>)>,
    pub body: Option<(DeclaredBody<'d>, BodySchema)>,
    /// None: the root's.
    pub server: Option<Resolved>,
    pub security: Option<Alternatives>,
    pub accept: Option<String>,
    /// The header in which the document says that an idempotency key travels.
    pub key_header: Option<String>,
    /// Which planned calls the document wants a person to be asked about.
    pub confirm: Option<Confirm>,
}

pub(super) enum BodySchema {
    Schema(Option<Arc<Normalised>>),
    /// One for each of the declared fields.
    Fields(Vec<Arc<Normalised>>),
}

impl<'d> Candidate<'d> {
    /// `GET /users/{id}`.
    pub fn label(&self) -> String {
        format!("{} {}", self.about.method, self.about.path)
    }
}

/// A path item, and the one it refers to: what stands beside the reference wins.
struct Item<'d> {
    own: &'d Value,
    referred: Option<&'d Value>,
}

impl<'d> Item<'d> {
    fn get(&self, key: &str) -> Option<&'d Value> {
        self.own.get(key).or_else(|| self.referred?.get(key))
    }
}

/// All operations of a document, and what was found on the way.
pub(super) struct Gathered<'d> {
    /// Ordered by path and method.
    pub candidates: Vec<Candidate<'d>>,
    pub normaliser: Normaliser<'d>,
    pub warnings: Vec<String>,
    /// The security schemes that the document defines, by name.
    pub schemes: BTreeMap<String, Credential>,
}

pub(super) fn gather<'d>(document: &'d Document, options: &'d ReadOptions) -> Gathered<'d> {
    let mut gathered =
        Gathered { candidates: Vec::new(), normaliser: Normaliser::new(document), warnings: Vec::new(), schemes: BTreeMap::new() };
    let mut reader = Reader { document, options, security: Security::read(document), notes: Vec::new() };
    let mut paths: Vec<(&String, &Value)> = document.root.get("paths").and_then(Value::as_object).into_iter().flatten().collect();
    paths.retain(|(path, _)| !path.starts_with("x-"));
    paths.sort_by_key(|(path, _)| path.as_str());
    for (path, raw) in paths {
        let referred = match raw {
            Value::Object(_) => reference_of(raw).map(|_| document.follow(raw)).transpose(),
            Value::Null => continue,
            _ => Err("the path item is not an object".to_owned()),
        };
        let item = match referred {
            Ok(referred) => Item { own: raw, referred },
            Err(reason) => {
                gathered.candidates.push(Candidate { about: about("", path, &Value::Null), draft: Err(reason) });
                continue;
            }
        };
        let named = METHODS.into_iter().filter_map(|method| Some((method, item.get(method)?)));
        // 3.2: methods of any other name, written as they are sent.
        let others = item.get("additionalOperations").and_then(Value::as_object).into_iter().flatten();
        for (method, operation) in named.chain(others.map(|(method, operation)| (method.as_str(), operation))) {
            let about = about(method, path, operation);
            let draft = reader.draft(&about, &item, operation, &mut gathered.normaliser);
            let candidate = Candidate { about, draft };
            let room = WARNINGS_MAX.saturating_sub(gathered.warnings.len());
            gathered.warnings.extend(reader.notes.drain(..).take(room).map(|note| format!("{}: {note}", candidate.label())));
            gathered.candidates.push(candidate);
        }
    }
    gathered.schemes = reader.security.into_schemes();
    gathered
}

fn about(method: &str, path: &str, operation: &Value) -> About {
    let text = |key: &str| operation.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let tags = operation.get("tags").and_then(Value::as_array).into_iter().flatten();
    About {
        method: method.to_ascii_uppercase(),
        path: path.to_owned(),
        operation_id: text("operationId"),
        summary: text("summary"),
        tags: tags.filter_map(Value::as_str).map(str::to_owned).collect(),
        deprecated: operation.get("deprecated") == Some(&Value::Bool(true)),
    }
}

/// Reads one operation after another.
struct Reader<'d> {
    document: &'d Document,
    options: &'d ReadOptions,
    security: Security,
    /// What is odd about the operation being read.
    notes: Vec<String>,
}

impl<'d> Reader<'d> {
    fn draft(
        &mut self,
        about: &About,
        item: &Item<'d>,
        operation: &'d Value,
        normaliser: &mut Normaliser<'d>,
    ) -> Result<Draft<'d>, String> {
        if !is_token(&about.method) {
            return Err(format!("its method {:?} cannot be sent", about.method));
        }
        if !about.path.starts_with('/') {
            return Err("the path does not start with a slash".to_owned());
        }
        if about.path.len() > PATH_BYTES_MAX {
            return Err(format!("the path has {} bytes; at most {PATH_BYTES_MAX} are read", about.path.len()));
        }
        if !operation.is_object() {
            return Err("the operation is not an object".to_owned());
        }
        let template = Template::parse(&about.path)?;
        let (parameters, body) = self.inputs(about, item, operation, &template)?;
        let key_header = keyed::documented(about, operation, &parameters, &mut self.notes);
        let confirm = confirm::documented(operation, &mut self.notes);
        let parameters = parameters.into_iter().map(|declared| {
            let schema = declared.schema.map(|schema| normaliser.normalise(schema)).unwrap_or_else(any_string);
            let schema = if declared.allow_empty { or_empty(&schema) } else { schema };
            (declared, schema)
        });
        let parameters = parameters.collect();
        let body = body.map(|declared| {
            let schema = match &declared.schema {
                Content::Schema(schema) => BodySchema::Schema(schema.map(|schema| normaliser.normalise(schema))),
                Content::Fields(fields) => {
                    let each =
                        fields.iter().map(|field| field.schema.map(|schema| normaliser.normalise(schema)).unwrap_or_else(any_string));
                    BodySchema::Fields(each.collect())
                }
            };
            (declared, schema)
        });
        Ok(Draft {
            description: operation.get("description").and_then(Value::as_str).map(str::to_owned),
            template,
            parameters,
            body,
            server: server::of_operation(self.document, item.get("servers"), operation, self.options),
            security: self.security.of(operation),
            accept: accept(self.document, operation),
            key_header,
            confirm,
        })
    }

    /// The parameters and the body, as far as they can be sent.
    fn inputs(&mut self, about: &About, item: &Item<'d>, operation: &'d Value, template: &Template) -> Result<Inputs<'d>, String> {
        let document = self.document;
        let (mut body_parameter, mut fields) = (None, Vec::new());
        let mut parameters: Vec<Declared<'d>> = Vec::new();
        for raw in raw_parameters(document, item, operation)? {
            match raw.get("in").and_then(Value::as_str) {
                Some("body") if document.edition == Edition::Swagger2 => body_parameter = Some(raw),
                Some("formData") if document.edition == Edition::Swagger2 => fields.push(parameter::declared(document, raw)?),
                Some("header") if raw.get("name").and_then(Value::as_str).is_some_and(is_reserved_header) => {}
                _ => parameters.push(parameter::declared(document, raw)?),
            }
        }
        parameters.retain(|declared| {
            let lost = declared.location == Location::Path && !template.names.contains(&declared.name);
            if lost {
                let name = &declared.name;
                self.notes.push(format!("parameter `{name}` belongs in the path, which has no `{{{name}}}`; it is not sent"));
            }
            !lost && !self.security.carries_key(declared.location, &declared.name)
        });
        for name in &template.names {
            if !parameters.iter().any(|declared| declared.location == Location::Path && declared.name == *name) {
                self.notes.push(format!("the path has `{{{name}}}`, which no parameter declares; it became a required string"));
                parameters.push(undeclared(name));
            }
        }
        let body = match document.edition {
            Edition::Swagger2 => body::swagger2(document, operation, body_parameter, fields),
            Edition::V3_0 | Edition::V3_1 => body::openapi3(document, operation)?,
        };
        if let Some(body) = body.as_ref().filter(|body| !is_visible(&body.content_type)) {
            return Err(format!("the media type {:?} of its body cannot stand in a header", body.content_type));
        }
        let meaningless = matches!(about.method.as_str(), "GET" | "HEAD" | "TRACE");
        if meaningless && body.is_some() {
            self.notes.push("a body is described, which has no meaning for this method (RFC 9110, 9.3); it is not sent".to_owned());
        }
        Ok((parameters, body.filter(|_| !meaningless)))
    }
}

type Inputs<'d> = (Vec<Declared<'d>>, Option<DeclaredBody<'d>>);

/// The path item's parameters, overridden by the operation's of the same name and place.
fn raw_parameters<'d>(document: &'d Document, item: &Item<'d>, operation: &'d Value) -> Result<Vec<&'d Value>, String> {
    let lists = [item.get("parameters"), operation.get("parameters")].map(|list| list.and_then(Value::as_array));
    let count = lists.iter().flatten().map(|list| list.len()).sum::<usize>();
    if count > PARAMETERS_MAX {
        return Err(format!("it has {count} parameters; at most {PARAMETERS_MAX} are read"));
    }
    let mut found: Vec<&Value> = Vec::new();
    let mut places: HashMap<(Option<&str>, Option<&str>), usize> = HashMap::new();
    for raw in lists.into_iter().flatten().flatten() {
        let raw = document.follow(raw)?;
        let text = |key: &str| raw.get(key).and_then(Value::as_str);
        match places.get(&(text("name"), text("in"))).and_then(|at| found.get_mut(*at)) {
            Some(known) => *known = raw,
            None => {
                places.insert((text("name"), text("in")), found.len());
                found.push(raw);
            }
        }
    }
    Ok(found)
}

fn undeclared<'d>(name: &str) -> Declared<'d> {
    Declared {
        name: name.to_owned(),
        location: Location::Path,
        required: true,
        description: None,
        deprecated: false,
        allow_empty: false,
        wire: Wire { style: Style::Simple, explode: false, keep: Keep::Unreserved, json: false },
        schema: None,
    }
}

/// What a parameter without a schema may be.
fn any_string() -> Arc<Normalised> {
    Arc::new(Normalised { schema: json!({"type": "string"}), ..Normalised::default() })
}

/// A schema that takes an empty text too (`allowEmptyValue`).
fn or_empty(schema: &Normalised) -> Arc<Normalised> {
    let mut outer = Map::from_iter([("anyOf".to_owned(), json!([schema.schema, {"type": "string", "const": ""}]))]);
    outer.extend(schema.schema.get("description").map(|description| ("description".to_owned(), description.clone())));
    Arc::new(Normalised { schema: Value::Object(outer), ..schema.clone() })
}

/// Whether a text can stand in a header (RFC 9110, 5.5).
fn is_visible(text: &str) -> bool {
    text.bytes().all(|byte| (b' '..=b'~').contains(&byte))
}

/// The media types of successful answers, JSON first. Whatever is wrong with a response costs nothing but this.
fn accept(document: &Document, operation: &Value) -> Option<String> {
    let mut types: Vec<&str> = Vec::new();
    if document.edition == Edition::Swagger2 {
        let produces = operation.get("produces").or_else(|| document.root.get("produces")).and_then(Value::as_array);
        types.extend(produces.into_iter().flatten().filter_map(Value::as_str));
    } else {
        for (status, response) in operation.get("responses").and_then(Value::as_object).into_iter().flatten() {
            let content = document.follow(response).ok().and_then(|response| response.get("content")?.as_object());
            if status.starts_with('2') || status == "default" && types.is_empty() {
                types.extend(content.into_iter().flatten().map(|(media_type, _)| media_type.trim()));
            }
        }
    }
    let sendable = |media_type: &&str| media_type.contains('/') && is_visible(media_type) && !media_type.contains(',');
    types.retain(sendable);
    types.sort_by_key(|media_type| !is_json(media_type));
    let mut distinct: Vec<&str> = Vec::new();
    for media_type in types {
        if !distinct.contains(&media_type) {
            distinct.push(media_type);
        }
    }
    (!distinct.is_empty()).then(|| distinct.join(", "))
}

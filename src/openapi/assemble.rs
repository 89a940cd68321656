//! From what was found in the document to operations: arguments get their names, models their schemas, the body its reverse map.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
};

use serde_json::{Map, Value, json};

use super::{
    asked::{Asked, describe},
    body::{Content, Encoding, Media, is_file},
    gather::{BodySchema, Draft},
    model::{Expansion, clip},
    naming::{Place, argument_names},
    operation::{About, Body, Operation, Parameter, Purpose, Shape},
    parameter::Location,
    schema::{Definitions, Link, Normalised},
    server::Resolved,
};
use crate::domain::{
    limits::FUNCTION_DESCRIPTION_CHARS_MAX,
    tool::{Effect, FunctionSpec},
};

/// Puts an operation and its function together; the reason when one of its schemas cannot be used. The operation learns its place in
/// the list of functions when there is one.
pub(super) fn assemble(
    about: About,
    draft: Draft,
    name: String,
    definitions: &Arc<Definitions>,
    root_server: &Arc<Resolved>,
) -> Result<(FunctionSpec, Operation), String> {
    if let Some(problem) = problem(&draft, definitions) {
        return Err(problem);
    }
    let mut expansion = Expansion::new(definitions);
    let mut asked = Asked::default();
    let places: Vec<Place> =
        draft.parameters.iter().map(|(declared, _)| Place { kind: declared.location.word(), wire: &declared.name }).collect();
    let names = argument_names(&places);
    let mut parameters = Vec::new();
    for ((declared, schema), argument) in draft.parameters.into_iter().zip(names) {
        let mut shown = expansion.expand(&schema.schema);
        let own = declared.description.filter(|text| !text.trim().is_empty());
        let described = own.or_else(|| shown.get("description").and_then(Value::as_str).map(str::to_owned));
        let renamed = (argument != declared.name).then(|| format!("sent as `{}` in the {}", declared.name, declared.location.word()));
        describe(&mut shown, described, renamed);
        if declared.deprecated {
            shown.insert("deprecated".to_owned(), true.into());
        }
        asked.reserve(&declared.name);
        asked.add(&argument, shown, declared.required);
        parameters.push(Parameter {
            argument,
            name: declared.name,
            location: declared.location,
            required: declared.required,
            wire: declared.wire,
            schema,
        });
    }
    let body = match draft.body {
        None => None,
        Some((declared, schema)) => {
            let (schema, links) = body_schema(schema, &declared.schema);
            let schema = fitting(schema, declared.media, &declared.content_type, definitions)?;
            let files = files(&schema, declared.media, &declared.encodings, definitions);
            let shown = expansion.expand(&schema);
            let shape = asked.add_body(shown, declared.required, declared.media, declared.description, &files);
            Some(Body {
                media: declared.media,
                content_type: declared.content_type,
                required: declared.required,
                shape,
                schema,
                links,
                encodings: declared.encodings,
                files,
            })
        }
    };
    let arguments = purposes(&parameters, body.as_ref());
    let hole = |name: &String| parameters.iter().position(|parameter| parameter.location == Location::Path && parameter.name == *name);
    let holes = draft.template.names.iter().filter_map(hole).collect();
    let safe = about.is_safe();
    let spec = FunctionSpec {
        name,
        description: description(&about, draft.description.as_deref()),
        parameters: Arc::new(asked.into_schema()),
        effect: if safe { Effect::Safe } else { Effect::Changing },
    };
    let operation = Operation {
        about,
        specs: Arc::from([]),
        index: 0,
        template: draft.template,
        parameters,
        holes,
        body,
        server: draft.server.map_or_else(|| Arc::clone(root_server), Arc::new),
        security: draft.security,
        accept: draft.accept,
        key_header: draft.key_header,
        confirm: draft.confirm,
        definitions: Arc::clone(definitions),
        arguments,
        validators: OnceLock::new(),
    };
    Ok((spec, operation))
}

/// Why one of the schemas cannot be used, if so.
fn problem(draft: &Draft, definitions: &Definitions) -> Option<String> {
    let mut all: Vec<&Normalised> = draft.parameters.iter().map(|(_, schema)| &**schema).collect();
    match draft.body.as_ref().map(|(_, schema)| schema) {
        Some(BodySchema::Schema(schema)) => all.extend(schema.as_deref()),
        Some(BodySchema::Fields(fields)) => all.extend(fields.iter().map(|field| &**field)),
        None => {}
    }
    all.into_iter().find_map(|schema| schema.problem.clone().or_else(|| definitions.problem(&schema.links).map(str::to_owned)))
}

/// What each argument is for.
pub(super) fn purposes(parameters: &[Parameter], body: Option<&Body>) -> HashMap<String, Purpose> {
    let mut purposes: HashMap<String, Purpose> = match body.map(|body| &body.shape) {
        Some(Shape::Whole(argument)) => HashMap::from([(argument.clone(), Purpose::Body)]),
        Some(Shape::Flat { properties, .. }) => {
            properties.iter().enumerate().map(|(at, (argument, _))| (argument.clone(), Purpose::Property(at))).collect()
        }
        None => HashMap::new(),
    };
    purposes.extend(parameters.iter().enumerate().map(|(at, parameter)| (parameter.argument.clone(), Purpose::Parameter(at))));
    purposes.shrink_to_fit();
    purposes
}

/// The summary, then the description when it says more; method and path when there is neither.
fn description(about: &About, description: Option<&str>) -> String {
    let description = description.map(str::trim).filter(|text| !text.is_empty());
    let text = match (about.summary.as_deref(), description) {
        (Some(summary), Some(description)) if !description.starts_with(summary) => format!("{summary}\n\n{description}"),
        (_, Some(description)) => description.to_owned(),
        (Some(summary), None) => summary.to_owned(),
        (None, None) => format!("{} {}", about.method, about.path),
    };
    let text = if about.deprecated { format!("Deprecated. {text}") } else { text };
    clip(&text, FUNCTION_DESCRIPTION_CHARS_MAX)
}

/// The schema of the whole body, whichever way it was declared, and what it refers to.
fn body_schema(schema: BodySchema, declared: &Content) -> (Value, Vec<Link>) {
    match (schema, declared) {
        (BodySchema::Schema(schema), _) => schema.map_or_else(|| (json!({}), Vec::new()), |one| (one.schema.clone(), one.links.clone())),
        (BodySchema::Fields(fields), Content::Fields(names)) => {
            let links = fields.iter().flat_map(|field| field.links.iter().copied()).collect();
            let required: Vec<Value> = names.iter().filter(|field| field.required).map(|field| field.name.clone().into()).collect();
            let properties: Map<String, Value> =
                names.iter().zip(fields).map(|(field, schema)| (field.name.clone(), schema.schema.clone())).collect();
            let mut whole = Map::from_iter([("type".to_owned(), "object".into()), ("properties".to_owned(), Value::Object(properties))]);
            if !required.is_empty() {
                whole.insert("required".to_owned(), required.into());
            }
            (Value::Object(whole), links)
        }
        (BodySchema::Fields(_), _) => (json!({}), Vec::new()),
    }
}

/// The schema when a body of this kind can be made of its values; the reason when not.
fn fitting(schema: Value, media: Media, content_type: &str, definitions: &Definitions) -> Result<Value, String> {
    let target = definitions.follow(&schema);
    let says =
        |kind: &str| target.get("type").is_some_and(|own| own == kind || own.as_array().is_some_and(|any| any.contains(&kind.into())));
    let structured = says("object") || says("array") || target.get("properties").is_some();
    match media {
        Media::Json => Ok(schema),
        Media::Form | Media::Multipart if says("array") || says("string") => Err(format!("its body is {content_type}, but not an object")),
        Media::Form | Media::Multipart => Ok(schema),
        // What is said of a value is how it is written; a text is the document itself.
        Media::Xml if structured => Ok(json!({"anyOf": [schema, {"type": "string", "description": "the XML itself"}]})),
        Media::Xml => Ok(json!({"type": "string"})),
        Media::Text if structured => {
            Err(format!("its body is {content_type} made of an object or a list; only JSON, XML and forms are made of those"))
        }
        Media::Text if target.get("type").is_none() => Ok(json!({"type": "string"})),
        Media::Text => Ok(schema),
        Media::Bytes => Ok(json!({"type": "string"})),
    }
}

fn files(schema: &Value, media: Media, encodings: &HashMap<String, Encoding>, definitions: &Definitions) -> Vec<String> {
    if media != Media::Multipart {
        return Vec::new();
    }
    let target = definitions.follow(schema);
    let parts = target.get("allOf").and_then(Value::as_array).into_iter().flatten();
    let mut found: Vec<String> = parts.flat_map(|part| files(part, media, encodings, definitions)).collect();
    for (name, of) in target.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let encoding = encodings.get(name);
        let item = of.get("items");
        if is_file(of, encoding, definitions) || item.is_some_and(|item| is_file(item, encoding, definitions)) {
            found.push(name.clone());
        }
    }
    found
}

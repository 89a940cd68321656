//! Documents made at random, each operation with arguments that fit it.

use proptest::{collection::vec, prelude::*, sample::select};
use serde_json::{Map, Value, json};

use super::decode::Style;

pub const BASE: &str = "http://up.test:9000/v1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edition {
    Two,
    Three,
    ThreeOne,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Path,
    Query,
    Header,
    Cookie,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Text,
    Integer,
    Number,
    Truth,
}

/// What a value is made of.
#[derive(Debug, Clone)]
pub enum Shape {
    One(Kind),
    List(Kind),
    Object(Vec<(String, Kind)>),
}

#[derive(Debug, Clone)]
pub struct Parameter {
    pub name: String,
    pub place: Place,
    pub style: Style,
    pub explode: bool,
    pub shape: Shape,
    pub value: Value,
    /// Whether style and explode are left out where the specification's defaults say the same.
    terse: bool,
    dress: u8,
}

#[derive(Debug, Clone)]
pub enum Body {
    None,
    Json(Vec<(String, Shape, Value)>),
    Tree(Value),
    Form(Vec<(String, Shape, Value)>),
    Multipart(Vec<(String, Shape, Value)>),
    Text(String),
}

#[derive(Debug, Clone)]
pub struct Operation {
    pub parameters: Vec<Parameter>,
    pub body: Body,
}

#[derive(Debug, Clone)]
pub struct Plan {
    pub edition: Edition,
    pub operations: Vec<Operation>,
}

pub fn any_plan() -> impl Strategy<Value = Plan> {
    let edition = select(vec![Edition::Two, Edition::Three, Edition::Three, Edition::ThreeOne]);
    edition.prop_flat_map(|edition| {
        let operation = (any_parameters(edition), any_body(edition)).prop_map(|(parameters, body)| Operation { parameters, body });
        vec(operation, 1..4).prop_map(move |operations| Plan { edition, operations })
    })
}

fn any_parameters(edition: Edition) -> impl Strategy<Value = Vec<Parameter>> {
    let places = if edition == Edition::Two {
        vec![Place::Path, Place::Query, Place::Header]
    } else {
        vec![Place::Path, Place::Query, Place::Header, Place::Cookie]
    };
    vec(select(places), 0..6).prop_flat_map(move |places| {
        places.into_iter().enumerate().map(|(at, place)| any_parameter(edition, place, at)).collect::<Vec<_>>()
    })
}

/// Every style of the edition in this place, exploded and not.
fn ways(edition: Edition, place: Place) -> Vec<(Style, bool)> {
    use Style::{Deep, Form, Json, Label, Matrix, Pipe, Simple, Space, Tab};
    match (edition, place) {
        (Edition::Two, Place::Query) => vec![(Form, false), (Form, true), (Space, false), (Pipe, false), (Tab, false)],
        (Edition::Two, _) => vec![(Simple, false)],
        (_, Place::Path) => {
            vec![(Simple, false), (Simple, true), (Label, false), (Label, true), (Matrix, false), (Matrix, true), (Json, false)]
        }
        (_, Place::Query) => vec![(Form, false), (Form, true), (Space, false), (Pipe, false), (Deep, true), (Json, false)],
        (_, Place::Header) => vec![(Simple, false), (Simple, true)],
        (_, Place::Cookie) => vec![(Form, false), (Form, true)],
    }
}

fn any_parameter(edition: Edition, place: Place, at: usize) -> impl Strategy<Value = Parameter> {
    let name = match place {
        Place::Path => "[^{}/\\x00-\\x20\\PC]{0,4}".prop_map(move |tail| format!("p{at}{}", tail.trim())).boxed(),
        Place::Query => any::<String>().prop_map(move |tail| format!("q{at}{tail}")).boxed(),
        Place::Header => "[A-Za-z0-9.-]{0,4}".prop_map(move |tail| format!("X-{at}{tail}")).boxed(),
        Place::Cookie => "[a-z_.]{0,4}".prop_map(move |tail| format!("c{at}{tail}")).boxed(),
    };
    (select(ways(edition, place)), name, any::<bool>(), 0..8u8).prop_flat_map(move |((style, explode), name, terse, dress)| {
        any_shape(edition, place, style, explode, at).prop_flat_map(move |shape| {
            let name = name.clone();
            any_value(&shape, place, style, explode).prop_map(move |value| {
                let (name, shape) = (name.clone(), shape.clone());
                Parameter { name, place, style, explode, shape, value, terse, dress }
            })
        })
    })
}

fn any_kind() -> impl Strategy<Value = Kind> {
    select(vec![Kind::Text, Kind::Text, Kind::Integer, Kind::Number, Kind::Truth])
}

fn any_shape(edition: Edition, place: Place, style: Style, explode: bool, at: usize) -> BoxedStrategy<Shape> {
    let one = any_kind().prop_map(Shape::One).boxed();
    // A dot between dots is no text and no number either.
    let part = move || any_kind().prop_filter("no dots", move |kind| *kind != Kind::Number || !(style == Style::Label && explode));
    let list = part().prop_map(Shape::List).boxed();
    let key = match (place, style) {
        (Place::Path | Place::Query, Style::Json) => any::<String>().boxed(),
        (Place::Path | Place::Query, _) => any::<String>().prop_map(|key| key.replace(['[', ']', '.', ' ', '|', '\t'], "")).boxed(),
        (Place::Header | Place::Cookie, _) => "[a-z]{0,4}".boxed(),
    };
    let keys = vec((key, part()), 1..4).prop_map(move |keys| {
        Shape::Object(keys.into_iter().enumerate().map(|(n, (key, kind))| (format!("k{at}_{n}{key}"), kind)).collect())
    });
    match (edition, style) {
        (Edition::Two, Style::Form | Style::Simple) => prop_oneof![one, list].boxed(),
        (Edition::Two, _) | (_, Style::Space | Style::Pipe) if edition == Edition::Two => list,
        (_, Style::Space | Style::Pipe) => prop_oneof![list, keys].boxed(),
        (_, Style::Deep) => keys.boxed(),
        _ => prop_oneof![one, list, keys].boxed(),
    }
}

fn any_value(shape: &Shape, place: Place, style: Style, explode: bool) -> BoxedStrategy<Value> {
    match shape {
        Shape::One(kind) => any_scalar(*kind, any_text(place, style, explode, false)),
        Shape::List(kind) => vec(any_scalar(*kind, any_text(place, style, explode, true)), 1..4).prop_map(Value::from).boxed(),
        Shape::Object(keys) => {
            let values: Vec<_> = keys.iter().map(|(_, kind)| any_scalar(*kind, any_text(place, style, explode, true))).collect();
            let names: Vec<String> = keys.iter().map(|(name, _)| name.clone()).collect();
            values.prop_map(move |values| Value::Object(names.iter().cloned().zip(values).collect())).boxed()
        }
    }
}

fn any_scalar(kind: Kind, text: BoxedStrategy<String>) -> BoxedStrategy<Value> {
    match kind {
        Kind::Text => text.prop_map(Value::from).boxed(),
        Kind::Integer => any::<i64>().prop_map(Value::from).boxed(),
        Kind::Number => any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Value::from).boxed(),
        Kind::Truth => any::<bool>().prop_map(Value::from).boxed(),
    }
}

/// Texts that can be written in a place and read back: as one value, or as one of several.
fn any_text(place: Place, style: Style, explode: bool, one_of_several: bool) -> BoxedStrategy<String> {
    let text = match place {
        // A letter in front: no segment of dots, none that is empty.
        Place::Path => prop_oneof![any::<String>(), "[./%\\\\?#;,=&+]{0,4}"].prop_map(|tail| format!("a{tail}")).boxed(),
        Place::Query => prop_oneof![any::<String>(), "[./%\\\\?#;,=&+ ]{0,4}"].boxed(),
        Place::Header => "[!-~]([ -~]{0,6}[!-~])?".boxed(),
        Place::Cookie => "[!-:<-~]([ -:<-~]{0,6}[!-:<-~])?".boxed(),
    };
    let taken: &'static [char] = match (one_of_several, place, style, explode) {
        (false, ..) | (true, _, Style::Json, _) => &[],
        (true, Place::Header, ..) | (true, Place::Cookie, ..) => &[','],
        (true, _, Style::Label, true) => &['.'],
        (true, _, Style::Space, _) => &[' '],
        (true, _, Style::Pipe, _) => &['|'],
        (true, _, Style::Tab, _) => &['\t'],
        _ => &[],
    };
    let blank: &'static [char] = if matches!(place, Place::Header | Place::Cookie) { &[' '] } else { &[] };
    // What is taken out may have stood before a blank that is at the end then.
    text.prop_map(move |text| text.replace(taken, "").trim_matches(blank).to_owned()).boxed()
}

fn any_fields() -> impl Strategy<Value = Vec<(String, Shape, Value)>> {
    let field = (any::<String>(), any_kind(), any::<bool>()).prop_flat_map(|(name, kind, list)| {
        let shape = if list { Shape::List(kind) } else { Shape::One(kind) };
        let value = any_value(&shape, Place::Query, Style::Form, true);
        (Just(name), Just(shape), value)
    });
    vec(field, 1..4)
        .prop_map(|fields| fields.into_iter().enumerate().map(|(n, (name, shape, value))| (format!("b{n}{name}"), shape, value)).collect())
}

fn any_body(edition: Edition) -> BoxedStrategy<Body> {
    let leaf = any::<String>().prop_map(|name| json!({"name": name}));
    let tree = leaf.prop_recursive(4, 12, 3, |inner| {
        (any::<String>(), vec(inner, 0..3)).prop_map(|(name, children)| json!({"name": name, "children": children}))
    });
    let form = any_fields().prop_map(Body::Form);
    if edition == Edition::Two {
        return prop_oneof![Just(Body::None), any_fields().prop_map(Body::Json), tree.prop_map(Body::Tree)].boxed();
    }
    prop_oneof![
        Just(Body::None),
        any_fields().prop_map(Body::Json),
        tree.prop_map(Body::Tree),
        form,
        any_fields().prop_map(Body::Multipart),
        any::<String>().prop_map(Body::Text),
    ]
    .boxed()
}

impl Kind {
    fn schema(self) -> Value {
        match self {
            Self::Text => json!({"type": "string"}),
            Self::Integer => json!({"type": "integer", "format": "int64"}),
            Self::Number => json!({"type": "number"}),
            Self::Truth => json!({"type": "boolean"}),
        }
    }
}

impl Shape {
    fn schema(&self) -> Value {
        match self {
            Self::One(kind) => kind.schema(),
            Self::List(kind) => json!({"type": "array", "items": kind.schema(), "minItems": 1}),
            Self::Object(keys) => {
                let properties: Map<String, Value> = keys.iter().map(|(name, kind)| (name.clone(), kind.schema())).collect();
                json!({"type": "object", "properties": properties, "additionalProperties": false})
            }
        }
    }
}

impl Plan {
    /// The path of an operation, with a segment for every path parameter.
    pub fn path(&self, at: usize) -> String {
        let holes = self.operations[at].parameters.iter().filter(|parameter| parameter.place == Place::Path);
        let holes: String = holes.map(|parameter| format!("/{{{}}}", parameter.name)).collect();
        format!("/op{at}{holes}/end")
    }

    pub fn document(&self) -> Value {
        let mut shared = Map::new();
        shared.insert(
            "Tree".to_owned(),
            json!({"type": "object", "required": ["name"], "additionalProperties": false, "properties": {
            "name": {"type": "string"}, "children": {"type": "array", "items": {"$ref": self.pointer("Tree")}}}}),
        );
        let mut paths = Map::new();
        for (at, operation) in self.operations.iter().enumerate() {
            let mut made = json!({"operationId": format!("op{at}"), "responses": {"200": {"description": "done"}}, "x-any": [at]});
            let mut parameters: Vec<Value> =
                operation.parameters.iter().map(|parameter| self.parameter(parameter, &format!("S{at}_"), &mut shared)).collect();
            if self.edition == Edition::Two {
                parameters.extend(
                    self.body(&operation.body).map(|schema| json!({"name": "body", "in": "body", "required": true, "schema": schema})),
                );
            } else if let Some(schema) = self.body(&operation.body) {
                let media_type = match operation.body {
                    Body::Form(_) => "application/x-www-form-urlencoded",
                    Body::Multipart(_) => "multipart/form-data",
                    Body::Text(_) => "text/plain",
                    Body::None | Body::Json(_) | Body::Tree(_) => "application/json",
                };
                made["requestBody"] = json!({"required": true, "content": {media_type: {"schema": schema}}});
            }
            made["parameters"] = parameters.into();
            paths.insert(self.path(at), json!({"post": made}));
        }
        let info = json!({"title": "t", "version": "1"});
        match self.edition {
            Edition::Two => json!({"swagger": "2.0", "info": info, "host": "up.test:9000", "basePath": "/v1", "schemes": ["http"],
                "consumes": ["application/json"], "paths": paths, "definitions": shared}),
            Edition::Three | Edition::ThreeOne => {
                let version = if self.edition == Edition::Three { "3.0.3" } else { "3.1.0" };
                json!({"openapi": version, "info": info, "servers": [{"url": BASE}], "paths": paths, "components": {"schemas": shared}})
            }
        }
    }

    fn pointer(&self, name: &str) -> String {
        if self.edition == Edition::Two { format!("#/definitions/{name}") } else { format!("#/components/schemas/{name}") }
    }

    fn body(&self, body: &Body) -> Option<Value> {
        match body {
            Body::None => None,
            Body::Tree(_) => Some(json!({"$ref": self.pointer("Tree")})),
            Body::Text(_) => Some(json!({"type": "string"})),
            Body::Json(fields) | Body::Form(fields) | Body::Multipart(fields) => {
                let properties: Map<String, Value> = fields.iter().map(|(name, shape, _)| (name.clone(), shape.schema())).collect();
                Some(json!({"type": "object", "properties": properties}))
            }
        }
    }

    fn parameter(&self, parameter: &Parameter, prefix: &str, shared: &mut Map<String, Value>) -> Value {
        let Parameter { name, place, style, explode, shape, value, terse, dress } = parameter;
        let place_word = match place {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        };
        let mut made = json!({"name": name, "in": place_word, "required": *place == Place::Path});
        if self.edition == Edition::Two {
            let schema = shape.schema();
            made.as_object_mut().unwrap().extend(schema.as_object().cloned().unwrap_or_default());
            if matches!(shape, Shape::List(_)) {
                made["collectionFormat"] = match (style, explode) {
                    (Style::Form, true) => "multi",
                    (Style::Space, _) => "ssv",
                    (Style::Tab, _) => "tsv",
                    (Style::Pipe, _) => "pipes",
                    _ => "csv",
                }
                .into();
            }
            return made;
        }
        let schema = self.dressed(shape.schema(), value, *dress, &format!("{prefix}{name}"), shared);
        if *style == Style::Json {
            made["content"] = json!({"application/json": {"schema": schema}});
            return made;
        }
        made["schema"] = schema;
        let usual = match place {
            Place::Path | Place::Header => (Style::Simple, false),
            Place::Query | Place::Cookie => (Style::Form, true),
        };
        if !*terse || (*style, *explode) != usual {
            made["style"] = style.word().into();
            made["explode"] = (*explode).into();
        }
        made
    }

    /// The same schema in other clothes.
    fn dressed(&self, schema: Value, value: &Value, dress: u8, name: &str, shared: &mut Map<String, Value>) -> Value {
        let escaped = |name: &str| {
            percent_encoding::utf8_percent_encode(&name.replace('~', "~0").replace('/', "~1"), percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let mut refer = |name: String, schema: Value| {
            let reference = json!({"$ref": self.pointer(&escaped(&name))});
            shared.insert(name, schema);
            reference
        };
        match dress {
            0 => refer(name.to_owned(), schema),
            1 => {
                let inner = refer(format!("{name}/inner"), schema);
                refer(format!("{name}~outer"), inner)
            }
            2 => json!({"allOf": [schema, {"description": "more"}]}),
            3 => json!({"anyOf": [schema, {"type": "object", "required": ["never"], "maxProperties": 0}]}),
            4 if self.edition == Edition::Three => {
                let mut schema = schema;
                schema["nullable"] = true.into();
                schema
            }
            4 => {
                let mut schema = schema;
                schema["type"] = json!([schema["type"], "null"]);
                schema
            }
            5 => {
                let mut schema = schema;
                schema["enum"] = json!([value, "another"]);
                schema
            }
            6 if self.edition == Edition::ThreeOne => json!({"$ref": "#/$defs/T", "$defs": {"T": schema}}),
            _ => schema,
        }
    }
}

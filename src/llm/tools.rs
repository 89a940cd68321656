//! The functions a planner may call, each written once as it stands in the `tools` of a chat completion.

use std::{borrow::Cow, sync::Arc};

use serde::{Serialize, Serializer};
use serde_json::{
    Map, Value,
    value::{RawValue, to_raw_value},
};

use super::{
    lookup::{self, Lookup},
    tokens,
};
use crate::{
    domain::{
        limits::FUNCTION_DESCRIPTION_CHARS_MAX,
        tool::{self, FunctionSpec, ToolCall},
    },
    excerpt::reader,
};

/// The functions a planner may call: all of them, or those that are offered, and then ours by which others are found. Cloning is cheap.
#[derive(Debug, Clone)]
pub struct ToolSet {
    /// All functions, offered or not.
    pub functions: Arc<[FunctionSpec]>,
    written: Arc<Written>,
    /// Places of functions, in the order in which they came; none: all are offered.
    offered: Option<Vec<usize>>,
}

/// Functions as they go on the wire.
#[derive(Debug)]
struct Written {
    functions: Vec<Option<Box<RawValue>>>,
    /// Of all of them.
    bytes: usize,
    /// Of each of them, as tokens are estimated.
    tokens: Vec<u64>,
    /// Of all of them together.
    tokens_of_all: u64,
    search: Own,
    describe: Own,
    reader: Own,
}

/// A function of our own.
#[derive(Debug)]
struct Own {
    name: String,
    written: Option<Box<RawValue>>,
    tokens: u64,
}

impl Own {
    fn new(spec: FunctionSpec) -> Self {
        let written = written(&spec);
        Self { name: spec.name, tokens: tokens_of(written.as_deref()), written }
    }
}

/// A function's, and of the comma behind it.
fn tokens_of(written: Option<&RawValue>) -> u64 {
    written.map_or(0, |piece| tokens::of(piece.get().as_bytes()) + 1)
}

/// Text and JSON values always serialise, so there is always something; without it the model could still answer.
fn written(spec: &FunctionSpec) -> Option<Box<RawValue>> {
    to_raw_value(&Tool::from(spec)).ok()
}

/// How our own functions are called.
struct Ours {
    search: String,
    describe: String,
    reader: String,
}

impl Ours {
    fn beside(functions: &[FunctionSpec]) -> Self {
        let named = |wished| tool::name_beside(wished, functions);
        Self { search: named(lookup::SEARCH), describe: named(lookup::DESCRIBE), reader: reader::name_beside(functions) }
    }
}

impl ToolSet {
    /// All of these are offered.
    pub fn new(functions: Vec<FunctionSpec>) -> Self {
        let ours = Ours::beside(&functions);
        Self::with(functions, &ours)
    }

    /// As [`ToolSet::new`], for some of all functions: ours have the names that they have beside all.
    pub fn beside(functions: Vec<FunctionSpec>, all: &[FunctionSpec]) -> Self {
        Self::with(functions, &Ours::beside(all))
    }

    fn with(functions: Vec<FunctionSpec>, ours: &Ours) -> Self {
        let each: Vec<Option<Box<RawValue>>> = functions.iter().map(written).collect();
        let tokens: Vec<u64> = each.iter().map(|piece| tokens_of(piece.as_deref())).collect();
        let written = Written {
            tokens_of_all: tokens.iter().sum(),
            tokens,
            bytes: each.iter().flatten().map(|piece| piece.get().len() + 1).sum(),
            functions: each,
            search: Own::new(lookup::search_spec(&ours.search, functions.len())),
            describe: Own::new(lookup::describe_spec(&ours.describe)),
            reader: Own::new(reader::spec(&ours.reader)),
        };
        Self { functions: functions.into(), written: Arc::new(written), offered: None }
    }

    /// The same functions, of which none is offered yet.
    #[must_use]
    pub fn offering_none(&self) -> Self {
        Self { offered: Some(Vec::new()), ..self.clone() }
    }

    /// Offers the function at this place as well, behind those that are offered. It stays offered.
    pub fn offer(&mut self, place: usize) {
        if let Some(offered) = &mut self.offered
            && !offered.contains(&place)
        {
            offered.push(place);
        }
    }

    /// How many functions are offered, ours not counted.
    pub fn count(&self) -> usize {
        self.offered.as_ref().map_or(self.functions.len(), Vec::len)
    }

    /// The tokens of the offered functions, those of ours included that stand beside them.
    pub fn tokens(&self) -> u64 {
        let Written { tokens_of_all, search, describe, reader, .. } = &*self.written;
        match &self.offered {
            None => tokens_of_all + reader.tokens,
            Some(places) => {
                let offered: u64 = places.iter().map(|place| self.tokens_of(*place)).sum();
                offered + search.tokens + describe.tokens + reader.tokens
            }
        }
    }

    /// The tokens of the function at this place.
    pub fn tokens_of(&self, place: usize) -> u64 {
        self.written.tokens.get(place).copied().unwrap_or_default()
    }

    /// Whether the function at this place is offered.
    pub fn offers(&self, place: usize) -> bool {
        self.offered.as_ref().is_none_or(|offered| offered.contains(&place))
    }

    /// What the function is called that reads kept results.
    pub fn reader(&self) -> &str {
        &self.written.reader.name
    }

    /// What a call of one of ours wants to know of functions, or what is wrong with its arguments. `None`: the call is of no such function.
    pub fn lookup(&self, call: &ToolCall) -> Option<Result<Lookup, Vec<String>>> {
        let arguments = call.arguments.as_ref().ok().filter(|_| self.offered.is_some())?;
        match &call.name {
            name if *name == self.written.search.name => Some(lookup::search(arguments)),
            name if *name == self.written.describe.name => Some(lookup::describe(arguments)),
            _ => None,
        }
    }

    /// Whether there is a function of this name, offered or not, ours included.
    pub(super) fn knows(&self, name: &str) -> bool {
        let own = [&self.written.search, &self.written.describe, &self.written.reader];
        own.iter().any(|own| own.name == name) || self.functions.iter().any(|function| function.name == name)
    }

    /// The `tools` array as it goes on the wire, with the function that reads kept results if there are any. `None` when there is nothing to
    /// call, because an empty array is refused.
    pub(super) fn wire(&self, with_reader: bool) -> Option<Wire<'_>> {
        let wire = Wire { tools: self, with_reader };
        wire.pieces().next().is_some().then_some(wire)
    }
}

/// A `tools` array: what was written before, one behind the other.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wire<'a> {
    tools: &'a ToolSet,
    with_reader: bool,
}

impl<'a> Wire<'a> {
    /// Ours by which others are found stand first and the offered ones in the order in which they came, so that each request of a turn begins
    /// as the one before it: providers charge less for that.
    fn pieces(self) -> impl Iterator<Item = &'a RawValue> {
        let ToolSet { written, offered, .. } = self.tools;
        let finders = offered.iter().flat_map(|_| [&written.search, &written.describe]).filter_map(|own| own.written.as_deref());
        let all = offered.is_none().then(|| written.functions.iter().flatten()).into_iter().flatten().map(|piece| &**piece);
        let some = offered.iter().flatten().filter_map(|place| written.functions.get(*place)?.as_deref());
        let reader = self.with_reader.then_some(written.reader.written.as_deref()).flatten();
        finders.chain(all).chain(some).chain(reader)
    }

    /// Its functions, each as JSON.
    pub(super) fn each(self) -> impl Iterator<Item = &'a str> {
        self.pieces().map(RawValue::get)
    }

    /// The names of its functions, in the same order.
    pub(super) fn names(self) -> impl Iterator<Item = &'a str> {
        let ToolSet { functions, written, offered } = self.tools;
        let finders = offered.iter().flat_map(|_| [&written.search, &written.describe]).map(|own| own.name.as_str());
        let all = offered.is_none().then(|| functions.iter()).into_iter().flatten();
        let some = offered.iter().flatten().filter_map(|place| functions.get(*place));
        let reader = self.with_reader.then_some(written.reader.name.as_str());
        finders.chain(all.chain(some).map(|function| function.name.as_str())).chain(reader)
    }

    /// How long it is, in bytes.
    pub(super) fn bytes(self) -> usize {
        if self.tools.offered.is_none() && !self.with_reader {
            return self.tools.written.bytes + 2;
        }
        self.pieces().map(|piece| piece.get().len() + 1).sum::<usize>() + 2
    }
}

impl Serialize for Wire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.pieces())
    }
}

#[derive(Serialize)]
struct Tool<'a> {
    r#type: &'static str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    name: &'a str,
    description: Cow<'a, str>,
    parameters: Cow<'a, Value>,
}

impl<'a> From<&'a FunctionSpec> for Tool<'a> {
    fn from(spec: &'a FunctionSpec) -> Self {
        let function =
            Function { name: &spec.name, description: told_description(&spec.description), parameters: acceptable(&spec.parameters) };
        Self { r#type: "function", function }
    }
}

/// A description as a model is told it: no longer than providers accept.
pub fn told_description(text: &str) -> Cow<'_, str> {
    if text.chars().nth(FUNCTION_DESCRIPTION_CHARS_MAX).is_none() {
        return Cow::Borrowed(text);
    }
    let kept: String = text.chars().take(FUNCTION_DESCRIPTION_CHARS_MAX - 1).collect();
    Cow::Owned(kept + "…")
}

/// A schema that every provider takes: an object with properties and without alternatives at its root. The full one validates the
/// arguments here, so what is left out is still held.
fn acceptable(schema: &Value) -> Cow<'_, Value> {
    const AT_ROOT_REFUSED: [&str; 9] = ["oneOf", "anyOf", "allOf", "not", "enum", "if", "then", "else", "$ref"];
    let root = schema.as_object();
    let good = root.is_some_and(|root| {
        root.get("type").is_some_and(|kind| kind == "object")
            && root.get("properties").is_some_and(Value::is_object)
            && AT_ROOT_REFUSED.iter().all(|word| !root.contains_key(*word))
    });
    if good {
        return Cow::Borrowed(schema);
    }
    let mut root = root.cloned().unwrap_or_default();
    for word in AT_ROOT_REFUSED {
        root.shift_remove(word);
    }
    root.insert("type".to_owned(), "object".into());
    if !root.get("properties").is_some_and(Value::is_object) {
        root.insert("properties".to_owned(), Value::Object(Map::new()));
    }
    Cow::Owned(Value::Object(root))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::tool::Effect;

    fn sent(description: &str, parameters: Value) -> Value {
        let spec =
            FunctionSpec { name: "f".to_owned(), description: description.to_owned(), parameters: parameters.into(), effect: Effect::Safe };
        let tools = ToolSet::new(vec![spec]);
        serde_json::to_value(tools.wire(false).expect("tools")).expect("JSON")
    }

    #[test]
    fn a_function_is_sent_as_a_tool() {
        let parameters =
            json!({"type": "object", "properties": {"b": {"oneOf": [{"type": "string"}]}, "a": {}}, "additionalProperties": false});
        let expected = json!([{"type": "function", "function": {"name": "f", "description": "d", "parameters": parameters}}]);
        assert_eq!(sent("d", parameters).to_string(), expected.to_string());
    }

    #[test]
    fn a_root_that_providers_refuse_becomes_a_plain_object() {
        let plain = json!({"type": "object", "properties": {}});
        for parameters in [json!(null), json!(true), json!({}), json!({"type": "object"}), json!({"type": ["object"], "properties": null})]
        {
            assert_eq!(sent("", parameters.clone())[0]["function"]["parameters"], plain, "{parameters}");
        }
        let alternatives = json!({"type": "object", "properties": {"a": {}}, "required": ["a"], "oneOf": [{}], "anyOf": [{}], "not": {},
            "if": {}, "then": {}, "else": {}, "$ref": "#/$defs/1"});
        assert_eq!(
            sent("", alternatives)[0]["function"]["parameters"],
            json!({"type": "object", "properties": {"a": {}}, "required": ["a"]})
        );
    }

    #[test]
    fn a_long_description_is_cut_with_a_mark() {
        let sent = sent(&"长".repeat(3000), json!({}));
        let description = sent[0]["function"]["description"].as_str().expect("a description");
        assert_eq!(description.chars().count(), FUNCTION_DESCRIPTION_CHARS_MAX);
        assert!(description.ends_with('…'));
    }

    #[test]
    fn the_reader_of_kept_results_stands_last_when_it_is_wanted() {
        let spec =
            FunctionSpec { name: "read_result".to_owned(), description: String::new(), parameters: json!({}).into(), effect: Effect::Safe };
        let tools = ToolSet::new(vec![spec]);
        let names = |with_reader| {
            let tools = serde_json::to_value(tools.wire(with_reader).expect("tools")).expect("JSON");
            tools.as_array().expect("a list").iter().map(|tool| tool["function"]["name"].clone()).collect::<Vec<_>>()
        };
        assert_eq!((names(false), names(true)), (vec![json!("read_result")], vec![json!("read_result"), json!("read_result_2")]));
        assert_eq!(tools.reader(), "read_result_2");
    }

    #[test]
    fn some_are_offered_with_ours_before_them_and_what_comes_later_stands_behind() {
        let spec = |name: &str| FunctionSpec {
            name: name.to_owned(),
            description: String::new(),
            parameters: json!({}).into(),
            effect: Effect::Safe,
        };
        let all = ToolSet::new(vec![spec("a"), spec("search_functions"), spec("c"), spec("d")]);
        let text = |tools: &ToolSet, with_reader| serde_json::to_string(&tools.wire(with_reader).expect("tools")).expect("JSON");
        let names = |tools: &ToolSet| {
            let tools: Value = serde_json::from_str(&text(tools, false)).expect("JSON");
            tools
                .as_array()
                .expect("a list")
                .iter()
                .map(|tool| tool["function"]["name"].as_str().expect("a name").to_owned())
                .collect::<Vec<_>>()
        };
        let mut some = all.offering_none();
        for place in [3, 0, 3, 99] {
            some.offer(place);
        }
        assert_eq!(names(&some), ["search_functions_2", "describe_function", "d", "a"]);
        let before = text(&some, false);
        some.offer(2);
        assert!(text(&some, false).starts_with(before.trim_end_matches(']')));
        for (tools, with_reader) in [(&all, false), (&all, true), (&some, false), (&some, true)] {
            assert_eq!(tools.wire(with_reader).expect("tools").bytes(), text(tools, with_reader).len() + 1);
        }
        let call = |name: &str| ToolCall {
            id: String::new(),
            name: name.to_owned(),
            arguments: Ok(Map::from_iter([("query".to_owned(), json!("x"))])),
        };
        assert!(matches!(some.lookup(&call("search_functions_2")), Some(Ok(Lookup::Search { .. }))));
        assert!(matches!(some.lookup(&call("describe_function")), Some(Err(_))));
        assert!(some.lookup(&call("search_functions")).is_none() && all.lookup(&call("search_functions_2")).is_none());
    }

    #[test]
    fn no_functions_means_no_tools_at_all() {
        assert!(ToolSet::new(Vec::new()).wire(false).is_none());
    }
}

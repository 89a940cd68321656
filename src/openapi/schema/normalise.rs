//! From a schema as the document has it to draft 2020-12: references numbered, `nullable` and boolean bounds rewritten, read-only
//! properties gone, misshapen keywords dropped.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::super::document::{Document, Edition, fragment, lookup, reference_of};
use super::{Definitions, Link, Normalised, keywords, read_only};
use crate::domain::limits::SCHEMA_COPIES_MAX;

/// Makes [`Normalised`] schemas of one document and collects what they share.
pub(in super::super) struct Normaliser<'d> {
    document: &'d Document,
    definitions: Vec<Normalised>,
    /// Definition numbers by where they stand: the pointer, and the schema it starts from when that is not the document.
    numbers: HashMap<(usize, String), usize>,
    queue: Vec<(usize, &'d Value, &'d Value)>,
    /// Patterns that have been tried, and whether they can be matched.
    patterns: HashMap<String, bool>,
}

/// What is found out while one schema is normalised.
struct Finding<'d> {
    /// The schema that a `#/$defs/…` which the document does not know is looked for in.
    base: &'d Value,
    links: Vec<Link>,
    problem: Option<String>,
    /// References being copied in place.
    copying: Vec<&'d str>,
    /// References copied so far: beyond the bound the shared form has to do.
    copied: usize,
}

impl<'d> Normaliser<'d> {
    pub fn new(document: &'d Document) -> Self {
        Self { document, definitions: Vec::new(), numbers: HashMap::new(), queue: Vec::new(), patterns: HashMap::new() }
    }

    pub fn normalise(&mut self, raw: &'d Value) -> Normalised {
        let mut finding = Finding { base: raw, links: Vec::new(), problem: None, copying: Vec::new(), copied: 0 };
        let schema = self.schema(raw, &mut finding, true, &[]);
        Normalised { schema, links: finding.links, problem: finding.problem }
    }

    /// All definitions that the normalised schemas can reach, and the patterns that had to be left out.
    pub fn finish(mut self) -> (Definitions, Vec<String>) {
        while let Some((number, raw, base)) = self.queue.pop() {
            let mut finding = Finding { base, links: Vec::new(), problem: None, copying: Vec::new(), copied: 0 };
            let schema = self.schema(raw, &mut finding, true, &[]);
            if let Some(definition) = self.definitions.get_mut(number) {
                *definition = Normalised { schema, links: finding.links, problem: finding.problem };
            }
        }
        let mut unusable: Vec<String> = self.patterns.into_iter().filter(|(_, usable)| !usable).map(|(pattern, _)| pattern).collect();
        unusable.sort();
        (Definitions::new(self.definitions), unusable)
    }

    fn schema(&mut self, raw: &'d Value, finding: &mut Finding<'d>, in_place: bool, inherited: &[&'d str]) -> Value {
        match raw {
            Value::Object(map) => Value::Object(self.object(raw, map, finding, in_place, inherited)),
            Value::Bool(any) => Value::Bool(*any),
            _ => Value::Bool(true),
        }
    }

    fn object(
        &mut self,
        raw: &'d Value,
        map: &'d Map<String, Value>,
        finding: &mut Finding<'d>,
        in_place: bool,
        inherited: &[&'d str],
    ) -> Map<String, Value> {
        let nullable = ["nullable", "x-nullable"].iter().any(|key| map.get(*key) == Some(&Value::Bool(true)));
        let mut out = Map::new();
        if let Some(reference) = reference_of(raw) {
            if let Some(copy) = self.copied(reference, finding, in_place, inherited) {
                return copy;
            }
            match self.number(reference, finding.base) {
                Ok(to) => {
                    finding.links.push(Link { to, in_place });
                    out.insert("$ref".to_owned(), format!("#/$defs/{to}").into());
                }
                Err(problem) => drop(finding.problem.get_or_insert(problem)),
            }
            // Before 3.1 what stands beside a reference is ignored; a description there is still meant for readers.
            if self.document.edition != Edition::V3_1 {
                out.extend(map.get("description").filter(|text| text.is_string()).map(|text| ("description".to_owned(), text.clone())));
                return if nullable { keywords::allow_null(out) } else { out };
            }
        }
        let mut hidden: Vec<&'d str> = inherited.to_vec();
        hidden.extend(read_only::names(self.document, raw));
        for (key, value) in map {
            self.keyword(key, value, &mut out, finding, in_place, &hidden);
        }
        keywords::exclusive_bounds(map, &mut out);
        if nullable { keywords::allow_null(out) } else { out }
    }

    fn keyword(
        &mut self,
        key: &'d str,
        value: &'d Value,
        out: &mut Map<String, Value>,
        finding: &mut Finding<'d>,
        in_place: bool,
        hidden: &[&'d str],
    ) {
        let made = match (key, value) {
            ("type", _) => return keywords::types(value, out),
            ("required", Value::Array(names)) => {
                let kept = names.iter().filter(|name| name.as_str().is_some_and(|name| !hidden.contains(&name)));
                let mut unique: Vec<Value> = Vec::new();
                for name in kept {
                    if !unique.contains(name) {
                        unique.push(name.clone());
                    }
                }
                (!unique.is_empty()).then_some(Value::Array(unique))
            }
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                let mut made = Map::new();
                for (name, schema) in schemas {
                    let hidden_here = key == "properties" && read_only::is_read_only(self.document, schema);
                    if hidden_here || (key == "patternProperties" && !self.matchable(name)) {
                        continue;
                    }
                    let schema = self.schema(schema, finding, in_place && key == "dependentSchemas", &[]);
                    made.insert(name.clone(), schema);
                }
                Some(Value::Object(made))
            }
            ("items", Value::Array(tuple)) => return self.list("prefixItems", tuple, out, finding, false, &[]),
            ("items" | "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" | "contains" | "propertyNames", _)
                if value.is_object() || value.is_boolean() =>
            {
                Some(self.schema(value, finding, false, &[]))
            }
            ("not" | "if" | "then" | "else", _) if value.is_object() || value.is_boolean() => {
                Some(self.schema(value, finding, in_place, hidden))
            }
            ("prefixItems", Value::Array(list)) => return self.list(key, list, out, finding, false, &[]),
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => return self.list(key, list, out, finding, in_place, hidden),
            ("pattern", Value::String(pattern)) => self.matchable(pattern).then(|| value.clone()),
            _ => keywords::plain(key, value),
        };
        if let Some(made) = made {
            out.insert(key.to_owned(), made);
        }
    }

    /// A list of schemas. `oneOf` becomes `anyOf`: alternatives that only a read-only property tells apart overlap in a request, and
    /// "exactly one" would refuse what the server accepts.
    fn list(
        &mut self,
        key: &str,
        list: &'d [Value],
        out: &mut Map<String, Value>,
        finding: &mut Finding<'d>,
        in_place: bool,
        hidden: &[&'d str],
    ) {
        if list.is_empty() {
            return;
        }
        let mut made: Vec<Value> = list.iter().map(|schema| self.schema(schema, finding, in_place, hidden)).collect();
        let alternatives = matches!(key, "anyOf" | "oneOf");
        if key == "allOf" || (alternatives && out.contains_key("anyOf")) {
            // A second list of alternatives stands beside the first as one more part.
            if alternatives {
                made = vec![Value::Object(Map::from_iter([("anyOf".to_owned(), Value::Array(made))]))];
            }
            match out.get_mut("allOf") {
                Some(Value::Array(parts)) => parts.extend(made),
                _ => drop(out.insert("allOf".to_owned(), Value::Array(made))),
            }
        } else {
            out.insert(if alternatives { "anyOf" } else { key }.to_owned(), Value::Array(made));
        }
    }

    /// The target of a reference, copied in place when it requires what its neighbours declare read-only: the shared form does not know.
    fn copied(
        &mut self,
        reference: &'d str,
        finding: &mut Finding<'d>,
        in_place: bool,
        inherited: &[&'d str],
    ) -> Option<Map<String, Value>> {
        let target = self.document.at(reference).ok()?;
        if inherited.is_empty()
            || finding.copied >= SCHEMA_COPIES_MAX
            || finding.copying.contains(&reference)
            || !read_only::requires(self.document, target, inherited)
        {
            return None;
        }
        finding.copied += 1;
        finding.copying.push(reference);
        let copy = self.schema(target, finding, in_place, inherited);
        finding.copying.pop();
        copy.as_object().cloned()
    }

    fn number(&mut self, reference: &'d str, base: &'d Value) -> Result<usize, String> {
        let (start, raw) = match self.document.at(reference) {
            Ok(raw) => (&self.document.root, raw),
            // `$defs` beside the schema itself: strictly a reference into the document's root, but written and meant so.
            Err(problem) => (base, lookup(base, fragment(reference)?).ok_or(problem)?),
        };
        let inner = if std::ptr::eq(start, base) { base } else { raw };
        let key = (std::ptr::from_ref(start) as usize, reference.to_owned());
        let next = self.definitions.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            self.definitions.push(Normalised::default());
            self.queue.push((number, raw, inner));
        }
        Ok(number)
    }

    /// Whether a pattern can be matched here. ECMA 262 knows a few constructs that the validator does not; such a pattern is left out,
    /// with a warning, and the server judges.
    fn matchable(&mut self, pattern: &str) -> bool {
        if let Some(known) = self.patterns.get(pattern) {
            return *known;
        }
        let usable = jsonschema::draft202012::new(&serde_json::json!({ "pattern": pattern })).is_ok();
        self.patterns.insert(pattern.to_owned(), usable);
        usable
    }
}

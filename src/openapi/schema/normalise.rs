//! From a schema as the document has it to draft 2020-12: references numbered, `nullable` and boolean bounds rewritten, read-only
//! properties gone, misshapen keywords dropped.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::Arc,
};

use serde_json::{Map, Value};

use super::super::document::{Document, Edition, fragment, lookup, reference_of};
use super::{CIRCLE, Definitions, Link, Normalised, discriminator::Tags, effort::size, formats, keywords, patterns::Patterns, read_only};
use crate::domain::limits::{REFERENCE_HOPS_MAX, SCHEMA_COPIED_NODES_MAX, SCHEMA_COPIES_DEPTH_MAX, SCHEMA_COPIES_MAX, SCHEMA_PARTS_MAX};

/// Names of properties that are not to be asked for; shared, as most schemas have none of their own.
type Hidden<'d> = Rc<HashSet<&'d str>>;

/// Makes [`Normalised`] schemas of one document and collects what they share.
pub(in super::super) struct Normaliser<'d> {
    document: &'d Document,
    definitions: Vec<Normalised>,
    /// Definition numbers by where they stand: the pointer, and the schema it starts from when that is not the document.
    numbers: HashMap<(usize, String), usize>,
    queue: Vec<(usize, &'d Value, &'d Value)>,
    /// Schemas by their place in the document: parameters are shared by many operations.
    made: HashMap<*const Value, Arc<Normalised>>,
    patterns: Patterns,
    none_hidden: Hidden<'d>,
    /// Values that copies came to so far.
    copied_nodes: usize,
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
        Self {
            document,
            definitions: Vec::new(),
            numbers: HashMap::new(),
            queue: Vec::new(),
            made: HashMap::new(),
            patterns: Patterns::default(),
            none_hidden: Hidden::default(),
            copied_nodes: 0,
        }
    }

    pub fn normalise(&mut self, raw: &'d Value) -> Arc<Normalised> {
        if let Some(made) = self.made.get(&std::ptr::from_ref(raw)) {
            return Arc::clone(made);
        }
        let made = Arc::new(self.one(raw, raw));
        self.made.insert(raw, Arc::clone(&made));
        made
    }

    fn one(&mut self, raw: &'d Value, base: &'d Value) -> Normalised {
        let mut finding = Finding { base, links: Vec::new(), problem: None, copying: Vec::new(), copied: 0 };
        let none = Rc::clone(&self.none_hidden);
        let schema = self.schema(raw, &mut finding, true, &none);
        Normalised { schema, links: finding.links, problem: finding.problem, name: None }
    }

    /// All definitions that the normalised schemas can reach, and the patterns that had to be left out.
    pub fn finish(mut self) -> (Definitions, Vec<String>) {
        while let Some((number, raw, base)) = self.queue.pop() {
            let made = self.one(raw, base);
            if let Some(definition) = self.definitions.get_mut(number) {
                let name = definition.name.take();
                *definition = Normalised { name, ..made };
            }
        }
        (Definitions::new(self.definitions), self.patterns.unusable())
    }

    fn schema(&mut self, raw: &'d Value, finding: &mut Finding<'d>, in_place: bool, inherited: &Hidden<'d>) -> Value {
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
        inherited: &Hidden<'d>,
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
        let (own, whole) = read_only::names(self.document, raw);
        if !whole {
            finding.problem.get_or_insert_with(|| format!("a schema is put together from more than {SCHEMA_PARTS_MAX} parts"));
        }
        let hidden = if own.is_empty() { Rc::clone(inherited) } else { Rc::new(inherited.iter().copied().chain(own).collect()) };
        let tags = Tags::of(self.document, map).filter(|tags| !hidden.contains(tags.property()));
        for (key, value) in map {
            match (key.as_str(), value, &tags) {
                ("anyOf" | "oneOf", Value::Array(list), Some(_)) => {
                    self.list(key, list, tags.as_ref(), &mut out, finding, in_place, &hidden);
                }
                _ => self.keyword(key, value, &mut out, finding, in_place, &hidden),
            }
        }
        keywords::exclusive_bounds(map, &mut out);
        formats::settle(map, &mut out);
        if nullable { keywords::allow_null(out) } else { out }
    }

    fn keyword(
        &mut self,
        key: &'d str,
        value: &'d Value,
        out: &mut Map<String, Value>,
        finding: &mut Finding<'d>,
        in_place: bool,
        hidden: &Hidden<'d>,
    ) {
        let none = Rc::clone(&self.none_hidden);
        let made = match (key, value) {
            ("type", _) => return keywords::types(value, out),
            ("required", Value::Array(names)) => {
                let mut seen = HashSet::new();
                let names = names.iter().filter_map(Value::as_str).filter(|name| !hidden.contains(name) && seen.insert(*name));
                let unique: Vec<Value> = names.map(Value::from).collect();
                (!unique.is_empty()).then_some(Value::Array(unique))
            }
            ("properties" | "patternProperties" | "dependentSchemas", Value::Object(schemas)) => {
                let mut made = Map::new();
                for (name, schema) in schemas {
                    let hidden_here = key == "properties" && read_only::is_read_only(self.document, schema);
                    if hidden_here || (key == "patternProperties" && !self.patterns.matchable(name)) {
                        continue;
                    }
                    let schema = self.schema(schema, finding, in_place && key == "dependentSchemas", &none);
                    made.insert(name.clone(), schema);
                }
                Some(Value::Object(made))
            }
            ("items", Value::Array(tuple)) => return self.list("prefixItems", tuple, None, out, finding, false, &none),
            ("items" | "additionalProperties" | "unevaluatedProperties" | "unevaluatedItems" | "contains" | "propertyNames", _)
                if value.is_object() || value.is_boolean() =>
            {
                Some(self.schema(value, finding, false, &none))
            }
            ("not" | "if" | "then" | "else", _) if value.is_object() || value.is_boolean() => {
                Some(self.schema(value, finding, in_place, hidden))
            }
            ("prefixItems", Value::Array(list)) => return self.list(key, list, None, out, finding, false, &none),
            ("allOf" | "anyOf" | "oneOf", Value::Array(list)) => return self.list(key, list, None, out, finding, in_place, hidden),
            ("pattern", Value::String(pattern)) => self.patterns.matchable(pattern).then(|| value.clone()),
            _ => keywords::plain(key, value),
        };
        if let Some(made) = made {
            out.insert(key.to_owned(), made);
        }
    }

    /// A list of schemas. `oneOf` becomes `anyOf`: alternatives that only a read-only property tells apart overlap in a request, and
    /// "exactly one" would refuse what the server accepts.
    #[expect(clippy::too_many_arguments, reason = "what is being made, from what, and what is known on the way")]
    fn list(
        &mut self,
        key: &str,
        list: &'d [Value],
        tags: Option<&Tags<'d>>,
        out: &mut Map<String, Value>,
        finding: &mut Finding<'d>,
        in_place: bool,
        hidden: &Hidden<'d>,
    ) {
        if list.is_empty() {
            return;
        }
        let mut made: Vec<Value> = list
            .iter()
            .map(|raw| {
                let schema = self.schema(raw, finding, in_place, hidden);
                match tags {
                    Some(tags) => tags.asked(raw, schema),
                    None => schema,
                }
            })
            .collect();
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
        inherited: &Hidden<'d>,
    ) -> Option<Map<String, Value>> {
        let target = self.document.at(reference).ok()?;
        if inherited.is_empty()
            || finding.copied >= SCHEMA_COPIES_MAX
            || finding.copying.len() >= SCHEMA_COPIES_DEPTH_MAX
            || self.copied_nodes >= SCHEMA_COPIED_NODES_MAX
            || finding.copying.contains(&reference)
            || !read_only::requires(self.document, target, inherited)
        {
            return None;
        }
        finding.copied += 1;
        finding.copying.push(reference);
        let copy = self.schema(target, finding, in_place, inherited);
        finding.copying.pop();
        self.copied_nodes += size(&copy, SCHEMA_COPIED_NODES_MAX);
        copy.as_object().cloned()
    }

    fn number(&mut self, reference: &'d str, base: &'d Value) -> Result<usize, String> {
        let (reference, start, raw) = self.end_of(reference, base)?;
        let inner = if std::ptr::eq(start, base) { base } else { raw };
        let key = (std::ptr::from_ref(start) as usize, reference.to_owned());
        let next = self.definitions.len();
        let number = *self.numbers.entry(key).or_insert(next);
        if number == next {
            let name = reference.rsplit('/').next().map(|name| name.replace("~1", "/").replace("~0", "~"));
            self.definitions.push(Normalised { name, ..Normalised::default() });
            self.queue.push((number, raw, inner));
        }
        Ok(number)
    }

    /// The last reference of a chain in which nothing stands beside the references, what its pointer starts from, and where it ends.
    fn end_of(&self, reference: &'d str, base: &'d Value) -> Result<(&'d str, &'d Value, &'d Value), String> {
        let (mut here, mut seen) = (reference, Vec::new());
        while seen.len() < REFERENCE_HOPS_MAX {
            let (start, raw) = match self.document.at(here) {
                Ok(raw) => (&self.document.root, raw),
                // `$defs` beside the schema itself: strictly a reference into the document's root, but written and meant so.
                Err(problem) => (base, lookup(base, fragment(here)?).ok_or(problem)?),
            };
            match reference_of(raw) {
                Some(next) if raw.as_object().is_some_and(|map| map.len() == 1) => {
                    if seen.contains(&next) {
                        return Err(CIRCLE.to_owned());
                    }
                    seen.push(next);
                    here = next;
                }
                _ => return Ok((here, start, raw)),
            }
        }
        Err(format!("more than {REFERENCE_HOPS_MAX} references follow one another, beginning with `{reference}`"))
    }
}

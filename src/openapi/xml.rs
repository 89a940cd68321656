//! XML bodies made of values, as the schemas' `xml` objects say (OpenAPI 3.0.4, 4.8.26; null as 3.2 has it).
//!
//! A property is an element of its name; lists repeat it. What the schema does not say is ours: objects that no schema describes are
//! written by their names, alternatives are written by the first one that knows a property.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::{schema::Definitions, style::text};

/// The document of a value; the reason when it cannot be one. A text is taken to be XML already.
pub(super) fn encode(value: &Value, schema: &Value, definitions: &Definitions) -> Result<String, String> {
    if let Value::String(ready) = value {
        return Ok(ready.clone());
    }
    let facets = Facets::of(schema, definitions);
    let name = facets.name.or_else(|| schema.as_object().and_then(|map| definitions.name(map))).unwrap_or("root");
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>");
    Writer { out: &mut out, definitions }.element(name, value, schema)?;
    Ok(out)
}

/// What `xml` says of a schema.
#[derive(Default)]
struct Facets<'s> {
    name: Option<&'s str>,
    namespace: Option<&'s str>,
    prefix: Option<&'s str>,
    attribute: bool,
    wrapped: bool,
    /// 3.2: the value is the text of the element around it.
    text: bool,
}

impl<'s> Facets<'s> {
    fn of(schema: &'s Value, definitions: &'s Definitions) -> Self {
        let own = schema.get("xml").or_else(|| definitions.follow(schema).get("xml"));
        let Some(xml) = own else { return Self::default() };
        let says = |key: &str| xml.get(key).and_then(Value::as_str);
        let is = |key: &str| xml.get(key) == Some(&Value::Bool(true));
        Self {
            name: says("name"),
            namespace: says("namespace"),
            prefix: says("prefix"),
            attribute: is("attribute") || says("nodeType") == Some("attribute"),
            wrapped: is("wrapped") || says("nodeType") == Some("element"),
            text: says("nodeType") == Some("text"),
        }
    }
}

struct Writer<'a> {
    out: &'a mut String,
    definitions: &'a Definitions,
}

impl Writer<'_> {
    /// One element, or for a list one for each of its items.
    fn element(&mut self, name: &str, value: &Value, schema: &Value) -> Result<(), String> {
        let facets = Facets::of(schema, self.definitions);
        if let Value::Array(items) = value {
            let of = self.keyword(schema, "items").cloned().unwrap_or(Value::Bool(true));
            let inner = Facets::of(&of, self.definitions).name.unwrap_or(name).to_owned();
            if !facets.wrapped {
                return items.iter().try_for_each(|item| self.element(&inner, item, &of));
            }
            self.open(name, &facets)?;
            self.out.push('>');
            items.iter().try_for_each(|item| self.element(&inner, item, &of))?;
            return self.close(name, &facets);
        }
        self.open(name, &facets)?;
        match value {
            Value::Null => {
                self.out.push_str(" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:nil=\"true\"/>");
                Ok(())
            }
            Value::Object(map) => {
                self.content(map, schema)?;
                self.close(name, &facets)
            }
            scalar => {
                self.out.push('>');
                self.out.push_str(&escaped(&text(scalar)?)?);
                self.close(name, &facets)
            }
        }
    }

    /// Attributes, the end of the opening tag, and what is inside.
    fn content(&mut self, map: &Map<String, Value>, schema: &Value) -> Result<(), String> {
        let of: Vec<(&String, &Value, Value)> =
            map.iter().map(|(name, value)| (name, value, self.property(schema, name).cloned().unwrap_or(Value::Bool(true)))).collect();
        let (attributes, inside): (Vec<_>, Vec<_>) = of.iter().partition(|(_, _, schema)| Facets::of(schema, self.definitions).attribute);
        for (name, value, schema) in attributes {
            if !value.is_null() {
                let facets = Facets::of(schema, self.definitions);
                let name = qualified(facets.name.unwrap_or(name), facets.prefix)?;
                let value = escaped(&text(value)?)?.into_owned();
                self.out.push_str(&format!(" {name}=\"{value}\""));
            }
        }
        self.out.push('>');
        for (name, value, schema) in inside {
            let facets = Facets::of(schema, self.definitions);
            if facets.text {
                self.out.push_str(&escaped(&text(value)?)?);
            } else {
                // A list's own name is that of its wrapping; its items have theirs.
                let own = facets.name.filter(|_| !value.is_array() || facets.wrapped).unwrap_or(name);
                self.element(own, value, schema)?;
            }
        }
        Ok(())
    }

    fn open(&mut self, name: &str, facets: &Facets) -> Result<(), String> {
        self.out.push('<');
        self.out.push_str(&qualified(name, facets.prefix)?);
        if let Some(namespace) = facets.namespace {
            let colon = facets.prefix.map(|prefix| format!(":{prefix}")).unwrap_or_default();
            self.out.push_str(&format!(" xmlns{colon}=\"{}\"", escaped(namespace)?));
        }
        Ok(())
    }

    fn close(&mut self, name: &str, facets: &Facets) -> Result<(), String> {
        self.out.push_str("</");
        self.out.push_str(&qualified(name, facets.prefix)?);
        self.out.push('>');
        Ok(())
    }

    fn property<'s>(&'s self, schema: &'s Value, name: &str) -> Option<&'s Value> {
        self.find(schema, &|schema| schema.get("properties")?.get(name), 0)
    }

    fn keyword<'s>(&'s self, schema: &'s Value, key: &str) -> Option<&'s Value> {
        self.find(schema, &|schema| schema.get(key), 0)
    }

    /// What a schema says, itself or in one of its parts or alternatives.
    fn find<'s>(&'s self, schema: &'s Value, look: &dyn Fn(&'s Value) -> Option<&'s Value>, depth: usize) -> Option<&'s Value> {
        const PARTS_DEPTH_MAX: usize = 8;
        let schema = self.definitions.follow(schema);
        if let Some(found) = look(schema) {
            return Some(found);
        }
        if depth >= PARTS_DEPTH_MAX {
            return None;
        }
        let parts = ["allOf", "anyOf"].into_iter().filter_map(|key| schema.get(key)?.as_array()).flatten();
        parts.into_iter().find_map(|part| self.find(part, look, depth + 1))
    }
}

/// A name with its prefix, if both can be names (XML 1.0, 2.3, without the colon, which is the prefix's).
fn qualified<'n>(name: &'n str, prefix: Option<&str>) -> Result<Cow<'n, str>, String> {
    let legal = |name: &str| {
        name.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'))
    };
    match prefix {
        _ if !legal(name) => Err(format!("has the name `{name}`, which no element or attribute can have")),
        Some(prefix) if legal(prefix) => Ok(Cow::Owned(format!("{prefix}:{name}"))),
        _ => Ok(Cow::Borrowed(name)),
    }
}

/// Text as it stands in an element or between quotes; the reason when XML has no way to say it (XML 1.0, 2.2).
fn escaped(text: &str) -> Result<Cow<'_, str>, String> {
    if text
        .chars()
        .any(|c| (c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{7f}'..='\u{9f}')) || matches!(c, '\u{fffe}' | '\u{ffff}'))
    {
        return Err("contains a control character, which XML cannot carry".to_owned());
    }
    if !text.contains(['&', '<', '>', '"', '\r', '\n', '\t']) {
        return Ok(Cow::Borrowed(text));
    }
    let mut out = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\r' | '\n' | '\t' => out.push_str(&format!("&#{};", u32::from(c))),
            other => out.push(other),
        }
    }
    Ok(Cow::Owned(out))
}

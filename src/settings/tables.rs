//! Settings that are tables or lists: taken apart member by member, with all that is wrong noted at its place.
//!
//! They come as TOML from a file, or as JSON text from a variable.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value};
use url::Url;

use super::{
    layers::{Given, shown_name},
    reader::{Reader, quoted},
    source::Source,
};
use crate::domain::near::nearest;

/// A value somewhere inside a setting, and its place: `upstream.credentials.oauth.scopes`.
pub(super) struct Part<'v> {
    pub path: String,
    pub value: &'v Value,
}

/// All that is wrong inside one setting: place and sentence. A sentence never quotes what may be a secret.
#[derive(Default)]
pub(super) struct Notes(Vec<(String, String)>);

impl Notes {
    pub fn refuse(&mut self, path: &str, sentence: impl Into<String>) {
        self.0.push((shown_name(path), sentence.into()));
    }
}

/// Reads a setting that is a table or a list, and refuses what was noted on the way.
pub(super) fn read<T: Default>(from: &mut Reader, name: &str, read: impl FnOnce(Part<'_>, &mut Notes) -> T) -> T {
    let found = from.layers.get(name);
    let in_file = matches!(found, Some((_, Source::File(_))));
    let value = match found.map(|(given, _)| given) {
        None => return T::default(),
        Some(Given::Structure(value)) => Ok(value.clone()),
        Some(Given::Text(_)) if in_file => Err("is a text; a table or a list is needed".to_owned()),
        // The place of a syntax error is told, the text is not: it may hold secrets.
        Some(Given::Text(text)) => serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("is not JSON at line {line}, column {column}; in a variable a table or a list is written as JSON")
        }),
        Some(_) => Err("is one value; a table or a list is needed".to_owned()),
    };
    match value {
        Err(sentence) => {
            from.refuse(name, sentence);
            T::default()
        }
        Ok(value) => {
            let mut notes = Notes::default();
            let whole = read(Part { path: name.to_owned(), value: &value }, &mut notes);
            for (path, sentence) in notes.0 {
                from.refuse_within(name, path, sentence);
            }
            whole
        }
    }
}

impl<'v> Part<'v> {
    /// The members of a table, each with its place.
    pub fn members(&self, notes: &mut Notes) -> Vec<(&'v str, Part<'v>)> {
        match self.value {
            Value::Object(members) => members.iter().map(|(name, value)| (name.as_str(), self.within(name, value))).collect(),
            other => {
                notes.refuse(&self.path, format!("is {}; a table is needed", kind_of(other)));
                Vec::new()
            }
        }
    }

    /// A table whose members have these names and no others.
    pub fn table(&self, known: &[&str], notes: &mut Notes) -> Option<Table<'v>> {
        let Value::Object(members) = self.value else {
            notes.refuse(&self.path, format!("is {}; a table is needed", kind_of(self.value)));
            return None;
        };
        for name in members.keys().filter(|name| !known.contains(&name.as_str())) {
            let sentence = match nearest(name, known.iter().copied(), 1).first() {
                Some(near) => format!("is not a setting; {near} is near"),
                None => format!("is not a setting; {} are", known.join(", ")),
            };
            notes.refuse(&format!("{}.{name}", self.path), sentence);
        }
        Some(Table { path: self.path.clone(), members })
    }

    /// The elements of a list, each with its place: `apis[0]`.
    pub fn elements(&self, notes: &mut Notes) -> Vec<Part<'v>> {
        match self.value {
            Value::Array(elements) => {
                let part = |(at, value)| Part { path: format!("{}[{at}]", self.path), value };
                elements.iter().enumerate().map(part).collect()
            }
            other => {
                notes.refuse(&self.path, format!("is {}; a list is needed", kind_of(other)));
                Vec::new()
            }
        }
    }

    fn within(&self, name: &str, value: &'v Value) -> Part<'v> {
        Part { path: format!("{}.{name}", self.path), value }
    }

    /// A text; numbers, true and false are the texts that they are written as.
    pub fn text(&self, notes: &mut Notes) -> Option<String> {
        let text = match self.value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            other => {
                notes.refuse(&self.path, format!("is {}; a text is needed", kind_of(other)));
                return None;
            }
        };
        if text.chars().any(char::is_control) {
            notes.refuse(&self.path, "has a control character in it");
            return None;
        }
        (!text.is_empty()).then_some(text)
    }

    /// A text that is never quoted; empty is not set.
    pub fn secret(&self, notes: &mut Notes) -> Option<SecretString> {
        match self.value {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) if text.chars().any(char::is_control) => {
                notes.refuse(&self.path, "has a control character in it");
                None
            }
            Value::String(text) => Some(text.clone().into()),
            other => {
                notes.refuse(&self.path, format!("is {}; a text is needed", kind_of(other)));
                None
            }
        }
    }

    pub fn yes_no(&self, notes: &mut Notes) -> bool {
        match self.value {
            Value::Bool(yes) => *yes,
            other => {
                notes.refuse(&self.path, format!("is {}; true or false is needed", kind_of(other)));
                false
            }
        }
    }

    /// An `http(s)` URL.
    pub fn url(&self, notes: &mut Notes) -> Option<String> {
        let text = self.text(notes)?;
        if Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Some(text);
        }
        notes.refuse(&self.path, format!("is {}; a URL that begins with http:// or https:// is needed", quoted(&text)));
        None
    }

    /// Words: a list of texts, or one text with white space between them.
    pub fn words(&self, notes: &mut Notes) -> Vec<String> {
        if let Value::String(text) = self.value {
            return text.split_whitespace().map(str::to_owned).collect();
        }
        self.elements(notes).iter().filter_map(|element| element.text(notes)).collect()
    }

    /// The elements of a list, not more than so many.
    pub fn few(&self, most: usize, notes: &mut Notes) -> Vec<Part<'v>> {
        let elements = self.elements(notes);
        if elements.len() > most {
            notes.refuse(&self.path, format!("has {} entries; at most {most} are allowed", elements.len()));
            return Vec::new();
        }
        elements
    }

    /// A list of texts, not more than so many.
    pub fn few_texts(&self, most: usize, notes: &mut Notes) -> Vec<String> {
        self.few(most, notes).iter().filter_map(|element| element.text(notes)).collect()
    }

    /// A table of texts of any names.
    pub fn texts(&self, notes: &mut Notes) -> BTreeMap<String, String> {
        self.members(notes).into_iter().filter_map(|(name, part)| Some((name.to_owned(), part.text(notes)?))).collect()
    }
}

/// A table whose members are known by name.
pub(super) struct Table<'v> {
    pub path: String,
    members: &'v Map<String, Value>,
}

impl<'v> Table<'v> {
    pub fn get(&self, name: &str) -> Option<Part<'v>> {
        let value = self.members.get(name)?;
        Some(Part { path: format!("{}.{name}", self.path), value })
    }

    pub fn has(&self, name: &str) -> bool {
        self.members.contains_key(name)
    }

    /// A member that must be there, and was refused if it is not.
    pub fn needed<T>(&self, name: &str, notes: &mut Notes, read: impl FnOnce(&Part<'v>, &mut Notes) -> Option<T>) -> Option<T> {
        match self.get(name) {
            Some(part) if part.value.as_str().is_none_or(|text| !text.trim().is_empty()) => read(&part, notes),
            _ => {
                notes.refuse(&format!("{}.{name}", self.path), "is not set, and is needed");
                None
            }
        }
    }
}

pub(super) fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "a table",
    }
}

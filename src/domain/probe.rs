//! How an operator lets the service look what became of a change whose answer was lost: by a call that only reads.

use serde_json::{Map, Value};

use super::selection::Rule;

/// A look after changes of the operations that a rule fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    pub operation: Rule,
    /// The function of the same API that reads; as the API itself names it.
    pub call: String,
    /// Its arguments. A text `{name}` stands for what the change had as that argument.
    pub arguments: Map<String, Value>,
    pub took_effect: Sign,
}

/// What shows that a change took effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sign {
    /// What is read is there (2xx).
    Found,
    /// What is read is not there (404, 410).
    Gone,
}

/// What a look told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    TookEffect,
    /// Not so far: it may still be under way.
    NotYet,
    Nothing,
}

impl Probe {
    /// The arguments of the look after a change with these; `None` if one that they need was not given.
    pub fn arguments_after(&self, change: &Map<String, Value>) -> Option<Map<String, Value>> {
        let filled = |(name, value): (&String, &Value)| {
            let named = value.as_str().and_then(|text| text.strip_prefix('{')?.strip_suffix('}'));
            let value = named.map_or(Some(value), |named| change.get(named))?;
            Some((name.clone(), value.clone()))
        };
        self.arguments.iter().map(filled).collect()
    }
}

impl Sign {
    /// What an answer with this status tells.
    pub fn judge(self, status: u16) -> Seen {
        match (self, status) {
            (Self::Found, 200..300) | (Self::Gone, 404 | 410) => Seen::TookEffect,
            (Self::Found, 404 | 410) | (Self::Gone, 200..300) => Seen::NotYet,
            (Self::Found | Self::Gone, _) => Seen::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn arguments_are_those_of_the_change_where_they_are_named() {
        let map = |value: Value| value.as_object().cloned().unwrap();
        let probe = Probe {
            operation: Rule::parse("id:a").unwrap(),
            call: "get".into(),
            arguments: map(json!({"id": "{id}", "view": "short", "depth": 1})),
            took_effect: Sign::Found,
        };
        let after = probe.arguments_after(&map(json!({"id": 7, "name": "x"})));
        assert_eq!(after, Some(map(json!({"id": 7, "view": "short", "depth": 1}))));
        assert_eq!(probe.arguments_after(&map(json!({"name": "x"}))), None);
    }

    #[test]
    fn only_what_is_there_or_is_not_tells_anything() {
        assert_eq!([200, 404, 410, 500, 401, 302].map(|status| Sign::Found.judge(status)), {
            [Seen::TookEffect, Seen::NotYet, Seen::NotYet, Seen::Nothing, Seen::Nothing, Seen::Nothing]
        });
        assert_eq!([204, 404, 503].map(|status| Sign::Gone.judge(status)), [Seen::NotYet, Seen::TookEffect, Seen::Nothing]);
    }
}

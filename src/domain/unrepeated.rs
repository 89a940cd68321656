//! Names that stand twice in one object of a JSON text: readers differ in which of the two they take (RFC 8259, 4), so what one of them has checked
//! another may take for something else.

use std::{collections::HashSet, fmt};

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Names that stand more than once in an object anywhere in a JSON text, each once and at most so many. A text that is not JSON has none.
pub fn repeated_names(text: &str, at_most: usize) -> Vec<String> {
    let mut found = Found { names: Vec::new(), at_most };
    // What is no JSON is found out, and told, by whoever reads it.
    let _ = Look(&mut found).deserialize(&mut serde_json::Deserializer::from_str(text));
    found.names
}

struct Found {
    names: Vec<String>,
    at_most: usize,
}

impl Found {
    fn note(&mut self, name: &str) {
        if self.names.len() < self.at_most && self.names.iter().all(|known| known != name) {
            self.names.push(name.to_owned());
        }
    }
}

/// Looks through one value.
struct Look<'a>(&'a mut Found);

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(Look(&mut *self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = object.next_key::<String>()? {
            if names.contains(&name) {
                self.0.note(&name);
            } else {
                names.insert(name);
            }
            object.next_value_seed(Look(&mut *self.0))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_stands_twice_in_one_object_is_found_wherever_it_is() {
        let text =
            r#"{"a": 1, "b": [{"c": null, "c": true}, {"c": 1.5}], "d": {"a": "x", "\u0061": -1}, "a": {"e": {}, "e": [], "e": 1e3}}"#;
        assert_eq!(repeated_names(text, 9), ["c", "a", "e"]);
        assert_eq!(repeated_names(text, 1), ["c"]);
        for whole in [r#"{"a": {"b": 1}, "b": {"a": 1}}"#, r#"[{"a": 1}, {"a": 1}]"#, "[]", "7", "{", r#"{"a": 1, "a"#] {
            assert_eq!(repeated_names(whole, 9), [""; 0], "{whole}");
        }
    }
}

//! Which planned calls of an operation the document wants a person to be asked about.

use serde_json::Value;

use crate::domain::policy::Confirm;

/// The extension at an operation.
const EXTENSION: &str = "x-agent-confirm";

/// What the document asks for. What is none of the words is taken for the strictest: whoever wrote it wants somebody to be asked.
pub(super) fn documented(operation: &Value, notes: &mut Vec<String>) -> Option<Confirm> {
    let said = operation.get(EXTENSION)?;
    let mode = said.as_str().and_then(Confirm::parse);
    if mode.is_none() {
        notes.push(format!("`{EXTENSION}` is none of never, changing, always; it is taken for always"));
    }
    Some(mode.unwrap_or(Confirm::Always))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_none_of_the_words_asks_for_most() {
        let of = |said: Value| {
            let mut notes = Vec::new();
            (documented(&json!({ "x-agent-confirm": said }), &mut notes), notes.len())
        };
        for (said, mode) in [("never", Confirm::Never), ("Changing", Confirm::Changing), (" always", Confirm::Always)] {
            assert_eq!(of(json!(said)), (Some(mode), 0), "{said}");
        }
        for said in [json!("allways"), json!(""), json!(true), json!(false), json!(null), json!(["never"])] {
            assert_eq!(of(said.clone()), (Some(Confirm::Always), 1), "{said}");
        }
        assert_eq!(documented(&json!({}), &mut Vec::new()), None);
    }
}

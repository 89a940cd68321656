//! Keys by which an API knows again a changing call that it has had before: which operations take one, and in which header.

use super::{
    header::{frames_message, is_field_name},
    selection::{Asked, Rule},
};

/// The field's usual name (draft-ietf-httpapi-idempotency-key-header).
pub const USUAL_HEADER: &str = "Idempotency-Key";

/// What the operator says of the operations that one of these rules fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRule {
    pub operations: Vec<Rule>,
    /// None: they take no key, whatever the document says.
    pub header: Option<String>,
}

impl KeyRule {
    pub fn fits(&self, asked: &Asked<'_>) -> bool {
        self.operations.iter().any(|rule| rule.fits(asked))
    }
}

/// Whether a key may travel in a header of this name: a field name that says nothing of the message, of its body, of who sends it or of
/// what is wanted back.
pub fn may_carry_key(name: &str) -> bool {
    const TAKEN: [&str; 8] = ["authorization", "cookie", "date", "range", "origin", "referer", "via", "forwarded"];
    const TAKEN_FAMILIES: [&str; 5] = ["accept", "content-", "if-", "proxy-", "x-forwarded-"];
    let name = name.to_ascii_lowercase();
    let taken = TAKEN.contains(&name.as_str()) || TAKEN_FAMILIES.iter().any(|family| name.starts_with(family));
    is_field_name(&name) && !frames_message(&name) && !taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_travels_in_no_header_that_has_a_meaning() {
        for name in [USUAL_HEADER, "X-Request-Id", "PayPal-Request-Id", "idempotency_key"] {
            assert!(may_carry_key(name), "{name}");
        }
        let taken = ["", "two words", "Schlüssel", "a:b", "Host", "Connection", "TE", "Authorization", "Proxy-Authorization", "Cookie"];
        for name in taken.into_iter().chain(["Content-Type", "content-length", "Accept", "Transfer-Encoding", "If-Match", "Date"]) {
            assert!(!may_carry_key(name), "{name}");
        }
    }
}

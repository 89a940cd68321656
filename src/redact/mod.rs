//! Secrets that must not come out, taken out of whatever is told: to the model, to users, to the history, to the log.
//!
//! A [`Redactor`] knows secrets and finds each of them as it is, in base64 (alone or as part of something longer, as `user:password` in
//! `Basic …`), and with any of its characters escaped as JSON or a URL would. What was found reads `[redacted]`; every other byte stays.
//! Not found are secrets shorter than [`SECRET_BYTES_MIN`](crate::domain::limits::SECRET_BYTES_MIN), secrets that were cut, and what was
//! encoded in another way or twice.

mod forms;
mod grams;
#[cfg(test)]
mod properties;
mod search;
mod spoken;
#[cfg(test)]
mod tests;
mod unescape;
mod values;

use std::{borrow::Cow, fmt, ops::Range, sync::Arc};

use self::search::Set;
pub use self::spoken::Spoken;

/// What stands where a secret stood.
pub const REDACTED: &str = "[redacted]";

/// Secrets, ready to be looked for. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor {
    sets: Vec<Arc<Set>>,
}

/// Shows none of them.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} sets)", self.sets.len())
    }
}

impl Redactor {
    /// Looks for these.
    pub fn of<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let forms: Vec<Vec<u8>> = secrets.into_iter().flat_map(forms::of).collect();
        Self { sets: Set::of(forms).map(Arc::new).into_iter().collect() }
    }

    /// Looks for what either of them looks for.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        Self { sets: self.sets.iter().chain(&other.sets).cloned().collect() }
    }

    /// Whether there is nothing to look for.
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The text without secrets.
    pub fn text<'a>(&self, text: &'a str) -> Cow<'a, str> {
        match self.bytes(text.as_bytes()) {
            Some(left) => Cow::Owned(String::from_utf8_lossy(&left).into_owned()),
            None => Cow::Borrowed(text),
        }
    }

    /// Bytes without secrets; `None` if there is nothing to take out, which is the usual case.
    pub fn bytes(&self, text: &[u8]) -> Option<Vec<u8>> {
        let found = self.found(text);
        if found.is_empty() { None } else { Some(without(text, &found)) }
    }

    /// Takes the secrets out of a text that comes in pieces.
    pub fn spoken(&self) -> Spoken {
        Spoken::new(self.clone())
    }

    /// Where secrets stand, in order; those that overlap are one.
    fn found(&self, text: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = self.sets.iter().flat_map(|set| set.found(text)).collect();
        found.sort_unstable_by_key(|place| place.start);
        let mut apart: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for place in found {
            match apart.last_mut().filter(|last| place.start < last.end) {
                Some(last) => last.end = last.end.max(place.end),
                None => apart.push(place),
            }
        }
        apart
    }

    /// From where on the text may be the beginning of a secret; its length if nowhere.
    fn open_from(&self, text: &[u8]) -> usize {
        self.sets.iter().map(|set| set.open_from(text)).min().unwrap_or(text.len())
    }
}

fn without(text: &[u8], found: &[Range<usize>]) -> Vec<u8> {
    let mut left = Vec::with_capacity(text.len());
    let mut kept = 0;
    for place in found {
        left.extend_from_slice(text.get(kept..place.start).unwrap_or_default());
        left.extend_from_slice(REDACTED.as_bytes());
        kept = place.end;
    }
    left.extend_from_slice(text.get(kept..).unwrap_or_default());
    left
}

//! Everything that is wrong with the settings, told at once.

use std::fmt;

use super::keys::KEYS;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// `section.key`, or the name that stands where a setting's should.
    pub key: String,
    /// What is wrong and what is needed; never a secret's value.
    pub sentence: String,
    /// Where to mend it: a variable, a file or a flag.
    pub place: String,
}

/// All that is wrong, in the order of `defaults.toml`; what is not a setting comes first. Displayed as a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// `None` when nothing is wrong.
    pub(super) fn of(mut problems: Vec<Problem>) -> Option<Self> {
        problems.sort_by_key(|problem| KEYS.iter().position(|key| is_of(&problem.key, key.name)));
        (!problems.is_empty()).then_some(Self(problems))
    }

    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }
}

/// Whether a key is a setting's or stands inside it: `upstream.headers.x-key`, `apis[0].name`.
fn is_of(key: &str, setting: &str) -> bool {
    key.strip_prefix(setting).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let widest = |column: fn(&Problem) -> &str| self.0.iter().map(|problem| column(problem).chars().count()).max().unwrap_or(0);
        let (keys, sentences) = (widest(|problem| &problem.key), widest(|problem| &problem.sentence));
        write!(f, "settings: {} {}", self.0.len(), if self.0.len() == 1 { "problem" } else { "problems" })?;
        for Problem { key, sentence, place } in &self.0 {
            write!(f, "\n  {key:keys$}  {sentence:sentences$}  ({place})")?;
        }
        Ok(())
    }
}

//! One layer over the other: for each setting, the last value that was given and where it was given.

use std::collections::BTreeMap;

use super::{
    environment, file,
    keys::{KEYS, Key, Kind},
    problems::Problem,
    source::{Flag, Source, Sources},
};
use crate::domain::near::nearest;

/// A value as it was given, not yet held against its key. It has no `Debug`: it may be a secret.
pub(super) enum Given {
    Text(String),
    YesNo(bool),
    Whole(i64),
    Decimal(f64),
    /// A table or a list.
    Structure(serde_json::Value),
    /// Something that no setting is, in words: "of no TOML type".
    Other(&'static str),
}

impl Given {
    /// A variable's or a flag's text as the kind of value that the key asks for; what does not fit stays text and is refused later.
    pub(super) fn from_text(kind: Kind, text: String) -> Self {
        let word = text.trim();
        match kind {
            Kind::Text | Kind::OneOf(_) => Self::Text(word.to_owned()),
            Kind::Secret | Kind::Structure => Self::Text(text),
            Kind::YesNo | Kind::OneOfOrYesNo(_) => match word.to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Self::YesNo(true),
                "false" | "no" | "off" | "0" => Self::YesNo(false),
                _ => Self::Text(text),
            },
            Kind::Whole { .. } => word.parse().map_or(Self::Text(text), Self::Whole),
            Kind::Decimal { .. } => word.parse().map_or(Self::Text(text), Self::Decimal),
        }
    }

    fn is_empty(&self) -> bool {
        matches!(self, Self::Text(text) if text.trim().is_empty())
    }
}

/// All layers laid over each other.
#[derive(Default)]
pub(super) struct Layers {
    entries: BTreeMap<&'static str, (Given, Source)>,
    pub problems: Vec<Problem>,
}

impl Layers {
    /// The embedded defaults alone.
    pub(super) fn of_defaults() -> Self {
        let mut layers = Self::default();
        file::lay_defaults(&mut layers);
        layers
    }

    /// Defaults ← file ← environment ← flags.
    pub(super) fn of(sources: Sources) -> Self {
        let mut layers = Self::of_defaults();
        if let Some(named) = environment::file_of(&sources) {
            file::lay(&mut layers, &named);
        }
        environment::lay(&mut layers, &sources.environment);
        for flag in sources.flags {
            layers.lay_flag(flag);
        }
        layers
    }

    /// Lays one value over what was given below; an empty text says nothing.
    pub(super) fn lay(&mut self, key: &'static Key, given: Given, source: Source) {
        if !given.is_empty() {
            self.entries.insert(key.name, (given, source));
        }
    }

    fn lay_flag(&mut self, flag: Flag) {
        match Key::named(flag.key) {
            Some(key) => self.lay(key, Given::from_text(key.kind, flag.value), Source::Flag(flag.name)),
            None => self.refuse_unknown(flag.key, flag.name.to_owned()),
        }
    }

    /// Notes a name that is no setting, with the setting it may have meant.
    pub(super) fn refuse_unknown(&mut self, name: &str, place: String) {
        let sentence = match near_key(name) {
            Some(near) => format!("is not a setting; {near} is near"),
            None => "is not a setting".to_owned(),
        };
        self.problems.push(Problem { key: shown_name(name), sentence, place });
    }

    pub(super) fn get(&self, name: &str) -> Option<&(Given, Source)> {
        self.entries.get(name)
    }

    /// Where the setting was found; what was not found anywhere is left to its default.
    pub(super) fn source(&self, name: &str) -> Source {
        self.get(name).map_or(Source::Default, |(_, source)| source.clone())
    }
}

/// The setting that a name in a file may have meant: one of nearly the same name, or the same key of another section.
fn near_key(name: &str) -> Option<&'static str> {
    let by_name = nearest(name, KEYS.iter().map(|key| key.name), 1);
    let last = |dotted: &str| dotted.rsplit('.').next().map(str::to_owned);
    by_name.first().copied().or_else(|| KEYS.iter().map(|key| key.name).find(|known| last(known) == last(name)))
}

/// A name from outside as it may be printed: on one line, not endless.
pub(super) fn shown_name(name: &str) -> String {
    const NAME_CHARS_SHOWN: usize = 80;
    name.escape_debug().take(NAME_CHARS_SHOWN).collect()
}

//! Takes values out of the layers, each held against the kind and the range of its key.
//!
//! A wrong value is noted and something harmless is returned in its place: nobody sees it, because with problems there are no settings.

use secrecy::SecretString;

use super::{
    effective::without_credentials,
    keys::{Key, Kind},
    layers::{Given, Layers},
    problems::Problem,
    source::Source,
    tables,
};

pub(super) struct Reader {
    pub layers: Layers,
}

impl Reader {
    /// Notes what is wrong with a setting, at the place where it was found; a default is mended by its variable.
    pub(super) fn refuse(&mut self, name: &str, sentence: String) {
        let variable = Key::named(name).map(Key::variable).unwrap_or_default();
        let place = match self.layers.source(name) {
            Source::Default => variable,
            source => source.to_string(),
        };
        self.layers.problems.push(Problem { key: name.to_owned(), sentence, place });
    }

    /// As [`Reader::refuse`], for a member of a setting that is a table or a list.
    pub(super) fn refuse_within(&mut self, name: &str, member: String, sentence: String) {
        self.refuse(name, sentence);
        if let Some(problem) = self.layers.problems.last_mut() {
            problem.key = member;
        }
    }

    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        match self.layers.get(name).map(|(given, _)| given)? {
            Given::Text(text) if text.chars().any(char::is_control) => {
                self.refuse(name, "has a control character in it".to_owned());
                None
            }
            Given::Text(text) => Some(text.trim().to_owned()),
            other => {
                let sentence = format!("is {}; a text is needed", shown(other));
                self.refuse(name, sentence);
                None
            }
        }
    }

    pub(super) fn secret(&mut self, name: &str) -> Option<SecretString> {
        match self.layers.get(name).map(|(given, _)| given)? {
            Given::Text(text) => Some(text.clone().into()),
            other => {
                let sentence = format!("is {}; a text is needed", kind_of(other));
                self.refuse(name, sentence);
                None
            }
        }
    }

    pub(super) fn yes_no(&mut self, name: &str) -> bool {
        match self.layers.get(name).map(|(given, _)| given) {
            Some(Given::YesNo(yes)) => *yes,
            other => {
                let sentence = format!("is {}; true or false is needed", other.map_or("not set".to_owned(), shown));
                self.refuse(name, sentence);
                false
            }
        }
    }

    /// A whole number that defaults.toml sets.
    pub(super) fn whole<N: TryFrom<i64> + Default>(&mut self, name: &str) -> N {
        self.whole_or_none(name).unwrap_or_default()
    }

    pub(super) fn whole_or_none<N: TryFrom<i64>>(&mut self, name: &str) -> Option<N> {
        let given = self.layers.get(name).map(|(given, _)| given)?;
        let Some(Kind::Whole { least, most }) = Key::named(name).map(|key| key.kind) else { return None };
        let fitting = match given {
            Given::Whole(number) => u64::try_from(*number).ok().filter(|n| (least..=most).contains(n)).and(N::try_from(*number).ok()),
            _ => None,
        };
        if fitting.is_none() {
            let sentence = format!("is {}; a whole number from {least} to {most} is needed", shown(given));
            self.refuse(name, sentence);
        }
        fitting
    }

    pub(super) fn decimal_or_none(&mut self, name: &str) -> Option<f64> {
        let given = self.layers.get(name).map(|(given, _)| given)?;
        let Some(Kind::Decimal { least, most }) = Key::named(name).map(|key| key.kind) else { return None };
        let number = match given {
            Given::Decimal(number) => Some(*number),
            // Every whole number near a range of decimals is one exactly.
            Given::Whole(number) => Some(*number as f64),
            _ => None,
        };
        let fitting = number.filter(|number| (least..=most).contains(number));
        if fitting.is_none() {
            let sentence = format!("is {}; a number from {least} to {most} is needed", shown(given));
            self.refuse(name, sentence);
        }
        fitting
    }

    /// One of the key's words, in lower case; `true` or `false` where the key takes them too.
    pub(super) fn one_of(&mut self, name: &str) -> Option<&'static str> {
        let given = self.layers.get(name).map(|(given, _)| given)?;
        let (words, or_yes_no) = match Key::named(name).map(|key| key.kind) {
            Some(Kind::OneOf(words)) => (words, false),
            Some(Kind::OneOfOrYesNo(words)) => (words, true),
            _ => return None,
        };
        let found = match given {
            Given::Text(text) => words.iter().copied().find(|word| text.trim().eq_ignore_ascii_case(word)),
            Given::YesNo(yes) if or_yes_no => Some(if *yes { "true" } else { "false" }),
            _ => None,
        };
        if found.is_none() {
            let more = if or_yes_no { ", true, false" } else { "" };
            let sentence = format!("is {}; one of {}{more} is needed", shown(given), words.join(", "));
            self.refuse(name, sentence);
        }
        found
    }
}

/// A value that is no secret, as a sentence quotes it: on one line, not endless, without what a URL may hide, be it a URL without its
/// scheme.
pub(super) fn quoted(text: &str) -> String {
    const CHARS_SHOWN: usize = 80;
    let text = match text.rsplit_once('@') {
        Some((_, host)) if !text.contains("://") => format!("********@{host}"),
        _ => without_credentials(text),
    };
    let short: String = text.chars().take(CHARS_SHOWN).collect();
    if short == text { format!("{text:?}") } else { format!("{short:?}…") }
}

fn shown(given: &Given) -> String {
    match given {
        Given::Text(text) => quoted(text),
        Given::YesNo(yes) => yes.to_string(),
        Given::Whole(number) => number.to_string(),
        Given::Decimal(number) => number.to_string(),
        Given::Structure(value) => tables::kind_of(value).to_owned(),
        Given::Other(kind) => (*kind).to_owned(),
    }
}

fn kind_of(given: &Given) -> &'static str {
    match given {
        Given::Text(_) => "a text",
        Given::YesNo(_) => "true or false",
        Given::Whole(_) | Given::Decimal(_) => "a number",
        Given::Structure(value) => tables::kind_of(value),
        Given::Other(kind) => kind,
    }
}

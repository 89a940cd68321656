//! Query parameters, all that is wrong with them at once.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{error::ApiError, problem::Problem};

/// The query of a request, name by name; of a repeated name the last counts.
#[derive(Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct Asked {
    given: BTreeMap<String, String>,
    #[serde(skip)]
    problems: Vec<Problem>,
}

impl Asked {
    /// A whole number within bounds, if it is given.
    pub fn number(&mut self, name: &str, min: u64, max: u64) -> Option<u64> {
        let text = self.given.remove(name)?;
        let number = text.parse().ok().filter(|n| (min..=max).contains(n));
        if number.is_none() {
            let (bounds, chinese) = if max == u64::MAX {
                (format!("of at least {min}"), format!("不小于 {min} "))
            } else {
                (format!("from {min} to {max}"), format!(" {min} 到 {max} "))
            };
            self.problem(Problem::new(
                format!("{name} is {text:?}; a whole number {bounds} is needed"),
                format!("{name} 是 {text:?}，应为{chinese}的整数"),
            ));
        }
        number
    }

    /// How many shall be on a page, as `limit` says.
    pub fn page(&mut self, default: usize, max: usize) -> usize {
        self.number("limit", 1, max as u64).and_then(|limit| usize::try_from(limit).ok()).unwrap_or(default)
    }

    /// Yes or no, if it is given; one that is given without a value says nothing.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        let text = self.given.remove(name)?;
        match text.as_str() {
            "" => None,
            "1" | "true" => Some(true),
            "0" | "false" => Some(false),
            _ => {
                self.problem(Problem::new(
                    format!("{name} is {text:?}; true, false, 1 or 0 is needed"),
                    format!("{name} 是 {text:?}，应为 true、false、1 或 0"),
                ));
                None
            }
        }
    }

    /// As [`Asked::flag`], of a query in which nothing else matters.
    pub fn flag_of(mut self, name: &str) -> Result<Option<bool>, ApiError> {
        let flag = self.flag(name);
        self.done().map(|()| flag)
    }

    /// A text, if it is given.
    pub fn text(&mut self, name: &str) -> Option<String> {
        self.given.remove(name)
    }

    /// As [`Asked::text`], of a query in which nothing else matters.
    pub fn text_of(mut self, name: &str) -> Option<String> {
        self.text(name)
    }

    pub fn problem(&mut self, problem: Problem) {
        self.problems.push(problem);
    }

    /// Nothing was wrong. Names that nobody asked for are left alone, as clients and proxies add their own.
    pub fn done(self) -> Result<(), ApiError> {
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::invalid_query(self.problems)) }
    }
}

/// What a text means, if it is given; one that means nothing is `otherwise`, a sentence without its beginning
/// in both languages.
pub(super) fn read<T>(query: &mut Asked, name: &str, parse: impl Fn(&str) -> Option<T>, otherwise: (&str, &str)) -> Option<T> {
    let text = query.text(name)?;
    let read = parse(&text);
    if read.is_none() {
        query.problem(Problem::new(format!("{name} {}", otherwise.0), format!("{name} {}", otherwise.1)));
    }
    read
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(name: &str, text: &str) -> Asked {
        Asked { given: BTreeMap::from([(name.to_owned(), text.to_owned())]), problems: Vec::new() }
    }

    #[test]
    fn a_flag_is_one_of_four_words_or_says_nothing() {
        for (text, flag) in [("1", Some(true)), ("true", Some(true)), ("0", Some(false)), ("false", Some(false)), ("", None)] {
            assert_eq!(asked("stream", text).flag_of("stream").unwrap(), flag, "{text:?}");
        }
        for text in ["yes", "on", "TRUE", "2", " 1", "truе"] {
            assert!(asked("stream", text).flag_of("stream").is_err(), "{text:?}");
        }
        assert_eq!(asked("other", "yes").flag_of("stream").unwrap(), None, "what nobody asks for is left alone");
    }
}

//! Regular expressions of a document: which are matched here, and what they may cost.
//!
//! Matching is linear, or where a pattern looks around or back, bounded by a number of steps back. Compiling is what costs: `\p{L}{500}`
//! takes megabytes. So the cost of a pattern is estimated from its text, and what is too dear is left to the API, with a warning.

use std::collections::HashMap;

use jsonschema::PatternOptions;
use serde_json::json;

use crate::domain::limits::{PATTERN_COST_MAX, PATTERN_STEPS_BACK_MAX, PATTERNS_COST_MAX};

/// The patterns that have been tried, and what all of them cost.
#[derive(Default)]
pub(super) struct Patterns {
    tried: HashMap<String, bool>,
    cost: usize,
}

impl Patterns {
    /// Whether a pattern can be matched here. ECMA 262 knows a few constructs that the engine does not.
    pub fn matchable(&mut self, pattern: &str) -> bool {
        if let Some(known) = self.tried.get(pattern) {
            return *known;
        }
        let cost = cost(pattern);
        let fair = cost <= PATTERN_COST_MAX && self.cost + cost <= PATTERNS_COST_MAX;
        let usable = fair && super::validator(&json!({ "pattern": pattern })).is_ok();
        if usable {
            self.cost += cost;
        }
        self.tried.insert(pattern.to_owned(), usable);
        usable
    }

    /// The patterns that had to be left out, in order.
    pub fn unusable(self) -> Vec<String> {
        let mut unusable: Vec<String> = self.tried.into_iter().filter(|(_, usable)| !usable).map(|(pattern, _)| pattern).collect();
        unusable.sort();
        unusable
    }
}

/// The engine, with its bound.
pub(super) fn engine() -> PatternOptions<jsonschema::FancyRegex> {
    PatternOptions::fancy_regex().backtrack_limit(PATTERN_STEPS_BACK_MAX)
}

/// About how many states a pattern becomes: a character is one, a class of Unicode a hundred, a repetition as many times as it repeats.
fn cost(pattern: &str) -> usize {
    const UNICODE_CLASS: usize = 100;
    const NEGATED_CLASS: usize = 10;
    let mut groups: Vec<usize> = Vec::new();
    // What stands before here in the innermost group, and the last thing of it.
    let (mut before, mut last) = (0_usize, 0_usize);
    let mut rest = pattern.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '(' => {
                groups.push(before.saturating_add(last));
                (before, last) = (0, 0);
            }
            ')' => {
                last = before.saturating_add(last).saturating_add(1);
                before = groups.pop().unwrap_or(0);
            }
            '{' => {
                let text: String = std::iter::from_fn(|| rest.next_if(|c| c.is_ascii_digit() || *c == ',')).collect();
                let times = text.split(',').filter_map(|number| number.parse::<usize>().ok()).max().unwrap_or(1);
                last = last.saturating_mul(times.max(1));
            }
            '\\' => {
                before = before.saturating_add(last);
                let escaped = rest.next().unwrap_or_default();
                let class = "pPwWsSdDbB".contains(escaped);
                if matches!(escaped, 'p' | 'P') && rest.next_if_eq(&'{').is_some() {
                    // The class's own name.
                    rest.by_ref().take_while(|c| *c != '}').for_each(drop);
                }
                last = if class { UNICODE_CLASS } else { 1 };
            }
            '.' => {
                before = before.saturating_add(last);
                last = NEGATED_CLASS;
            }
            '[' => {
                before = before.saturating_add(last);
                last = if rest.next_if_eq(&'^').is_some() { NEGATED_CLASS } else { 1 };
                // A bracket that comes first is one of the class.
                rest.next_if_eq(&']');
                while let Some(c) = rest.next().filter(|c| *c != ']') {
                    if c == '\\' && rest.next().is_some_and(|escaped| "pPwWsSdD".contains(escaped)) {
                        last = last.saturating_add(UNICODE_CLASS);
                    }
                }
            }
            _ => {
                before = before.saturating_add(last);
                last = 1;
            }
        }
    }
    groups.iter().fold(before.saturating_add(last), |sum, open| sum.saturating_add(*open))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repetitions_multiply_and_classes_weigh() {
        assert_eq!(cost("abc"), 3);
        assert!(cost("^[a-z]{1,500}$") < 600);
        assert!(cost(r"^[\p{L}\p{N} ]{1,255}$") < PATTERN_COST_MAX);
        assert!(cost("((a{1,1000}){1,1000}){1,1000}") > PATTERN_COST_MAX);
        assert!(cost(r"\p{L}{1000}") > PATTERN_COST_MAX);
    }

    #[test]
    fn what_is_too_dear_is_left_out_and_the_rest_is_matched() {
        let mut patterns = Patterns::default();
        assert!(patterns.matchable("^(?!-)[a-z-]+$"));
        assert!(!patterns.matchable("((a{1,1000}){1,1000}){1,1000}"));
        assert!(!patterns.matchable(&"(".repeat(20_000)));
        assert_eq!(patterns.unusable().len(), 2);
    }
}

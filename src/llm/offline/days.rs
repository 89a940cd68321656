//! Days of a sentence, put together from the numbers and words that they are written with.

use serde_json::Number;

use super::{
    literal::{self, Literal},
    sentence::{Kind, Span},
};

/// Puts the parts of dates together: `2026年3月1日`, `March 10, 2026`, `10 March 2026`.
pub(super) fn with_days(mut spans: Vec<Span>) -> Vec<Span> {
    let (mut at, mut year) = (0, None);
    while at < spans.len() {
        let found = match date_at(&spans, at).or_else(|| same_year(&spans, at, year?)) {
            Some((day, length)) => {
                year = day.get(..4).and_then(|year| year.parse().ok()).or(year);
                Some((Literal::Date(day), length))
            }
            None => day_of_year(&spans, at).map(|length| (Literal::DayOfYear, length)),
        };
        if let Some((day, length)) = found {
            let (start, end) = (spans.get(at).map_or(0, |first| first.start), spans.get(at + length - 1).map_or(0, |last| last.end));
            let kind = Kind::Literal(day);
            spans.splice(at..at + length, [Span { start, end, kind, meanings: Vec::new(), stem: String::new(), raw: String::new() }]);
        }
        at += 1;
    }
    spans
}

/// A day without its year after one that has it: `2026年3月1日到3月31日`.
fn same_year(spans: &[Span], at: usize, year: i64) -> Option<(String, usize)> {
    let number = |n: usize| spans.get(at + n).and_then(Span::number).and_then(Number::as_i64);
    let text = |n: usize| spans.get(at + n).map(|span| span.stem.as_str()).unwrap_or_default();
    let (Some(month), "月", Some(day), true) = (number(0), text(1), number(2), text(3).starts_with('日') || text(3) == "号") else {
        return None;
    };
    literal::day_of(year, month, day).map(|day| (day, 4))
}

/// How many spans a day without any year has: `March 10`, `10 March`, `3月10日`. It is no number of anything.
fn day_of_year(spans: &[Span], at: usize) -> Option<usize> {
    let number = |n: usize| spans.get(at + n).and_then(Span::number).and_then(Number::as_i64);
    let text = |n: usize| spans.get(at + n).map(|span| span.stem.as_str()).unwrap_or_default();
    let exists = |month: i64, day: i64| literal::day_of(LEAP_YEAR, month, day).is_some();
    let month = |n: usize| spans.get(at + n).filter(|span| span.kind == Kind::Words).and_then(|span| literal::month(&span.raw));
    let ordinal = |n: usize| usize::from(matches!(text(n), "st" | "nd" | "rd" | "th"));
    match (number(0), number(1)) {
        (Some(of), _) if text(1) == "月" => {
            number(2).filter(|day| exists(of, *day))?;
            Some(if text(3).starts_with('日') || text(3) == "号" { 4 } else { 3 })
        }
        (None, Some(day)) => exists(month(0)?, day).then_some(2 + ordinal(2)),
        (Some(day), _) => exists(month(1 + ordinal(1))?, day).then_some(2 + ordinal(1)),
        (None, None) => None,
    }
}

/// In which every day is that is in some year.
const LEAP_YEAR: i64 = 2024;

fn date_at(spans: &[Span], at: usize) -> Option<(String, usize)> {
    let number = |n: usize| spans.get(at + n).and_then(Span::number).and_then(Number::as_i64);
    let text = |n: usize| spans.get(at + n).map(|span| span.stem.as_str()).unwrap_or_default();
    if let (Some(year), "年", Some(month), "月", Some(day)) = (number(0), text(1), number(2), text(3), number(4)) {
        let closed = text(5).starts_with('日') || text(5) == "号";
        return literal::day_of(year, month, day).map(|day| (day, if closed { 6 } else { 5 }));
    }
    let skip = |n: usize| usize::from(matches!(text(n), "st" | "nd" | "rd" | "th"));
    let month = |n: usize| spans.get(at + n).filter(|span| span.kind == Kind::Words).and_then(|span| literal::month(&span.raw));
    if let (Some(month), Some(day)) = (month(0), number(1)) {
        let mut next = 2 + skip(2);
        next += usize::from(spans.get(at + next).is_some_and(|span| span.is_mark(',')));
        return literal::day_of(number(next)?, month, day).map(|day| (day, next + 1));
    }
    if let Some(day) = number(0) {
        let next = 1 + skip(1);
        return literal::day_of(number(next + 1)?, month(next)?, day).map(|day| (day, next + 2));
    }
    None
}

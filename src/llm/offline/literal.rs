//! Literal values in a sentence: numbers, dates, e-mail addresses, codes.

use serde_json::Number;
use time::{Date, Month, OffsetDateTime, format_description::well_known::Rfc3339};

/// A value that stands in a sentence as it is meant.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Literal {
    Number(Number),
    Email(String),
    /// What stood between quotation marks.
    Quoted(String),
    /// A day, as `2026-03-01`.
    Date(String),
    /// A day of whichever year, as it was written: `March 10`, `3月10日`.
    DayOfYear,
    /// An instant (RFC 3339).
    Instant(String),
    /// `left/right`, as owners and repositories are written.
    Pair(String, String),
    /// Anything else that is not an ordinary word: versions, hashes, file names, addresses.
    Code(String),
}

/// What a chunk without spaces is, if it is not a word.
pub(super) fn of_chunk(chunk: &str) -> Option<Literal> {
    if let Some(number) = number(chunk) {
        return Some(Literal::Number(number));
    }
    if let Some(day) = date(chunk) {
        return Some(Literal::Date(day));
    }
    if chunk.contains('T') && OffsetDateTime::parse(chunk, &Rfc3339).is_ok() {
        return Some(Literal::Instant(chunk.to_owned()));
    }
    if is_email(chunk) {
        return Some(Literal::Email(chunk.to_owned()));
    }
    if !chunk.contains("://")
        && let [left, right] = chunk.split('/').collect::<Vec<_>>().as_slice()
        && !left.is_empty()
        && !right.is_empty()
    {
        return Some(Literal::Pair((*left).to_owned(), (*right).to_owned()));
    }
    let has_digit = chunk.chars().any(|c| c.is_ascii_digit());
    let coded = chunk.contains(['/', '_', '@', '\\']) || chunk.trim_matches('.').contains('.') || (has_digit && chunk.len() > 1);
    coded.then(|| Literal::Code(chunk.to_owned()))
}

/// `5`, `-3`, `34.90`, `1,000`.
pub(super) fn number(chunk: &str) -> Option<Number> {
    let plain = without_thousands(chunk)?;
    if let Ok(whole) = plain.parse::<i64>() {
        return Some(whole.into());
    }
    let digits = plain.strip_prefix('-').unwrap_or(&plain);
    let decimal = digits.split_once('.').is_some_and(|(a, b)| is_digits(a) && is_digits(b));
    if decimal { plain.parse::<f64>().ok().and_then(Number::from_f64) } else { None }
}

/// English numbers up to twelve.
pub(super) fn number_word(word: &str) -> Option<Number> {
    let words = ["two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    words.iter().position(|known| *known == word).and_then(|at| u64::try_from(at).ok()).map(|at| (at + 2).into())
}

/// A Chinese number up to 99: `三`, `十二`, `二十`, `两`.
pub(super) fn chinese_number(text: &str) -> Option<Number> {
    let digit = |c: char| "零一二三四五六七八九".chars().position(|d| d == c).or(if c == '两' { Some(2) } else { None });
    let chars: Vec<char> = text.chars().collect();
    let value = match chars.as_slice() {
        ['十'] => 10,
        [a] => digit(*a)?,
        ['十', b] => 10 + digit(*b)?,
        [a, '十'] => 10 * digit(*a)?,
        [a, '十', b] => 10 * digit(*a)? + digit(*b)?,
        _ => return None,
    };
    u64::try_from(value).ok().map(Number::from)
}

/// Whether a character can stand in a Chinese number.
pub(super) fn is_chinese_digit(c: char) -> bool {
    "零一二两三四五六七八九十".contains(c)
}

/// `2026-3-1`, `2026/03/01` or `2026.3.1` as `2026-03-01`.
pub(super) fn date(chunk: &str) -> Option<String> {
    for separator in ['-', '/', '.'] {
        if let [year, month, day] = chunk.split(separator).collect::<Vec<_>>().as_slice()
            && year.len() == 4
            && [year, month, day].iter().all(|part| is_digits(part))
        {
            return day_of(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        }
    }
    None
}

/// A day that exists, as `2026-03-01`.
pub(super) fn day_of(year: i64, month: i64, day: i64) -> Option<String> {
    let of_year = Month::try_from(u8::try_from(month).ok()?).ok()?;
    Date::from_calendar_date(i32::try_from(year).ok().filter(|year| (1000..=9999).contains(year))?, of_year, u8::try_from(day).ok()?)
        .ok()?;
    Some(format!("{year:04}-{month:02}-{day:02}"))
}

/// The number of an English month, whole or its first three letters.
pub(super) fn month(word: &str) -> Option<i64> {
    let months = ["january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december"];
    let word = word.to_ascii_lowercase();
    let at = months.iter().position(|month| *month == word || (word.len() == 3 && month.starts_with(&word)))?;
    i64::try_from(at).ok().map(|at| at + 1)
}

fn is_email(chunk: &str) -> bool {
    chunk.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty() && !domain.contains('@') && domain.contains('.') && domain.split('.').all(|label| !label.is_empty())
    })
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// The chunk without commas, if every comma separates thousands.
fn without_thousands(chunk: &str) -> Option<String> {
    let whole = chunk.split('.').next().unwrap_or_default();
    let groups: Vec<&str> = whole.strip_prefix('-').unwrap_or(whole).split(',').collect();
    let good = match groups.as_slice() {
        [only] => is_digits(only),
        [first, rest @ ..] => is_digits(first) && first.len() <= 3 && rest.iter().all(|group| group.len() == 3 && is_digits(group)),
        [] => false,
    };
    good.then(|| chunk.replace(',', ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_are_what_they_look_like() {
        let number = |n: i64| Some(Literal::Number(n.into()));
        assert_eq!(of_chunk("5"), number(5));
        assert_eq!(of_chunk("1,000"), number(1000));
        assert_eq!(of_chunk("34.90"), Some(Literal::Number(Number::from_f64(34.9).unwrap())));
        assert_eq!(of_chunk("2026/3/1"), Some(Literal::Date("2026-03-01".into())));
        assert_eq!(of_chunk("2026-03-01T10:00:00Z"), Some(Literal::Instant("2026-03-01T10:00:00Z".into())));
        assert_eq!(of_chunk("a.b@c.example"), Some(Literal::Email("a.b@c.example".into())));
        assert_eq!(of_chunk("acme/api"), Some(Literal::Pair("acme".into(), "api".into())));
        for code in ["v1.4.0", "deploy.yml", "6dcb09b5", "2026-02-30", "https://a.example/b", "src/auth/x"] {
            assert!(matches!(of_chunk(code), Some(Literal::Code(_))), "{code}");
        }
        for word in ["user", "e-mail", "o'connor", "x"] {
            assert_eq!(of_chunk(word), None, "{word}");
        }
    }

    #[test]
    fn chinese_numbers_count_to_99() {
        for (text, value) in [("二", 2), ("两", 2), ("十", 10), ("十二", 12), ("三十", 30), ("九十九", 99)] {
            assert_eq!(chinese_number(text), Some(value.into()));
        }
        assert_eq!(chinese_number("一百"), None);
    }
}

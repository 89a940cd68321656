//! How long a server asks to wait before one comes again.

use time::{OffsetDateTime, format_description::well_known::Rfc2822};

use super::Headers;
use crate::domain::number::whole;

/// What `Retry-After` says (RFC 9110, 10.2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RetryAfter {
    /// Nothing: the field is not there.
    Unsaid,
    Secs(u64),
    /// Neither seconds nor a date that can be counted from the reply's own.
    Unreadable,
}

impl RetryAfter {
    /// The seconds, if there are any.
    pub fn secs(self) -> Option<u64> {
        match self {
            Self::Secs(secs) => Some(secs),
            Self::Unsaid | Self::Unreadable => None,
        }
    }
}

impl Headers {
    /// How long the server asks to wait: seconds, or a date, which is counted from the reply's own date, so that the two clocks need not
    /// agree.
    pub fn retry_after(&self) -> RetryAfter {
        if !self.has("retry-after") {
            return RetryAfter::Unsaid;
        }
        self.wait().map_or(RetryAfter::Unreadable, RetryAfter::Secs)
    }

    fn wait(&self) -> Option<u64> {
        let text = self.get("retry-after")?.trim();
        let secs = match text.parse::<f64>() {
            Ok(secs) if secs.is_finite() => secs.ceil(),
            Ok(_) => return None,
            Err(_) => {
                let date = |text: &str| OffsetDateTime::parse(text, &Rfc2822).ok();
                (date(text)? - date(self.get("date")?)?).as_seconds_f64()
            }
        };
        Some(whole(secs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_understood_and_nothing_is_guessed() {
        let said = |fields: &[(&str, &str)]| {
            let mut headers = Headers::default();
            for (name, value) in fields {
                headers.add(name, value).unwrap();
            }
            headers.retry_after()
        };
        assert_eq!(said(&[]), RetryAfter::Unsaid);
        assert_eq!(said(&[("retry-after", "3")]), RetryAfter::Secs(3));
        assert_eq!(said(&[("retry-after", "0.2")]), RetryAfter::Secs(1), "not too early");
        assert_eq!(said(&[("retry-after", "-3")]), RetryAfter::Secs(0));
        let (now, later) = ("Sun, 06 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:41 GMT");
        assert_eq!(said(&[("retry-after", later), ("date", now)]), RetryAfter::Secs(4));
        assert_eq!(said(&[("retry-after", now), ("date", later)]), RetryAfter::Secs(0));
        assert_eq!(said(&[("retry-after", later)]), RetryAfter::Unreadable);
        assert_eq!(said(&[("retry-after", "soon")]), RetryAfter::Unreadable);
        assert_eq!(said(&[("retry-after", "inf")]), RetryAfter::Unreadable);
    }
}

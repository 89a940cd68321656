//! What is left of a caller's rates, as headers (draft-ietf-httpapi-ratelimit-headers-10): `RateLimit-Policy: "requests";q=600;w=60` says how many
//! may come in how many seconds, `RateLimit: "requests";r=599;t=1` how many may come at once still, and after how many seconds that is the whole
//! minute's worth again; some of it comes back before.
//!
//! They are on the answers of whatever is done in the caller's session, because there the store tells it with what it is asked for anyway, and on
//! every 429 for a rate, about that rate.

use axum::{
    http::{HeaderName, HeaderValue},
    response::Response,
};

use crate::{
    domain::rate::{Counted, Left, Rate},
    settings::Limits,
};

static POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
static LIMIT: HeaderName = HeaderName::from_static("ratelimit");
/// The window of every rate, in seconds.
const WINDOW_SECS: u32 = 60;

/// Says what is left. `limited` is the rate that was exceeded, if one was, and for how many milliseconds.
pub(super) fn tell(response: &mut Response, limits: &Limits, counted: Option<&Counted>, limited: Option<(Rate, u64)>) {
    let left = |rate: Rate| match (limited, counted) {
        (Some((exceeded, wait_ms)), _) => (exceeded == rate).then(|| Left::until(wait_ms, per_minute(limits, rate))),
        (None, Some(counted)) => counted.ahead_ms(rate).map(|ahead_ms| Left::after(ahead_ms, per_minute(limits, rate))),
        (None, None) => None,
    };
    let (mut policies, mut lefts) = (String::new(), String::new());
    for rate in Rate::ALL {
        let Some(Left { remaining, resets_secs }) = left(rate) else { continue };
        let (name, between) = (rate.as_str(), if policies.is_empty() { "" } else { ", " });
        policies.push_str(&format!("{between}\"{name}\";q={};w={WINDOW_SECS}", per_minute(limits, rate)));
        lefts.push_str(&format!("{between}\"{name}\";r={remaining};t={resets_secs}"));
    }
    for (name, value) in [(&POLICY, policies), (&LIMIT, lefts)] {
        if !value.is_empty()
            && let Ok(value) = HeaderValue::try_from(value)
        {
            response.headers_mut().insert(name.clone(), value);
        }
    }
}

fn per_minute(limits: &Limits, rate: Rate) -> u32 {
    match rate {
        Rate::Requests => limits.requests_per_minute,
        Rate::Turns => limits.turns_per_minute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(counted: &Counted, limited: Option<(Rate, u64)>) -> [Option<String>; 2] {
        let mut response = Response::default();
        tell(&mut response, &Limits { requests_per_minute: 120, turns_per_minute: 6 }, Some(counted), limited);
        ["ratelimit-policy", "ratelimit"].map(|name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned()))
    }

    fn texts(policy: &str, limit: &str) -> [Option<String>; 2] {
        [Some(policy.to_owned()), Some(limit.to_owned())]
    }

    #[test]
    fn what_is_known_is_told_and_nothing_else() {
        let counted = Counted::default();
        assert_eq!(told(&counted, None), [None, None]);
        counted.tell(Rate::Requests, 41_500);
        assert_eq!(told(&counted, None), texts(r#""requests";q=120;w=60"#, r#""requests";r=37;t=42"#));
        counted.tell(Rate::Turns, 60_000);
        let both = texts(r#""requests";q=120;w=60, "turns";q=6;w=60"#, r#""requests";r=37;t=42, "turns";r=0;t=60"#);
        assert_eq!(told(&counted, None), both);
        assert_eq!(told(&counted, Some((Rate::Turns, 4_000))), texts(r#""turns";q=6;w=60"#, r#""turns";r=0;t=54"#));
    }
}

//! What holds for all secrets and all texts: no secret comes out, whatever it is written as and wherever the pieces end; the rest does, byte
//! for byte.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;

use super::*;
use crate::domain::base64;

/// What `encodeURIComponent` and most libraries leave alone.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
const FEW: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b'/');

/// How a secret may be written.
const WRITINGS: usize = 10;

fn written(secret: &str, how: usize) -> String {
    let json = |text: &str| serde_json::to_string(text).unwrap().trim_start_matches('"').strip_suffix('"').unwrap().to_owned();
    match how {
        0 => secret.to_owned(),
        1 => base64::encode(secret.as_bytes()),
        2 => base64::encode(secret.as_bytes()).trim_end_matches('=').replace('+', "-").replace('/', "_"),
        3 => base64::encode(format!("user:{secret}").as_bytes()),
        4 => utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string(),
        5 => utf8_percent_encode(secret, UNRESERVED).to_string().to_lowercase_escapes(),
        6 => utf8_percent_encode(secret, FEW).to_string().replace("%20", "+"),
        7 => json(secret),
        8 => json(secret).replace('/', "\\/"),
        _ => secret.encode_utf16().fold(String::new(), |text, unit| format!("{text}\\u{unit:04x}")),
    }
}

trait LowerCase {
    fn to_lowercase_escapes(&self) -> String;
}

impl LowerCase for String {
    /// `%2F` as `%2f`; the rest stays.
    fn to_lowercase_escapes(&self) -> String {
        let parts: Vec<&str> = self.split('%').collect();
        let lower = |part: &str| {
            let (digits, rest) = part.split_at(2);
            digits.to_ascii_lowercase() + rest
        };
        parts.iter().enumerate().map(|(at, part)| if at == 0 { (*part).to_owned() } else { format!("%{}", lower(part)) }).collect()
    }
}

/// Letters, digits and what has a meaning in some encoding, at least eight bytes. Never a part of the fillings.
fn secret() -> impl Strategy<Value = String> {
    "[A-Za-z0-9+/=%\\\\\" .:~_é密-]{6,40}Q[A-Za-z0-9]{2,12}".prop_map(|secret| format!("Z{secret}"))
}

/// Text around secrets: in it nothing is written that could be part of one, but escapes and their beginnings are.
fn filling() -> impl Strategy<Value = String> {
    "[a-y 0-9,;!?%\\\\\"+/=\n密é]{0,12}"
}

fn in_pieces(redactor: &Redactor, text: &str, ends: &[prop::sample::Index]) -> String {
    let spoken = redactor.spoken();
    let mut ends: Vec<usize> = ends.iter().map(|end| text.floor_char_boundary(end.index(text.len() + 1))).collect();
    ends.extend([0, text.len()]);
    ends.sort_unstable();
    let told: String = ends.windows(2).map(|ends| spoken.piece(text.get(ends[0]..ends[1]).unwrap())).collect();
    told + &spoken.rest()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_comes_out_whole_or_in_pieces(
        secrets in prop::collection::vec(secret(), 1..5),
        places in prop::collection::vec((filling(), any::<prop::sample::Index>(), 0..WRITINGS), 1..6),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let redactor = Redactor::of(secrets.iter().map(String::as_str));
        let mut text = String::new();
        let mut said = Vec::new();
        for (filling, which, how) in &places {
            let form = written(which.get::<String>(&secrets), *how);
            text.push_str(filling);
            // An odd backslash or a lone percent sign before it would make another text of it.
            text.push(' ');
            text.push_str(&form);
            text.push(' ');
            said.push((form, *how));
        }
        let told = redactor.text(&text).into_owned();
        for (form, how) in &said {
            // Of a longer text in base64 only the secret goes, not what stands before it.
            let needle = if *how == 3 { form.get(8..form.len() - 4).unwrap_or(form) } else { form.as_str() };
            prop_assert!(!told.contains(needle), "{needle:?} in {told:?}");
        }
        for secret in &secrets {
            prop_assert!(!told.contains(secret.as_str()), "{secret:?} in {told:?}");
        }
        prop_assert_eq!(in_pieces(&redactor, &text, &ends), told, "in pieces as in one: {:?}", text);
    }

    #[test]
    fn a_text_without_secrets_stays_as_it_is(
        secrets in prop::collection::vec(secret(), 0..5),
        text in prop::collection::vec(filling(), 0..30).prop_map(|parts| parts.concat()),
        ends in prop::collection::vec(any::<prop::sample::Index>(), 0..30),
    ) {
        let redactor = Redactor::of(secrets.iter().map(String::as_str));
        prop_assert!(redactor.bytes(text.as_bytes()).is_none());
        prop_assert_eq!(in_pieces(&redactor, &text, &ends), text);
    }

    #[test]
    fn nothing_that_is_no_secret_is_lost(
        secret in secret(),
        around in (filling(), filling()),
    ) {
        let redactor = Redactor::of([secret.as_str()]);
        let text = format!("{} {secret} {}", around.0, around.1);
        prop_assert_eq!(redactor.text(&text), format!("{} {REDACTED} {}", around.0, around.1));
    }
}

//! The texts in which a secret may stand: it, it without the scheme before it, and each in base64.

use crate::domain::{base64, limits::SECRET_BYTES_MIN};

/// Words before a secret in a field like `Authorization`: whoever quotes it may quote what comes behind alone.
const SCHEMES: [&str; 5] = ["bearer", "basic", "token", "apikey", "key"];

/// Everything that is looked for because of a secret; nothing if it is too short.
pub(super) fn of(secret: &str) -> Vec<Vec<u8>> {
    // A file that a secret is read from ends with a new line.
    let secret = secret.trim();
    let schemeless = secret.split_once(' ').filter(|(scheme, _)| SCHEMES.iter().any(|known| scheme.eq_ignore_ascii_case(known)));
    let texts = [Some(secret), schemeless.map(|(_, bare)| bare.trim())];
    let long_enough = texts.into_iter().flatten().filter(|text| text.len() >= SECRET_BYTES_MIN);
    long_enough.flat_map(|text| std::iter::once(text.as_bytes().to_vec()).chain(in_base64(text.as_bytes()))).collect()
}

/// A secret in base64, in both alphabets (RFC 4648, 4 and 5): alone, with its padding and without, and as part of something longer. There
/// it begins at one of three places in a group; the digits that it shares with its neighbours are left where they are: they hold at most
/// four bits of it at either end.
fn in_base64(secret: &[u8]) -> Vec<Vec<u8>> {
    let alone = base64::encode(secret);
    let mut forms = vec![alone.trim_end_matches('=').to_owned(), alone];
    for before in 0..3 {
        let around = [vec![0; before], secret.to_vec()].concat();
        let digits = base64::encode(&around);
        let (begin, end) = ((before * 8).div_ceil(6), around.len() * 8 / 6);
        forms.extend(digits.get(begin..end).map(str::to_owned));
    }
    let for_urls: Vec<String> = forms.iter().map(|form| form.replace('+', "-").replace('/', "_")).collect();
    forms.into_iter().chain(for_urls).map(String::into_bytes).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_base64_wherever_it_begins() {
        let secret = "pass?word~>ü";
        let forms = of(secret);
        for (before, after) in [("", ""), ("u:", ""), ("ab:", "x"), ("abc:", "xy"), ("a", "xyz")] {
            let whole = base64::encode(format!("{before}{secret}{after}").as_bytes());
            for text in [whole.replace('+', "-").replace('/', "_"), whole] {
                let longest = forms.iter().filter(|form| text.as_bytes().windows(form.len()).any(|part| part == form.as_slice()));
                let longest = longest.map(Vec::len).max().unwrap_or(0);
                // Of sixteen digits and a bit at most one is shared on either side.
                assert!(longest >= secret.len() * 8 / 6 - 2, "{longest} in {text}");
            }
        }
    }

    #[test]
    fn what_stands_behind_a_scheme_is_looked_for_alone_and_short_secrets_are_not() {
        let texts = |secret: &str| of(secret).into_iter().filter_map(|form| String::from_utf8(form).ok()).collect::<Vec<_>>();
        assert!(texts("Bearer canary-1").contains(&"canary-1".to_owned()));
        assert!(!texts("correct horse").contains(&"horse".to_owned()));
        assert!(of("seven77").is_empty());
    }
}

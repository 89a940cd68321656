//! Percent-encoding: the only place where text becomes part of a URL.
//!
//! Written here because `url` and `form_urlencoded` each bend what the specification's styles need: `+` for a space, `%2C` for a
//! separator, `[` left raw, `%2e%2e` taken for a dot segment.

use std::fmt::Write;

/// What stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// RFC 3986, 2.3: letters, digits and `-._~`.
    Unreserved,
    /// Also the reserved characters (2.2) that do no harm inside a query value: all but `#`, `&`, `+`, `[` and `]`, and but `'`, which
    /// URL parsers escape there (WHATWG URL, special-query percent-encode set).
    Reserved,
    /// What may stand in a path as its author wrote it: sub-delims, `:`, `@`, `/` and escapes (3.3).
    Path,
}

/// Appends `text`, UTF-8, with everything escaped that is not kept.
pub(super) fn percent(out: &mut String, text: &str, keep: Keep) {
    let bytes = text.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        let kept = match keep {
            Keep::Unreserved => unreserved(byte),
            Keep::Reserved => unreserved(byte) || b":/?@!$()*,;=".contains(&byte),
            Keep::Path => unreserved(byte) || b":/@!$&'()*+,;=".contains(&byte) || (byte == b'%' && escape_follows(bytes, at)),
        };
        if kept {
            out.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

fn unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn escape_follows(bytes: &[u8], at: usize) -> bool {
    bytes.get(at + 1..at + 3).is_some_and(|two| two.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(text: &str) -> String {
        let mut out = String::new();
        percent(&mut out, text, Keep::Unreserved);
        out
    }

    #[test]
    fn only_the_unreserved_characters_stay() {
        assert_eq!(component("aZ9-._~"), "aZ9-._~");
        assert_eq!(component("北京 +1&x=%"), "%E5%8C%97%E4%BA%AC%20%2B1%26x%3D%25");
        assert_eq!(component("a/b?c#d[e]|\"\0"), "a%2Fb%3Fc%23d%5Be%5D%7C%22%00");
    }

    #[test]
    fn reserved_characters_stay_where_they_cannot_end_a_value() {
        let mut out = String::new();
        percent(&mut out, "/docs/a b:c;d?x=1#f&g+h%20", Keep::Reserved);
        assert_eq!(out, "/docs/a%20b:c;d?x=1%23f%26g%2Bh%2520");
    }

    #[test]
    fn a_path_keeps_its_authors_escapes() {
        let mut out = String::new();
        percent(&mut out, "/a b/%2F/100%/x:y", Keep::Path);
        assert_eq!(out, "/a%20b/%2F/100%25/x:y");
    }
}

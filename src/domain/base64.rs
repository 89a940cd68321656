//! Base64 (RFC 4648), written with the standard alphabet and read in both.

const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// With padding (section 4).
pub fn encode(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().fold(0u32, |bits, byte| (bits << 8) | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            let digit = DIGITS.get((three >> (18 - 6 * at)) as usize & 63).filter(|_| at <= chunk.len());
            out.push(digit.map_or('=', |digit| char::from(*digit)));
        }
    }
    out
}

/// Both alphabets (sections 4 and 5), white space and missing padding forgiven; `None` for anything else.
pub fn decode(text: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(text.len() / 4 * 3);
    let (mut bits, mut held, mut digits) = (0u32, 0, 0usize);
    let body = text.trim_end().trim_end_matches('=');
    for byte in body.bytes().filter(|byte| !byte.is_ascii_whitespace()) {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        held += 6;
        digits += 1;
        if held >= 8 {
            held -= 8;
            out.push(u8::try_from(bits >> held).ok()?);
            bits &= (1 << held) - 1;
        }
    }
    (digits % 4 != 1 && bits == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_alphabets_are_read_and_nothing_else_is() {
        assert_eq!(decode("AP8="), Some(vec![0, 255]));
        assert_eq!(decode("AP8"), Some(vec![0, 255]));
        assert_eq!(decode("-_\n8="), Some(vec![0xfb, 0xff]));
        assert_eq!(decode(""), Some(Vec::new()));
        for bad in ["A", "AP9=", "not base64!", "{}"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for (plain, encoded) in [("", ""), ("a", "YQ=="), ("ab", "YWI="), ("abc", "YWJj"), ("a:bcd", "YTpiY2Q=")] {
            assert_eq!((encode(plain.as_bytes()).as_str(), decode(encoded)), (encoded, Some(plain.as_bytes().to_vec())));
        }
    }
}

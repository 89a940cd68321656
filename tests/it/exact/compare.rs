//! What came over the wire against what should have come. Nothing of the service is used to read it.

use std::net::SocketAddr;

use serde::Deserialize;
use url::form_urlencoded;

use crate::harness::recorder::Raw;

/// One part of a multipart body.
#[derive(Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Part {
    pub name: String,
    filename: Option<String>,
    /// Its `Content-Type`.
    r#type: Option<String>,
    pub text: Option<String>,
    /// A content that is no text.
    bytes: Option<Vec<u8>>,
}

/// A request that came, without the fields that every request has; those have been looked at.
pub struct Sent<'a> {
    raw: &'a Raw,
    /// Sorted by name; what came twice stays in its order.
    headers: Vec<(String, String)>,
    told: &'a str,
}

impl<'a> Sent<'a> {
    pub fn new(raw: &'a Raw, address: SocketAddr, told: &'a str) -> Self {
        assert_eq!(raw.all("host"), [address.to_string()], "{told}");
        assert!(raw.all("transfer-encoding").is_empty(), "{told}");
        let length = raw.all("content-length");
        match raw.body.len() {
            0 => assert!(length.is_empty() || length == ["0"], "{told}: {length:?}"),
            bytes => assert_eq!(length, [bytes.to_string()], "{told}"),
        }
        assert_eq!(raw.all("user-agent"), [concat!("swagger-api-agent/", env!("CARGO_PKG_VERSION"))], "{told}");
        assert_eq!(raw.all("accept-encoding"), ["gzip"], "{told}");
        assert_eq!(raw.all("accept").len(), 1, "{told}");
        // What comes back is the document's word where it says something.
        let usual = |name: &str, value: &str| match name {
            "host" | "user-agent" | "accept-encoding" | "content-length" => true,
            "accept" => value == "application/json, */*;q=0.5",
            _ => false,
        };
        let mut headers: Vec<_> = raw.headers.iter().filter(|(name, value)| !usual(name, value)).cloned().collect();
        headers.sort_by(|one, other| one.0.cmp(&other.0));
        Self { raw, headers, told }
    }

    /// The query, decoded as a server does it.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.raw.target.split_once('?').map_or("", |(_, query)| query);
        form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// Fails unless the request is what the text says: `METHOD target`, header fields, an empty line and the body.
    pub fn is(&self, text: &str, parts: Option<&[Part]>, form: Option<&[(String, String)]>, bytes: Option<&[u8]>) {
        let told = self.told;
        let text = text.strip_suffix('\n').unwrap_or(text);
        let (head, body) = match text.split_once("\n\n") {
            Some((head, body)) => (head, body.as_bytes()),
            None => (text, bytes.unwrap_or_default()),
        };
        let mut lines = head.split('\n');
        assert_eq!(Some(format!("{} {}", self.raw.method, self.raw.target).as_str()), lines.next(), "{told}");
        let field = |line: &str| {
            let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("{line:?} is no header field"));
            (name.to_owned(), value.to_owned())
        };
        let mut expected: Vec<(String, String)> = lines.map(field).collect();
        expected.sort_by(|one, other| one.0.cmp(&other.0));
        if let Some(parts) = parts {
            let (kind, others): (Vec<_>, Vec<_>) = self.headers.iter().cloned().partition(|(name, _)| name == "content-type");
            assert_eq!(others, expected, "{told}");
            assert_eq!(read_parts(&self.raw.body, &kind[0].1, told), parts, "{told}");
            return;
        }
        assert_eq!(self.headers, expected, "{told}");
        match form {
            Some(form) => assert_eq!(form_urlencoded::parse(&self.raw.body).into_owned().collect::<Vec<_>>(), form, "{told}"),
            None => assert_eq!(String::from_utf8_lossy(&self.raw.body), String::from_utf8_lossy(body), "{told}"),
        }
        if form.is_none() {
            assert_eq!(self.raw.body, body, "{told}");
        }
    }
}

/// Takes a multipart body apart (RFC 2046, 5.1.1).
pub fn read_parts(body: &[u8], content_type: &str, told: &str) -> Vec<Part> {
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=").unwrap_or_else(|| panic!("{told}: {content_type}"));
    let mut rest = body;
    let mut parts = Vec::new();
    let opening = format!("--{boundary}\r\n");
    rest = rest.strip_prefix(opening.as_bytes()).unwrap_or_else(|| panic!("{told}: {}", String::from_utf8_lossy(body)));
    loop {
        let delimiter = format!("\r\n--{boundary}");
        let end = rest.windows(delimiter.len()).position(|window| window == delimiter.as_bytes()).expect("a delimiter");
        parts.push(read_part(&rest[..end]));
        rest = &rest[end + delimiter.len()..];
        match rest {
            b"--\r\n" => return parts,
            more => rest = more.strip_prefix(b"\r\n").expect("another part"),
        }
    }
}

fn read_part(bytes: &[u8]) -> Part {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("an empty line");
    let (head, content) = (std::str::from_utf8(&bytes[..end]).unwrap(), bytes[end + 4..].to_vec());
    let mut part = Part { name: String::new(), filename: None, r#type: None, text: None, bytes: None };
    for line in head.split("\r\n") {
        match line.split_once(": ") {
            Some(("Content-Type", value)) => part.r#type = Some(value.to_owned()),
            Some(("Content-Disposition", value)) => {
                // `; key="value"` again and again: a value has no quotation mark of its own, but may have all else.
                let mut rest = value.strip_prefix("form-data").expect("form-data");
                while !rest.is_empty() {
                    let (key, quoted) = rest.strip_prefix("; ").and_then(|rest| rest.split_once("=\"")).expect("a parameter");
                    let (value, behind) = quoted.split_once('"').expect("an end");
                    rest = behind;
                    if key == "filename" { part.filename = Some(value.to_owned()) } else { part.name = value.to_owned() }
                }
            }
            _ => panic!("{line:?} stands in the head of a part"),
        }
    }
    match String::from_utf8(content) {
        Ok(text) => part.text = Some(text),
        Err(error) => part.bytes = Some(error.into_bytes()),
    }
    part
}

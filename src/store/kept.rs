//! The stored form of a kept reply: `<version byte><kind byte><content type>\n<bytes as they came>`. Nothing of it is escaped, because it is
//! large and is read by nobody else. Kinds: `e` empty, `j` JSON, `t` text, `b` other bytes.

use bytes::Bytes;

use crate::domain::{json::RawJson, kept::KeptReply, tool::ReplyBody};

const VERSION: u8 = b'1';

pub(super) fn encode(reply: &KeptReply) -> Vec<u8> {
    let (kind, content): (u8, &[u8]) = match &reply.body {
        ReplyBody::Empty => (b'e', b""),
        ReplyBody::Json(json) => (b'j', json.get().as_bytes()),
        ReplyBody::Text(text) => (b't', text.as_bytes()),
        ReplyBody::Binary { content, .. } => (b'b', content),
    };
    // A header's value has no line end; if it had, what follows it would be read as content.
    let content_type = reply.content_type.lines().next().unwrap_or_default();
    let mut record = Vec::with_capacity(content.len() + content_type.len() + 3);
    record.extend_from_slice(&[VERSION, kind]);
    record.extend_from_slice(content_type.as_bytes());
    record.push(b'\n');
    record.extend_from_slice(content);
    record
}

/// The reply of a record; `None` if it is not one that this release can read.
pub(super) fn decode(record: &[u8]) -> Option<KeptReply> {
    let (kind, rest) = match record {
        [VERSION, kind, rest @ ..] => (*kind, rest),
        _ => return None,
    };
    let (content_type, content) = rest.split_at(rest.iter().position(|byte| *byte == b'\n')?);
    let content = content.get(1..)?;
    let content_type = std::str::from_utf8(content_type).ok()?.to_owned();
    let body = match kind {
        b'e' => ReplyBody::Empty,
        b'j' => ReplyBody::Json(RawJson::read(content)?),
        b't' => ReplyBody::Text(std::str::from_utf8(content).ok()?.to_owned()),
        b'b' => {
            let (content_type, content) = (content_type.clone(), Bytes::copy_from_slice(content));
            ReplyBody::Binary { content_type, bytes: content.len(), content }
        }
        _ => return None,
    };
    Some(KeptReply { content_type, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_comes_back_as_it_was_kept() {
        let json = RawJson::read(b"{\"n\":0.10,\"s\":\"\\u4f60\\n\"}").unwrap();
        let binary = |kind: &str| ReplyBody::Binary { content_type: kind.to_owned(), bytes: 3, content: Bytes::from_static(b"\n\xff\0") };
        for (kind, body) in [
            ("application/json; charset=utf-8", ReplyBody::Json(json)),
            ("text/html", ReplyBody::Text("a\n你".to_owned())),
            ("image/png", binary("image/png")),
            ("", binary("")),
            ("", ReplyBody::Empty),
        ] {
            let reply = KeptReply { content_type: kind.to_owned(), body };
            assert_eq!(decode(&encode(&reply)), Some(reply));
        }
    }

    #[test]
    fn what_is_no_record_of_a_known_version_is_not_guessed_at() {
        for record in [&b""[..], b"1", b"1j", b"1jtext", b"2jx\n{}", b"1jx\n{", b"1tx\n\xff", b"1zx\n", b"1j\xff\n{}"] {
            assert_eq!(decode(record), None, "{record:?}");
        }
    }
}

//! What a header's name says about who may set it.

/// Fields that frame the message, name its target or speak of the client itself: they are the sender's own business, whatever a document
/// says of them (RFC 9110, 6.1, 7.6.1; RFC 9112, 6).
pub fn frames_message(name: &str) -> bool {
    const FRAMING: [&str; 13] = [
        "host",
        "content-length",
        "transfer-encoding",
        "connection",
        "keep-alive",
        "upgrade",
        "te",
        "trailer",
        "expect",
        "user-agent",
        "accept-encoding",
        "proxy-authorization",
        "proxy-connection",
    ];
    FRAMING.iter().any(|framing| name.eq_ignore_ascii_case(framing))
}

/// Whether it can be the name of a field (RFC 9110, 5.1 and 5.6.2).
pub fn is_field_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::frames_message;

    #[test]
    fn case_does_not_matter_and_other_headers_are_free() {
        assert!(frames_message("Host") && frames_message("TRANSFER-ENCODING"));
        assert!(!frames_message("x-host") && !frames_message("accept"));
    }
}

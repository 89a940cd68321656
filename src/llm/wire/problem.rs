//! An error as model servers word it: `error.code` is a number, a string or null, and the status alone does not tell.

use serde_json::Value;

use crate::llm::ModelError;

/// A server's error, read.
#[derive(Debug, PartialEq)]
pub(in crate::llm) struct Problem {
    pub(in crate::llm) error: ModelError,
    /// What of the request the server does not take, if it says so.
    pub(in crate::llm) refuses: Option<Part>,
    /// The server's code and type, short: for the log. Its message is not kept, because it may quote the prompt or the key.
    pub(in crate::llm) code: String,
}

/// A part of a request that some servers do not take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::llm) enum Part {
    Tools,
    /// `response_format`.
    Schema,
    Stream,
}

/// How a message names a part, the narrower first; and how it says that the part is not taken. What is wrong inside of a part (the schema of
/// one function) is another matter: it is not the part that is refused.
const PARTS: [(Part, &[&str]); 3] = [
    (Part::Schema, &["response_format", "json_schema", "response format"]),
    (Part::Stream, &["stream"]),
    (Part::Tools, &["tools", "tool use", "tool choice", "tool call", "tool_calls", "function call", "function_call", "functions"]),
];
const NOT_TAKEN: [&str; 15] = [
    "not support",
    "n't support",
    "unsupported",
    "support tool use",
    "requires --",
    "unrecognized",
    "unknown field",
    "unknown parameter",
    "unknown name",
    "extra inputs",
    "extra fields",
    "not permitted",
    "not implemented",
    "not enabled",
    "not available",
];

/// How context overflow is named in `code` or `type`, and in messages of servers that give no code for it.
const OVERFLOW_CODES: [&str; 4] =
    ["context_length_exceeded", "exceed_context_size_error", "context_window_exceeded", "string_above_max_length"];
const OVERFLOW_WORDS: [&str; 6] =
    ["context length", "context size", "context window", "maximum context", "prompt is too long", "input is too long"];

/// Reads the body that came with `status`; a 200 with an `error` counts as the status that its code names.
pub(in crate::llm) fn read(status: u16, body: &[u8], retry_after_secs: Option<u64>) -> Problem {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let body = body.get(0).unwrap_or(&body);
    let inner = body.get("error").filter(|error| !error.is_null()).unwrap_or(body);
    let word = |name: &str| match inner.get(name) {
        Some(Value::String(text)) => text.to_ascii_lowercase(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    };
    let (code, kind) = (word("code"), word("type"));
    let message = inner.as_str().map(str::to_ascii_lowercase).unwrap_or_else(|| word("message"));
    let status = if (200..300).contains(&status) { meant(&code, &kind).unwrap_or(status) } else { status };

    let overflow =
        OVERFLOW_CODES.iter().any(|name| code == *name || kind == *name) || OVERFLOW_WORDS.iter().any(|words| message.contains(words));
    let error = match status {
        401 | 403 => ModelError::Unauthorized,
        429 => ModelError::RateLimited { retry_after_secs },
        _ if overflow => ModelError::ContextOverflow,
        408 | 425 | 500.. => ModelError::Unavailable,
        200..300 => ModelError::Nonsense,
        _ => ModelError::Refused(status),
    };
    let refuses = matches!(error, ModelError::Refused(_) | ModelError::Unavailable).then(|| refused_part(&message)).flatten();
    Problem { error, refuses, code: logged(&code, &kind) }
}

fn refused_part(message: &str) -> Option<Part> {
    if !NOT_TAKEN.iter().any(|words| message.contains(words)) {
        return None;
    }
    let (part, _) = PARTS.iter().find(|(_, names)| names.iter().any(|name| message.contains(name)))?;
    let inside = *part == Part::Tools && ["schema", "keyword", "tools["].iter().any(|word| message.contains(word));
    (!inside).then_some(*part)
}

/// The status that a code stands for.
fn meant(code: &str, kind: &str) -> Option<u16> {
    if let Some(status) = code.parse().ok().filter(|status| (400..600).contains(status)) {
        return Some(status);
    }
    [code, kind].iter().find_map(|name| match *name {
        "invalid_api_key" | "authentication_error" | "permission_error" | "permission_denied" | "unauthorized" => Some(401),
        "rate_limit_exceeded" | "rate_limit_error" | "insufficient_quota" | "too_many_requests" => Some(429),
        "server_error" | "internal_error" | "internal_server_error" | "api_error" | "overloaded_error" | "service_unavailable" => Some(503),
        "invalid_request_error" | "bad_request" => Some(400),
        _ => None,
    })
}

/// Code and type as a log may show them: words of a fixed vocabulary look like words, and nothing else gets through.
fn logged(code: &str, kind: &str) -> String {
    let wordy = |text: &&str| {
        !text.is_empty() && text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte))
    };
    [code, kind].into_iter().filter(wordy).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(status: u16, body: &str) -> ModelError {
        read(status, body.as_bytes(), None).error
    }

    #[test]
    fn a_status_says_what_to_do() {
        for (status, expected) in [
            (401, ModelError::Unauthorized),
            (403, ModelError::Unauthorized),
            (400, ModelError::Refused(400)),
            (402, ModelError::Refused(402)),
            (404, ModelError::Refused(404)),
            (422, ModelError::Refused(422)),
            (302, ModelError::Refused(302)),
            (408, ModelError::Unavailable),
            (500, ModelError::Unavailable),
            (503, ModelError::Unavailable),
            (529, ModelError::Unavailable),
        ] {
            assert_eq!(error(status, "not json"), expected, "{status}");
        }
        let limited = read(429, b"{}", Some(7)).error;
        assert_eq!(limited, ModelError::RateLimited { retry_after_secs: Some(7) });
    }

    #[test]
    fn context_overflow_is_known_however_it_is_named() {
        for (status, body) in [
            (
                400,
                r#"{"error":{"code":400,"type":"exceed_context_size_error","message":"the request exceeds","n_prompt_tokens":9,"n_ctx":4}}"#,
            ),
            (400, r#"{"error":{"code":"context_length_exceeded","type":"invalid_request_error","message":""}}"#),
            (400, r#"{"error":{"code":null,"message":"This model's Maximum Context length is 4096 tokens"}}"#),
            (400, r#"{"object":"error","message":"maximum context length is 8192","code":40303}"#),
            (413, r#"{"error":"prompt is too long: 300000 tokens"}"#),
            (500, r#"{"error":{"code":500,"message":"context size has been exceeded"}}"#),
            (400, r#"[{"error":{"code":400,"message":"input is too long"}}]"#),
        ] {
            assert_eq!(error(status, body), ModelError::ContextOverflow, "{body}");
        }
    }

    #[test]
    fn a_200_with_an_error_counts_as_what_its_code_names() {
        for (body, expected) in [
            (r#"{"error":{"code":429,"message":"slow"}}"#, ModelError::RateLimited { retry_after_secs: None }),
            (r#"{"error":{"code":"rate_limit_exceeded"}}"#, ModelError::RateLimited { retry_after_secs: None }),
            (r#"{"error":{"code":"invalid_api_key"}}"#, ModelError::Unauthorized),
            (r#"{"error":{"code":"502"}}"#, ModelError::Unavailable),
            (r#"{"error":{"code":null,"type":"server_error"}}"#, ModelError::Unavailable),
            (r#"{"error":{"code":400}}"#, ModelError::Refused(400)),
            (r#"{"error":"oops"}"#, ModelError::Nonsense),
            (r#"{"error":{"code":99999999999999999999}}"#, ModelError::Nonsense),
        ] {
            assert_eq!(error(200, body), expected, "{body}");
        }
    }

    #[test]
    fn a_part_that_is_not_taken_is_known_however_it_is_said() {
        let refuses = |status: u16, message: &str| {
            read(status, serde_json::json!({"error": {"message": message}}).to_string().as_bytes(), None).refuses
        };
        for (status, message, part) in [
            (400, "registry.ollama.ai/library/gemma:2b does not support tools", Part::Tools),
            (500, "tools param requires --jinja flag", Part::Tools),
            (400, "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set", Part::Tools),
            (400, "deepseek-reasoner does not support Function Calling", Part::Tools),
            (404, "No endpoints found that support tool use.", Part::Tools),
            (422, "Unrecognized request argument supplied: functions", Part::Tools),
            (400, "Unsupported param: tools", Part::Tools),
            (400, "This response_format type is unavailable now: json_schema is not supported", Part::Schema),
            (400, "'response_format' of type 'json_schema' is not supported with this model", Part::Schema),
            (400, "unknown field `stream_options`", Part::Stream),
            (501, "streaming is not implemented", Part::Stream),
        ] {
            assert_eq!(refuses(status, message), Some(part), "{message}");
        }
        for (status, message) in [
            (400, "Invalid schema for function 'f': 'oneOf' is not supported"),
            (400, "tools[0].function.parameters: keyword not supported"),
            (400, "An assistant message with 'tool_calls' must be followed by tool messages"),
            (401, "tools are not supported with this key"),
            (429, "tools are not available: slow down"),
            (500, "the server had an error"),
            (400, "temperature is not supported"),
        ] {
            assert_eq!(refuses(status, message), None, "{message}");
        }
        assert_eq!(read(400, br#"{"error":"this model does not support tools"}"#, None).refuses, Some(Part::Tools));
    }

    #[test]
    fn the_log_sees_codes_and_no_messages() {
        let body = br#"{"error":{"code":"invalid_api_key","type":"invalid_request_error","message":"Incorrect key sk-canary"}}"#;
        assert_eq!(read(401, body, None).code, "invalid_api_key/invalid_request_error");
        assert_eq!(read(401, br#"{"error":{"code":"the key sk-canary is wrong"}}"#, None).code, "");
    }
}

//! What came of a call: the reply, or why there is none.

use serde_json::Value;

use super::{
    escape::{amid, amid_within, fenced, inline, visible},
    of_json,
};
use crate::domain::{
    language::Language,
    limits::{MARKDOWN_SENTENCE_CHARS_MAX, MARKDOWN_TEXT_CHARS_MAX, REQUEST_SHOWN_CHARS_MAX},
    tool::{Outcome, Refusal, ReplyBody, UpstreamReply},
};

/// Fields in which APIs put the sentence of an error (RFC 9457 has `detail` and `title`), most telling first.
const ERROR_FIELDS: [&str; 7] = ["error", "detail", "message", "error_description", "title", "reason", "msg"];

/// Any outcome of a call; an unknown one is said to be unknown.
pub fn of_outcome(outcome: &Outcome, language: Language) -> String {
    match outcome {
        Outcome::Replied(reply) => of_reply(reply, language),
        Outcome::Refused(refusal) => of_refusal(refusal, language),
        Outcome::Failed(reason) => match language {
            Language::English => format!("⚠️ Not done; nothing was changed ({}).", amid(reason)),
            Language::Chinese => format!("⚠️ 未执行，没有任何更改（{}）。", amid(reason)),
        },
        Outcome::Unknown(reason) => match language {
            Language::English => format!(
                "⚠️ The request was sent, but no answer came ({}). Whether it took effect is **not known**: look before you try again.",
                amid(reason)
            ),
            Language::Chinese => {
                format!("⚠️ 请求已发出，但没有收到答复（{}）。**不确定**是否已生效：重试之前请先查看。", amid(reason))
            }
        },
    }
}

/// A reply: its body, or for a status outside 2xx what the status means and what the API said.
pub fn of_reply(reply: &UpstreamReply, language: Language) -> String {
    if (200..300).contains(&reply.status) {
        return match &reply.body {
            ReplyBody::Empty => language.choose("✅ Done.", "✅ 已完成。").to_owned(),
            body => of_body(body, language),
        };
    }
    let (status, meaning) = (reply.status, meaning(reply.status, language));
    let head = match language {
        Language::English => format!("⚠️ The API answered {status} ({meaning})"),
        Language::Chinese => format!("⚠️ API 返回 {status}（{meaning}）"),
    };
    match said(&reply.body) {
        Said::Nothing => head + language.choose(".", "。"),
        Said::Sentence(sentence) => format!("{head}{}{}", language.choose(": ", "："), amid(&sentence)),
        Said::More => format!("{head}{}\n\n{}", language.choose(":", "："), of_body(&reply.body, language)),
    }
}

/// A body by itself.
pub fn of_body(body: &ReplyBody, language: Language) -> String {
    match body {
        ReplyBody::Empty => language.choose("_no content_", "_没有内容_").to_owned(),
        ReplyBody::Json(json) => json.value().map_or_else(|| of_text(json.get(), language), |value| of_json(&value, language)),
        ReplyBody::Text(text) if text.trim().is_empty() => language.choose("_no content_", "_没有内容_").to_owned(),
        ReplyBody::Text(text) => of_text(text, language),
        ReplyBody::Binary { content_type, bytes, .. } => match language {
            Language::English => format!("_{} of {bytes} bytes, not shown_", amid(content_type)),
            Language::Chinese => format!("_{}，共 {bytes} 字节，未显示_", amid(content_type)),
        },
    }
}

/// A request as it will be sent, without its credentials: method and address, header fields, body.
pub fn of_request(method: &str, url: &str, headers: &[(String, String)], body: Option<&[u8]>, language: Language) -> String {
    let mut text = format!("{method} {url}\n");
    // What is accepted as an answer changes nothing.
    for (name, value) in headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("accept")) {
        text.push_str(&format!("{name}: {value}\n"));
    }
    match body.map(|bytes| (bytes.len(), std::str::from_utf8(bytes))) {
        None => {}
        Some((_, Ok(body))) => text.push_str(&format!("\n{body}")),
        Some((bytes, Err(_))) => {
            text.push_str(&match language {
                Language::English => format!("\n({bytes} bytes that are not text)"),
                Language::Chinese => format!("\n（{bytes} 字节，不是文本）"),
            });
        }
    }
    bounded(&visible(&text), REQUEST_SHOWN_CHARS_MAX, language)
}

fn of_text(text: &str, language: Language) -> String {
    bounded(text, MARKDOWN_TEXT_CHARS_MAX, language)
}

fn bounded(text: &str, chars_max: usize, language: Language) -> String {
    let mut chars = text.char_indices();
    let Some((cut, _)) = chars.nth(chars_max) else {
        return fenced(text);
    };
    let hidden = chars.count() + 1;
    let block = fenced(text.get(..cut).unwrap_or_default());
    match language {
        Language::English => format!("{block}\n\n… {hidden} more characters"),
        Language::Chinese => format!("{block}\n\n… 还有 {hidden} 个字符"),
    }
}

fn of_refusal(refusal: &Refusal, language: Language) -> String {
    match refusal {
        Refusal::UnknownFunction { near } => {
            let names: Vec<String> = near.iter().map(|name| amid(name)).collect();
            let names = names.join(", ");
            match (language, near.is_empty()) {
                (Language::English, true) => "⚠️ Nothing was sent: there is no such function.".to_owned(),
                (Language::English, false) => format!("⚠️ Nothing was sent: there is no such function. Close to it: {names}"),
                (Language::Chinese, true) => "⚠️ 没有发送：没有这个函数。".to_owned(),
                (Language::Chinese, false) => format!("⚠️ 没有发送：没有这个函数。相近的有：{names}"),
            }
        }
        Refusal::InvalidArguments(problems) => {
            let list: Vec<String> = problems.iter().map(|problem| format!("- {}", inline(problem))).collect();
            let head = language.choose("⚠️ Nothing was sent: the arguments do not fit.", "⚠️ 没有发送：参数不符合要求。");
            format!("{head}\n\n{}", list.join("\n"))
        }
        Refusal::OverBudget => {
            language.choose("⚠️ Nothing was sent: this turn has no calls left.", "⚠️ 没有发送：本轮的调用次数已用完。").to_owned()
        }
        Refusal::CredentialMissing(missing) => not_sent(&missing.sentence(language), language),
        Refusal::CredentialUnusable { scheme, reason } => not_sent(&Refusal::unusable(scheme, reason, language), language),
        Refusal::NeedsConfirmation { .. } => {
            language.choose("⚠️ Nothing was sent: it needs your confirmation first.", "⚠️ 没有发送：需要您先确认。").to_owned()
        }
        Refusal::Declined => {
            language.choose("Nothing was sent, and nothing was changed: you said no.", "没有发送，也没有任何更改：您没有同意。").to_owned()
        }
        Refusal::Outdated => language
            .choose(
                "⚠️ Nothing was sent: the API's document has changed, and this is no longer the request that you were shown. Please ask for it again.",
                "⚠️ 没有发送：API 文档已更改，这不再是您之前看到的请求。请重新提出。",
            )
            .to_owned(),
    }
}

fn not_sent(sentence: &str, language: Language) -> String {
    let sentence = amid_within(sentence, MARKDOWN_SENTENCE_CHARS_MAX);
    match language {
        Language::English => format!("⚠️ Nothing was sent: {sentence}."),
        Language::Chinese => format!("⚠️ 没有发送：{sentence}。"),
    }
}

enum Said {
    Nothing,
    Sentence(String),
    More,
}

/// What an error's body says: one sentence if it is clear which one.
fn said(body: &ReplyBody) -> Said {
    match body {
        ReplyBody::Empty => Said::Nothing,
        ReplyBody::Json(json) => said_in(json.value().unwrap_or_default()),
        ReplyBody::Text(text) if text.trim().is_empty() => Said::Nothing,
        ReplyBody::Text(_) | ReplyBody::Binary { .. } => Said::More,
    }
}

fn said_in(json: Value) -> Said {
    match json {
        Value::String(sentence) => Said::Sentence(sentence),
        Value::Object(fields) => {
            let sentence = ERROR_FIELDS.iter().find_map(|name| fields.get(*name).and_then(Value::as_str)).filter(|text| !text.is_empty());
            // A body with more than its sentence and a few codes may name the fields that are wrong: that is shown whole.
            match sentence.filter(|_| fields.values().all(|value| !value.is_object() && !value.is_array())) {
                Some(sentence) => Said::Sentence(sentence.to_owned()),
                None => Said::More,
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => Said::More,
    }
}

/// What a status means, for people (RFC 9110, 15).
fn meaning(status: u16, language: Language) -> &'static str {
    let (english, chinese) = match status {
        400 => ("the request is not understood", "请求有误"),
        401 => ("the API wants other credentials", "API 需要其他凭据"),
        403 => ("not allowed", "没有权限"),
        404 => ("not found", "未找到"),
        405 => ("the method is not allowed", "不允许的方法"),
        409 => ("conflict with the present data", "与现有数据冲突"),
        410 => ("gone", "已不存在"),
        413 => ("too large", "内容过大"),
        415 => ("unsupported content", "不支持的内容类型"),
        422 => ("the values do not fit", "数据不符合要求"),
        429 => ("too many requests", "请求过于频繁"),
        503 => ("the API is not available", "API 暂不可用"),
        other => match other / 100 {
            3 => ("a redirect, which is not followed", "重定向，不会跟随"),
            4 => ("refused", "被拒绝"),
            5 => ("an error inside the API", "API 内部错误"),
            _ => ("an unusual answer", "异常答复"),
        },
    };
    match language {
        Language::English => english,
        Language::Chinese => chinese,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::credential::MissingCredentials;

    fn reply(status: u16, body: ReplyBody) -> UpstreamReply {
        UpstreamReply { status, headers: Vec::new(), body, kept: None }
    }

    #[test]
    fn what_a_missing_credential_is_set_with_is_not_cut_off() {
        let missing =
            MissingCredentials { api: "shop".to_owned(), alternatives: vec![vec!["project_id".to_owned(), "a_long_name".repeat(10)]] };
        let refused = Outcome::Refused(Refusal::CredentialMissing(missing));
        let told = of_outcome(&refused, Language::English);
        assert!(told.contains("project_id") && told.ends_with("apis.shop.credentials.{scheme}."), "{told}");
    }

    #[test]
    fn a_request_that_must_be_agreed_to_hides_nothing() {
        let body = "{\"name\":\"ad\u{200b}min\u{202e}\"}\u{200b}";
        let shown = of_request("POST", "http://up/users", &[], Some(body.as_bytes()), Language::English);
        assert_eq!(shown, "```text\nPOST http://up/users\n\n{\"name\":\"ad\\u{200b}min\\u{202e}\"}\\u{200b}\n```");
    }

    #[test]
    fn an_error_status_is_never_shown_as_success() {
        let missing = reply(404, ReplyBody::Json(json!({"error": "user 99 does not exist"}).into()));
        assert_eq!(of_reply(&missing, Language::English), "⚠️ The API answered 404 (not found): user 99 does not exist");
        assert_eq!(of_reply(&missing, Language::Chinese), "⚠️ API 返回 404（未找到）：user 99 does not exist");
        let details = reply(422, ReplyBody::Json(json!({"message": "invalid", "errors": [{"field": "name"}]}).into()));
        let text = of_reply(&details, Language::English);
        assert!(text.starts_with("⚠️ The API answered 422") && text.contains("| name |"), "{text}");
        assert_eq!(of_reply(&reply(500, ReplyBody::Empty), Language::English), "⚠️ The API answered 500 (an error inside the API).");
        assert!(of_reply(&reply(502, ReplyBody::Text("<h1>Bad</h1>".into())), Language::English).contains("```text\n<h1>Bad</h1>\n```"));
    }

    #[test]
    fn bodies_without_json_are_described() {
        assert_eq!(of_reply(&reply(204, ReplyBody::Empty), Language::English), "✅ Done.");
        let image = ReplyBody::Binary { content_type: "image/png".into(), bytes: 12, content: bytes::Bytes::new() };
        assert_eq!(of_body(&image, Language::English), "_image/png of 12 bytes, not shown_");
        let text = of_body(&ReplyBody::Text("a".repeat(4100)), Language::English);
        assert!(text.ends_with("… 100 more characters"), "{text}");
    }

    #[test]
    fn an_unknown_outcome_is_said_to_be_unknown() {
        let lost = Outcome::Unknown("timed out after 30 s".into());
        assert!(of_outcome(&lost, Language::English).contains("**not known**"));
        assert!(of_outcome(&lost, Language::Chinese).contains("**不确定**"));
        let refused = Outcome::Refused(Refusal::InvalidArguments(vec!["page: must be ≥ 1".into()]));
        assert!(of_outcome(&refused, Language::English).ends_with("\n\n- page: must be ≥ 1"));
    }
}

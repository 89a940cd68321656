//! Sentences about a service that keeps code: owners and repositories, lists of texts, codes, days, and words that are noun and verb.

use serde_json::json;

use super::*;
use crate::{
    domain::tool::Effect,
    llm::{Prompt, ToolSet},
};

fn functions() -> Vec<FunctionSpec> {
    let function = |name: &str, description: &str, effect, own: &[(&str, Value)], required: &[&str]| {
        let text = json!({"type": "string"});
        let repository = [("owner", text.clone()), ("repo", text)];
        let properties: Map<String, Value> =
            repository.iter().chain(own).map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
        let required: Vec<&str> = ["owner", "repo"].iter().chain(required).copied().collect();
        let parameters = json!({"type": "object", "properties": properties, "required": required}).into();
        FunctionSpec { name: name.to_owned(), description: description.to_owned(), parameters, effect }
    };
    let (text, texts, number) =
        (json!({"type": "string"}), json!({"type": "array", "items": {"type": "string"}}), json!({"type": "integer"}));
    let instant = json!({"type": "string", "format": "date-time"});
    let (safe, changing) = (Effect::Safe, Effect::Changing);
    vec![
        function("repos/get", "Get a repository", safe, &[], &[]),
        function("repos/get-content", "Get the content of a file", safe, &[("path", text.clone()), ("ref", text.clone())], &["path"]),
        function(
            "repos/list-commits",
            "List commits",
            safe,
            &[("path", text.clone()), ("author", text.clone()), ("since", instant.clone()), ("until", instant)],
            &[],
        ),
        function("issues/create", "Create an issue", changing, &[("title", text.clone()), ("labels", texts)], &["title"]),
        function("issues/list-comments", "List comments of an issue", safe, &[("issue_number", number.clone())], &["issue_number"]),
        function(
            "issues/create-comment",
            "Create a comment on an issue",
            changing,
            &[("issue_number", number), ("body", text)],
            &["issue_number", "body"],
        ),
    ]
}

/// The call that a message makes, as `name {arguments}`; `ask` if it makes none.
fn call_of(message: &str) -> String {
    let tools = ToolSet::new(functions());
    let prompt = Prompt::of(message, &tools);
    match Offline::new(&tools.functions).plan(&prompt).next {
        Move::Calls { calls, .. } => {
            calls.iter().map(|call| format!("{} {}", call.name, json!(call.arguments.clone().unwrap_or_default()))).collect()
        }
        Move::Answer(_) => "ask".to_owned(),
    }
}

#[test]
fn several_texts_are_one_argument() {
    let made = |labels: &str| format!(r#"issues/create {{"owner":"acme","repo":"api","title":"Slow","labels":{labels}}}"#);
    assert_eq!(call_of("Open an issue in acme/api titled \"Slow\" with the labels bug, p1 and ui"), made(r#"["bug","p1","ui"]"#));
    assert_eq!(call_of("Create an issue in acme/api titled \"Slow\" and put the label bug on it"), made(r#"["bug"]"#));
    assert_eq!(call_of("Create an issue in acme/api titled \"Slow\" and delete the label bug"), "ask");
}

#[test]
fn of_several_codes_each_finds_its_place() {
    let got = |path: &str| format!(r#"repos/get-content {{"owner":"acme","repo":"api","path":"{path}"}}"#);
    assert_eq!(call_of("Get the file docs/a.md of acme/api"), got("docs/a.md"));
    assert_eq!(call_of("Get the file docs/a guide.md of acme/api"), got("docs/a guide.md"), "a name may have a space in it");
    assert_eq!(
        call_of("列出 acme/api 里 src/auth 目录下由 carol 在 2026年3月1日(含)到3月31日(含)之间的提交"),
        r#"repos/list-commits {"owner":"acme","repo":"api","path":"src/auth","author":"carol","since":"2026-03-01T00:00:00Z","until":"2026-03-31T23:59:59Z"}"#
    );
}

/// A comment is made where commenting is commanded, and not where a comment is spoken of.
#[test]
fn a_word_that_is_noun_and_verb_commands_only_as_a_verb() {
    let made = r#"issues/create-comment {"owner":"acme","repo":"api","issue_number":42,"body":"fixed"}"#;
    assert_eq!(call_of("在 acme/api 的第 42 号议题下评论:“fixed”"), made);
    for spoken_of in ["acme/api 的第 42 号议题的评论:“fixed”", "the comment “fixed” on issue 42 of acme/api"] {
        assert!(!call_of(spoken_of).starts_with("issues/create-comment"), "{spoken_of}: {}", call_of(spoken_of));
    }
    assert_eq!(call_of("显示 acme/api 的 42 号议题的评论"), r#"issues/list-comments {"owner":"acme","repo":"api","issue_number":42}"#);
}

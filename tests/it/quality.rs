//! How often the offline planner is right, on sentences written before it (`tests/quality/*.jsonl`).

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use swagger_api_agent::{
    demo,
    domain::{
        session::Turn,
        tool::{Effect, FunctionSpec},
    },
    llm::{Move, Prompt, ToolSet, offline::Offline},
};

/// One line of a quality file: what must be called with exactly what, or `ask`: no call at all.
struct Sentence {
    text: String,
    expected: Option<(String, Map<String, Value>)>,
}

#[derive(Default)]
struct Score {
    sentences: usize,
    operation_right: usize,
    all_right: usize,
    wrong_changes: usize,
}

#[test]
fn the_demo_is_understood_in_english() {
    let score = measure("demo_en", include_str!("../quality/demo_en.jsonl"));
    must_be_good(&score);
}

#[test]
fn the_demo_is_understood_in_chinese() {
    let score = measure("demo_zh", include_str!("../quality/demo_zh.jsonl"));
    must_be_good(&score);
}

/// Written after the planner's first version and before it was tried on them: how far it carries beyond the sentences it was made with.
#[test]
fn more_sentences_are_understood_too() {
    must_be_good(&measure("demo_more_en", include_str!("../quality/demo_more_en.jsonl")));
    must_be_good(&measure("demo_more_zh", include_str!("../quality/demo_more_zh.jsonl")));
}

/// Sentences about changes that are conditional, relative, for several records, denied or broken: none of them changes anything.
#[test]
fn what_is_no_plain_command_changes_nothing() {
    for (name, file) in
        [("no_change_en", include_str!("../quality/no_change_en.jsonl")), ("no_change_zh", include_str!("../quality/no_change_zh.jsonl"))]
    {
        assert_eq!(measure(name, file).wrong_changes, 0, "a changing call was guessed");
    }
}

/// What was asked about is dropped by a refusal, and a number after "all of them" picks none.
#[test]
fn a_dropped_or_sweeping_request_is_not_completed() {
    let tools = ToolSet::new(functions_of(demo::DOCUMENT));
    let offline = Offline::new(&tools.functions);
    let conversations: [&[&str]; 9] = [
        &["create a user named Bob", "forget it", "bob@x.example"],
        &["create a user named Bob", "cancel", "5"],
        &["update order 5", "cancel", "5"],
        &["创建用户 张三", "取消", "zhang@x.example"],
        &["创建用户 张三", "算了", "zhang@x.example"],
        &["delete a user", "no", "3"],
        &["delete all users", "3"],
        &["删除所有订单", "3"],
        &["remove every product", "number 3"],
    ];
    for messages in conversations {
        let mut history: Vec<Turn> = Vec::new();
        for message in messages {
            let plan = offline.plan(&Prompt { instructions: "", history: &history, message, rounds: &[], tools: &tools });
            let Move::Answer(answer) = plan.next else { panic!("{messages:?}: {message:?} called {:?}", plan.next) };
            println!("{message}\n    {}", answer.replace('\n', "\n    "));
            let (run, message) = ("r".into(), (*message).to_owned());
            history.push(Turn { run, asked_ms: 0, message, rounds: Vec::new(), answered_ms: 0, answer, usage: None, served: None });
        }
    }
}

fn must_be_good(score: &Score) {
    let share = |count: usize| count as f64 / score.sentences as f64;
    assert!(score.sentences >= 20);
    assert_eq!(score.wrong_changes, 0, "a changing call was guessed");
    assert!(share(score.operation_right) >= 0.9, "operations right: {}", score.operation_right);
    assert!(share(score.all_right) >= 0.8, "operations and arguments right: {}", score.all_right);
}

/// Plans every sentence and prints the table (`cargo test -- --nocapture`).
fn measure(name: &str, file: &str) -> Score {
    let tools = ToolSet::new(functions_of(demo::DOCUMENT));
    let offline = Offline::new(&tools.functions);
    let mut score = Score::default();
    println!("\n{name}");
    for sentence in file.lines().filter(|line| !line.trim().is_empty()).map(read) {
        let planned = planned(&offline, &tools, &sentence.text);
        let operation = planned.as_ref().map(|(name, _)| name) == sentence.expected.as_ref().map(|(name, _)| name);
        let right = operation && same(planned.as_ref(), sentence.expected.as_ref());
        let changing = |name: &str| tools.functions.iter().any(|function| function.name == name && function.effect == Effect::Changing);
        let wrong_change = !right && planned.as_ref().is_some_and(|(name, _)| changing(name));
        score.sentences += 1;
        score.operation_right += usize::from(operation);
        score.all_right += usize::from(right);
        score.wrong_changes += usize::from(wrong_change);
        let mark = match (right, operation, wrong_change) {
            (_, _, true) => "WRONG CHANGE",
            (true, ..) => "ok",
            (false, true, _) => "arguments",
            (false, false, _) => "operation",
        };
        let shown = planned.map_or("ask".to_owned(), |(name, arguments)| format!("{name} {}", Value::Object(arguments)));
        println!("{mark:12} | {:75} | {shown}", sentence.text);
    }
    let Score { sentences, operation_right, all_right, wrong_changes } = score;
    println!(
        "{name}: operation right {operation_right}/{sentences}, with arguments {all_right}/{sentences}, wrong changes {wrong_changes}"
    );
    score
}

fn planned(offline: &Offline, tools: &ToolSet, message: &str) -> Option<(String, Map<String, Value>)> {
    let plan = offline.plan(&Prompt { instructions: "", history: &[], message, rounds: &[], tools });
    match plan.next {
        Move::Answer(answer) => {
            assert!(answer.contains("ffline planner") || answer.contains("离线规划器"), "says what it is: {answer}");
            None
        }
        Move::Calls { calls, .. } => {
            assert_eq!(calls.len(), 1);
            let call = calls.into_iter().next().expect("one call");
            Some((call.name, call.arguments.expect("an object")))
        }
    }
}

/// Equal as JSON, numbers by value: 34.90 is 34.9.
fn same(a: Option<&(String, Map<String, Value>)>, b: Option<&(String, Map<String, Value>)>) -> bool {
    let plain = |value: &Map<String, Value>| {
        let number = |value: &Value| value.as_f64().map_or_else(|| value.clone(), |number| json!(number));
        value.iter().map(|(name, value)| (name.clone(), number(value).to_string())).collect::<BTreeMap<_, _>>()
    };
    match (a, b) {
        (Some(a), Some(b)) => plain(&a.1) == plain(&b.1),
        (a, b) => a.is_none() && b.is_none(),
    }
}

fn read(line: &str) -> Sentence {
    let value: Value = serde_json::from_str(line).expect("JSON");
    let text = value["text"].as_str().expect("a text").to_owned();
    let function = value["function"].as_str().map(str::to_owned);
    assert_ne!(function.is_some(), value["ask"] == true, "{text}");
    let expected = function.map(|name| (name, value["arguments"].as_object().expect("arguments").clone()));
    Sentence { text, expected }
}

/// The document's functions, parameters and body fields side by side in one schema, as the catalogue makes them.
fn functions_of(document: &str) -> Vec<FunctionSpec> {
    let document: Value = serde_saphyr::from_str(document).expect("YAML");
    let mut functions = Vec::new();
    for item in document["paths"].as_object().expect("paths").values() {
        for (method, operation) in item.as_object().expect("a path item").iter().filter(|(key, _)| *key != "parameters") {
            let (mut properties, mut required) = (Map::new(), Vec::new());
            for list in [&item["parameters"], &operation["parameters"]] {
                for parameter in list.as_array().into_iter().flatten() {
                    let parameter = closed(&document, parameter);
                    let name = parameter["name"].as_str().expect("a name").to_owned();
                    let mut schema = parameter["schema"].clone();
                    let meanings =
                        [&parameter["description"], &schema["description"]].map(|text| text.as_str().unwrap_or_default().to_owned());
                    schema["description"] = json!(meanings.join(" ").trim());
                    if parameter["required"] == true {
                        required.push(json!(name));
                    }
                    properties.insert(name, schema);
                }
            }
            if operation["requestBody"].is_object() {
                let body = closed(&document, &operation["requestBody"]["content"]["application/json"]["schema"]);
                properties.extend(body["properties"].as_object().expect("properties").clone());
                required.extend(body["required"].as_array().into_iter().flatten().cloned());
            }
            let text = |key: &str| operation[key].as_str().unwrap_or_default();
            functions.push(FunctionSpec {
                name: text("operationId").to_owned(),
                description: format!("{}\n{}", text("summary"), text("description")),
                parameters: json!({"type": "object", "properties": properties, "required": required}).into(),
                effect: if method == "get" { Effect::Safe } else { Effect::Changing },
            });
        }
    }
    functions
}

/// A value with every local reference in it replaced by what it names; the demo's document has no cycles.
fn closed(document: &Value, value: &Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("$ref").and_then(Value::as_str) {
            Some(reference) => closed(document, document.pointer(reference.trim_start_matches('#')).expect("a local reference")),
            None => fields.iter().map(|(name, field)| (name.clone(), closed(document, field))).collect::<Map<_, _>>().into(),
        },
        Value::Array(items) => items.iter().map(|item| closed(document, item)).collect(),
        other => other.clone(),
    }
}

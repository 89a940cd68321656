//! The sets: what each is called, where its sentences are and what functions they speak of.

use std::fs;

use serde_json::{Map, Value};
use swagger_api_agent::domain::language::Language;

use super::{
    Functions,
    functions::{leaderboard, shared},
};

/// One sentence and what is right.
pub struct Sentence {
    pub text: String,
    /// Any of these functions, by what the sets call them; none: nothing must be called.
    pub right: Vec<String>,
    /// With exactly these arguments, as the function asks for them; none: the set does not say.
    pub arguments: Option<Map<String, Value>>,
    /// Arguments that may be given or not, with any value.
    pub free: Vec<String>,
}

/// A set of sentences.
#[derive(Debug, Clone, Copy)]
pub struct Set {
    pub name: &'static str,
    pub chinese: &'static str,
    /// Only its sentences in this language; none: all.
    language: Option<Language>,
    of: Of,
}

#[derive(Debug, Clone, Copy)]
enum Of {
    /// The demo's document; whole calls.
    Demo(&'static str),
    /// A document that is made here.
    Office(&'static str),
    /// Documents of others, sentences of ours.
    Real(&'static str),
    /// Sentences of others about the GitHub document: `nl_github.jsonl` beside the documents.
    GitHub,
    Leaderboard,
}

const OFFICE: &str = include_str!("../functions_own.jsonl");
const REAL: &str = include_str!("../functions_real.jsonl");

/// All of them, in the order in which they are shown.
pub const SETS: [Set; 12] = [
    of("demo, en", "演示，英文", None, Of::Demo(include_str!("../demo_en.jsonl"))),
    of("demo, zh", "演示，中文", None, Of::Demo(include_str!("../demo_zh.jsonl"))),
    of("demo, later, en", "演示，后写，英文", None, Of::Demo(include_str!("../demo_more_en.jsonl"))),
    of("demo, later, zh", "演示，后写，中文", None, Of::Demo(include_str!("../demo_more_zh.jsonl"))),
    of("no command, en", "并非指令，英文", None, Of::Demo(include_str!("../no_change_en.jsonl"))),
    of("no command, zh", "并非指令，中文", None, Of::Demo(include_str!("../no_change_zh.jsonl"))),
    of("office, en", "办公，英文", Some(Language::English), Of::Office(OFFICE)),
    of("office, zh", "办公，中文", Some(Language::Chinese), Of::Office(OFFICE)),
    of("real documents, en", "真实文档，英文", Some(Language::English), Of::Real(REAL)),
    of("real documents, zh", "真实文档，中文", Some(Language::Chinese), Of::Real(REAL)),
    of("GitHub, by others", "GitHub，他人所写", None, Of::GitHub),
    of("BFCL simple_python", "BFCL simple_python", None, Of::Leaderboard),
];

const fn of(name: &'static str, chinese: &'static str, language: Option<Language>, of: Of) -> Set {
    Set { name, chinese, language, of }
}

/// The set of this name.
pub fn set(name: &str) -> &'static Set {
    SETS.iter().find(|set| set.name == name).unwrap_or_else(|| panic!("no set {name:?}"))
}

impl Set {
    /// Whether it says which arguments are right, so that the planner is measured with it.
    pub fn is_planned(&self) -> bool {
        matches!(self.of, Of::Demo(_) | Of::GitHub)
    }

    /// Functions with the sentences about them; none, and a line that says so, if a part of it is not here.
    pub fn load(&self) -> Option<Vec<(Functions, Vec<Sentence>)>> {
        let parts = self.parts();
        if parts.is_none() {
            eprintln!("SKIPPED: {} is not here", self.name);
        }
        let wanted = |sentence: &Sentence| self.language.is_none_or(|language| Language::of_text(&sentence.text) == language);
        parts.map(|parts| parts.into_iter().map(|(functions, all)| (functions, all.into_iter().filter(wanted).collect())).collect())
    }

    fn parts(&self) -> Option<Vec<(Functions, Vec<Sentence>)>> {
        match self.of {
            Of::Demo(lines) => Some(vec![(Functions::of_demo(), values(lines).iter().map(call).collect())]),
            Of::Office(lines) => Some(vec![(Functions::of_office(), values(lines).iter().map(search).collect())]),
            Of::Real(lines) => {
                let directory = shared()?.join("specs");
                let values = values(lines);
                let mut files: Vec<&str> = values.iter().map(|value| value["document"].as_str().unwrap()).collect();
                files.dedup();
                let of_file = |file: &str| values.iter().filter(|value| value["document"] == file).map(search).collect();
                files.iter().map(|file| Some((Functions::of_file(&there(directory.join(file))?), of_file(file)))).collect()
            }
            Of::GitHub => {
                let lines = fs::read_to_string(there(shared()?.join("nl_github.jsonl"))?).unwrap();
                let functions = Functions::of_file(&there(shared()?.join("specs/github-api.json.gz"))?);
                let sentences = values(&lines).iter().map(|value| of_others(value, &functions)).collect();
                Some(vec![(functions, sentences)])
            }
            Of::Leaderboard => {
                let questions = values(&fs::read_to_string(leaderboard()?).unwrap());
                let functions = Functions::of_leaderboard(&questions);
                Some(vec![(functions, questions.iter().map(question).collect())])
            }
        }
    }
}

fn there(path: std::path::PathBuf) -> Option<std::path::PathBuf> {
    path.is_file().then_some(path)
}

fn values(lines: &str) -> Vec<Value> {
    lines.lines().filter(|line| !line.trim().is_empty()).map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// `{"text": …, "function": …, "arguments": {…}}`, or `"ask": true`: nothing must be called.
fn call(value: &Value) -> Sentence {
    let function = value["function"].as_str();
    assert_ne!(function.is_some(), value["ask"] == true, "{value}");
    let arguments = function.map(|_| value["arguments"].as_object().expect("arguments").clone());
    Sentence { text: text(&value["text"]), right: function.map(str::to_owned).into_iter().collect(), arguments, free: Vec::new() }
}

/// `{"text": …, "operations": […]}`: any of them is right.
fn search(value: &Value) -> Sentence {
    let operations = value["operations"].as_array().expect("operations").iter().map(text).collect();
    Sentence { text: text(&value["text"]), right: operations, arguments: None, free: Vec::new() }
}

/// Their sentences keep a body together; most functions ask for its properties. What they call optional, and texts that they leave open,
/// may be given or not.
fn of_others(value: &Value, functions: &Functions) -> Sentence {
    let operation = text(&value["operation_id"]);
    let shown = functions.function(&operation).map(|function| function.parameters["properties"].clone()).expect("a function");
    let mut arguments = value["arguments"].as_object().expect("arguments").clone();
    if let Some(Value::Object(body)) = value["arguments"].get("body")
        && body.keys().all(|property| shown.get(property).is_some())
    {
        arguments.shift_remove("body");
        arguments.extend(body.clone());
    }
    let free = ["optional", "free"].iter().flat_map(|key| value[*key].as_array().expect("a list"));
    let last = |pointer: &Value| text(pointer).rsplit('/').next().unwrap_or_default().to_owned();
    Sentence { text: text(&value["text"]), right: vec![operation], arguments: Some(arguments), free: free.map(last).collect() }
}

/// A question of the leaderboard and the only function that it is asked with.
fn question(value: &Value) -> Sentence {
    Sentence {
        text: text(&value["question"][0][0]["content"]),
        right: vec![text(&value["function"][0]["name"])],
        arguments: None,
        free: Vec::new(),
    }
}

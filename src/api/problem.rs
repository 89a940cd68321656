//! One thing that is wrong with a request, in both languages.

use serde_json::Value;

use crate::domain::{
    language::Language,
    limits::{NEW_PASSWORD_CHARS_MAX, NEW_PASSWORD_CHARS_MIN, PASSWORD_BYTES_MAX},
    password::BadPassword,
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    english: String,
    chinese: String,
}

impl Problem {
    pub fn new(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into(), chinese: chinese.into() }
    }

    /// What a parser says, or what lies below this floor: there is one wording of it (docs/API.md, Conventions).
    pub fn english(sentence: String) -> Self {
        Self { chinese: sentence.clone(), english: sentence }
    }

    pub fn missing(name: &str) -> Self {
        Self::new(format!("{name} is missing"), format!("缺少 {name}"))
    }

    pub fn empty(name: &str) -> Self {
        Self::new(format!("{name} is empty"), format!("{name} 为空"))
    }

    pub fn has_control_characters(name: &str) -> Self {
        Self::new(format!("{name} has control characters"), format!("{name} 含有控制字符"))
    }

    pub fn too_long(name: &str, chars_max: usize) -> Self {
        Self::new(format!("{name} has more than {chars_max} characters"), format!("{name} 超过 {chars_max} 个字符"))
    }

    /// A value of another type than what is needed.
    pub fn wrong_type(name: &str, value: &Value, needed: (&str, &str)) -> Self {
        let (english, chinese) = kind(value);
        Self::new(format!("{name} is {english}; {} is needed", needed.0), format!("{name} 是{chinese}，应为{}", needed.1))
    }

    pub fn said_in(&self, language: Language) -> &str {
        language.choose(&self.english, &self.chinese)
    }

    /// Both wordings, for whoever takes secrets out of them.
    pub fn wordings(&mut self) -> [&mut String; 2] {
        [&mut self.english, &mut self.chinese]
    }

    /// All of them as one sentence.
    pub fn all(problems: &[Self], language: Language) -> String {
        let said: Vec<&str> = problems.iter().map(|problem| problem.said_in(language)).collect();
        said.join(language.choose("; ", "；"))
    }
}

impl From<BadPassword> for Problem {
    fn from(bad: BadPassword) -> Self {
        let chinese = match bad {
            BadPassword::TooShort => format!("密码少于 {NEW_PASSWORD_CHARS_MIN} 个字符"),
            BadPassword::TooLong => format!("密码超过 {NEW_PASSWORD_CHARS_MAX} 个字符"),
            BadPassword::TooManyBytes => format!("密码超过 {PASSWORD_BYTES_MAX} 字节"),
            BadPassword::IsUserName => "密码与用户名相同".to_owned(),
        };
        Self::new(bad.to_string(), chinese)
    }
}

fn kind(value: &Value) -> (&'static str, &'static str) {
    match value {
        Value::Null => ("null", " null"),
        Value::Bool(_) => ("true or false", "布尔值"),
        Value::Number(_) => ("a number", "数字"),
        Value::String(_) => ("a text", "文本"),
        Value::Array(_) => ("a list", "列表"),
        Value::Object(_) => ("an object", "对象"),
    }
}

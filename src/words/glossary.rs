//! The glossary: `glossary.txt`, names of things as people say them, parsed once a process.

use std::{collections::HashMap, sync::LazyLock};

use super::stem::stem;
use crate::domain::language::is_ideograph;

/// What documents call things, by what people call them.
#[derive(Debug)]
pub struct Glossary {
    /// By a Chinese form, or the stem of an English one: names, each the stems of its words.
    names: HashMap<String, Vec<Vec<String>>>,
    /// The longest Chinese form, in characters.
    pub chars_max: usize,
}

static GLOSSARY: LazyLock<Glossary> = LazyLock::new(|| Glossary::parse(include_str!("glossary.txt")));

/// The glossary of English and Chinese.
pub fn glossary() -> &'static Glossary {
    &GLOSSARY
}

impl Glossary {
    /// Reads the file's format; lines that do not follow it are left out (a test holds that there are none).
    fn parse(text: &str) -> Self {
        let mut glossary = Self { names: HashMap::new(), chars_max: 1 };
        for (name, form) in entries(text) {
            if form.contains(' ') && !form.chars().any(is_ideograph) {
                continue;
            }
            let name: Vec<String> = name.split(' ').map(stem).collect();
            let known = glossary.names.entry(folded(form)).or_default();
            if !known.contains(&name) {
                known.push(name);
            }
            if form.chars().any(is_ideograph) {
                glossary.chars_max = glossary.chars_max.max(form.chars().count());
            }
        }
        glossary
    }

    /// What documents call this: a Chinese form as it stands, or one English word in any inflection. Each name is a list of stems.
    pub fn names(&self, form: &str) -> &[Vec<String>] {
        self.names.get(&folded(form)).map_or(&[], Vec::as_slice)
    }
}

fn folded(form: &str) -> String {
    if form.is_ascii() { stem(form) } else { form.to_owned() }
}

/// Every pair of a name and one of its forms.
fn entries(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.filter_map(|line| line.split_once(" = ")).flat_map(|(name, forms)| forms.split(", ").map(move |form| (name, form.trim())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_file_is_understood() {
        for line in include_str!("glossary.txt").lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
            let (name, forms) = line.split_once(" = ").unwrap_or_else(|| panic!("no ` = ` in {line:?}"));
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b' '), "{name:?}");
            for form in forms.split(',').map(str::trim) {
                assert!(!form.is_empty() && form == form.to_lowercase(), "{line:?}");
            }
        }
    }

    #[test]
    fn what_people_say_leads_to_what_documents_say() {
        let names = |form: &str| glossary().names(form).iter().map(|name| name.join(" ")).collect::<Vec<_>>();
        assert!(names("合并请求").contains(&"pull request".to_owned()));
        assert_eq!(names("repositories"), names("repository"));
        assert!(names("PR").contains(&"pull".to_owned()) && names("里程碑") == ["mileston"]);
        assert!(names("flurb").is_empty());
    }
}

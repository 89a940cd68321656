//! Which modules and packages a source file names. Comments and texts are not code and name nothing.

use std::{fs, path::Path};

/// One file under `src/`.
pub struct Source {
    /// Below `src/`.
    pub path: String,
    /// The top-level module that it belongs to.
    pub module: String,
    /// How many `super::` lead out of it to the crate.
    depth: usize,
    words: Vec<(usize, String)>,
}

/// Every Rust file below a directory.
pub fn sources(root: &Path) -> Vec<Source> {
    let mut found = Vec::new();
    let mut directories = vec![root.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
                if name != "lib.rs" {
                    found.push(Source::of(&name, &fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

impl Source {
    pub fn of(path: &str, text: &str) -> Self {
        let stem = path.strip_suffix(".rs").unwrap_or(path);
        let place = stem.strip_suffix("/mod").unwrap_or(stem);
        let module = place.split('/').next().unwrap_or_default().to_owned();
        Self { path: path.to_owned(), module, depth: place.split('/').count(), words: words(text) }
    }

    /// The top-level modules that it names, with the line: `crate::x`, `crate::{x, y::{z}}`, `super::x` where that leads to the crate.
    pub fn modules_named(&self) -> Vec<(usize, String)> {
        let mut named = Vec::new();
        for at in 0..self.words.len() {
            let mut next = match self.word(at) {
                "crate" => at + 1,
                "super" if at < 2 || self.word(at - 2) != "super" => {
                    let supers = (0..).take_while(|n| self.word(at + 2 * n) == "super").count();
                    if supers < self.depth {
                        continue;
                    }
                    at + 2 * supers - 1
                }
                _ => continue,
            };
            if self.word(next) != "::" {
                continue;
            }
            next += 1;
            if self.word(next) != "{" {
                named.push(self.words[next].clone());
                continue;
            }
            let mut depth = 0;
            let mut expected = false;
            for (line, word) in &self.words[next..] {
                match word.as_str() {
                    "{" => {
                        depth += 1;
                        expected = depth == 1;
                    }
                    "}" => depth -= 1,
                    "," => expected = depth == 1,
                    word if expected => {
                        named.push((*line, word.to_owned()));
                        expected = false;
                    }
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
        }
        // Inside `mod tests { … }` one more `super` stays in the file: only names of modules count there.
        named.retain(|(_, name)| {
            name.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !["self", "super", "tests"].contains(&name.as_str())
        });
        named
    }

    /// Where a path begins with this package.
    pub fn lines_naming(&self, package: &str) -> Vec<usize> {
        let names = |at: usize| {
            let begins = at == 0 || self.word(at - 1) != "::" && self.word(at - 1) != ".";
            let leads = self.word(at + 1) == "::";
            let used = at > 0 && ["use", "crate"].contains(&self.word(at - 1)) && self.word(at + 1) == ";";
            self.word(at) == package && (begins && leads || used)
        };
        (0..self.words.len()).filter(|at| names(*at)).map(|at| self.words[at].0).collect()
    }

    fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", |(_, word)| word)
    }
}

/// Identifiers, `::`, and single other characters, each with its line; comments, texts and characters left out.
fn words(text: &str) -> Vec<(usize, String)> {
    let mut words = Vec::new();
    let mut line = 1;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if let Some(length) = raw_text(rest) {
            length
        } else if c == '"' {
            quoted(rest)
        } else if c == '\'' {
            character(rest)
        } else if c.is_alphanumeric() || c == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            words.push((line, rest[..length].to_owned()));
            length
        } else if rest.starts_with("::") {
            words.push((line, "::".to_owned()));
            2
        } else {
            if !c.is_whitespace() {
                words.push((line, c.to_string()));
            }
            c.len_utf8()
        };
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    words
}

/// The length of `r"…"`, `r#"…"#`, `br"…"`.
fn raw_text(rest: &str) -> Option<usize> {
    let after = rest.strip_prefix("br").or_else(|| rest.strip_prefix('r'))?;
    let hashes = after.len() - after.trim_start_matches('#').len();
    after[hashes..].strip_prefix('"')?;
    let begin = rest.len() - after.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    rest[begin..].find(&end).map(|at| begin + at + end.len())
}

/// The length of `"…"`.
fn quoted(rest: &str) -> usize {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    rest.len()
}

/// The length of `'x'` or `'\…'`; of a lifetime only the quote.
fn character(rest: &str) -> usize {
    let mut chars = rest.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => rest[3..].find('\'').map_or(1, |at| at + 4),
        Some(_) => chars.next().filter(|(_, c)| *c == '\'').map_or(1, |(at, _)| at + 1),
        None => 1,
    }
}

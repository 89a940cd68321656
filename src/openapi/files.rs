//! Documents that consist of several files: what references name is read, once each, and becomes part of the document.
//!
//! Nothing is opened here. The caller hands in what reads one file; it is only asked for relative paths below the document's own directory,
//! written with plain slashes and without `.` or `..`. Everything else that a reference may name (an address, another scheme, an absolute
//! path, a way out of the directory, escaped dots or slashes) is never asked for, and sets aside what uses it.
//!
//! A file becomes the value at `#/x-other-files/<number>`, and references to it and inside it are rewritten to that place, so all else
//! sees one document.

use std::collections::HashMap;

use percent_encoding::percent_decode_str;
use serde_json::{Map, Value};

use super::{load::json_or_yaml, schema::size};
use crate::domain::limits::{DOCUMENT_BYTES_MAX, DOCUMENT_FILES_MAX, DOCUMENT_NODES_MAX};

/// Where other files stand in the document.
const PLACE: &str = "x-other-files";

/// Reads a file by its path below the document's directory; the reason when it cannot. It must not leave that directory, not by a symbolic
/// link either: only the caller can see those.
pub type ReadFile<'a> = dyn FnMut(&str) -> Result<String, String> + 'a;

/// Reads all files that `root` leads to and puts them into it. `own` is the document's own file name, by which others may refer back to it.
/// What cannot be read stays a reference that leaves the document, and is told in the answer, a sentence each.
pub(super) fn gather(root: &mut Value, own: &str, bytes: usize, read: &mut ReadFile) -> Vec<String> {
    let mut files = Files {
        known: HashMap::from([(own.to_owned(), Known::Root)]),
        names: Vec::new(),
        values: Vec::new(),
        bytes_left: DOCUMENT_BYTES_MAX.saturating_sub(bytes),
        nodes_left: DOCUMENT_NODES_MAX - size(root, DOCUMENT_NODES_MAX),
        problems: Vec::new(),
        read,
    };
    files.rewrite(root, own);
    let mut next = 0;
    while let Some(mut value) = files.values.get_mut(next).map(std::mem::take) {
        let name = files.names.get(next).cloned().unwrap_or_default();
        files.rewrite(&mut value, &name);
        if let Some(place) = files.values.get_mut(next) {
            *place = value;
        }
        next += 1;
    }
    let (values, problems) = (files.values, files.problems);
    if let (Value::Object(top), false) = (root, values.is_empty()) {
        top.insert(PLACE.to_owned(), Value::Array(values));
    }
    problems
}

/// What became of a path.
#[derive(Debug, Clone, Copy)]
enum Known {
    /// It is the document itself.
    Root,
    File(usize),
    Unreadable,
}

struct Files<'a, 'r> {
    /// What became of each path that was asked for.
    known: HashMap<String, Known>,
    names: Vec<String>,
    values: Vec<Value>,
    bytes_left: usize,
    nodes_left: usize,
    problems: Vec<String>,
    read: &'a mut ReadFile<'r>,
}

impl Files<'_, '_> {
    /// Turns every reference of a file into one of the whole document, as far as it can be followed.
    fn rewrite(&mut self, value: &mut Value, file: &str) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.rewrite(item, file)),
            Value::Object(map) => {
                self.references(map, file);
                map.values_mut().for_each(|child| self.rewrite(child, file));
            }
            _ => {}
        }
    }

    fn references(&mut self, map: &mut Map<String, Value>, file: &str) {
        if let Some(Value::String(reference)) = map.get_mut("$ref") {
            self.one(reference, file);
        }
        let mapping = map.get_mut("discriminator").and_then(|discriminator| discriminator.get_mut("mapping"));
        for target in mapping.and_then(Value::as_object_mut).into_iter().flatten().map(|(_, target)| target) {
            if let Value::String(reference) = target
                && (reference.contains(['#', '/']) || reference.contains('.'))
            {
                self.one(reference, file);
            }
        }
    }

    fn one(&mut self, reference: &mut String, file: &str) {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        if !pointer.is_empty() && !pointer.starts_with('/') {
            return;
        }
        let known = if path.is_empty() {
            self.known.get(file).copied().unwrap_or(Known::Unreadable)
        } else {
            let Some(path) = below(file, path) else { return };
            self.read(path)
        };
        match known {
            Known::Root => *reference = format!("#{pointer}"),
            Known::File(number) => *reference = format!("#/{PLACE}/{number}{pointer}"),
            Known::Unreadable => {}
        }
    }

    /// What becomes of a path; it is read when it was not asked for before.
    fn read(&mut self, path: String) -> Known {
        if let Some(known) = self.known.get(&path) {
            return *known;
        }
        let read = if self.names.len() >= DOCUMENT_FILES_MAX {
            Err(format!("the document consists of more than {DOCUMENT_FILES_MAX} files"))
        } else {
            (self.read)(&path).and_then(|text| self.parse(&text, &path))
        };
        let known = match read {
            Ok(value) => {
                self.names.push(path.clone());
                self.values.push(value);
                Known::File(self.values.len() - 1)
            }
            Err(reason) => {
                self.problems.push(format!("the file `{path}` is not used: {reason}"));
                Known::Unreadable
            }
        };
        self.known.insert(path, known);
        known
    }

    fn parse(&mut self, text: &str, path: &str) -> Result<Value, String> {
        self.bytes_left = self
            .bytes_left
            .checked_sub(text.len())
            .ok_or_else(|| format!("all files together have more than {DOCUMENT_BYTES_MAX} bytes"))?;
        json_or_yaml(text, path, &mut self.nodes_left).map_err(|error| error.to_string())
    }
}

/// The path that a reference in `file` names, if it stays below the document's directory.
fn below(file: &str, reference: &str) -> Option<String> {
    let plain = |text: &str| !text.contains(['\\', ':', '?', '\0']) && !text.starts_with('/');
    if !plain(reference) {
        return None;
    }
    let mut segments: Vec<String> = file.split('/').map(str::to_owned).collect();
    segments.pop();
    for raw in reference.split('/') {
        let segment = percent_decode_str(raw).decode_utf8().ok()?;
        match &*segment {
            // Written out they are what they say; escaped they hide something.
            "." | "" if raw == segment => {}
            ".." if raw == segment => drop(segments.pop()?),
            "." | ".." | "" => return None,
            name if !plain(name) || name.contains('/') || name.chars().any(char::is_control) => return None,
            name => segments.push(name.to_owned()),
        }
    }
    (!segments.is_empty()).then(|| segments.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_paths_below_the_directory_are_asked_for() {
        let in_sub = |reference| below("schemas/pet.yaml", reference);
        assert_eq!(in_sub("tag.yaml").as_deref(), Some("schemas/tag.yaml"));
        assert_eq!(in_sub("./a/../tag%20x.yaml").as_deref(), Some("schemas/tag x.yaml"));
        assert_eq!(in_sub("../common/error.yaml").as_deref(), Some("common/error.yaml"));
        for outside in [
            "../../x.yaml",
            "/etc/passwd",
            "//host/x",
            "file:///etc/passwd",
            "http://169.254.169.254/x",
            "c:\\x",
            "..\\..\\x",
            "%2e%2e/x.yaml",
            "..%2fx.yaml",
            "a%2f..%2f..%2fx",
            "%2fetc/passwd",
            "x%00.yaml",
            "x.yaml?y",
            ".%2e/x.yaml",
            "..",
            "../",
        ] {
            assert!(in_sub(outside).is_none() || outside == "..", "{outside}: {:?}", in_sub(outside));
        }
        assert_eq!(below("api.yaml", ".."), None);
    }
}

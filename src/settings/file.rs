//! The layers in TOML: the embedded defaults and the operator's file.

use std::{fs::File, io::Read, path::Path};

use config::{FileFormat, Map, Source as _, Value, ValueKind};

use super::{
    environment::FileNamed,
    keys::Key,
    layers::{Given, Layers},
    problems::Problem,
    source::Source,
};
use crate::domain::limits::SETTINGS_FILE_BYTES_MAX;

/// The reference of all settings, and their defaults.
pub(super) const DEFAULTS: &str = include_str!("defaults.toml");

/// Lays the embedded defaults.
pub(super) fn lay_defaults(layers: &mut Layers) {
    lay_text(layers, DEFAULTS, Source::Default);
}

/// Lays the operator's file, or notes why it cannot be read.
pub(super) fn lay(layers: &mut Layers, named: &FileNamed) {
    match text_of(&named.path, SETTINGS_FILE_BYTES_MAX) {
        Ok(text) => lay_text(layers, &text, Source::File(named.path.clone())),
        Err(sentence) => layers.problems.push(Problem { key: shown(&named.path), sentence, place: named.by.to_owned() }),
    }
}

/// What a file says, or what is wrong with it, behind its name.
pub(super) fn text_of(path: &Path, bytes_max: u64) -> Result<String, String> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(bytes_max + 1).read_to_end(&mut bytes))
        .map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() as u64 > bytes_max {
        return Err(format!("has more than {bytes_max} bytes"));
    }
    String::from_utf8(bytes).map_err(|error| format!("is not UTF-8 at byte {}", error.utf8_error().valid_up_to()))
}

fn lay_text(layers: &mut Layers, text: &str, source: Source) {
    match config::File::from_str(text, FileFormat::Toml).collect() {
        Ok(table) => lay_table(layers, "", table, &source),
        Err(error) => {
            let sentence = syntax_sentence(&error.to_string());
            layers.problems.push(Problem { key: "TOML".to_owned(), sentence, place: source.to_string() });
        }
    }
}

fn lay_table(layers: &mut Layers, section: &str, table: Map<String, Value>, source: &Source) {
    // A map's order changes from run to run; the problems' must not.
    let mut rows: Vec<_> = table.into_iter().collect();
    rows.sort_by(|one, other| one.0.cmp(&other.0));
    for (name, value) in rows {
        let name = if section.is_empty() { name } else { format!("{section}.{name}") };
        match (Key::named(&name), value.kind) {
            (None, ValueKind::Table(inner)) if !inner.is_empty() && !section.contains('.') => lay_table(layers, &name, inner, source),
            (None, ValueKind::Table(_)) if is_section(&name) => {}
            (None, _) => layers.refuse_unknown(&name, source.to_string()),
            (Some(key), kind) => layers.lay(key, given(kind), source.clone()),
        }
    }
}

fn is_section(name: &str) -> bool {
    super::keys::KEYS.iter().any(|key| key.name.strip_prefix(name).is_some_and(|rest| rest.starts_with('.')))
}

fn given(kind: ValueKind) -> Given {
    match kind {
        ValueKind::String(text) => Given::Text(text),
        ValueKind::Boolean(yes) => Given::YesNo(yes),
        ValueKind::I64(number) => Given::Whole(number),
        ValueKind::Float(number) => Given::Decimal(number),
        kind @ (ValueKind::Table(_) | ValueKind::Array(_)) => Given::Structure(json(kind)),
        ValueKind::Nil | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => Given::Other("of no TOML type"),
    }
}

/// A table or a list as the value that a variable would have said; a table's members in the order of their names.
fn json(kind: ValueKind) -> serde_json::Value {
    match kind {
        ValueKind::Table(table) => {
            let mut members: Vec<_> = table.into_iter().map(|(name, value)| (name, json(value.kind))).collect();
            members.sort_by(|one, other| one.0.cmp(&other.0));
            serde_json::Value::Object(members.into_iter().collect())
        }
        ValueKind::Array(elements) => elements.into_iter().map(|element| json(element.kind)).collect(),
        ValueKind::String(text) => text.into(),
        ValueKind::Boolean(yes) => yes.into(),
        ValueKind::I64(number) => number.into(),
        ValueKind::Float(number) => number.into(),
        ValueKind::Nil | ValueKind::I128(_) | ValueKind::U64(_) | ValueKind::U128(_) => serde_json::Value::Null,
    }
}

/// The place and the reason of a syntax error without the line it quotes, which may hold a secret. The parser's text is a line with
/// the place, three lines that quote and point, and the reason; or the reason alone.
fn syntax_sentence(told: &str) -> String {
    let lines: Vec<&str> = told.lines().map(str::trim).collect();
    match lines.as_slice() {
        [place, _, _, _, reason @ ..] => {
            let place = place.strip_prefix("TOML parse error at ").unwrap_or("an unknown place");
            format!("cannot be read at {place}: {}", reason.join(", ").trim_end_matches(", "))
        }
        _ => format!("cannot be read: {}", lines.join(", ")),
    }
}

fn shown(path: &Path) -> String {
    super::layers::shown_name(&path.to_string_lossy())
}

//! Tables: rows of objects, and the fields of one object.

use serde_json::{Map, Value};

use super::escape::{amid, plain};
use crate::domain::{
    language::Language,
    limits::{MARKDOWN_COLUMNS_MAX, MARKDOWN_ROWS_MAX},
};

/// One row an object; columns in the order in which fields first appear.
pub(super) fn of_rows(rows: &[&Map<String, Value>], language: Language) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for row in rows.iter().take(MARKDOWN_ROWS_MAX) {
        for name in row.keys() {
            if !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    if columns.is_empty() {
        return language.choose("_no fields_", "_没有字段_").to_owned();
    }
    let hidden = columns.split_off(columns.len().min(MARKDOWN_COLUMNS_MAX));
    let shown = rows.iter().take(MARKDOWN_ROWS_MAX);
    let cells = |row: &&Map<String, Value>| columns.iter().map(|name| amid(&plain(row.get(*name).unwrap_or(&Value::Null)))).collect();
    let mut text = lines(columns.iter().map(|name| amid(name)).collect(), shown.map(cells));
    let notes = more_rows(rows.len(), language).into_iter().chain(more_columns(&hidden, language));
    for note in notes {
        text.push_str("\n\n");
        text.push_str(&note);
    }
    text
}

/// One row a field.
pub(super) fn of_fields(fields: &[(&String, &Value)], language: Language) -> String {
    let head = [language.choose("field", "字段"), language.choose("value", "值")].map(str::to_owned).to_vec();
    let shown = fields.iter().take(MARKDOWN_ROWS_MAX);
    let mut text = lines(head, shown.map(|(name, value)| vec![amid(name), amid(&plain(value))]));
    if let Some(note) = more_rows(fields.len(), language) {
        text.push_str("\n\n");
        text.push_str(&note);
    }
    text
}

/// What is said below a list of which only the first part is shown.
pub(super) fn more_rows(rows: usize, language: Language) -> Option<String> {
    let hidden = rows.checked_sub(MARKDOWN_ROWS_MAX).filter(|hidden| *hidden > 0)?;
    Some(match language {
        Language::English => format!("… {hidden} more"),
        Language::Chinese => format!("… 还有 {hidden} 行"),
    })
}

fn more_columns(hidden: &[&str], language: Language) -> Option<String> {
    let count = hidden.len();
    let names: Vec<String> = hidden.iter().take(MARKDOWN_COLUMNS_MAX).map(|name| amid(name)).collect();
    let names = names.join(", ") + if count > MARKDOWN_COLUMNS_MAX { ", …" } else { "" };
    (count > 0).then(|| match language {
        Language::English => format!("… {count} more columns: {names}"),
        Language::Chinese => format!("… 还有 {count} 列未显示：{names}"),
    })
}

fn lines(head: Vec<String>, rows: impl Iterator<Item = Vec<String>>) -> String {
    let rule = vec!["---".to_owned(); head.len()];
    let all = [head, rule].into_iter().chain(rows).map(|cells| format!("| {} |", cells.join(" | ")));
    all.collect::<Vec<_>>().join("\n")
}

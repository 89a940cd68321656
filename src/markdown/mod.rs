//! Replies of an upstream as people read them: Markdown (CommonMark with GFM tables) out of JSON, text and failures.
//!
//! Upstream text is data. It is escaped so that it can neither break a table nor become markup, HTML, an image or a link, and
//! every table, cell and text is bounded with a visible mark of what was left out.
//!
//! And Markdown as HTML, for clients that would rather not read Markdown.

mod escape;
mod html;
mod outcome;
mod table;
mod transcript;

pub use escape::{amid, described, inline, plain};
pub use html::{all_to_html, to_html};
pub use outcome::{of_body, of_outcome, of_reply, of_request};
pub use transcript::transcript;

use serde_json::{Map, Value};

use crate::domain::{language::Language, limits::MARKDOWN_ROWS_MAX};

/// A JSON value: an array of objects as a table, also inside an object that wraps it (`{"users": […], "total": 2}`); another
/// object as a table of two columns; an array of other things as a list; a scalar as itself.
pub fn of_json(value: &Value, language: Language) -> String {
    match value {
        Value::Array(items) => of_array(items, language),
        Value::Object(fields) => of_object(fields, language),
        scalar => inline(&plain(scalar)),
    }
}

fn of_array(items: &[Value], language: Language) -> String {
    if items.is_empty() {
        return language.choose("_empty list_", "_空列表_").to_owned();
    }
    if let Some(rows) = all_objects(items) {
        return table::of_rows(&rows, language);
    }
    let mut lines: Vec<String> = items.iter().take(MARKDOWN_ROWS_MAX).map(|item| format!("- {}", inline(&plain(item)))).collect();
    lines.extend(table::more_rows(items.len(), language));
    lines.join("\n")
}

/// An object that wraps one list is that list with the other fields below it; any other object is a table of two columns,
/// followed by its lists of objects, each with its name.
fn of_object(fields: &Map<String, Value>, language: Language) -> String {
    if fields.is_empty() {
        return language.choose("_no fields_", "_没有字段_").to_owned();
    }
    if let Some((items, rest)) = wrapped_list(fields) {
        return with_line(of_array(items, language), &rest, language);
    }
    let (lists, rest): (Vec<_>, Vec<_>) = fields.iter().partition(|(_, value)| is_list_of_objects(value));
    let captioned = lists.iter().map(|(name, list)| format!("**{}**\n\n{}", inline(name), of_json(list, language)));
    let fields = (!rest.is_empty()).then(|| table::of_fields(&rest, language));
    fields.into_iter().chain(captioned).collect::<Vec<_>>().join("\n\n")
}

type Fields<'a> = Vec<(&'a String, &'a Value)>;

/// The one list that an object is about, and what came with it, such as totals. An object with an `id` or a `name` is a record
/// that happens to have a list, not a wrapper.
fn wrapped_list(fields: &Map<String, Value>) -> Option<(&[Value], Fields<'_>)> {
    if fields.contains_key("id") || fields.contains_key("name") {
        return None;
    }
    let (lists, rest): (Fields<'_>, Fields<'_>) = fields.iter().partition(|(_, value)| value.is_array());
    match lists.as_slice() {
        [(_, Value::Array(items))] if items.iter().all(Value::is_object) => Some((items, rest)),
        _ => None,
    }
}

/// A list, and below it what came with it: on one line if that is short, else as a table.
fn with_line(list: String, rest: &[(&String, &Value)], language: Language) -> String {
    let short = rest.len() <= 6 && rest.iter().all(|(_, value)| !value.is_object() && !value.is_array());
    match rest {
        [] => list,
        rest if short => {
            // Only the first name begins the line.
            let names = rest.iter().zip(0..).map(|((name, _), n)| if n == 0 { inline(name) } else { amid(name) });
            let notes: Vec<String> = names.zip(rest).map(|(name, (_, value))| format!("{name}: {}", amid(&plain(value)))).collect();
            format!("{list}\n\n{}", notes.join(" · "))
        }
        rest => format!("{list}\n\n{}", table::of_fields(rest, language)),
    }
}

fn is_list_of_objects(value: &Value) -> bool {
    matches!(value, Value::Array(items) if !items.is_empty() && items.iter().all(Value::is_object))
}

fn all_objects(items: &[Value]) -> Option<Vec<&Map<String, Value>>> {
    items.iter().map(Value::as_object).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn english(value: &Value) -> String {
        of_json(value, Language::English)
    }

    #[test]
    fn a_wrapped_list_is_a_table_with_its_totals_below() {
        let reply = json!({"users": [{"id": 1, "name": "Ann"}, {"id": 2, "name": "Bob", "city": "Rome"}], "total": 2});
        let expected = "| id | name | city |\n| --- | --- | --- |\n| 1 | Ann | – |\n| 2 | Bob | Rome |\n\ntotal: 2";
        assert_eq!(english(&reply), expected);
    }

    #[test]
    fn an_object_is_a_table_of_two_columns() {
        let reply = json!({"id": 7, "tags": ["a", "b"], "owner": {"id": 1}, "note": null});
        let expected = "| field | value |\n| --- | --- |\n| id | 7 |\n| tags | a, b |\n| owner | {\"id\":1} |\n| note | – |";
        assert_eq!(english(&reply), expected);
        assert!(of_json(&reply, Language::Chinese).starts_with("| 字段 | 值 |"));
    }

    #[test]
    fn scalars_and_lists_of_scalars_are_plain() {
        assert_eq!(english(&json!("hello")), "hello");
        assert_eq!(english(&json!(1.5)), "1.5");
        assert_eq!(english(&json!(["a", 1, null])), "- a\n- 1\n- –");
        assert_eq!(english(&json!([])), "_empty list_");
        assert_eq!(english(&json!({})), "_no fields_");
        assert_eq!(english(&json!({"users": [], "total": 0})), "_empty list_\n\ntotal: 0");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let rows: Vec<Value> = (0..60).map(|id| json!({ "id": id })).collect();
        let text = english(&Value::Array(rows));
        assert_eq!(text.lines().filter(|line| line.starts_with('|')).count(), 2 + 50);
        assert!(text.ends_with("… 10 more"), "{text}");

        let wide: Map<String, Value> = (0..14).map(|n| (format!("c{n}"), json!(n))).collect();
        let text = of_json(&Value::Array(vec![Value::Object(wide)]), Language::Chinese);
        assert!(text.contains("还有 4 列未显示：c10, c11, c12, c13"), "{text}");

        let long = english(&json!({ "text": "x".repeat(1000) }));
        assert!(long.contains(&format!("{}…", "x".repeat(160))) && long.len() < 300);
    }

    #[test]
    fn a_record_with_a_list_is_a_record_first() {
        let order = json!({"id": 1, "items": [{"product": 7}], "tags": []});
        let expected = "| field | value |\n| --- | --- |\n| id | 1 |\n| tags | [] |\n\n**items**\n\n| product |\n| --- |\n| 7 |";
        // Brackets are escaped, so that no link can begin.
        assert_eq!(english(&order).replace('\\', ""), expected);
    }

    #[test]
    fn two_lists_have_their_names_above() {
        let text = english(&json!({"open": [{"id": 1}], "closed": [{"id": 2}], "total": 2}));
        assert!(text.contains("**open**\n\n| id |") && text.contains("**closed**\n\n| id |") && text.contains("| total | 2 |"), "{text}");
    }

    #[test]
    fn hostile_text_stays_in_its_cell() {
        let evil = "a|b\n| x |\r\n<img src=x onerror=alert(1)> ![i](http://evil/p.png) [l](javascript:1) `c` **b** &lt; \u{202e}\u{0}";
        let text = english(&json!([{ "evil|key\n": evil }]));
        assert_eq!(text.lines().count(), 3, "{text}");
        let said = text.replace("\\[", "").replace("\\]", "").replace("\\`", "");
        for raw in ["<", "](", "![", "`c", "\u{202e}", "\u{0}"] {
            assert!(!said.contains(raw), "{raw:?} in {text}");
        }
        // In code an address is no link.
        let (outside, inside) = (said.split('`').step_by(2).collect::<String>(), said.split('`').nth(1));
        assert!(!outside.contains("http://") && inside == Some("http://evil/p.png"), "{text}");
        let bars = text.lines().nth(2).unwrap().replace("\\|", "").matches('|').count();
        assert_eq!(bars, 2, "{text}");
    }
}

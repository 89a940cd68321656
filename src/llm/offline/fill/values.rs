//! Literals as values of an argument's kind.

use serde_json::{Value, json};

use crate::{
    llm::offline::{
        literal::Literal,
        sentence::{Kind as SpanKind, Span},
        slot::{Kind, Slot},
    },
    words::{Meaning, singular},
};

/// A literal as a value for this slot, or `None` if it is not of its kind. `written` is the span's text.
pub(super) fn of_literal(slot: &Slot, span: &Span, written: &str) -> Option<Value> {
    let literal = span.literal()?;
    match (&slot.kind, literal) {
        (Kind::Integer, Literal::Number(number)) => (number.is_i64() || number.is_u64()).then(|| Value::Number(number.clone())),
        (Kind::Number, Literal::Number(number)) => Some(Value::Number(number.clone())),
        (Kind::Email, Literal::Email(address)) => Some(json!(address)),
        (Kind::Date, Literal::Date(day)) => Some(json!(day)),
        (Kind::Instant, Literal::Instant(at)) => Some(json!(at)),
        (Kind::Instant, Literal::Date(day)) => Some(json!(format!("{day}T00:00:00Z"))),
        (Kind::Text | Kind::Email, Literal::Quoted(text)) => Some(json!(text)),
        (Kind::Text, _) => Some(json!(written)),
        (Kind::Choice(_), Literal::Quoted(text)) => choice_of(slot, |form| *form == text.to_lowercase()),
        _ => None,
    }
}

/// The last instant or day that an upper bound includes.
pub(super) fn end_of_day(slot: &Slot, literal: &Literal) -> Option<Value> {
    match (&slot.kind, literal) {
        (Kind::Instant, Literal::Date(day)) => Some(json!(format!("{day}T23:59:59Z"))),
        _ => None,
    }
}

/// The value of an enumeration that a word means.
pub(super) fn choice(slot: &Slot, span: &Span) -> Option<Value> {
    let Kind::Choice(choices) = &slot.kind else { return None };
    match span.kind {
        SpanKind::Words | SpanKind::Ideographs => {}
        SpanKind::Literal(Literal::Quoted(_) | Literal::Code(_)) => return choice_of(slot, |form| *form == span.raw),
        SpanKind::Literal(_) | SpanKind::Mark(_) => return None,
    }
    let said = singular(&span.raw);
    let means = |choice: &&crate::llm::offline::slot::Choice| {
        choice.forms.iter().any(|form| *form == span.raw || *form == said || (span.is_unknown() && is_part(form, span)))
            || span.words().any(|word| choice.words.iter().any(|own| own == word))
    };
    choices.iter().find(means).map(|choice| choice.value.clone())
}

fn choice_of(slot: &Slot, test: impl Fn(&String) -> bool) -> Option<Value> {
    let Kind::Choice(choices) = &slot.kind else { return None };
    choices.iter().find(|choice| choice.forms.iter().any(&test)).map(|choice| choice.value.clone())
}

/// Chinese text has no spaces: a form that the lexicon does not know may stand inside a longer unknown run.
fn is_part(form: &str, span: &Span) -> bool {
    span.kind == SpanKind::Ideographs && form.chars().count() >= 2 && !form.is_ascii() && span.raw.contains(form)
}

/// Whether a word says that a yes-or-no property is or is not.
pub(super) fn flag(slot: &Slot, span: &Span) -> Option<bool> {
    let whole = slot.name.to_lowercase();
    let own = |word: &str| word == whole || (slot.words.len() == 1 && slot.has(word));
    span.meanings.iter().find_map(|meaning| match meaning {
        Meaning::Word(word) if own(word) => Some(true),
        Meaning::Not(word) if own(word) => Some(false),
        _ => None,
    })
}

/// `true`, `yes`, `no` … written as a value.
pub(super) fn truth(word: &str) -> Option<bool> {
    match word {
        "true" | "yes" | "on" | "是" | "真" => Some(true),
        "false" | "no" | "off" | "否" | "假" => Some(false),
        _ => None,
    }
}

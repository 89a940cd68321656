//! Any text at all is a document or a sentence, soon.

use std::time::{Duration, Instant};

use proptest::{collection::vec, prelude::*};
use swagger_api_agent::openapi::Catalogue;

use super::{document::any_plan, for_a_while};

/// No text of these sizes takes longer, on a busy machine and without optimisation.
const SOON: Duration = Duration::from_secs(10);

#[test]
fn any_text_is_a_document_or_a_sentence() {
    for_a_while(&any_text(), |text| {
        let begun = Instant::now();
        match Catalogue::read(&text, "x.yaml") {
            Ok(catalogue) => {
                prop_assert_eq!(catalogue.report().usable, catalogue.functions().len());
                for operation in catalogue.operations() {
                    let told = operation.check(&serde_json::Map::new()).err().unwrap_or_default();
                    prop_assert!(told.iter().all(|sentence| !sentence.is_empty()));
                }
            }
            Err(error) => prop_assert!(error.to_string().starts_with("x.yaml"), "{error}"),
        }
        prop_assert!(begun.elapsed() < SOON, "{:?} for {} bytes", begun.elapsed(), text.len());
        Ok(())
    });
}

fn any_text() -> BoxedStrategy<String> {
    // Words that documents are made of, in any order and nesting.
    let word = prop::sample::select(vec![
        "openapi",
        "swagger",
        "paths",
        "/a/{id}",
        "get",
        "post",
        "parameters",
        "$ref",
        "#/components/schemas/A",
        "#/",
        "#",
        "components",
        "schemas",
        "A",
        "schema",
        "type",
        "object",
        "array",
        "items",
        "properties",
        "allOf",
        "oneOf",
        "name",
        "in",
        "path",
        "query",
        "style",
        "explode",
        "requestBody",
        "content",
        "application/json",
        "servers",
        "url",
        "http://up.test",
        "{x}",
        "variables",
        "security",
        "required",
        "enum",
        "3.0.3",
        "3.1.0",
        "2.0",
        "true",
        "1",
        "null",
        "<<",
        "&a",
        "*a",
        "!!str",
        "- ",
        ": ",
        "? ",
        "|",
        ">",
        "'",
        "\"",
        "\n",
        "  ",
        "\t",
        "{",
        "}",
        "[",
        "]",
        ",",
        "#",
        "---",
        "...",
        "%YAML 1.2",
        "\u{feff}",
        "\0",
        "𝄞",
    ]);
    let soup = vec(word, 0..200).prop_map(|words| words.concat());
    let yaml = vec((0..6usize, "[a-z$/{}]{1,8}", prop_oneof![Just(String::new()), "[^\n]{0,10}"]), 0..60).prop_map(|lines| {
        let line = |(indent, key, value): (usize, String, String)| format!("{}{key}: {value}\n", "  ".repeat(indent));
        lines.into_iter().map(line).collect::<String>()
    });
    let nested = ("[\\[{(&*!|>\"'-]{1,3}", 1..5000usize).prop_map(|(piece, times)| piece.repeat(times));
    // A good document with something done to it.
    let cut = (any_plan(), vec((any::<prop::sample::Index>(), 0..40usize, "\\PC{0,6}"), 0..6)).prop_map(|(plan, cuts)| {
        let mut text: Vec<char> = plan.document().to_string().chars().collect();
        for (at, length, instead) in cuts {
            let at = at.index(text.len().max(1)).min(text.len());
            let end = (at + length).min(text.len());
            text.splice(at..end, instead.chars());
        }
        text.into_iter().collect::<String>()
    });
    // A good document in which one value became another's place.
    let swapped = (any_plan(), any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(plan, from, to)| {
        let text = plan.document().to_string();
        let colons: Vec<usize> = text.match_indices(':').map(|(at, _)| at).collect();
        let (one, other) = (colons[from.index(colons.len())], colons[to.index(colons.len())]);
        let (one, other) = (one.min(other), one.max(other));
        format!("{}{}{}", &text[..one], &text[other..], &text[one..other])
    });
    prop_oneof![1 => any::<String>(), 3 => soup, 2 => yaml, 1 => nested, 4 => cut, 2 => swapped].boxed()
}

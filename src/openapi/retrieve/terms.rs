//! What a text is found by: words in their base form, what they stand for in documents, and of unknown Chinese text its pairs of
//! characters.

use crate::{
    domain::language::is_ideograph,
    words::{Action, Cue, Meaning, glossary, lexicon, stem, words_of_name},
};

/// How much words count that are mostly values, not what is asked for: those between quotation marks, and those of a text with a sign inside
/// that no plain word has, as `acme/api` and `v1.4.0`.
const VALUE_WEIGHT: f32 = 0.3;

/// Words for the same: a function is found by any of them, and counts once.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Group {
    pub terms: Vec<String>,
    pub weight: f32,
}

/// What a sentence is found by, in its order.
pub(super) fn of_sentence(text: &str) -> Vec<Group> {
    let chunks = chunks(text);
    let (mut groups, mut at) = (Vec::new(), 0);
    while let Some((chunk, value)) = chunks.get(at) {
        if let Some((length, terms)) = command(chunks.get(at..).unwrap_or_default()) {
            groups.push(Group { terms, weight: 1.0 });
            at += length;
            continue;
        }
        let weight = if *value { VALUE_WEIGHT } else { 1.0 };
        let found = match chunk {
            Chunk::Words(words) => words_of_name(words).iter().flat_map(|word| of_word(word, true)).collect(),
            Chunk::Ideographs(run) => of_ideographs(run, true),
        };
        groups.extend(found.into_iter().filter(|terms| !terms.is_empty()).map(|terms| Group { terms, weight }));
        at += 1;
    }
    groups
}

/// Several words at the beginning that command together what they do not alone, as "open an" and "get rid of": how many, and their terms.
fn command(chunks: &[(Chunk, bool)]) -> Option<(usize, Vec<String>)> {
    let word = |(chunk, value): &(Chunk, bool)| match chunk {
        Chunk::Words(word) if !value => Some(word.to_lowercase()),
        Chunk::Words(_) | Chunk::Ideographs(_) => None,
    };
    (2..=lexicon().words_max).rev().find_map(|length| {
        let words: Vec<String> = chunks.get(..length)?.iter().map(word).collect::<Option<_>>()?;
        let meanings = lexicon().exact(&words.join(" "));
        let plain = !meanings.iter().any(|meaning| matches!(meaning, Meaning::Word(_)));
        Some((length, actions(meanings))).filter(|(_, terms)| plain && !terms.is_empty())
    })
}

/// All terms of a text of a document, one after another; words that people command with are words like others here.
pub(super) fn of_document(text: &str) -> impl Iterator<Item = String> {
    chunks(text).into_iter().flat_map(|(chunk, _)| match chunk {
        Chunk::Words(words) => words_of_name(&words).iter().flat_map(|word| of_word(word, false)).flatten().collect::<Vec<_>>(),
        Chunk::Ideographs(run) => of_ideographs(&run, false).into_iter().flatten().collect(),
    })
}

/// The term of what a call does; no word is written like it.
pub(super) fn of_action(action: Action) -> &'static str {
    match action {
        Action::List => "=list",
        Action::Get => "=get",
        Action::Read => "=read",
        Action::Create => "=create",
        Action::Update => "=update",
        Action::Delete => "=delete",
    }
}

enum Chunk {
    /// Without ideographs and without spaces.
    Words(String),
    Ideographs(String),
}

/// The text in chunks, and whether each is rather a value: between quotation marks, or joined to another by a sign.
fn chunks(text: &str) -> Vec<(Chunk, bool)> {
    let mut chunks: Vec<(Chunk, bool)> = Vec::new();
    let mut closing = None;
    let mut whole = true;
    let mut joined = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if closing == Some(c) {
            closing = None;
        } else if closing.is_none() {
            closing = match c {
                '"' => Some('"'),
                '“' => Some('”'),
                '「' => Some('」'),
                '《' => Some('》'),
                _ => None,
            };
        }
        let value = closing.is_some() || joined;
        match (is_paired(c), c.is_alphanumeric() || c == '_' || c == '-', chunks.last_mut()) {
            (true, _, Some((Chunk::Ideographs(run), _))) if !whole => run.push(c),
            (true, ..) => chunks.push((Chunk::Ideographs(c.to_string()), value)),
            (false, true, Some((Chunk::Words(words), _))) if !whole => words.push(c),
            (false, true, _) => chunks.push((Chunk::Words(c.to_string()), value)),
            (false, false, before) => {
                joined = !whole && matches!(c, '/' | '.' | '@' | '\\') && chars.peek().is_some_and(char::is_ascii_alphanumeric);
                if let (true, Some((_, value))) = (joined, before) {
                    *value = true;
                }
                whole = true;
                continue;
            }
        }
        (whole, joined) = (false, false);
    }
    chunks
}

/// Whether text of this character has no spaces between its words: CJK ideographs and kana.
fn is_paired(c: char) -> bool {
    is_ideograph(c) || matches!(c, '\u{3040}'..='\u{30FF}')
}

/// The groups of one word; none for what says nothing of a function: a number, a letter, a word that joins others.
fn of_word(word: &str, commands: bool) -> Vec<Vec<String>> {
    if word.chars().nth(1).is_none() || word.chars().all(char::is_numeric) {
        return Vec::new();
    }
    let lexicon = lexicon();
    let meanings = lexicon.of_word(word);
    let names = glossary().names(word);
    let mut columns = columns(names);
    let joins = |meaning: &Meaning| matches!(meaning, Meaning::Cue(_) | Meaning::Stop | Meaning::Not(_));
    if meanings.is_empty() || !meanings.iter().all(joins) {
        let mut own = lexicon.terms(word);
        own.push(stem(word));
        put_first(&mut columns, own);
    }
    if commands {
        put_first(&mut columns, actions(meanings));
    }
    columns
}

/// The groups of text without spaces: the longest forms that are known, and pairs of the characters between them.
fn of_ideographs(run: &str, commands: bool) -> Vec<Vec<String>> {
    let (lexicon, glossary) = (lexicon(), glossary());
    let chars: Vec<char> = run.chars().collect();
    let longest = lexicon.chars_max.max(glossary.chars_max);
    let (mut groups, mut unknown, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(c) = chars.get(at) {
        let known = (1..=longest.min(chars.len() - at)).rev().find_map(|length| {
            let form: String = chars.get(at..at + length)?.iter().collect();
            let (meanings, names) = (lexicon.exact(&form), glossary.names(&form));
            (!meanings.is_empty() || !names.is_empty()).then_some((length, meanings, names))
        });
        match known {
            Some((length, meanings, names)) => {
                pairs(&mut unknown, &mut groups);
                let mut columns = columns(names);
                put_first(&mut columns, meanings.iter().filter_map(|meaning| meaning.word()).map(str::to_owned).collect());
                if commands {
                    put_first(&mut columns, actions(meanings));
                }
                groups.extend(columns);
                at += length;
            }
            None => {
                unknown.push(*c);
                at += 1;
            }
        }
    }
    pairs(&mut unknown, &mut groups);
    groups
}

fn pairs(unknown: &mut Vec<char>, groups: &mut Vec<Vec<String>>) {
    match unknown.as_slice() {
        [] => {}
        [one] => groups.push(vec![one.to_string()]),
        many => groups.extend(many.windows(2).map(|pair| vec![pair.iter().collect()])),
    }
    unknown.clear();
}

/// Names side by side: what stands first in them is one group, what stands second the next.
fn columns(names: &[Vec<String>]) -> Vec<Vec<String>> {
    let length = names.iter().map(Vec::len).max().unwrap_or_default();
    let column = |at: usize| {
        let mut column: Vec<String> = Vec::new();
        for word in names.iter().filter_map(|name| name.get(at)) {
            if !column.contains(word) {
                column.push(word.clone());
            }
        }
        column
    };
    (0..length).map(column).collect()
}

fn put_first(columns: &mut Vec<Vec<String>>, terms: Vec<String>) {
    if columns.is_empty() && !terms.is_empty() {
        columns.push(Vec::new());
    }
    if let Some(first) = columns.first_mut() {
        for term in terms {
            if !first.contains(&term) {
                first.push(term);
            }
        }
    }
}

fn actions(meanings: &[Meaning]) -> Vec<String> {
    let action = |meaning: &Meaning| match meaning {
        Meaning::Action(action) => Some(of_action(*action).to_owned()),
        // Whoever wants all of something wants a list.
        Meaning::Cue(Cue::All) => Some(of_action(Action::List).to_owned()),
        Meaning::Cue(_) | Meaning::Word(_) | Meaning::Not(_) | Meaning::Stop => None,
    };
    meanings.iter().filter_map(action).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(text: &str, wanted: &[&str]) {
        let groups = of_sentence(text);
        for term in wanted {
            assert!(groups.iter().any(|group| group.terms.iter().any(|own| own == term)), "{term} of {text:?}: {groups:?}");
        }
    }

    #[test]
    fn english_and_chinese_meet_in_the_words_of_documents() {
        has("List the orders", &["=list", "order"]);
        has("查询所有订单", &["=read", "order"]);
        has("Open an issue", &["=create", "issue"]);
        assert!(of_sentence("get rid of it").iter().all(|group| !group.terms.contains(&"=get".to_owned())));
        has("合并请求的评论", &["pull", "request", "comment"]);
        has("repos/list-for_org", &["repository", "org"]);
        has("魑魅魍魉", &["魑魅", "魅魍", "魍魉"]);
    }

    #[test]
    fn what_says_nothing_of_a_function_is_left_out_and_quotations_count_less() {
        assert!(of_sentence("the 42 of a, b: 7?").is_empty());
        let groups = of_sentence("an issue titled “login”");
        let weight = |term: &str| groups.iter().find(|group| group.terms.iter().any(|own| own == term)).map(|group| group.weight);
        assert_eq!((weight("issue"), weight("login")), (Some(1.0), Some(VALUE_WEIGHT)));
        let groups = of_sentence("the branches of acme/api. Labels?");
        let weight = |term: &str| groups.iter().find(|group| group.terms.iter().any(|own| own == term)).map(|group| group.weight);
        assert_eq!([weight("branch"), weight("acm"), weight("api"), weight("label")], [1.0, VALUE_WEIGHT, VALUE_WEIGHT, 1.0].map(Some));
        assert!(of_document("get the user").all(|term| !term.starts_with('=')));
    }
}

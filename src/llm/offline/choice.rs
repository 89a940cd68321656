//! The answer to our question which function is meant: its name, or its place in the list.

use super::{
    decide::{Decision, decide},
    index::{Entry, Index},
    literal,
    request::Request,
    sentence::{Sentence, Span},
};

/// Places of a list, as people say them; a number and a Chinese one say it too.
const PLACES: [&[&str]; 4] = [&["first", "1st"], &["second", "2nd"], &["third", "3rd"], &["fourth", "4th"]];

/// What was wanted, by the one of those that were asked about which a message chooses.
pub(super) fn chosen<'i>(index: &Index, offered: &[&'i Entry], wanted: &Request<'i>, message: &str) -> Option<Request<'i>> {
    let said = bare(message);
    let by_place = || offered.get(place(said)?.checked_sub(1)?);
    if let Some(entry) = by_thing(offered, message) {
        return Some(Request::in_words(wanted.text.clone(), Some(entry)));
    }
    let of_those = offered.iter().find(|entry| entry.name == said).or_else(by_place)?;
    is_no_sentence(index, message, said, of_those).then(|| Request::in_words(wanted.text.clone(), Some(of_those)))
}

/// "Products", "商品": the only one of those that were asked about which is about this.
fn by_thing<'i>(offered: &[&'i Entry], message: &str) -> Option<&'i Entry> {
    let sentence = Sentence::of(message);
    let says = |span: &Span| span.is_content() || span.literal().is_some() || span.actions().next().is_some();
    let about = |entry: &Entry, span: &Span| entry.objects.iter().flatten().any(|own| span.words().any(|word| word == own));
    let spans: Vec<&Span> = sentence.spans.iter().filter(|span| says(span)).collect();
    let mut meant = offered.iter().filter(|entry| !spans.is_empty() && spans.iter().all(|span| about(entry, span)));
    let entry = meant.next()?;
    meant.next().is_none().then_some(*entry)
}

/// A function by its whole name, which is one plain word, whatever was said before.
pub(super) fn by_whole_name<'i>(index: &'i Index, message: &str) -> Option<Request<'i>> {
    let said = bare(message);
    let entry = index.entries.iter().find(|entry| entry.name == said)?;
    is_no_sentence(index, message, "", entry).then(|| Request::in_words(message.to_owned(), Some(entry)))
}

/// Whether a message says nothing clear by itself, or is a name.
fn is_no_sentence(index: &Index, message: &str, said: &str, entry: &Entry) -> bool {
    said == entry.name || matches!(decide(index, &Sentence::of(message)), Decision::Nothing | Decision::Which(_))
}

fn bare(message: &str) -> &str {
    message.trim().trim_matches(['`', '"', '*', '.', '。', '#'])
}

/// `2`, `the second one`, `第二个`: 2.
fn place(said: &str) -> Option<usize> {
    let said = said.to_lowercase();
    let bare = said.trim_start_matches("the ").trim_end_matches(" one").trim_start_matches("number ");
    if let Some(at) = PLACES.iter().position(|words| words.contains(&bare)) {
        return Some(at + 1);
    }
    let chinese = bare.trim_start_matches('第').trim_end_matches('个');
    let number = literal::number(chinese).or_else(|| literal::chinese_number(chinese))?;
    usize::try_from(number.as_u64()?).ok()
}

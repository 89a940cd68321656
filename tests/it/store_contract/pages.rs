//! A page of the history is bounded by its bytes, and pages join without gap or repetition.

use swagger_api_agent::{
    domain::{limits::HISTORY_PAGE_BYTES, session::Turn},
    store::contract::{Cleared, Tail},
};

use super::{
    bed::{Ask, Bed, Token, said, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(a_page_ends_when_it_is_full, one_turn_larger_than_a_page_is_a_page, numbers_go_on_when_turns_are_dropped);

/// More turns than anybody asks for at once.
const MANY: usize = 500;
const LARGE_BYTES: usize = 100_000;

fn large(said: &str, bytes: usize) -> Turn {
    Turn { answer: "x".repeat(bytes), ..turn(said) }
}

async fn take(bed: &Bed, token: &Token, turns: &[Turn]) {
    let ask = Ask::new(token, "large").tail(0);
    let lease = ask.lease(&bed.started(&ask).await);
    bed.commit(&lease, turns).await;
}

/// Everything that was said, read page by page from the newest, oldest first; and how many turns each page had.
async fn read(bed: &Bed, token: &Token) -> (Vec<String>, Vec<usize>) {
    let (mut all, mut sizes, mut tail) = (Vec::new(), Vec::new(), Tail::Newest(MANY));
    loop {
        let visit = bed.visit(token, tail).await;
        if visit.tail.is_empty() {
            assert_eq!(visit.session.turns, 0, "only an empty conversation has an empty page");
            return (all, sizes);
        }
        let bytes: usize = visit.tail.iter().map(|turn| turn.answer.len()).sum();
        let newest = visit.tail.len() - 1;
        assert!(bytes <= HISTORY_PAGE_BYTES + 16 * LARGE_BYTES || newest == 0, "{bytes} bytes in {} turns", visit.tail.len());
        sizes.push(visit.tail.len());
        all.splice(0..0, said(&visit.tail));
        if visit.first == visit.session.first_turn {
            let older = bed.visit(token, Tail::Before { turn: visit.first, n: MANY }).await;
            assert!(older.tail.is_empty(), "nothing is older than the first turn");
            assert_eq!(all.len() as u64, visit.session.turns);
            return (all, sizes);
        }
        assert!(visit.first > visit.session.first_turn && sizes.len() <= MANY);
        tail = Tail::Before { turn: visit.first, n: MANY };
    }
}

fn names(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|i| format!("turn {i}")).collect()
}

fn larges(names: &[String]) -> Vec<Turn> {
    names.iter().map(|name| large(name, LARGE_BYTES)).collect()
}

async fn a_page_ends_when_it_is_full(bed: Bed) {
    let ann = bed.user("ann").await;
    let before = names(0, 60);
    take(&bed, &ann, &larges(&before)).await;
    let newest = bed.visit(&ann, Tail::Newest(MANY)).await;
    assert!((10..40).contains(&newest.tail.len()), "{} turns", newest.tail.len());
    assert_eq!((newest.first, newest.session.first_turn), (60 - newest.tail.len() as u64, 0));
    let (all, sizes) = read(&bed, &ann).await;
    assert_eq!(all, before);
    assert!(sizes.len() >= 2, "{sizes:?}");
    let few = bed.visit(&ann, Tail::Before { turn: 30, n: 2 }).await;
    assert_eq!((few.first, said(&few.tail)), (28, names(28, 30)), "fewer than fill a page");

    // After the conversation was emptied, numbers go on.
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))));
    assert_eq!(read(&bed, &ann).await, (Vec::new(), Vec::new()));
    let after = names(60, 95);
    take(&bed, &ann, &larges(&after)).await;
    let (all, sizes) = read(&bed, &ann).await;
    assert_eq!(all, after);
    assert!(sizes.len() >= 2, "{sizes:?}");
    let session = bed.visit(&ann, Tail::Nothing).await.session;
    let across = bed.visit(&ann, Tail::Before { turn: session.first_turn + 2, n: MANY }).await;
    assert_eq!((across.first, said(&across.tail)), (session.first_turn, names(60, 62)), "what was emptied is on no page");
}

async fn one_turn_larger_than_a_page_is_a_page(bed: Bed) {
    let ann = bed.user("ann").await;
    let names = names(0, 18);
    let turns: Vec<Turn> =
        names.iter().enumerate().map(|(i, name)| large(name, if i % 9 == 0 { HISTORY_PAGE_BYTES } else { 10 })).collect();
    take(&bed, &ann, &turns).await;
    assert_eq!(read(&bed, &ann).await.0, names);
}

async fn numbers_go_on_when_turns_are_dropped(bed: Bed) {
    let bed = bed.keeping(20);
    let ann = bed.user("ann").await;
    let names = names(0, 50);
    for part in names.chunks(10) {
        take(&bed, &ann, &larges(part)).await;
    }
    let session = bed.visit(&ann, Tail::Nothing).await.session;
    assert_eq!((session.turns, session.first_turn), (20, 30));
    assert_eq!(read(&bed, &ann).await.0, names[30..]);
}

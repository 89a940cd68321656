//! Several sessions of one user read at once.

use swagger_api_agent::{
    domain::{
        limits::HISTORY_PAGE_BYTES,
        session::{Label, SessionId, Turn},
        slot::Slot,
    },
    secrets::random,
    store::{
        contract::{
            Tail,
            sessions::{NewSession, ReadBefore, ReadTurns, SessionOpened},
        },
        new_session_id,
    },
};

use super::{
    bed::{Bed, Spoil, Token, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    several_are_read_at_once_until_a_page_is_full,
    what_is_small_where_it_is_stored_fills_a_page_as_what_it_is,
    of_several_one_that_cannot_be_read_concerns_no_other,
);

fn new_id() -> SessionId {
    new_session_id(Slot::other(random::number()))
}

async fn begun(bed: &Bed, token: &Token, id: &SessionId, turns: &[Turn]) {
    let new = NewSession { id, label: &Label::default(), turns, most: 5 };
    assert!(matches!(bed.store().open_session(token.caller(), new).await, Ok(SessionOpened::Done(_))));
}

/// What is read of these sessions before these turns: the number of the first turn, and how long each message is.
async fn read(bed: &Bed, token: &Token, wanted: &[(&SessionId, u64)]) -> Vec<Option<(u64, Vec<usize>)>> {
    let wanted: Vec<ReadBefore> = wanted.iter().map(|(session, turn)| ReadBefore { session: (*session).clone(), turn: *turn }).collect();
    let read = bed.store().read_several(&token.user, &wanted).await.expect("the store answers");
    let told = |ReadTurns { turns, first }: ReadTurns| (first, turns.iter().map(|turn| turn.message.len()).collect());
    read.into_iter().map(|read| read.map(told)).collect()
}

async fn several_are_read_at_once_until_a_page_is_full(bed: Bed) {
    let (ann, bob, ids) = (bed.user("ann").await, bed.user("bob").await, [new_id(), new_id(), new_id()]);
    // Of hexadecimal digits a half is left where it is compressed.
    let long = 2 * HISTORY_PAGE_BYTES;
    let conversations = [vec![turn("1"), turn("2"), turn("3")], vec![turn("4"), turn(&random::hex_of(long / 2))], vec![turn("5")]];
    for (id, turns) in ids.iter().zip(conversations) {
        begun(&bed, &ann, id, &turns).await;
    }
    let [one, two, three] = &ids;
    let gone = new_id();
    let full = read(&bed, &ann, &[(one, 3), (two, 2), (three, 1)]).await;
    assert_eq!(full, [Some((0, vec![1, 1, 1])), Some((1, vec![long]))], "the second one fills the page");
    assert_eq!(read(&bed, &ann, &[(two, 1), (&gone, 7), (three, 1)]).await, [Some((0, vec![1])), None, Some((0, vec![1]))]);
    assert_eq!(read(&bed, &ann, &[(one, 2)]).await, [Some((0, vec![1, 1]))], "only what is before that turn");
    assert_eq!(read(&bed, &bob, &[(one, 3)]).await, [None], "nobody else's");
}

async fn what_is_small_where_it_is_stored_fills_a_page_as_what_it_is(bed: Bed) {
    let (ann, ids) = (bed.user("ann").await, [new_id(), new_id(), new_id(), new_id()]);
    // All of one letter: compressed it is a few bytes. A turn has it three times, in the name of its run as well.
    let fifth_of_a_page = HISTORY_PAGE_BYTES / 5;
    for id in &ids {
        begun(&bed, &ann, id, &[turn(&"a".repeat(fifth_of_a_page))]).await;
    }
    let wanted: Vec<_> = ids.iter().map(|id| (id, 1)).collect();
    assert_eq!(read(&bed, &ann, &wanted).await, vec![Some((0, vec![fifth_of_a_page])); 2], "two are more than a page");
    assert_eq!(read(&bed, &ann, &wanted[2..]).await, vec![Some((0, vec![fifth_of_a_page])); 2], "those behind it are asked for again");
}

async fn of_several_one_that_cannot_be_read_concerns_no_other(mut bed: Bed) {
    let (ann, id) = (bed.user("ann").await, new_id());
    bed.takes_turn(&ann, "main").await;
    let main = bed.visit(&ann, Tail::Nothing).await.session.id;
    begun(&bed, &ann, &id, &[turn("1")]).await;
    for spoil in [Spoil::NewestTurn, Spoil::SessionOfAnotherKind] {
        bed.spoil("ann", spoil);
        assert_eq!(read(&bed, &ann, &[(&main, 1), (&id, 1)]).await, [None, Some((0, vec![1]))]);
    }
}

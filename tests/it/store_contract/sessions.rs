//! The sessions that a user has beside the main one.

use std::time::Duration;

use swagger_api_agent::{
    domain::{
        kept::{KeptReply, ResultId},
        session::{Label, SessionId, Turn},
        slot::Slot,
        tool::ReplyBody,
        totals::Totals,
        turn::{OnBusy, Stop},
    },
    secrets::random,
    store::{
        contract::{
            AccountChange, Begun, Cleared, Commit, Committed, Entered, Reset, Stepped, Tail, Taken,
            credentials::Admitted,
            overview::Tally,
            sessions::{LabelChange, NewSession, OwnSession, Rewound, SessionOpened},
        },
        new_session_id,
    },
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, at_once, done, lease_of, leaving, said, turn},
    on_both_stores_sealed_too,
};

on_both_stores_sealed_too!(
    a_run_whose_holder_died_is_found_in_its_own_session,
    each_has_a_queue_of_its_own,
    beginning_one_again_begins_no_second,
    of_many_at_once_no_more_are_begun_than_may_be,
    one_that_is_named_is_never_made_on_the_way,
    one_that_nobody_uses_ends_and_makes_room,
    one_that_is_used_lives_on_while_the_main_one_is_used_more,
    a_label_comes_back_as_it_was_given,
    turns_that_it_begins_with_are_its_own,
    winding_back_leaves_what_is_older,
    ending_one_fences_its_run_off_and_leaves_the_others,
    a_kill_takes_one_or_all,
    a_change_of_the_account_stops_the_runs_of_all,
    a_user_who_goes_takes_all_along,
    kept_replies_go_with_their_own_session,
    what_a_session_comes_to_is_counted_once_and_stays_counted,
    what_one_session_comes_to_is_no_other_ones,
    runs_are_in_no_more_sessions_of_a_user_than_may_be,
    a_run_whose_holder_is_gone_takes_nobodys_place,
);

const MOST: usize = 5;
const HOUR: Duration = Duration::from_secs(3600);

fn new_id() -> SessionId {
    new_session_id(Slot::other(random::number()))
}

async fn asked_for(bed: &Bed, token: &Token, id: &SessionId, label: &Label, turns: &[Turn]) -> SessionOpened {
    bed.store().open_session(token.caller(), NewSession { id, label, turns, most: MOST }).await.expect("the store answers")
}

/// The user's token, for requests that name a session that was begun for it.
async fn beside(bed: &Bed, token: &Token) -> Token {
    let id = new_id();
    match asked_for(bed, token, &id, &Label::default(), &[]).await {
        SessionOpened::Done(own) => assert_eq!(own.session.id, id),
        other => panic!("no session was begun: {other:?}"),
    }
    token.within(&id)
}

async fn listed(bed: &Bed, token: &Token) -> Vec<OwnSession> {
    match bed.store().own_sessions(token.caller()).await.expect("the store answers") {
        Admitted::In(own) => own,
        Admitted::Refused(refused) => panic!("{refused:?}"),
    }
}

async fn is_there(bed: &Bed, token: &Token) -> bool {
    match bed.store().enter(token.caller(), Tail::Nothing).await.expect("the store answers") {
        Entered::In(_) => true,
        Entered::NoSession => false,
        Entered::Refused(refused) => panic!("{refused:?}"),
    }
}

async fn a_run_whose_holder_died_is_found_in_its_own_session(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    let main = Ask::new(&ann, "r1");
    let lease = main.lease(&bed.started(&main).await);
    bed.started(&Ask::new(&other, "r1").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS * 2).await;
    assert_eq!(bed.store().due().await.unwrap(), [other.slot()]);
    let taken = bed.taken(&other, "B#1", LONG_MS).await;
    assert_eq!((taken.crashes, taken.started.run.clone()), (1, other.caller().slot().run_id("r1")));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held), "the main one is not concerned");
    assert!(matches!(bed.commit(&lease_of(&other, &taken), &[turn("one")]).await, Committed::Done { turns: 1, .. }));
    assert_eq!((bed.said(&other).await, bed.said(&ann).await), (vec!["one".to_owned()], Vec::new()));
    assert_eq!(bed.store().due().await.unwrap(), []);
}

async fn each_has_a_queue_of_its_own(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    bed.started(&Ask::new(&ann, "r1")).await;
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Busy { .. }));
    bed.started(&Ask::new(&other, "r3")).await;
    assert!(matches!(bed.begin(&Ask::new(&other, "r4")).await, Begun::Busy { run, .. } if run == other.caller().slot().run_id("r3")));
}

async fn beginning_one_again_begins_no_second(bed: Bed) {
    let (ann, id) = (bed.user("ann").await, new_id());
    let label = Label { title: Some("题目".to_owned()), pinned: true, metadata: Some("{}".to_owned()) };
    let SessionOpened::Done(first) = asked_for(&bed, &ann, &id, &label, &[]).await else { panic!("not begun") };
    let SessionOpened::Done(again) = asked_for(&bed, &ann, &id, &label, &[turn("late")]).await else { panic!("its answer was lost") };
    assert_eq!((again.session, again.label), (first.session, first.label));
    assert_eq!(listed(&bed, &ann).await.len(), 1);
}

async fn of_many_at_once_no_more_are_begun_than_may_be(bed: Bed) {
    let ann = bed.user("ann").await;
    let store = bed.another();
    let opened = at_once(20, move |_| {
        let (store, ann, id) = (store.clone(), ann.clone(), new_id());
        async move {
            let new = NewSession { id: &id, label: &Label::default(), turns: &[], most: MOST };
            matches!(store.open_session(ann.caller(), new).await, Ok(SessionOpened::Done(_)))
        }
    })
    .await;
    assert_eq!(opened.iter().filter(|opened| **opened).count(), MOST);
}

async fn one_that_is_named_is_never_made_on_the_way(bed: Bed) {
    let ann = bed.user("ann").await;
    let nowhere = ann.within(&new_id());
    assert!(!is_there(&bed, &nowhere).await);
    assert_eq!(bed.begin(&Ask::new(&nowhere, "r1")).await, Begun::NoSession);
    assert_eq!(bed.store().clear(nowhere.caller(), None).await, Ok(Cleared::NoSession));
    assert_eq!(bed.store().reset(nowhere.caller(), None).await, Ok(Reset::NoSession));
    assert_eq!(bed.store().rewind(nowhere.caller(), 0, None).await, Ok(Rewound::NoSession));
    assert_eq!(bed.store().label_session(nowhere.caller(), &LabelChange::default()).await, Ok(Admitted::In(false)));
    assert_eq!(bed.store().end_session(nowhere.caller()).await, Ok(Admitted::In(false)));
    assert_eq!((listed(&bed, &ann).await, listed(&bed, &nowhere).await), (Vec::new(), Vec::new()));
    let main = bed.visit(&ann, Tail::Nothing).await.session.id;
    assert!(is_there(&bed, &ann.within(&main)).await, "the main one has a name as well");
    bed.store().reset(ann.caller(), None).await.unwrap();
    assert!(!is_there(&bed, &ann.within(&main)).await);
    assert_eq!(bed.begin(&Ask::new(&ann.within(&main), "r1")).await, Begun::NoSession);
}

async fn one_that_nobody_uses_ends_and_makes_room(bed: Bed) {
    let bed = bed.lasting(300, 60_000);
    let ann = bed.user("ann").await;
    for _ in 0..MOST {
        beside(&bed, &ann).await;
    }
    assert_eq!(asked_for(&bed, &ann, &new_id(), &Label::default(), &[]).await, SessionOpened::Full);
    bed.pass(400).await;
    assert_eq!(listed(&bed, &ann).await, []);
    beside(&bed, &ann).await;
}

async fn one_that_is_used_lives_on_while_the_main_one_is_used_more(bed: Bed) {
    let bed = bed.lasting(1000, 60_000);
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    for _ in 0..6 {
        // A visit of the main one right before: what is spared there must not be spared here.
        bed.visit(&ann, Tail::Nothing).await;
        assert!(is_there(&bed, &other).await);
        bed.pass(300).await;
    }
}

async fn a_label_comes_back_as_it_was_given(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    let one = async || listed(&bed, &other).await.remove(0).label;
    let change = |title: &str, pinned, metadata: &str| LabelChange {
        title: Some(title.to_owned()),
        pinned: Some(pinned),
        metadata: Some(metadata.to_owned()),
    };
    assert_eq!(bed.store().label_session(other.caller(), &change("标题", true, "{\"a\":1}")).await, Ok(Admitted::In(true)));
    assert_eq!(one().await, Label { title: Some("标题".to_owned()), pinned: true, metadata: Some("{\"a\":1}".to_owned()) });
    assert_eq!(
        bed.store().label_session(other.caller(), &LabelChange { pinned: Some(false), ..LabelChange::default() }).await,
        Ok(Admitted::In(true))
    );
    assert_eq!(one().await, Label { title: Some("标题".to_owned()), pinned: false, metadata: Some("{\"a\":1}".to_owned()) });
    assert_eq!(bed.store().label_session(other.caller(), &change("", false, "")).await, Ok(Admitted::In(true)));
    assert_eq!(one().await, Label::default());
    let ask = Ask::new(&other, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let turns = [turn("one")];
    bed.store().commit(&lease, swagger_api_agent::store::contract::Commit { title: Some("made"), ..leaving(&turns, None) }).await.unwrap();
    assert_eq!(one().await.title.as_deref(), Some("made"));
    bed.store().label_session(other.caller(), &change("given", false, "")).await.unwrap();
    assert_eq!(one().await.title.as_deref(), Some("given"));
}

async fn turns_that_it_begins_with_are_its_own(bed: Bed) {
    let (ann, id) = (bed.user("ann").await, new_id());
    let turns = [turn("one"), turn("two")];
    let SessionOpened::Done(own) = asked_for(&bed, &ann, &id, &Label::default(), &turns).await else { panic!("not begun") };
    assert_eq!((own.session.turns, own.session.first_turn), (2, 0));
    let other = ann.within(&id);
    assert_eq!(bed.said(&other).await, ["one", "two"]);
    bed.takes_turn(&other, "three").await;
    assert_eq!((bed.said(&other).await, bed.said(&ann).await.len()), (vec!["one".into(), "two".into(), "three".into()], 0));
    let peeked = bed.store().peek(&ann.user, Some(&id), Tail::BeforeWhole { turn: 2, n: 5 }).await.unwrap().expect("a session");
    assert_eq!(peeked.tail, turns);
}

async fn winding_back_leaves_what_is_older(bed: Bed) {
    let ann = bed.user("ann").await;
    for message in ["one", "two", "three"] {
        bed.takes_turn(&ann, message).await;
    }
    let Ok(Rewound::Done(session)) = bed.store().rewind(ann.caller(), 1, None).await else { panic!("not wound back") };
    assert_eq!((session.turns, session.version), (1, 4));
    assert_eq!(bed.said(&ann).await, ["one"]);
    assert_eq!(bed.store().rewind(ann.caller(), 2, None).await, Ok(Rewound::NoTurn));
    let Ok(Rewound::Done(same)) = bed.store().rewind(ann.caller(), 1, None).await else { panic!("refused") };
    assert_eq!(same.version, 4, "nothing was taken out");
    let seen = same.revision();
    bed.takes_turn(&ann, "again").await;
    assert!(matches!(bed.store().rewind(ann.caller(), 0, Some(&seen)).await, Ok(Rewound::Moved(stored)) if stored.version == 5));
    let ask = Ask::new(&ann, "r9").lease_ms(SHORT_MS);
    bed.started(&ask).await;
    assert!(matches!(bed.store().rewind(ann.caller(), 0, None).await, Ok(Rewound::Busy { .. })));
    bed.pass(SHORT_MS * 2).await;
    assert!(
        matches!(bed.store().rewind(ann.caller(), 0, None).await, Ok(Rewound::Busy { left_ms: 0, .. })),
        "its journal is still to be told"
    );
    assert_eq!(said(&bed.visit(&ann, Tail::Newest(9)).await.tail), ["one", "again"]);
}

async fn ending_one_fences_its_run_off_and_leaves_the_others(bed: Bed) {
    let ann = bed.user("ann").await;
    let (one, two) = (beside(&bed, &ann).await, beside(&bed, &ann).await);
    let ask = Ask::new(&one, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.takes_turn(&two, "hi").await;
    assert_eq!(bed.store().end_session(one.caller()).await, Ok(Admitted::In(true)));
    assert_eq!(bed.store().end_session(one.caller()).await, Ok(Admitted::In(false)));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!(bed.take(&one, "B#1", LONG_MS).await, Taken::Nothing);
    assert!(!is_there(&bed, &one).await && is_there(&bed, &two).await);
    assert_eq!(listed(&bed, &ann).await.len(), 1);
}

async fn a_kill_takes_one_or_all(bed: Bed) {
    let ann = bed.user("ann").await;
    let (one, two) = (beside(&bed, &ann).await, beside(&bed, &ann).await);
    bed.takes_turn(&ann, "hi").await;
    assert_eq!(bed.store().kill(&ann.user, one.session.as_ref()).await, Ok(1));
    assert_eq!(bed.store().kill(&ann.user, one.session.as_ref()).await, Ok(0));
    let ask = Ask::new(&two, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().kill(&ann.user, None).await, Ok(2));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!((listed(&bed, &ann).await.len(), bed.store().kill(&ann.user, None).await), (0, Ok(0)));
}

async fn a_change_of_the_account_stops_the_runs_of_all(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    let asks = [Ask::new(&ann, "r1"), Ask::new(&other, "r1")];
    let leases = [asks[0].lease(&bed.started(&asks[0]).await), asks[1].lease(&bed.started(&asks[1]).await)];
    assert_eq!(bed.store().change_account(&ann.user, AccountChange::Disabled(true)).await, Ok(true));
    for lease in &leases {
        assert_eq!(bed.store().step(lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Revoked)));
    }
}

async fn a_user_who_goes_takes_all_along(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    bed.takes_turn(&other, "hi").await;
    assert_eq!(bed.store().remove_account(&ann.user).await, Ok(true));
    let again = bed.user("ann").await;
    assert_eq!(listed(&bed, &again).await, []);
    assert!(!is_there(&bed, &again.within(other.session.as_ref().unwrap())).await);
    assert_eq!(bed.store().peek(&ann.user, other.session.as_ref(), Tail::Newest(1)).await, Ok(None));
}

async fn kept_replies_go_with_their_own_session(bed: Bed) {
    let ann = bed.user("ann").await;
    let other = beside(&bed, &ann).await;
    bed.visit(&ann, Tail::Nothing).await;
    let id = |number: usize| ResultId::parse(&format!("{number:032x}")).expect("an id");
    let reply = KeptReply { content_type: String::new(), body: ReplyBody::Text("x".to_owned()) };
    bed.store().keep_result(&ann.slot(), &id(1), &reply, HOUR).await.unwrap();
    bed.store().keep_result(&other.slot(), &id(2), &reply, HOUR).await.unwrap();
    let kept = async |number: usize| bed.store().kept_result(&ann.user, &id(number)).await.unwrap().is_some();
    assert_eq!((kept(1).await, kept(2).await), (true, true));
    assert!(matches!(bed.store().reset(ann.caller(), None).await, Ok(Reset::Done(_))));
    assert_eq!((kept(1).await, kept(2).await), (false, true));
    assert_eq!(bed.store().end_session(other.caller()).await, Ok(Admitted::In(true)));
    assert!(!kept(2).await);
}

const TALLY: Tally<'_> = Tally { calls: 3, changing_calls: 1, prompt_tokens: 40, completion_tokens: 2, estimated: false, unknown: "" };

/// What the session has come to that a token names, or the main one: as its user is told, and as administrators are.
async fn totals(bed: &Bed, token: &Token) -> Totals {
    let own = listed(bed, token).await.into_iter().find(|own| token.session.as_ref().is_none_or(|id| *id == own.session.id));
    let own = own.expect("the session is there");
    let peeked = bed.store().peek(&token.user, Some(&own.session.id), Tail::Nothing).await.unwrap().expect("the session is there");
    assert_eq!(peeked.totals, own.totals);
    own.totals
}

async fn what_a_session_comes_to_is_counted_once_and_stays_counted(mut bed: Bed) {
    let ann = bed.user("ann").await;
    bed.visit(&ann, Tail::Nothing).await;
    assert_eq!(totals(&bed, &ann).await, Totals::default());
    let ask = Ask::new(&ann, "r1").lease_ms(SHORT_MS);
    let (stale, turns) = (ask.lease(&bed.started(&ask).await), [turn("one")]);
    bed.pass(SHORT_MS * 2).await;
    let lease = lease_of(&ann, &bed.taken(&ann, "B#1", LONG_MS).await);
    for (lease, expected) in [(&stale, Committed::Stale), (&lease, done(1, 1)), (&lease, done(1, 1)), (&stale, Committed::Stale)] {
        // Its first holder comes back; the answer to the second one's commit is lost.
        let committed = bed.store().commit(lease, Commit { tally: TALLY, ..leaving(&turns, None) }).await.unwrap();
        assert_eq!(committed, expected);
    }
    let once = Totals { turns: 1, calls: 3, changing_calls: 1, prompt_tokens: 40, completion_tokens: 2, estimated: false };
    assert_eq!(totals(&bed, &ann).await, once);
    let ask = Ask::new(&ann, "r2");
    let (lease, tally) = (ask.lease(&bed.started(&ask).await), Tally { estimated: true, ..TALLY });
    bed.store().commit(&lease, Commit { tally, ..leaving(&[turn("two"), turn("three")], None) }).await.unwrap();
    // A direct call leaves no turn.
    let ask = Ask::new(&ann, "r3");
    let (lease, tally) = (ask.lease(&bed.started(&ask).await), Tally { calls: 1, changing_calls: 1, ..Tally::default() });
    bed.store().commit(&lease, Commit { tally, detail: "call", ..leaving(&[], None) }).await.unwrap();
    let all = Totals { turns: 3, calls: 7, changing_calls: 3, prompt_tokens: 80, completion_tokens: 4, estimated: true };
    assert_eq!(totals(&bed, &ann).await, all);
    assert!(matches!(bed.store().rewind(ann.caller(), 1, None).await, Ok(Rewound::Done(_))));
    assert_eq!(totals(&bed, &ann).await, all, "what was done is not undone");
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))));
    bed.restart();
    assert_eq!(totals(&bed, &ann).await, all);
    bed.takes_turn(&ann, "four").await;
    assert_eq!(totals(&bed, &ann).await, Totals { turns: 4, ..all });
    assert!(matches!(bed.store().reset(ann.caller(), None).await, Ok(Reset::Done(_))));
    assert_eq!(totals(&bed, &ann).await, Totals::default(), "another session");
}

async fn what_one_session_comes_to_is_no_other_ones(bed: Bed) {
    let ann = bed.user("ann").await;
    let id = new_id();
    let opened = asked_for(&bed, &ann, &id, &Label::default(), &[turn("from"), turn("elsewhere")]).await;
    assert!(matches!(opened, SessionOpened::Done(own) if own.session.turns == 2 && own.totals == Totals::default()));
    let other = ann.within(&id);
    bed.takes_turn(&ann, "in the main one").await;
    assert_eq!(totals(&bed, &other).await, Totals::default(), "what its conversation begins with was done elsewhere");
    bed.takes_turn(&other, "one").await;
    bed.takes_turn(&other, "two").await;
    assert_eq!((totals(&bed, &other).await.turns, totals(&bed, &ann).await.turns), (2, 1));
}

async fn runs_are_in_no_more_sessions_of_a_user_than_may_be(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("ann-marie").await);
    let [one, two, three] = [beside(&bed, &ann).await, beside(&bed, &ann).await, beside(&bed, &ann).await];
    let first = Ask::new(&one, "r1").running_max(2);
    bed.started(&first).await;
    bed.started(&Ask::new(&two, "r2").running_max(2)).await;
    // The answer was lost: it is counted already.
    let lease = first.lease(&bed.started(&first).await);
    for other in [&three, &ann] {
        for on_busy in [OnBusy::Reject, OnBusy::Enqueue, OnBusy::Interrupt] {
            assert_eq!(bed.begin(&Ask::new(other, "r3").running_max(2).on_busy(on_busy)).await, Begun::ManyRun);
        }
    }
    assert!(matches!(bed.begin(&Ask::new(&two, "r4").running_max(2)).await, Begun::Busy { .. }));
    let waits = Ask::new(&one, "r5").running_max(2).on_busy(OnBusy::Enqueue);
    assert_eq!(bed.begin(&waits).await, Begun::Queued { place: 1, held: true }, "it takes the place of the one before it");
    assert!(matches!(bed.begin(&Ask::new(&three, "r6").running_max(3)).await, Begun::Started(_)));
    assert!(matches!(bed.begin(&Ask::new(&ann, "r7")).await, Begun::Started(_)), "without a bound");
    bed.started(&Ask::new(&bob, "r8").running_max(1)).await;
    bed.commit(&lease, &[]).await;
    let other = beside(&bed, &ann).await;
    assert_eq!(bed.begin(&Ask::new(&other, "r9").running_max(4)).await, Begun::ManyRun, "the one that waits begins within a moment");
    let taken = bed.taken(&one, "B#1", LONG_MS).await;
    assert_eq!(bed.begin(&Ask::new(&other, "r9").running_max(4)).await, Begun::ManyRun);
    bed.commit(&lease_of(&one, &taken), &[]).await;
    assert!(matches!(bed.begin(&Ask::new(&other, "r9").running_max(4)).await, Begun::Started(_)));
}

async fn a_run_whose_holder_is_gone_takes_nobodys_place(bed: Bed) {
    let ann = bed.user("ann").await;
    let [one, two] = [beside(&bed, &ann).await, beside(&bed, &ann).await];
    bed.started(&Ask::new(&one, "r1").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS * 2).await;
    let ask = Ask::new(&ann, "r2").running_max(1);
    bed.commit(&ask.lease(&bed.started(&ask).await), &[]).await;
    bed.taken(&one, "B#1", LONG_MS).await;
    assert_eq!(bed.begin(&Ask::new(&two, "r3").running_max(1)).await, Begun::ManyRun, "somebody goes on with it");
    assert_eq!(bed.store().kill(&ann.user, one.session.as_ref()).await, Ok(1));
    assert!(matches!(bed.begin(&Ask::new(&two, "r3").running_max(1)).await, Begun::Started(_)));
}

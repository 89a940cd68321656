//! Who is let in and how often; what a caller sees of the session; how sessions begin and end.

use swagger_api_agent::{
    domain::{
        rate::{Counted, Rate},
        turn::{OnBusy, Stop},
        user::Role,
    },
    store::contract::{AccountChange, Begun, Cleared, Committed, Entered, Refused, Reset, Stepped, Tail},
};

use super::{
    bed::{Ask, Bed, LONG_MS, SHORT_MS, Token, at_once, done, leaving, name, said, turn},
    on_both_stores,
};

on_both_stores!(
    a_first_visit_makes_a_session_and_the_next_finds_it,
    of_many_first_visits_at_once_one_session_comes,
    tokens_from_before_a_new_password_are_void,
    tokens_of_a_disabled_user_are_void_and_stay_void,
    a_new_role_is_seen_at_the_next_visit,
    a_user_over_the_rate_of_requests_is_told_when_to_come_back,
    a_user_over_the_rate_of_turns_may_still_read,
    what_is_left_of_the_rates_is_told,
    a_refused_begin_holds_nothing,
    a_full_minutes_worth_may_come_at_once,
    clearing_empties_the_conversation_and_numbers_go_on,
    clearing_waits_for_the_run,
    a_reset_gives_a_new_session_and_fences_the_old_run_off,
    the_history_is_read_in_pages_backwards,
    the_oldest_turns_go_when_there_are_too_many,
    an_idle_session_ends_and_a_used_one_does_not,
    a_session_ends_at_its_time_however_used,
    a_run_across_the_end_of_its_session_is_stale,
    names_do_not_reach_each_other,
    a_turn_comes_back_whole,
);

async fn a_first_visit_makes_a_session_and_the_next_finds_it(bed: Bed) {
    let ann = bed.user("ann").await;
    let first = bed.visit(&ann, Tail::Newest(5)).await;
    assert_eq!((first.role, first.first, first.tail.len()), (Role::User, 0, 0));
    assert_eq!((first.session.turns, first.session.version, first.session.running.clone()), (0, 0, None));
    assert_eq!(first.session.expires_ms - first.session.created_ms, 6_000_000);
    assert!(first.session.id.as_str().len() >= 22, "{}", first.session.id);
    let again = bed.visit(&ann, Tail::Newest(5)).await;
    assert_eq!((again.session.id, again.session.created_ms), (first.session.id, first.session.created_ms));
}

async fn of_many_first_visits_at_once_one_session_comes(bed: Bed) {
    let ann = bed.user("ann").await;
    let store = bed.store().clone();
    let visits = at_once(20, move |_| {
        let (store, ann) = (store.clone(), ann.clone());
        async move {
            match store.enter(ann.caller(), Tail::Nothing).await {
                Ok(Entered::In(visit)) => visit.session.id,
                other => panic!("{other:?}"),
            }
        }
    })
    .await;
    assert!(visits.iter().all(|id| *id == visits[0]), "{visits:?}");
}

async fn refused_everywhere(bed: &Bed, token: &Token) {
    let store = bed.store();
    assert_eq!(store.enter(token.caller(), Tail::Nothing).await, Ok(Entered::Refused(Refused::Revoked)));
    assert_eq!(bed.begin(&Ask::new(token, "r")).await, Begun::Refused(Refused::Revoked));
    assert_eq!(store.clear(token.caller(), None).await, Ok(Cleared::Refused(Refused::Revoked)));
    assert_eq!(store.reset(token.caller(), None).await, Ok(Reset::Refused(Refused::Revoked)));
}

async fn tokens_from_before_a_new_password_are_void(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.pass(2).await;
    assert_eq!(bed.store().change_account(&ann.user, AccountChange::Password("new hash")).await, Ok(true));
    refused_everywhere(&bed, &ann).await;
    let new = bed.token("ann").await;
    assert!(matches!(bed.store().enter(new.caller(), Tail::Nothing).await, Ok(Entered::In(_))), "a login right after is good");
}

async fn tokens_of_a_disabled_user_are_void_and_stay_void(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.pass(2).await;
    bed.store().change_account(&ann.user, AccountChange::Disabled(true)).await.unwrap();
    refused_everywhere(&bed, &ann).await;
    refused_everywhere(&bed, &bed.token("ann").await).await;
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Revoked)), "a run that began is to stop");
    bed.pass(2).await;
    bed.store().change_account(&ann.user, AccountChange::Disabled(false)).await.unwrap();
    refused_everywhere(&bed, &ann).await;
    let new = bed.token("ann").await;
    assert!(matches!(bed.store().enter(new.caller(), Tail::Nothing).await, Ok(Entered::In(_))));
}

async fn a_new_role_is_seen_at_the_next_visit(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.store().change_account(&ann.user, AccountChange::Role(Role::Admin)).await.unwrap();
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.role, Role::Admin);
}

async fn a_user_over_the_rate_of_requests_is_told_when_to_come_back(bed: Bed) {
    let bed = bed.rated(300, 1000);
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let mut refused = None;
    for _ in 0..400 {
        if let Entered::Refused(why) = bed.store().enter(ann.caller(), Tail::Nothing).await.unwrap() {
            refused = Some(why);
            break;
        }
    }
    let Some(Refused::Limited { rate: Rate::Requests, retry_after_ms }) = refused else { panic!("never refused: {refused:?}") };
    assert!((1..=200).contains(&retry_after_ms), "{retry_after_ms}");
    bed.visit(&bob, Tail::Nothing).await;
    bed.pass(retry_after_ms + 1).await;
    bed.visit(&ann, Tail::Nothing).await;
}

async fn a_user_over_the_rate_of_turns_may_still_read(bed: Bed) {
    let bed = bed.rated(10_000, 3);
    let ann = bed.user("ann").await;
    for said in ["one", "two", "three"] {
        bed.takes_turn(&ann, said).await;
    }
    match bed.begin(&Ask::new(&ann, "r4")).await {
        Begun::Refused(Refused::Limited { rate: Rate::Turns, retry_after_ms }) => {
            assert!((15_000..=20_000).contains(&retry_after_ms), "{retry_after_ms}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(bed.said(&ann).await, ["one", "two", "three"]);
}

async fn what_is_left_of_the_rates_is_told(bed: Bed) {
    let bed = bed.rated(10, 4);
    let ann = bed.user("ann").await;
    let left = || Rate::ALL.map(|rate| ann.counted.ahead_ms(rate));
    assert_eq!(left(), [None, None]);
    bed.visit(&ann, Tail::Nothing).await;
    assert_eq!(left(), [Some(6000), None], "one of ten");
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(left()[1], Some(15_000), "one of four");
    // A moment may have passed since the one before, and then some of it is back.
    assert!(matches!(left()[0], Some(6000..=12_000)), "{:?}", left());
    bed.store().look(ann.caller(), "r1", false).await.unwrap();
    let uncounted = left();
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Busy { .. }));
    assert_eq!(left()[1], uncounted[1], "one that is refused is no turn");
    assert!(matches!(left()[0], Some(6000..=18_000)) && left()[0] != uncounted[0], "{:?}", left());
    bed.begin(&Ask::new(&ann, "r3").on_busy(OnBusy::Enqueue)).await;
    assert!(matches!(left()[1], Some(15_000..=30_000)), "one that waits is one: {:?}", left());
    for verb in 0..4 {
        let fresh = Token { counted: Counted::default(), ..ann.clone() };
        match verb {
            0 => drop(bed.store().look(fresh.caller(), "r1", true).await.unwrap()),
            1 => drop(bed.store().cancel(fresh.caller(), "r1").await.unwrap()),
            2 => drop(bed.store().reset(fresh.caller(), None).await.unwrap()),
            _ => drop(bed.store().clear(fresh.caller(), None).await.unwrap()),
        }
        assert!(matches!(fresh.counted.ahead_ms(Rate::Requests), Some(6000..=60_000)), "{verb}: {:?}", fresh.counted);
    }
    drop(lease);
}

async fn a_refused_begin_holds_nothing(bed: Bed) {
    let bed = bed.rated(100_000, 200);
    let ann = bed.user("ann").await;
    let mut turns = 0;
    let ask = loop {
        assert!(turns < 250, "never refused");
        let run = format!("r{turns}");
        let ask = Ask::new(&ann, &run).key("K", "F");
        match bed.begin(&ask).await {
            Begun::Started(started) => assert!(matches!(bed.commit_keyless(&ask, &started).await, Committed::Done { .. })),
            Begun::Refused(Refused::Limited { rate: Rate::Turns, retry_after_ms: 1..=300 }) => break ask,
            other => panic!("{other:?}"),
        }
        turns += 1;
    };
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.running, None);
    bed.pass(301).await;
    let started = bed.started(&ask).await;
    assert_eq!(started.visit.session.running.as_ref(), Some(&started.run), "neither key nor rate keeps this one out");
}

async fn a_full_minutes_worth_may_come_at_once(mut bed: Bed) {
    for per_minute in [1, 3, 7, 11] {
        bed = bed.rated(per_minute, per_minute);
        let user = bed.user(&format!("user{per_minute}")).await;
        let store = bed.store().clone();
        let who = user.clone();
        let visits = at_once(per_minute as usize + 5, move |_| {
            let (store, who) = (store.clone(), who.clone());
            async move { store.enter(who.caller(), Tail::Nothing).await.unwrap() }
        })
        .await;
        let admitted = visits.iter().filter(|v| matches!(v, Entered::In(_))).count();
        assert_eq!(admitted, per_minute as usize);
    }
}

async fn clearing_empties_the_conversation_and_numbers_go_on(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    bed.takes_turn(&ann, "two").await;
    let before = bed.visit(&ann, Tail::Nothing).await.session;
    let Ok(Cleared::Done(cleared)) = bed.store().clear(ann.caller(), None).await else { panic!("not cleared") };
    assert_eq!((cleared.id.clone(), cleared.turns, cleared.version), (before.id, 0, 3));
    assert_eq!(bed.said(&ann).await, Vec::<String>::new());
    bed.takes_turn(&ann, "three").await;
    let visit = bed.visit(&ann, Tail::Newest(5)).await;
    assert_eq!((visit.first, said(&visit.tail)), (2, vec!["three".to_owned()]), "the third turn is number 2");
    assert_eq!((visit.session.turns, visit.session.version), (1, 4));
    let older = bed.visit(&ann, Tail::Before { turn: 2, n: 5 }).await;
    assert_eq!(older.tail, []);
}

async fn clearing_waits_for_the_run(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    match bed.store().clear(ann.caller(), None).await.unwrap() {
        Cleared::Busy { run, left_ms } => {
            assert_eq!(run, "r1");
            assert!((1..=LONG_MS).contains(&left_ms));
        }
        other => panic!("{other:?}"),
    }
    bed.commit(&lease, &[turn("two")]).await;
    assert_eq!(bed.said(&ann).await, ["one", "two"]);
    assert!(matches!(bed.store().clear(ann.caller(), None).await, Ok(Cleared::Done(_))));
}

async fn a_reset_gives_a_new_session_and_fences_the_old_run_off(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let old = bed.visit(&ann, Tail::Nothing).await.session;
    let Ok(Reset::Done(new)) = bed.store().reset(ann.caller(), None).await else { panic!("not reset") };
    assert_ne!(new.id, old.id);
    assert_eq!((new.turns, new.version, new.running.clone()), (0, 0, None));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    assert_eq!(bed.commit(&lease, &[turn("late")]).await, Committed::Stale);
    let visit = bed.visit(&ann, Tail::Newest(5)).await;
    assert_eq!((visit.session.id, visit.tail.len(), visit.first), (new.id, 0, 0));
    bed.takes_turn(&ann, "anew").await;
    assert_eq!(bed.visit(&ann, Tail::Newest(5)).await.first, 0);
}

async fn the_history_is_read_in_pages_backwards(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let turns: Vec<_> = (0..10).map(|i| turn(&format!("t{i}"))).collect();
    bed.commit(&lease, &turns).await;
    let newest = bed.visit(&ann, Tail::Newest(4)).await;
    assert_eq!((newest.first, said(&newest.tail)), (6, said(&turns[6..])));
    for (before, n, expected) in [(6, 4, 2..6), (2, 4, 0..2), (1, 1, 0..1), (100, 3, 7..10), (u64::MAX, 100, 0..10), (5, usize::MAX, 0..5)]
    {
        let page = bed.visit(&ann, Tail::Before { turn: before, n }).await;
        assert_eq!((page.first, said(&page.tail)), (expected.start as u64, said(&turns[expected])), "{n} before {before}");
    }
    for nothing in [Tail::Nothing, Tail::Newest(0), Tail::Before { turn: 0, n: 5 }, Tail::Before { turn: 5, n: 0 }] {
        assert_eq!(bed.visit(&ann, nothing).await.tail, [], "{nothing:?}");
    }
}

async fn the_oldest_turns_go_when_there_are_too_many(bed: Bed) {
    let bed = bed.keeping(3);
    let ann = bed.user("ann").await;
    for i in 0..5 {
        bed.takes_turn(&ann, &format!("t{i}")).await;
    }
    let visit = bed.visit(&ann, Tail::Newest(10)).await;
    assert_eq!((visit.first, said(&visit.tail)), (2, vec!["t2".to_owned(), "t3".to_owned(), "t4".to_owned()]));
    assert_eq!((visit.session.turns, visit.session.version), (3, 5));
    assert_eq!(bed.visit(&ann, Tail::Before { turn: 3, n: 10 }).await.first, 2);
    let ask = Ask::new(&ann, "many");
    let lease = ask.lease(&bed.started(&ask).await);
    let turns: Vec<_> = (5..12).map(|i| turn(&format!("t{i}"))).collect();
    assert_eq!(bed.commit(&lease, &turns).await, done(3, 6));
    let visit = bed.visit(&ann, Tail::Newest(10)).await;
    assert_eq!((visit.first, said(&visit.tail)), (9, vec!["t9".to_owned(), "t10".to_owned(), "t11".to_owned()]));
}

/// Scenario 17: the time of a session slides.
async fn an_idle_session_ends_and_a_used_one_does_not(bed: Bed) {
    let bed = bed.lasting(400, 6_000_000);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let id = bed.visit(&ann, Tail::Nothing).await.session.id;
    for _ in 0..3 {
        bed.pass(150).await;
        bed.takes_turn(&ann, "more").await;
    }
    assert_eq!(bed.visit(&ann, Tail::Nothing).await.session.id, id);
    bed.pass(450).await;
    let visit = bed.visit(&ann, Tail::Newest(10)).await;
    assert_ne!(visit.session.id, id);
    assert_eq!((visit.tail.len(), visit.session.turns, visit.first), (0, 0, 0));
}

/// Scenario 17: and has an end.
async fn a_session_ends_at_its_time_however_used(bed: Bed) {
    let bed = bed.lasting(600_000, 400);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let old = bed.visit(&ann, Tail::Nothing).await.session;
    assert_eq!(old.expires_ms, old.created_ms + 400);
    for _ in 0..3 {
        bed.pass(150).await;
        bed.takes_turn(&ann, "more").await;
    }
    let new = bed.visit(&ann, Tail::Newest(10)).await;
    assert_ne!(new.session.id, old.id);
    assert!(!said(&new.tail).contains(&"one".to_owned()));
}

async fn a_run_across_the_end_of_its_session_is_stale(bed: Bed) {
    let bed = bed.lasting(600_000, 200);
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    bed.pass(250).await;
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Stale));
    let late = [turn("late")];
    let commit = leaving(&late, None);
    assert_eq!(bed.store().commit(&lease, commit).await, Ok(Committed::Stale));
    assert_eq!(bed.said(&ann).await, Vec::<String>::new());
}

async fn names_do_not_reach_each_other(bed: Bed) {
    let names = ["a", "a:b", "a:main", "{x}", "}:{b00}", "张三", "a|b", "a*", "%41", "A", "a\u{301}", "á", "ａ"];
    for user in names {
        let token = bed.user(user).await;
        bed.takes_turn(&token, &format!("I am {user}")).await;
    }
    for user in names {
        let token = bed.token(user).await;
        assert_eq!(bed.said(&token).await, [format!("I am {user}")]);
    }
    let listed: Vec<_> = bed.store().accounts().await.unwrap().into_iter().map(|a| a.name).collect();
    let mut expected: Vec<_> = names.into_iter().map(name).collect();
    expected.sort();
    assert_eq!(listed, expected);
    let admin = bed.admin("root").await;
    for user in names {
        let swagger_api_agent::store::contract::AdminAnswer::Granted(keys) = bed.store().keys(admin.caller(), &name(user)).await.unwrap()
        else {
            panic!("not granted")
        };
        assert_eq!(keys.len(), 3, "record, history and ended runs of {user}: {keys:?}");
    }
    bed.pass(SHORT_MS).await;
    assert!(matches!(bed.store().reset(bed.token("a").await.caller(), None).await, Ok(Reset::Done(_))));
    assert_eq!(bed.said(&bed.token("a:main").await).await, ["I am a:main"]);
}

async fn a_turn_comes_back_whole(bed: Bed) {
    use serde_json::json;
    use swagger_api_agent::domain::{
        session::{Round, Turn, Usage},
        tool::{Outcome, ReplyBody, SentRequest, ToolCall, ToolResult, UpstreamReply},
    };
    let ann = bed.user("ann").await;
    let arguments = json!({"name": "李四", "n": 9_007_199_254_740_993_u64, "none": null}).as_object().cloned().unwrap();
    let result = ToolResult {
        call: ToolCall { id: "c1".into(), name: "createUser".into(), arguments: Ok(arguments) },
        request: Some(SentRequest { method: "POST".into(), url: "http://up/users?x=1".into() }),
        outcome: Outcome::Replied(UpstreamReply {
            status: 201,
            kept: None,
            headers: Vec::new(),
            body: ReplyBody::Json(json!({"id": [1, "\u{0}"]}).into()),
        }),
    };
    let mut whole = turn("\u{1f}{}\r\n\"'|\0 🦀");
    whole.rounds = vec![Round { said: Some("one moment".into()), results: vec![result] }];
    whole.usage = Some(Usage { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3, estimated: true });
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    bed.commit(&lease, std::slice::from_ref(&whole)).await;
    assert_eq!(bed.visit(&ann, Tail::Newest(1)).await.tail, [Turn { rounds: Vec::new(), ..whole.clone() }], "what was said");
    assert_eq!(bed.started(&Ask::new(&ann, "r2")).await.visit.tail, [whole], "and for the next turn the calls too");
}

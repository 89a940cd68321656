//! What administrators see of the whole store: runs that go on, outcomes that are not known, what was counted, what changes, who serves.

use std::collections::BTreeSet;

use swagger_api_agent::{
    domain::{
        limits::{HOUR_MS, REPLICA_LASTS_MS, STATS_HOURS, UNKNOWN_OUTCOMES_PER_BUCKET},
        slot::Slot,
        turn::{Ending, Stop},
    },
    store::{
        contract::{
            Commit, Cursor, SessionFilter, SessionState, Stepped,
            changes::{Seen, What},
            overview::{OpenState, Tally, Told},
            replicas::Replica,
        },
        new_session_id,
    },
};

use super::{
    bed::{Ask, Bed, Ground, LONG_MS, SHORT_MS, Token, leaving, name, turn},
    on_both_stores,
};

on_both_stores!(
    open_runs_are_listed_once_in_any_page_size,
    a_run_is_running_or_stopping_or_orphaned,
    a_run_that_only_waits_is_not_open,
    a_run_is_found_by_its_id_alone_and_stopped,
    the_newest_unknown_outcomes_are_kept_until_their_user_goes,
    what_runs_come_to_is_counted_once,
    what_begins_and_ends_is_told_once_while_somebody_watches,
    a_session_that_nobody_uses_is_told_to_have_ended_when_the_index_is_cleaned,
    a_replica_counts_until_it_goes,
    sessions_are_filtered_without_gap_or_repetition,
);

async fn begins<'a>(bed: &Bed, token: &'a Token, run: &str) -> Ask<'a> {
    let ask = Ask::new(token, run);
    bed.started(&ask).await;
    ask
}

async fn open(bed: &Bed) -> Vec<(String, String, OpenState, Option<String>)> {
    let runs = bed.store().open_runs(None, 100).await.unwrap().runs;
    runs.into_iter().map(|run| (run.user.to_string(), run.run, run.state, run.holder)).collect()
}

async fn open_runs_are_listed_once_in_any_page_size(bed: Bed) {
    let mut tokens = Vec::new();
    for n in 0..12 {
        tokens.push(bed.user(&format!("user{n}")).await);
    }
    for (n, token) in tokens.iter().enumerate() {
        begins(&bed, token, &format!("r{n}")).await;
    }
    let all: BTreeSet<String> = (0..12).map(|n| format!("user{n}")).collect();
    for limit in [1, 5, 11, 12, 100] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = bed.store().open_runs(after.as_ref(), limit).await.unwrap();
            assert!(page.runs.len() <= limit);
            seen.extend(page.runs.iter().map(|run| run.user.to_string()));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!((seen.len(), seen.into_iter().collect::<BTreeSet<_>>()), (12, all.clone()), "in pages of {limit}");
    }
}

async fn a_run_is_running_or_stopping_or_orphaned(bed: Bed) {
    let (ann, bob, cleo) = (bed.user("ann").await, bed.user("bob").await, bed.user("cleo").await);
    let first = begins(&bed, &ann, "r0").await;
    let started = bed.store().open_runs(None, 1).await.unwrap();
    assert_eq!((started.runs[0].turn, started.runs[0].left_ms <= LONG_MS), (0, true));
    let Stepped::Held = bed.store().step(&first.lease(&bed.started(&first).await), LONG_MS, &[]).await.unwrap() else { panic!("not held") };
    bed.started(&Ask::new(&bob, "r1").lease_ms(SHORT_MS).owner("B#1")).await;
    let given = begins(&bed, &cleo, "r2").await;
    let lease = given.lease(&bed.started(&given).await);
    assert!(bed.store().hand_over(&lease, LONG_MS).await.unwrap());
    bed.store().cancel(ann.caller(), "r0").await.unwrap();
    bed.pass(SHORT_MS + 20).await;
    let mut found = open(&bed).await;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let expected = [
        ("ann", "r0", OpenState::Stopping, Some("A")),
        ("bob", "r1", OpenState::Orphaned, Some("B")),
        ("cleo", "r2", OpenState::Orphaned, None),
    ];
    assert_eq!(found, expected.map(|(user, run, state, holder)| (user.to_owned(), run.to_owned(), state, holder.map(str::to_owned))));
}

async fn a_run_that_only_waits_is_not_open(bed: Bed) {
    let ann = bed.user("ann").await;
    let first = begins(&bed, &ann, "r1").await;
    let waits = Ask::new(&ann, "r2").on_busy(swagger_api_agent::domain::turn::OnBusy::Enqueue);
    bed.begin(&waits).await;
    assert_eq!(open(&bed).await.len(), 1);
    bed.commit(&first.lease(&bed.started(&first).await), &[turn("one")]).await;
    assert_eq!(open(&bed).await, []);
    assert_eq!(bed.store().user_of_open_run("r2").await, Ok(None));
    bed.taken(&ann, "A#2", LONG_MS).await;
    assert_eq!(open(&bed).await[0].1, "r2");
}

async fn a_run_is_found_by_its_id_alone_and_stopped(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let other = bob.within(&new_session_id(Slot::other(7)));
    let store = bed.store();
    begins(&bed, &ann, "r1").await;
    store
        .open_session(
            bob.caller(),
            swagger_api_agent::store::contract::sessions::NewSession {
                id: other.session.as_ref().unwrap(),
                label: &swagger_api_agent::domain::session::Label::default(),
                turns: &[],
                most: 5,
            },
        )
        .await
        .unwrap();
    let ask = begins(&bed, &other, "r2").await;
    let of_other = Slot::other(7).run_id("r2");
    assert_eq!(store.user_of_open_run("r1").await, Ok(Some(name("ann"))));
    assert_eq!(store.user_of_open_run(&of_other).await, Ok(Some(name("bob"))));
    assert_eq!(store.user_of_open_run("r2").await, Ok(None), "an id of the main session's slot");
    assert_eq!(store.stop_run(&name("ann"), &of_other).await, Ok(Told::NotRunning));
    for _ in 0..2 {
        assert!(matches!(store.stop_run(&name("bob"), &of_other).await, Ok(Told::Stopping { left_ms: 1..=LONG_MS })));
    }
    let lease = ask.lease(&bed.started(&ask).await);
    assert_eq!(store.step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Administrator)));
    bed.commit(&lease, &[]).await;
    assert_eq!(store.stop_run(&name("bob"), &of_other).await, Ok(Told::NotRunning));
}

async fn ends_unknown(bed: &Bed, token: &Token, run: &str) {
    let ask = begins(bed, token, run).await;
    let tally = Tally { calls: 1, unknown: "createUser,payOrder", ..Tally::default() };
    let commit = Commit { ending: Ending::UnknownOutcome, tally, ..leaving(&[], None) };
    bed.store().commit(&ask.lease(&bed.started(&ask).await), commit).await.unwrap();
}

async fn the_newest_unknown_outcomes_are_kept_until_their_user_goes(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("b:b").await);
    ends_unknown(&bed, &ann, "r1").await;
    bed.pass(2).await;
    ends_unknown(&bed, &bob, "r2").await;
    let found = bed.store().unknown_outcomes().await.unwrap();
    assert_eq!(found.iter().map(|one| (one.user.as_str(), one.run.as_str())).collect::<Vec<_>>(), [("b:b", "r2"), ("ann", "r1")]);
    assert_eq!(found[0].functions, ["createUser", "payOrder"]);
    assert!(found[0].ended_ms > found[1].ended_ms && found[0].ended_ms <= bed.now().await, "{found:?}");
    assert!(bed.store().remove_account(&name("ann")).await.unwrap());
    assert_eq!(bed.store().unknown_outcomes().await.unwrap().len(), 1, "ann's went with her");
    if let Ground::Redis(_) | Ground::Cluster(_) = &bed.ground {
        for n in 0..UNKNOWN_OUTCOMES_PER_BUCKET + 5 {
            ends_unknown(&bed, &bob, &format!("s{n}")).await;
        }
        assert_eq!(bed.store().unknown_outcomes().await.unwrap().len(), UNKNOWN_OUTCOMES_PER_BUCKET);
    }
}

async fn what_runs_come_to_is_counted_once(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    let ask = begins(&bed, &ann, "r1").await;
    let (lease, turns) = (ask.lease(&bed.started(&ask).await), [turn("one")]);
    let tally = Tally { calls: 3, prompt_tokens: 40, completion_tokens: 2, ..Tally::default() };
    for _ in 0..2 {
        // The answer to the first one is lost.
        bed.store().commit(&lease, Commit { tally, ..leaving(&turns, None) }).await.unwrap();
    }
    let ask = begins(&bed, &bob, "r2").await;
    let lease = ask.lease(&bed.started(&ask).await);
    bed.store().commit(&lease, Commit { detail: "call", ending: Ending::Failed, ..leaving(&[], None) }).await.unwrap();
    begins(&bed, &bob, "r3").await;
    assert_eq!(bed.store().kill(&name("bob"), None).await, Ok(1));
    let hours = bed.store().counted().await.unwrap();
    assert_eq!(hours.len(), STATS_HOURS);
    assert!(hours.windows(2).all(|two| two[1].began_ms == two[0].began_ms + HOUR_MS));
    let mut sum = hours[STATS_HOURS - 1].clone();
    sum.plus(&hours[STATS_HOURS - 2]);
    assert_eq!((sum.turns, sum.direct_calls), ([1, 0, 0, 0, 1], [0, 0, 1, 0, 0]));
    assert_eq!((sum.calls, sum.prompt_tokens, sum.completion_tokens), (3, 40, 2));
    if let Ground::Embedded { .. } = &bed.ground {
        bed.pass(HOUR_MS).await;
        bed.takes_turn(&ann, "later").await;
        let hours = bed.store().counted().await.unwrap();
        assert_eq!((hours[STATS_HOURS - 2].turns[0], hours[STATS_HOURS - 1].turns[0]), (1, 1));
        bed.pass(STATS_HOURS as u64 * HOUR_MS).await;
        assert_eq!(bed.store().counted().await.unwrap().iter().map(|hour| hour.turns[0]).sum::<u64>(), 0);
    }
}

/// What is told since, as `user what`.
async fn told(bed: &Bed, seen: &mut Seen) -> Vec<String> {
    let changes = bed.store().changes(seen).await.unwrap();
    *seen = changes.seen;
    changes.changes.iter().map(|change| format!("{} {}", change.user, change.what.as_str())).collect()
}

async fn what_begins_and_ends_is_told_once_while_somebody_watches(bed: Bed) {
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    bed.takes_turn(&ann, "before").await;
    bed.pass(5).await;
    let mut seen = Seen::until(bed.store().watch().await.unwrap());
    bed.pass(5).await;
    let started = bed.now().await;
    assert_eq!(told(&bed, &mut seen).await, [] as [&str; 0]);
    bed.takes_turn(&admin, "one").await;
    assert_eq!(told(&bed, &mut seen).await, ["root session_begun", "root turn_begun", "root turn_ended"]);
    assert_eq!(told(&bed, &mut seen).await, [] as [&str; 0]);
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS + 20).await;
    bed.taken(&ann, "B#1", LONG_MS).await;
    bed.store().kill(&name("ann"), None).await.unwrap();
    let changes = bed.store().changes(&seen).await.unwrap();
    let [begun, taken, ended, over] = changes.changes.as_slice() else { panic!("{changes:#?}") };
    assert_eq!(begun.what, What::TurnBegun { run: "r1".into(), holder: Some("A".into()) });
    assert_eq!(taken.what, What::TurnTaken { run: "r1".into(), holder: Some("B".into()) });
    assert_eq!(ended.what, What::TurnEnded { run: "r1".into(), ending: Ending::Killed, detail: "administrator".into() });
    assert_eq!(over.what, What::SessionEnded { why: "administrator".into() });
    assert!(changes.changes.iter().all(|change| change.session == begun.session && change.at_ms >= started && change.at_ms <= over.at_ms));
    assert!(changes.complete_ms + 1 >= over.at_ms, "{changes:?}");
    // Whoever comes later, and has seen all until then, is told the same.
    bed.pass(2).await;
    let again = bed.store().changes(&Seen::until(started.saturating_sub(1))).await.unwrap();
    assert_eq!(again.changes.len(), 7, "{again:#?}");
}

async fn a_session_that_nobody_uses_is_told_to_have_ended_when_the_index_is_cleaned(bed: Bed) {
    let bed = bed.lasting(150, 6_000_000);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let mut seen = Seen::until(bed.store().watch().await.unwrap());
    bed.pass(250).await;
    bed.store().sweep().await.unwrap();
    let changes = bed.store().changes(&seen).await.unwrap();
    let ends: Vec<_> = changes.changes.iter().filter(|change| change.what == What::SessionEnded { why: "expired".into() }).collect();
    assert_eq!(ends.len(), 1, "{changes:#?}");
    seen = changes.seen;
    assert_eq!(told(&bed, &mut seen).await, [] as [&str; 0]);
}

async fn a_replica_counts_until_it_goes(bed: Bed) {
    let replica =
        |id: &str, turns| Replica { id: id.into(), version: "1".into(), address: "127.0.0.1:1".into(), turns, ..Replica::default() };
    assert_eq!(bed.store().replicas().await, Ok(vec![]));
    for (id, turns) in [("web-2", 0), ("web-1", 1), ("web-1", 2)] {
        bed.store().beat(&replica(id, turns)).await.unwrap();
    }
    let alive = bed.store().replicas().await.unwrap();
    assert_eq!(alive.iter().map(|alive| alive.replica.clone()).collect::<Vec<_>>(), [replica("web-1", 2), replica("web-2", 0)]);
    assert!(alive.iter().all(|one| one.seen_ms.abs_diff(alive[0].seen_ms) < 1000));
    bed.store().replica_goes("web-1").await.unwrap();
    bed.store().replica_goes("nobody").await.unwrap();
    assert_eq!(bed.store().replicas().await.unwrap().len(), 1);
    if let Ground::Embedded { .. } = &bed.ground {
        bed.pass(REPLICA_LASTS_MS).await;
        assert_eq!(bed.store().replicas().await.unwrap().len(), 1);
        bed.pass(1).await;
        assert_eq!(bed.store().replicas().await, Ok(vec![]), "nothing was heard of it for too long");
    }
}

async fn sessions_are_filtered_without_gap_or_repetition(bed: Bed) {
    let mut tokens = Vec::new();
    for n in 0..30 {
        tokens.push(bed.user(&format!("{}{n:02}", if n % 3 == 0 { "ann" } else { "bob" })).await);
    }
    for (n, token) in tokens.iter().enumerate() {
        bed.takes_turn(token, "one").await;
        if n % 5 == 0 {
            begins(&bed, token, "r1").await;
        }
    }
    let wanted = |user: Option<&str>, state| SessionFilter { user: user.map(str::to_owned), state };
    let is = |n: usize, user: Option<&str>, state: Option<SessionState>| {
        user.is_none_or(|user| n.is_multiple_of(3) == (user == "ann"))
            && state.is_none_or(|state| n.is_multiple_of(5) == (state == SessionState::Running))
    };
    for user in [None, Some("ann"), Some("bob")] {
        for state in [None, Some(SessionState::Running), Some(SessionState::Idle)] {
            let expected: BTreeSet<String> = (0..30).filter(|n| is(*n, user, state)).map(|n| tokens[n].user.to_string()).collect();
            for limit in [1, 4, 30] {
                let (mut seen, mut after) = (Vec::new(), None::<Cursor>);
                for _ in 0..60 {
                    let page = bed.store().listed(&wanted(user, state), after.as_ref(), limit).await.unwrap();
                    assert!(page.sessions.len() <= limit && page.stats.total == 30);
                    seen.extend(page.sessions.iter().map(|listed| (listed.last_active_ms, listed.user.to_string())));
                    after = page.next;
                    if after.is_none() {
                        break;
                    }
                }
                assert_eq!(after, None);
                assert!(seen.windows(2).all(|two| two[0].0 >= two[1].0), "newest first: {seen:?}");
                let names: Vec<String> = seen.into_iter().map(|(_, user)| user).collect();
                assert_eq!(
                    (names.len(), names.into_iter().collect::<BTreeSet<_>>()),
                    (expected.len(), expected.clone()),
                    "{user:?} {state:?} {limit}"
                );
            }
        }
    }
}

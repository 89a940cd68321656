//! Logins that refresh tokens keep going: exchanged once, given again to whoever lost the answer, ended for whoever else comes.

use swagger_api_agent::{
    domain::{
        limits::{REFRESH_FAMILIES_PER_USER_MAX, REFRESH_GRACE_MS, REVOKED_IDS_PER_USER_MAX},
        rate::Rate,
        turn::{Ending, OnBusy, Stop},
        user::Role,
    },
    store::contract::{
        AccountChange, AdminAnswer, Begun, Caller, Entered, Looked, Refused, Stepped, Tail, Taken,
        logins::{LoggedOut, Login, Logout, Opened, Rotated, Rotation, StoppedRuns},
    },
};

use super::{
    bed::{Ask, Bed, Ground, LONG_MS, SHORT_MS, Token, at_once, turn},
    on_both_stores,
};

on_both_stores!(
    a_refresh_token_is_exchanged_once_and_its_successor_after_it,
    a_lost_answer_is_given_again_as_long_as_nobody_used_it,
    a_used_token_ends_its_family_and_no_other,
    of_many_that_exchange_one_token_at_once_all_get_the_same_successor,
    a_family_ends_when_it_is_not_used,
    what_voids_tokens_ends_families,
    nobody_else_rotates_a_family,
    a_rotation_counts_for_the_rate,
    the_family_that_was_used_longest_ago_makes_room,
    a_logout_shuts_out_its_token_and_its_family_alone,
    a_token_without_a_family_is_revoked_by_its_id,
    a_logout_everywhere_shuts_everything_out,
    a_logout_is_not_kept_out_by_the_rate,
    a_logout_stops_what_runs_and_what_waits,
    a_logout_may_leave_running_what_runs,
    a_dead_run_of_somebody_who_left_is_not_gone_on_with,
    a_revoked_token_is_forgotten_when_it_would_have_expired,
    too_many_revoked_tokens_void_them_all,
    revocations_survive_a_restart,
    an_administrator_sees_where_logins_are_kept,
);

const FAMILY: &str = "00000000000000000000000000000001";
const OTHER: &str = "00000000000000000000000000000002";
/// How long access tokens live, and so how long what is revoked is remembered.
const ACCESS_MS: u64 = 60_000;

/// As long, in a test that awaits the end of it.
const FORGOTTEN_MS: u64 = 1000;

/// Opens a family with a token of this digest.
pub(super) async fn opened(bed: &Bed, who: &Token, family: &str, token: &str) {
    let login = Login { user: &who.user, born_ms: who.issued_ms, family, token, lasts_ms: LONG_MS };
    assert_eq!(bed.store().log_in(login).await, Ok(Opened::Done));
}

pub(super) async fn rotated(bed: &Bed, who: &Token, family: &str, presented: &str, successor: &str) -> Rotated {
    let sealed = format!("{successor} for {presented}");
    let user = &who.user;
    let rotation = Rotation { user, family, presented, successor, sealed: &sealed, lasts_ms: LONG_MS, access_ms: ACCESS_MS };
    bed.store().rotate(rotation).await.expect("the store answers")
}

/// A logout with the token of this id; if that has a `-`, its family stands before it.
pub(super) async fn left(bed: &Bed, who: &Token, token_id: &str, everything: bool) -> LoggedOut {
    left_for(bed, who, token_id, everything, true, ACCESS_MS).await
}

async fn left_for(bed: &Bed, who: &Token, token_id: &str, everything: bool, stops_runs: bool, access_ms: u64) -> LoggedOut {
    let family = token_id.split_once('-').map(|(family, _)| family);
    let token_until_ms = who.issued_ms + access_ms;
    let logout = Logout { caller: with_id(who, token_id), token_until_ms, family, access_ms, everything, stops_runs };
    bed.store().log_out(logout).await.expect("the store answers")
}

fn with_id<'a>(who: &'a Token, token_id: &'a str) -> Caller<'a> {
    Caller { token_id, ..who.caller() }
}

async fn comes_in(bed: &Bed, who: &Token, token_id: &str) -> bool {
    match bed.store().enter(with_id(who, token_id), Tail::Nothing).await.expect("the store answers") {
        Entered::In(_) => true,
        Entered::Refused(refused) => {
            assert_eq!(refused, Refused::Revoked);
            false
        }
    }
}

fn is_done(rotated: &Rotated) -> bool {
    matches!(rotated, Rotated::Done { role: Role::User, .. })
}

async fn a_refresh_token_is_exchanged_once_and_its_successor_after_it(bed: Bed) {
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    for n in 0..5 {
        let before = bed.now().await;
        match rotated(&bed, &ann, FAMILY, &format!("a{n}"), &format!("a{}", n + 1)).await {
            Rotated::Done { role: Role::User, now_ms } => assert!((before..=bed.now().await).contains(&now_ms)),
            other => panic!("{other:?}"),
        }
    }
}

async fn a_lost_answer_is_given_again_as_long_as_nobody_used_it(bed: Bed) {
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a0", "a1").await));
    for other in ["b1", "c1"] {
        match rotated(&bed, &ann, FAMILY, "a0", other).await {
            Rotated::Again { role: Role::User, sealed, .. } => assert_eq!(sealed, "a1 for a0", "the same successor"),
            told => panic!("{told:?}"),
        }
    }
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a1", "a2").await), "and that one is good");
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "d1").await, Rotated::Used, "its successor was used: it was no lost answer");
    assert_eq!(rotated(&bed, &ann, FAMILY, "a2", "a3").await, Rotated::Unknown);
}

async fn a_used_token_ends_its_family_and_no_other(bed: Bed) {
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    opened(&bed, &ann, OTHER, "b0").await;
    let (of_family, of_other) = (format!("{FAMILY}-1"), format!("{OTHER}-1"));
    for n in 0..3 {
        assert!(is_done(&rotated(&bed, &ann, FAMILY, &format!("a{n}"), &format!("a{}", n + 1)).await));
    }
    assert!(comes_in(&bed, &ann, &of_family).await);
    // However long ago it was used.
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "e1").await, Rotated::Used);
    assert_eq!(rotated(&bed, &ann, FAMILY, "a3", "a4").await, Rotated::Unknown, "the good one is not good any more");
    assert!(!comes_in(&bed, &ann, &of_family).await, "nor are access tokens that came from the family");
    assert!(comes_in(&bed, &ann, &of_other).await && comes_in(&bed, &ann, "jti").await);
    assert!(is_done(&rotated(&bed, &ann, OTHER, "b0", "b1").await));
}

async fn of_many_that_exchange_one_token_at_once_all_get_the_same_successor(bed: Bed) {
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    let (stores, who) = ([bed.store().clone(), bed.another()], ann.clone());
    let told = at_once(8, move |i| {
        let (store, who) = (stores[i % 2].clone(), who.clone());
        async move {
            let (successor, sealed) = (format!("a{}", i + 1), format!("sealed {i}"));
            let (user, family, presented) = (&who.user, FAMILY, "a0");
            let rotation =
                Rotation { user, family, presented, successor: &successor, sealed: &sealed, lasts_ms: LONG_MS, access_ms: ACCESS_MS };
            (sealed.clone(), store.rotate(rotation).await.unwrap())
        }
    })
    .await;
    let first: Vec<&String> = told.iter().filter(|(_, told)| is_done(told)).map(|(sealed, _)| sealed).collect();
    assert_eq!(first.len(), 1, "{told:?}");
    for (_, told) in &told {
        assert!(is_done(told) || matches!(told, Rotated::Again { sealed, .. } if sealed == first[0]), "{told:?}");
    }
}

async fn a_family_ends_when_it_is_not_used(bed: Bed) {
    let ann = bed.user("ann").await;
    let login = Login { user: &ann.user, born_ms: ann.issued_ms, family: FAMILY, token: "a0", lasts_ms: SHORT_MS };
    bed.store().log_in(login).await.unwrap();
    opened(&bed, &ann, OTHER, "b0").await;
    bed.pass(SHORT_MS + 1).await;
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a1").await, Rotated::Unknown);
    assert!(is_done(&rotated(&bed, &ann, OTHER, "b0", "b1").await));
}

async fn what_voids_tokens_ends_families(bed: Bed) {
    for change in [AccountChange::Password("new"), AccountChange::Disabled(true)] {
        let ann = bed.user("ann").await;
        opened(&bed, &ann, FAMILY, "a0").await;
        bed.pass(2).await;
        bed.store().change_account(&ann.user, change).await.unwrap();
        assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a1").await, Rotated::Refused(Refused::Revoked), "{change:?}");
        bed.store().change_account(&ann.user, AccountChange::Disabled(false)).await.unwrap();
        assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a1").await, Rotated::Unknown, "and does not come back");
        let login = Login { user: &ann.user, born_ms: ann.issued_ms, family: FAMILY, token: "a0", lasts_ms: LONG_MS };
        assert_eq!(bed.store().log_in(login).await, Ok(Opened::Revoked), "the password was checked before");
        bed.pass(2).await;
        opened(&bed, &bed.token("ann").await, OTHER, "b0").await;
    }
}

async fn nobody_else_rotates_a_family(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    opened(&bed, &ann, FAMILY, "a0").await;
    assert_eq!(rotated(&bed, &bob, FAMILY, "a0", "b1").await, Rotated::Unknown);
    assert_eq!(rotated(&bed, &ann, OTHER, "a0", "b1").await, Rotated::Unknown);
    let nobody = Token { user: super::bed::name("nobody"), ..ann.clone() };
    assert_eq!(rotated(&bed, &nobody, FAMILY, "a0", "b1").await, Rotated::Unknown);
    let login = Login { user: &nobody.user, born_ms: nobody.issued_ms, family: FAMILY, token: "a0", lasts_ms: LONG_MS };
    assert_eq!(bed.store().log_in(login).await, Ok(Opened::Revoked));
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a0", "a1").await), "and nobody's guess ends it");
}

async fn a_rotation_counts_for_the_rate(bed: Bed) {
    let bed = bed.rated(2, 100);
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a0", "a1").await));
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a1", "a2").await));
    let limited = rotated(&bed, &ann, FAMILY, "a2", "a3").await;
    assert!(matches!(limited, Rotated::Refused(Refused::Limited { rate: Rate::Requests, retry_after_ms: 1..=30_000 })), "{limited:?}");
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "x").await, Rotated::Used, "theft is noticed at any rate");
}

async fn the_family_that_was_used_longest_ago_makes_room(bed: Bed) {
    let ann = bed.user("ann").await;
    let name = |n: usize| format!("{n:032x}");
    for n in 0..REFRESH_FAMILIES_PER_USER_MAX {
        opened(&bed, &ann, &name(n), "a0").await;
        bed.pass(2).await;
    }
    assert!(is_done(&rotated(&bed, &ann, &name(0), "a0", "a1").await));
    opened(&bed, &ann, &name(1000), "a0").await;
    assert_eq!(rotated(&bed, &ann, &name(1), "a0", "a1").await, Rotated::Unknown);
    for n in [0, 2, 1000] {
        let presented = if n == 0 { "a1" } else { "a0" };
        assert!(is_done(&rotated(&bed, &ann, &name(n), presented, "a2").await), "{n}");
    }
}

async fn a_logout_shuts_out_its_token_and_its_family_alone(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    opened(&bed, &ann, FAMILY, "a0").await;
    opened(&bed, &ann, OTHER, "b0").await;
    let (own, earlier, other) = (format!("{FAMILY}-2"), format!("{FAMILY}-1"), format!("{OTHER}-1"));
    assert!(comes_in(&bed, &ann, &own).await && comes_in(&bed, &ann, &earlier).await);
    assert_eq!(left(&bed, &ann, &own, false).await, LoggedOut::Done(StoppedRuns::default()));
    assert!(!comes_in(&bed, &ann, &own).await && !comes_in(&bed, &ann, &earlier).await);
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a1").await, Rotated::Unknown);
    assert_eq!(left(&bed, &ann, &own, false).await, LoggedOut::Refused(Refused::Revoked), "one leaves once");
    assert!(comes_in(&bed, &ann, &other).await && comes_in(&bed, &bob, &own).await, "others are not concerned");
    assert!(is_done(&rotated(&bed, &ann, OTHER, "b0", "b1").await));
    let store = bed.another();
    let elsewhere = store.enter(with_id(&ann, &own), Tail::Nothing).await;
    assert_eq!(elsewhere, Ok(Entered::Refused(Refused::Revoked)), "at the very next request of any replica");
}

async fn a_token_without_a_family_is_revoked_by_its_id(bed: Bed) {
    let ann = bed.user("ann").await;
    assert!(matches!(left(&bed, &ann, "one", false).await, LoggedOut::Done(_)));
    assert!(!comes_in(&bed, &ann, "one").await && comes_in(&bed, &ann, "two").await);
    // Every verb of a caller, not only a visit.
    let gone = with_id(&ann, "one");
    assert_eq!(bed.store().look(gone, "r", false).await, Ok(Looked::Refused(Refused::Revoked)));
    assert_eq!(bed.store().look(gone, "r", true).await, Ok(Looked::Refused(Refused::Revoked)));
    assert_eq!(
        bed.store().administrator(gone, swagger_api_agent::domain::scope::Scope::UsersRead).await,
        Ok(AdminAnswer::Refused(Refused::Revoked))
    );
    let ask = Ask::new(&ann, "r");
    let begin = swagger_api_agent::store::contract::Begin { caller: gone, ..ask.begin() };
    assert_eq!(bed.store().begin(begin).await, Ok(Begun::Refused(Refused::Revoked)));
}

async fn a_logout_everywhere_shuts_everything_out(bed: Bed) {
    let (ann, bob) = (bed.user("ann").await, bed.user("bob").await);
    opened(&bed, &ann, FAMILY, "a0").await;
    opened(&bed, &ann, OTHER, "b0").await;
    opened(&bed, &bob, FAMILY, "c0").await;
    assert!(matches!(left(&bed, &ann, "jti", true).await, LoggedOut::Done(_)));
    for id in ["jti", "another", &format!("{OTHER}-1")] {
        assert!(!comes_in(&bed, &ann, id).await, "{id}");
    }
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a1").await, Rotated::Unknown);
    assert_eq!(rotated(&bed, &ann, OTHER, "b0", "b1").await, Rotated::Unknown);
    assert!(comes_in(&bed, &bob, "jti").await && is_done(&rotated(&bed, &bob, FAMILY, "c0", "c1").await));
    bed.pass(2).await;
    assert!(comes_in(&bed, &bed.token("ann").await, "jti").await, "a new login");
}

async fn a_logout_is_not_kept_out_by_the_rate(bed: Bed) {
    let bed = bed.rated(1, 100);
    let ann = bed.user("ann").await;
    assert!(comes_in(&bed, &ann, "jti").await);
    assert!(matches!(bed.store().enter(ann.caller(), Tail::Nothing).await, Ok(Entered::Refused(Refused::Limited { .. }))));
    assert!(matches!(left(&bed, &ann, "jti", false).await, LoggedOut::Done(_)));
    assert!(!comes_in(&bed, &ann, "jti").await);
}

async fn a_logout_stops_what_runs_and_what_waits(bed: Bed) {
    for (name, everything) in [("ann", false), ("bob", true)] {
        let ann = bed.user(name).await;
        let ask = Ask::new(&ann, "r1");
        let lease = ask.lease(&bed.started(&ask).await);
        for run in ["r2", "r3"] {
            assert!(matches!(bed.begin(&Ask::new(&ann, run).on_busy(OnBusy::Enqueue)).await, Begun::Queued { .. }));
        }
        let LoggedOut::Done(stopped) = left(&bed, &ann, "jti", everything).await else { panic!("not let out") };
        assert_eq!((stopped.running.as_deref(), stopped.waited), (Some("r1"), 2));
        assert!((1..=LONG_MS).contains(&stopped.left_ms), "{stopped:?}");
        assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::StopWanted(Stop::Cancelled)));
        bed.commit(&lease, &[turn("one")]).await;
        bed.pass(2).await;
        let again = bed.token(name).await;
        for run in ["r2", "r3"] {
            let Ok(Looked::Ended { ended, .. }) = bed.store().look(with_id(&again, "new"), run, false).await else { panic!("{run}") };
            assert_eq!(ended.ending, Ending::Cancelled);
        }
    }
}

async fn a_logout_may_leave_running_what_runs(bed: Bed) {
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let told = left_for(&bed, &ann, "jti", false, false, ACCESS_MS).await;
    assert_eq!(told, LoggedOut::Done(StoppedRuns::default()));
    assert_eq!(bed.store().step(&lease, LONG_MS, &[]).await, Ok(Stepped::Held));
    assert!(!comes_in(&bed, &ann, "jti").await);
}

async fn a_dead_run_of_somebody_who_left_is_not_gone_on_with(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").lease_ms(SHORT_MS)).await;
    bed.pass(SHORT_MS + 1).await;
    let LoggedOut::Done(stopped) = left(&bed, &ann, "jti", false).await else { panic!("not let out") };
    assert_eq!((stopped.running.as_deref(), stopped.left_ms), (Some("r1"), 0), "somebody must look after it");
    let Taken::Run(taken) = bed.take(&ann, "B#1", LONG_MS).await else { panic!("nothing was taken") };
    assert_eq!(taken.stop, Some(Stop::Cancelled));
}

async fn a_revoked_token_is_forgotten_when_it_would_have_expired(bed: Bed) {
    let ann = bed.user("ann").await;
    left_for(&bed, &ann, &format!("{FAMILY}-1"), false, true, FORGOTTEN_MS).await;
    assert!(!comes_in(&bed, &ann, &format!("{FAMILY}-2")).await);
    bed.pass(FORGOTTEN_MS + 100).await;
    bed.store().sweep().await.unwrap();
    // Nothing is left that would know it: by its own end such a token is refused before the store is asked.
    assert!(comes_in(&bed, &ann, &format!("{FAMILY}-1")).await);
    if let Ground::Redis(server) = &bed.ground {
        assert_eq!(server.command::<Vec<String>>("KEYS", &["saa:*:rv:*"]), Vec::<String>::new());
        opened(&bed, &ann, OTHER, "a0").await;
        let flag: Option<String> = server.command("HGET", &[&server.key("u", "ann"), "rv"]);
        assert_eq!(flag, None, "and the gate does not look for it");
    }
}

async fn too_many_revoked_tokens_void_them_all(bed: Bed) {
    let ann = bed.user("ann").await;
    for n in 0..REVOKED_IDS_PER_USER_MAX {
        assert!(matches!(left(&bed, &ann, &format!("t{n}"), false).await, LoggedOut::Done(_)));
    }
    assert!(comes_in(&bed, &ann, "jti").await);
    left(&bed, &ann, "one more", false).await;
    assert!(!comes_in(&bed, &ann, "jti").await, "none of them comes in again, and neither does anything else of that time");
    bed.pass(2).await;
    assert!(comes_in(&bed, &bed.token("ann").await, "jti").await);
}

async fn revocations_survive_a_restart(mut bed: Bed) {
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    opened(&bed, &ann, OTHER, "b0").await;
    left(&bed, &ann, &format!("{FAMILY}-1"), false).await;
    assert!(is_done(&rotated(&bed, &ann, OTHER, "b0", "b1").await));
    bed.restart();
    assert!(!comes_in(&bed, &ann, &format!("{FAMILY}-1")).await);
    assert!(matches!(rotated(&bed, &ann, OTHER, "b0", "b2").await, Rotated::Again { sealed, .. } if sealed == "b1 for b0"));
    assert!(is_done(&rotated(&bed, &ann, OTHER, "b1", "b2").await));
}

async fn an_administrator_sees_where_logins_are_kept(bed: Bed) {
    let (root, ann) = (bed.admin("root").await, bed.user("ann").await);
    opened(&bed, &ann, FAMILY, "a0").await;
    left(&bed, &ann, "one", false).await;
    let Ok(AdminAnswer::Granted(keys)) = bed.store().keys(root.caller(), &ann.user).await else { panic!("not granted") };
    assert_eq!(keys.len(), 2, "{keys:?}");
    for key in keys {
        assert!(key.bytes > 0 && key.ttl_ms.is_some_and(|ttl| (1..=LONG_MS.max(ACCESS_MS)).contains(&ttl)), "{key:?}");
    }
}

/// The grace is long for clients and short for tests: only the file's clock can be moved past it.
#[tokio::test]
async fn after_a_while_a_lost_answer_is_not_given_again() {
    let bed = Bed::embedded().await;
    let ann = bed.user("ann").await;
    opened(&bed, &ann, FAMILY, "a0").await;
    assert!(is_done(&rotated(&bed, &ann, FAMILY, "a0", "a1").await));
    bed.pass(REFRESH_GRACE_MS).await;
    assert!(matches!(rotated(&bed, &ann, FAMILY, "a0", "a2").await, Rotated::Again { .. }));
    bed.pass(1).await;
    assert_eq!(rotated(&bed, &ann, FAMILY, "a0", "a2").await, Rotated::Used);
    assert_eq!(rotated(&bed, &ann, FAMILY, "a1", "a2").await, Rotated::Unknown);
}

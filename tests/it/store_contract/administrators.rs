//! What administrators see: exact counts, listings in order, keys; and that nobody else sees it.

use swagger_api_agent::{
    domain::{rate::Rate, scope::Scope},
    store::contract::{AccountChange, AdminAnswer, Cursor, Entry, Refused, SessionsPage},
};

use super::{
    bed::{Ask, Bed, LONG_MS, Token, name},
    on_both_stores,
};

on_both_stores!(
    counts_are_exact_without_any_cleaning,
    a_session_that_ended_is_counted_once_when_its_user_comes_again,
    a_sweep_takes_ended_sessions_out_and_says_how_many,
    a_sweep_leaves_living_sessions_alone,
    sweeps_side_by_side_count_each_session_once,
    sessions_are_listed_with_the_newest_activity_first,
    pages_join_without_gap_or_repetition,
    users_of_one_bucket_are_all_listed_in_the_smallest_pages,
    a_page_says_what_is_known_of_a_session,
    a_reset_session_is_listed_once_under_its_new_id,
    only_administrators_ask,
    keys_tell_where_a_session_is_kept,
    a_long_run_keeps_its_session_counted,
);

async fn page(bed: &Bed, admin: &Token, cursor: Option<&Cursor>, limit: usize) -> SessionsPage {
    match bed.store().sessions(admin.caller(), cursor, limit).await {
        Ok(AdminAnswer::Granted(page)) => page,
        other => panic!("{other:?}"),
    }
}

async fn counts(bed: &Bed) -> (u64, u64) {
    let stats = bed.store().stats().await.unwrap();
    (stats.total, stats.active)
}

async fn counts_are_exact_without_any_cleaning(bed: Bed) {
    assert_eq!(counts(&bed).await, (0, 0));
    let bed = bed.lasting(200, 6_000_000);
    for i in 0..10 {
        let user = bed.user(&format!("user{i}")).await;
        bed.takes_turn(&user, "one").await;
        bed.takes_turn(&user, "two").await;
    }
    assert_eq!(counts(&bed).await, (10, 10));
    bed.pass(250).await;
    assert_eq!(counts(&bed).await, (10, 0), "ended and not cleaned away yet");
}

async fn a_session_that_ended_is_counted_once_when_its_user_comes_again(bed: Bed) {
    let bed = bed.lasting(100, 6_000_000);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    bed.pass(150).await;
    assert_eq!(counts(&bed).await, (1, 0));
    bed.takes_turn(&ann, "two").await;
    assert_eq!(counts(&bed).await.0, 1);
}

async fn a_sweep_takes_ended_sessions_out_and_says_how_many(bed: Bed) {
    let bed = bed.lasting(150, 6_000_000);
    let admin = bed.admin("root").await;
    for i in 0..10 {
        let user = bed.user(&format!("user{i}")).await;
        bed.takes_turn(&user, "one").await;
    }
    assert_eq!(bed.store().stats().await.unwrap().last_cleanup_ms, 0);
    bed.pass(250).await;
    let before = counts(&bed).await.0;
    assert_eq!(bed.store().cleanup(admin.caller()).await, Ok(AdminAnswer::Granted(before)));
    assert_eq!(counts(&bed).await, (0, 0));
    assert_eq!(bed.store().sweep().await, Ok(0));
    let stats = bed.store().stats().await.unwrap();
    assert!(stats.last_cleanup_ms > 0 && stats.last_cleanup_ms <= bed.now().await);
}

async fn a_sweep_leaves_living_sessions_alone(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    bed.started(&ask).await;
    assert_eq!(bed.store().sweep().await, Ok(0));
    assert_eq!(bed.said(&ann).await, ["one"]);
    assert_eq!(counts(&bed).await, (1, 1));
}

/// Scenario 18: many clean at once while sessions begin.
async fn sweeps_side_by_side_count_each_session_once(bed: Bed) {
    let short = bed.lasting(400, 6_000_000);
    for i in 0..40 {
        short.takes_turn(&short.user(&format!("old{i}")).await, "one").await;
    }
    short.pass(500).await;
    let before = counts(&short).await;
    let bed = short.lasting(600_000, 6_000_000);
    let begins = async {
        for i in 0..10 {
            bed.takes_turn(&bed.user(&format!("new{i}")).await, "one").await;
        }
    };
    let sweep = || bed.store().sweep();
    let (a, b, c, ()) = tokio::join!(sweep(), sweep(), sweep(), begins);
    let swept = a.unwrap() + b.unwrap() + c.unwrap();
    assert!(before.0 > 0 && swept == before.0, "each once: {swept} of {before:?}");
    assert_eq!(counts(&bed).await, (10, 10), "no living session is gone");
}

async fn many(bed: &Bed, n: usize) -> Vec<String> {
    let mut names = Vec::new();
    for i in 0..n {
        let user = format!("user{i:02}");
        bed.takes_turn(&bed.user(&user).await, "one").await;
        bed.pass(2).await;
        names.push(user);
    }
    names.reverse();
    names
}

fn users(page: &SessionsPage) -> Vec<String> {
    page.sessions.iter().map(|s| s.user.as_str().to_owned()).collect()
}

async fn sessions_are_listed_with_the_newest_activity_first(bed: Bed) {
    let admin = bed.admin("root").await;
    let newest_first = many(&bed, 25).await;
    let page = page(&bed, &admin, None, 100).await;
    assert_eq!(users(&page), newest_first);
    assert_eq!((page.next, page.stats.total, page.stats.active), (None, 25, 25));
}

async fn pages_join_without_gap_or_repetition(bed: Bed) {
    let admin = bed.admin("root").await;
    let newest_first = many(&bed, 25).await;
    for limit in [1, 4, 24, 25] {
        let (mut seen, mut cursor) = (Vec::new(), None);
        for _ in 0..30 {
            let page = page(&bed, &admin, cursor.as_ref(), limit).await;
            assert!(page.sessions.len() <= limit);
            seen.extend(users(&page));
            cursor = page.next;
            if cursor.is_none() {
                break;
            }
        }
        assert_eq!(seen, newest_first, "in pages of {limit}");
    }
    // All in one instant: only their members order them. (On Redis the instants differ, and that must not matter.)
    if let super::bed::Ground::Embedded { .. } = bed.ground {
        for user in &newest_first {
            bed.takes_turn(&bed.token(user).await, "again").await;
        }
        let first = page(&bed, &admin, None, 10).await;
        let second = page(&bed, &admin, first.next.as_ref(), 100).await;
        assert_eq!([users(&first), users(&second)].concat(), newest_first);
    }
}

/// Everybody who is listed, in pages of this size, as often as they are listed.
async fn listed_in_pages(bed: &Bed, admin: &Token, limit: usize, total: u64) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), None);
    loop {
        let page = page(bed, admin, cursor.as_ref(), limit).await;
        assert!(page.sessions.len() <= limit, "a page of {} with a limit of {limit}", page.sessions.len());
        assert_eq!((page.stats.total, page.stats.active), (total, total));
        seen.extend(users(&page));
        assert!(seen.len() as u64 <= total, "somebody is listed again: {seen:?}");
        cursor = page.next;
        if cursor.is_none() {
            return seen;
        }
    }
}

async fn users_of_one_bucket_are_all_listed_in_the_smallest_pages(bed: Bed) {
    let admin = bed.admin("root").await;
    let mut tokens = Vec::new();
    for user in ["p74", "p81", "p113", "p198", "p217"] {
        tokens.push(bed.user(user).await);
    }
    for token in &tokens {
        bed.takes_turn(token, "one").await;
    }
    if let super::bed::Ground::Redis(server) = &bed.ground {
        let keys = server.keys();
        let indices: Vec<&str> = keys.iter().map(|key| key.0.as_str()).filter(|key| key.ends_with(":la")).collect();
        assert_eq!(indices.len(), 1, "the check needs users of one bucket: {indices:?}");
    }
    let sorted = ["p113", "p198", "p217", "p74", "p81"];
    for limit in [1, 2, 3, 5, 6] {
        let mut seen = listed_in_pages(&bed, &admin, limit, 5).await;
        seen.sort();
        assert_eq!(seen, sorted, "in pages of {limit}");
    }
    // All of one instant: only their names tell them apart. On the file they already are.
    if let super::bed::Ground::Redis(server) = &bed.ground {
        let index = server.keys().into_iter().map(|key| key.0).find(|key| key.ends_with(":la")).expect("an index");
        let members: Vec<String> = server.command("ZRANGE", &[&index, "0", "-1"]);
        assert_eq!(members.len(), 5, "{members:?}");
        for member in &members {
            server.command::<()>("ZADD", &[&index, "1795340710000", member]);
        }
    }
    for limit in [1, 2, 3, 5, 6] {
        let mut seen = listed_in_pages(&bed, &admin, limit, 5).await;
        seen.sort();
        assert_eq!(seen, sorted, "of one instant, in pages of {limit}");
    }
    // Many more of them than a bucket is asked for at first, some at the same instants.
    if let super::bed::Ground::Redis(server) = &bed.ground {
        let tag = |key: &str| key[..key.rfind(':').unwrap()].to_owned();
        let bucket = server.keys().iter().map(|key| key.0.as_str()).find(|key| key.ends_with(":la")).map(tag).expect("an index");
        let mut sorted: Vec<String> = sorted.map(str::to_owned).to_vec();
        for n in 0..60 {
            let member = format!("of{n}:main");
            for (index, score) in [("la", 1_795_340_710_000_u64 + n / 7), ("x", 4_000_000_000_000)] {
                server.command::<()>("ZADD", &[&format!("{bucket}:{index}"), &score.to_string(), &member]);
            }
            server.command::<()>("HSET", &[&format!("{bucket}:sm"), &member, &format!("{n:032x}|1795340710000|3")]);
            sorted.push(format!("of{n}"));
        }
        sorted.sort();
        for limit in [1, 5, 30, 64, 65, 100] {
            let mut seen = listed_in_pages(&bed, &admin, limit, 65).await;
            seen.sort();
            assert_eq!(seen, sorted, "many of one bucket, in pages of {limit}");
        }
    }
}

async fn a_page_says_what_is_known_of_a_session(bed: Bed) {
    let admin = bed.admin("root").await;
    let ann = bed.user("张三:{x}").await;
    bed.takes_turn(&ann, "one").await;
    bed.takes_turn(&ann, "two").await;
    let page = page(&bed, &admin, None, 10).await;
    let session = bed.visit(&ann, swagger_api_agent::store::contract::Tail::Nothing).await.session;
    let listed = &page.sessions[0];
    assert_eq!((&listed.user, &listed.id, listed.turns), (&ann.user, &session.id, 2));
    assert_eq!((listed.created_ms, listed.last_active_ms), (session.created_ms, session.last_active_ms));
    assert_eq!(listed.expires_ms, session.last_active_ms + 600_000, "it ends when it has been idle for so long");
    assert!(page.now_ms >= session.last_active_ms);
}

async fn a_reset_session_is_listed_once_under_its_new_id(bed: Bed) {
    let admin = bed.admin("root").await;
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    bed.pass(2).await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    let id = bed.visit(&ann, swagger_api_agent::store::contract::Tail::Nothing).await.session.id;
    let page = page(&bed, &admin, None, 10).await;
    let listed: Vec<_> = page.sessions.iter().map(|s| (s.id.clone(), s.turns)).collect();
    assert_eq!((listed, page.stats.total), (vec![(id, 0)], 1));
}

async fn only_administrators_ask(bed: Bed) {
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    let nobody = Token { user: name("nobody"), ..ann.clone() };
    let store = bed.store();
    assert_eq!(store.sessions(ann.caller(), None, 10).await, Ok(AdminAnswer::NotAdmin));
    assert_eq!(store.keys(ann.caller(), &ann.user).await, Ok(AdminAnswer::NotAdmin));
    assert_eq!(store.cleanup(ann.caller()).await, Ok(AdminAnswer::NotAdmin));
    assert_eq!(store.administrator(ann.caller(), Scope::UsersRead).await, Ok(AdminAnswer::NotAdmin));
    assert_eq!(store.administrator(admin.caller(), Scope::UsersRead).await, Ok(AdminAnswer::Granted(())));
    bed.pass(2).await;
    store.change_account(&admin.user, AccountChange::Password("new")).await.unwrap();
    for refused in [&nobody, &admin] {
        assert_eq!(store.sessions(refused.caller(), None, 10).await, Ok(AdminAnswer::Refused(Refused::Revoked)));
        assert_eq!(store.keys(refused.caller(), &ann.user).await, Ok(AdminAnswer::Refused(Refused::Revoked)));
        assert_eq!(store.cleanup(refused.caller()).await, Ok(AdminAnswer::Refused(Refused::Revoked)));
        assert_eq!(store.administrator(refused.caller(), Scope::UsersRead).await, Ok(AdminAnswer::Refused(Refused::Revoked)));
    }
    let bed = bed.rated(1, 1);
    let admin = bed.token("root").await;
    assert!(matches!(bed.store().sessions(admin.caller(), None, 10).await, Ok(AdminAnswer::Granted(_))));
    assert!(matches!(
        bed.store().sessions(admin.caller(), None, 10).await,
        Ok(AdminAnswer::Refused(Refused::Limited { rate: Rate::Requests, retry_after_ms: 1..=60_000 }))
    ));
}

async fn keys_tell_where_a_session_is_kept(bed: Bed) {
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    let keys = async || match bed.store().keys(admin.caller(), &ann.user).await {
        Ok(AdminAnswer::Granted(keys)) => keys,
        other => panic!("{other:?}"),
    };
    assert_eq!(keys().await, []);
    bed.takes_turn(&ann, "one").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    let entries = [Entry { field: "c1i".into(), value: vec![0; 5000] }];
    bed.store().step(&lease, LONG_MS, &entries).await.unwrap();
    let found = keys().await;
    assert_eq!(found.len(), 4, "record, history, journal, ended runs: {found:?}");
    for (key, ttl_max) in found.iter().zip([600_000, 600_000, 600_000, 86_400_000]) {
        assert!(key.name.contains("ann"), "{key:?}");
        assert!(!key.kind.is_empty() && key.bytes > 0, "{key:?}");
        assert!(key.ttl_ms.is_some_and(|ttl| (ttl_max - 100_000..=ttl_max).contains(&ttl)), "{key:?}");
    }
    assert!(found[2].bytes >= 5000, "{found:?}");
    assert_eq!(keys().await.len(), 4);
    let Ok(AdminAnswer::Granted(none)) = bed.store().keys(admin.caller(), &name("nobody")).await else { panic!("not granted") };
    assert_eq!(none, []);
}

async fn a_long_run_keeps_its_session_counted(bed: Bed) {
    let bed = bed.lasting(200, 6_000_000);
    let ann = bed.user("ann").await;
    let ask = Ask::new(&ann, "r1");
    let lease = ask.lease(&bed.started(&ask).await);
    for _ in 0..3 {
        bed.pass(100).await;
        bed.store().step(&lease, LONG_MS, &[]).await.unwrap();
    }
    assert_eq!(counts(&bed).await, (1, 1), "steps put the session's end off, and the index must know");
    assert_eq!(bed.store().sweep().await, Ok(0));
}

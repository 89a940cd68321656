//! What only Redis can get wrong: round trips, keys that never die, forgotten scripts, a keyspace of a newer release.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use redis::Connection;
use swagger_api_agent::{
    domain::session::Turn,
    store::{
        contract::{
            Begun, Entry, StoreError, Tail,
            logins::{LoggedOut, Rotated},
        },
        migrate::{Keyspace, Migrated},
    },
};

use super::bed::{Ask, Bed, Ground, LONG_MS, leaving, turn};
use crate::harness::redis::{RedisServer, run};

fn server(bed: &Bed) -> &RedisServer {
    match &bed.ground {
        Ground::Redis(server) => server,
        Ground::Cluster(_) | Ground::Embedded { .. } | Ground::Elsewhere => panic!("this check is for redis"),
    }
}

/// Numbers of `INFO`, by name.
fn info(connection: &mut Connection, section: &str) -> BTreeMap<String, String> {
    let text: String = run(connection, "INFO", &[section]);
    text.lines().filter_map(|line| line.split_once(':')).map(|(k, v)| (k.to_owned(), v.trim().to_owned())).collect()
}

/// Calls and microseconds of `EVALSHA`, and how often Redis read from any socket.
fn work(connection: &mut Connection) -> (u64, f64, u64) {
    let reads = info(connection, "stats")["total_reads_processed"].parse().unwrap();
    let commands = info(connection, "commandstats");
    let of = |field: &str| {
        let stats = commands.get("cmdstat_evalsha")?;
        stats.split(',').find_map(|part| part.strip_prefix(&format!("{field}="))).map(str::to_owned)
    };
    let calls = of("calls").map_or(0, |n| n.parse().unwrap());
    (calls, of("usec").map_or(0.0, |n| n.parse().unwrap()), reads)
}

/// Runs `verb` `n` times; asserts that each was one script and one read of Redis's socket.
async fn costs_one_round_trip(bed: &Bed, what: &str, n: u64, mut verb: impl AsyncFnMut(u64)) {
    let mut watcher = server(bed).connection();
    let before = work(&mut watcher);
    for i in 0..n {
        verb(i).await;
    }
    let after = work(&mut watcher);
    // The watcher's own two reads fall between the two counts.
    assert_eq!((after.0 - before.0, after.2 - before.2 - 2), (n, n), "scripts and reads of {n} × {what}");
}

#[tokio::test]
async fn every_verb_of_a_caller_is_one_round_trip() {
    let bed = Bed::on_redis().await;
    let ann = bed.user("ann").await;
    if let swagger_api_agent::store::Store::Redis(store) = bed.store() {
        store.load_scripts().await.unwrap();
    }
    bed.takes_turn(&ann, "one").await;
    let store = bed.store();
    costs_one_round_trip(&bed, "enter", 20, async |_| {
        bed.visit(&ann, Tail::Newest(10)).await;
    })
    .await;
    costs_one_round_trip(&bed, "login", 5, async |i| super::logins::opened(&bed, &ann, &format!("{i:032x}"), "a0").await).await;
    costs_one_round_trip(&bed, "refresh", 5, async |i| {
        assert!(matches!(super::logins::rotated(&bed, &ann, &format!("{i:032x}"), "a0", "a1").await, Rotated::Done { .. }));
    })
    .await;
    costs_one_round_trip(&bed, "logout", 5, async |i| {
        let id = format!("{i:032x}-1");
        assert!(matches!(super::logins::left(&bed, &ann, &id, false).await, LoggedOut::Done(_)));
    })
    .await;
    costs_one_round_trip(&bed, "begin, repeated", 20, async |i| {
        let begun = Ask::new(&ann, "r").owner("A#same").of(store).await;
        assert!(matches!(begun, Begun::Started(_)), "{i}");
    })
    .await;
    let ask = Ask::new(&ann, "r").owner("A#same").key("K", "F");
    let lease = ask.lease(&bed.started(&ask).await);
    costs_one_round_trip(&bed, "step", 20, async |i| {
        let entry = Entry { field: format!("c{i}i"), value: vec![b'x'; 100] };
        store.step(&lease, LONG_MS, &[entry]).await.unwrap();
    })
    .await;
    costs_one_round_trip(&bed, "commit", 1, async |_| {
        let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
        store.commit(&lease, leaving(&[turn("two")], reply)).await.unwrap();
    })
    .await;
    costs_one_round_trip(&bed, "clear", 10, async |_| drop(store.clear(ann.caller(), None).await.unwrap())).await;
    costs_one_round_trip(&bed, "reset", 10, async |_| drop(store.reset(ann.caller(), None).await.unwrap())).await;
}

#[tokio::test]
async fn only_the_keys_that_are_meant_to_stay_have_no_end() {
    let bed = Bed::on_redis().await.lasting(60_000, 5000).rated(60, 60);
    for user in ["ann", "bob"] {
        let token = bed.user(user).await;
        let ask = Ask::new(&token, "r1").key("K", "F");
        let lease = ask.lease(&bed.started(&ask).await);
        let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
        bed.store().commit(&lease, leaving(&[turn("one")], reply)).await.unwrap();
        let ask = Ask::new(&token, "r2").key("L", "F");
        let lease = ask.lease(&bed.started(&ask).await);
        let entry = Entry { field: "c1i".into(), value: b"POST".to_vec() };
        bed.store().step(&lease, LONG_MS, &[entry]).await.unwrap();
        if user == "bob" {
            bed.commit(&lease, &[turn("two")]).await;
            bed.store().clear(token.caller(), None).await.unwrap();
            bed.takes_turn(&token, "three").await;
        }
    }
    let mut kinds = BTreeMap::new();
    for (key, _, ttl) in server(&bed).keys() {
        let kind = key.split(':').nth(if key.starts_with("saa:{") { 2 } else { 1 }).unwrap_or_default().to_owned();
        match kind.as_str() {
            "meta" | "m" | "u" | "ul" | "x" | "la" | "sm" | "o" => assert_eq!(ttl, -1, "{key}"),
            "s" | "h" | "j" | "q" => assert!((1..=5000).contains(&ttl), "{key} lives {ttl} ms, longer than its session may"),
            "st" => assert!((1..=3 * 86_400_000).contains(&ttl), "{key} {ttl}"),
            "i" | "n" => assert!((86_000_000..=86_400_000).contains(&ttl), "{key} {ttl}"),
            _ => panic!("a key that no table names: {key}"),
        }
        *kinds.entry(kind).or_insert(0) += 1;
    }
    for kind in ["meta", "m", "u", "ul", "x", "la", "sm", "s", "h", "j", "i", "n", "o", "st"] {
        assert!(kinds.contains_key(kind), "no key of kind {kind}: {kinds:?}");
    }
}

#[tokio::test]
async fn ended_members_leave_the_index_of_a_bucket_as_its_users_come() {
    let bed = Bed::on_redis().await;
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let redis = server(&bed);
    let of = |kind: &str| redis.keys().into_iter().map(|(key, ..)| key).find(|key| key.ends_with(kind)).expect("the index");
    let (x, la, sm) = (of(":x"), of(":la"), of(":sm"));
    for i in 0..10 {
        let old = format!("old{i}:main");
        redis.command::<()>("ZADD", &[&x, "1", &old]);
        redis.command::<()>("ZADD", &[&la, "1", &old]);
        redis.command::<()>("HSET", &[&sm, &old, "sid|1|1"]);
    }
    for said in ["two", "three"] {
        bed.takes_turn(&ann, said).await;
    }
    for (command, key) in [("ZCARD", &x), ("ZCARD", &la), ("HLEN", &sm)] {
        assert_eq!(redis.command::<u64>(command, &[key]), 1, "{key}");
    }
}

#[tokio::test]
async fn scripts_that_redis_forgot_are_loaded_again_unseen() {
    let bed = Bed::on_redis().await;
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    let flush = || server(&bed).command::<()>("SCRIPT", &["FLUSH"]);
    for i in 0..3_u64 {
        flush();
        bed.takes_turn(&ann, &format!("t{i}")).await;
        flush();
        assert_eq!(bed.visit(&ann, Tail::Newest(5)).await.tail.len() as u64, i + 1);
        flush();
        assert_eq!(bed.store().stats().await.unwrap().active, 1);
        flush();
        assert!(bed.store().sessions(admin.caller(), None, 5).await.is_ok());
        flush();
        assert!(bed.store().sweep().await.is_ok());
    }
    let ask = Ask::new(&ann, "r");
    let lease = ask.lease(&bed.started(&ask).await);
    flush();
    bed.store().step(&lease, LONG_MS, &[]).await.unwrap();
    flush();
    bed.commit(&lease, &[turn("last")]).await;
}

#[tokio::test]
async fn a_redis_that_is_away_is_told_at_once_and_found_again() {
    let mut bed = Bed::on_redis().await;
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let store = bed.store().clone();
    let Ground::Redis(server) = &mut bed.ground else { panic!("this check is for redis") };
    server.stop();
    let since = Instant::now();
    assert_eq!(store.enter(ann.caller(), Tail::Nothing).await, Err(StoreError::Unavailable));
    assert_eq!(store.ping().await, Err(StoreError::Unavailable));
    assert!(since.elapsed().as_millis() < 2000, "{:?}", since.elapsed());
    server.restart();
    assert_eq!(bed.said(&ann).await, ["one"], "the same store, without a new connect");
    bed.takes_turn(&ann, "two").await;
}

#[tokio::test]
async fn a_redis_that_stands_still_costs_one_deadline_and_no_more() {
    let bed = Bed::on_redis().await;
    let (ann, admin) = (bed.user("ann").await, bed.admin("root").await);
    let deadline = Duration::from_millis(200);
    let store = bed.patient_for(deadline);
    assert!(store.enter(ann.caller(), Tail::Nothing).await.is_ok());
    assert!(store.stats().await.is_ok());
    server(&bed).pause();
    for verb in ["enter", "stats", "sessions", "known", "ping"] {
        let since = Instant::now();
        let told = match verb {
            "enter" => store.enter(ann.caller(), Tail::Nothing).await.map(|_| ()),
            "stats" => store.stats().await.map(|_| ()),
            "sessions" => store.sessions(admin.caller(), None, 5).await.map(|_| ()),
            "known" => store.known(&ann.user).await.map(|_| ()),
            _ => store.ping().await.map(|_| ()),
        };
        assert_eq!(told, Err(StoreError::Unavailable), "{verb}");
        assert!(since.elapsed() < deadline * 2, "{verb} took {:?}", since.elapsed());
    }
    server(&bed).resume();
    assert!(store.enter(ann.caller(), Tail::Nothing).await.is_ok());
}

#[tokio::test]
async fn a_keyspace_of_a_newer_release_is_not_touched() {
    let bed = Bed::on_redis().await;
    server(&bed).command::<()>("HSET", &["saa:meta", "schema", "99"]);
    assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Newer { schema: 99 }));
    let before = server(&bed).keys();
    assert_eq!(bed.store().migrate("old").await, Ok(Migrated::Newer { schema: 99 }));
    assert_eq!(server(&bed).keys(), before);
}

#[tokio::test]
async fn a_migration_that_another_holds_is_left_to_it() {
    let bed = Bed::on_redis().await;
    let redis = server(&bed);
    redis.command::<()>("FLUSHALL", &[]);
    redis.command::<()>("SET", &["saa:migrating", "another", "PX", "150"]);
    assert_eq!(bed.store().migrate("me").await, Ok(Migrated::Held));
    assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Empty));
    bed.pass(200).await;
    assert!(matches!(bed.store().migrate("me").await, Ok(Migrated::Ran(steps)) if steps.len() == 1), "its lease lapsed");
    assert_eq!(redis.command::<i64>("EXISTS", &["saa:migrating"]), 0, "and ours was given back");
}

#[tokio::test]
async fn a_migration_that_was_interrupted_goes_on_where_it_stopped() {
    let bed = Bed::on_redis().await;
    let redis = server(&bed);
    redis.command::<()>("HDEL", &["saa:meta", "schema"]);
    redis.command::<()>("DEL", &["saa:{b07}:m", "saa:{b63}:m"]);
    assert!(matches!(bed.store().migrate("me").await, Ok(Migrated::Ran(steps)) if steps.len() == 1));
    assert_eq!(redis.command::<String>("HGET", &["saa:{b63}:m", "schema"]), "1");
    assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Current));
}

#[tokio::test]
async fn a_remembered_request_of_garbage_stops_that_request_only() {
    let bed = Bed::on_redis().await;
    let ann = bed.user("ann").await;
    bed.started(&Ask::new(&ann, "r1").key("K", "F")).await;
    let redis = server(&bed);
    let key = redis.keys().into_iter().find(|(key, ..)| key.contains(":i:")).expect("a remembered request").0;
    for garbage in ["g", "\u{1}", "", "\u{ff}\u{c1}\u{c1}"] {
        redis.command::<()>("SET", &[&key, garbage]);
        assert_eq!(Ask::new(&ann, "r2").key("K", "F").try_of(bed.store()).await, Err(StoreError::Unreadable), "{garbage:?}");
    }
    redis.command::<()>("DEL", &[&key]);
    redis.command::<()>("LPUSH", &[&key, "x"]);
    assert_eq!(Ask::new(&ann, "r2").key("K", "F").try_of(bed.store()).await, Err(StoreError::Unreadable));
    assert!(matches!(bed.begin(&Ask::new(&ann, "r2")).await, Begun::Busy { .. }));
}

#[tokio::test]
async fn numbers_of_a_session_that_are_none_are_not_counted_with() {
    let bed = Bed::on_redis().await;
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let redis = server(&bed);
    let key = redis.key("s", "ann");
    for field in ["ca", "la", "exp", "ver", "len", "base"] {
        let good: String = redis.command("HGET", &[&key, field]);
        for garbage in ["", "ten", "-5", "nan", "inf", "1e400", "0x10", "1.5", " 1"] {
            redis.command::<()>("HSET", &[&key, field, garbage]);
            let told = bed.store().enter(ann.caller(), Tail::Newest(5)).await;
            assert_eq!(told, Err(StoreError::Unreadable), "{field} = {garbage:?}");
            assert_eq!(Ask::new(&ann, "r").try_of(bed.store()).await, Err(StoreError::Unreadable), "{field} = {garbage:?}");
        }
        redis.command::<()>("HSET", &[&key, field, &good]);
    }
    assert_eq!(bed.said(&ann).await, ["one"]);
}

/// A long conversation must cost Redis no more than a short one. The least of several rounds: the machine is shared.
#[tokio::test]
async fn a_turn_costs_the_same_however_long_the_conversation() {
    let bed = Bed::on_redis().await;
    let (short, long) = (bed.user("short").await, bed.user("long").await);
    let grown: Vec<Turn> = (0..500).map(|i| turn(&format!("{i} {}", "x".repeat(400)))).collect();
    for (token, turns) in [(&short, 10), (&long, 10_000)] {
        for i in 0..turns / 10 {
            let ask = Ask::new(token, &format!("g{i}")).tail(0);
            let lease = ask.lease(&bed.started(&ask).await);
            let n = if turns == 10 { 10 } else { 500 };
            bed.commit(&lease, &grown[..n]).await;
            if (i + 1) * n >= turns {
                break;
            }
        }
    }
    assert_eq!(bed.visit(&long, Tail::Nothing).await.session.turns, 10_000);
    let mut watcher = server(&bed).connection();
    let mut least = [f64::MAX; 2];
    for round in 0..4 {
        for (place, token) in [&short, &long].into_iter().enumerate() {
            let before = work(&mut watcher);
            for i in 0..25 {
                let ask = Ask::new(token, &format!("r{round}-{i}")).tail(10);
                let lease = ask.lease(&bed.started(&ask).await);
                bed.commit(&lease, &grown[..1]).await;
            }
            let after = work(&mut watcher);
            assert_eq!(after.0 - before.0, 50);
            least[place] = least[place].min((after.1 - before.1) / 25.0);
        }
    }
    eprintln!("redis µs of begin + commit: {:.0} after 10 turns, {:.0} after 10,000", least[0], least[1]);
    assert!(least[1] <= 2.0 * least[0], "{least:?}");
}

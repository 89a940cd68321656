//! What only the file can get wrong: who may have it, what it looks like from outside, that nothing dead stays in it.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use redb::{Database, ReadableDatabase, ReadableTableMetadata, TableDefinition, TableHandle};
use swagger_api_agent::{
    clock::Clock,
    store::{
        EmbeddedStore, OpenError, Store,
        contract::{Committed, Lifetimes, Rates, Tail},
        migrate::Keyspace,
    },
};
use tempfile::TempDir;

use super::bed::{Ask, Bed, Ground, leaving, turn};

fn open(directory: &Path) -> Result<EmbeddedStore, OpenError> {
    let rates = Rates { requests_per_minute: 1000, turns_per_minute: 1000 };
    EmbeddedStore::open(directory, Clock::System, rates, Lifetimes { idle_ms: 1000, max_ms: 1000, turns_max: 10 })
}

fn refusal(directory: &Path) -> OpenError {
    open(directory).err().expect("the file is refused")
}

fn somewhere() -> TempDir {
    tempfile::Builder::new().prefix("saa-data-").tempdir().expect("a temporary directory")
}

#[test]
fn the_file_belongs_to_its_owner_alone() {
    let above = somewhere();
    let directory = above.path().join("deep/data");
    let _store = open(&directory).expect("it is made");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&directory), mode(&directory.join("agent.redb"))), (0o700, 0o600));
    }
}

#[test]
fn a_file_that_is_held_is_refused_and_free_again_afterwards() {
    let directory = somewhere();
    let store = open(directory.path()).expect("it is made");
    let told = refusal(directory.path());
    assert!(matches!(told, OpenError::Held { .. }), "{told:?}");
    assert!(told.to_string().contains("agent.redb") && told.to_string().contains("another process"), "{told}");
    drop(store);
    assert!(open(directory.path()).is_ok());
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let above = somewhere();
    std::fs::write(above.path().join("file"), "x").unwrap();
    let told = refusal(&above.path().join("file/data"));
    assert!(matches!(told, OpenError::Directory { .. }), "{told:?}");
    assert!(told.to_string().contains("file/data"), "{told}");
    std::fs::create_dir_all(above.path().join("data/agent.redb")).unwrap();
    let told = refusal(&above.path().join("data"));
    assert!(matches!(told, OpenError::File { .. }), "{told:?}");
}

#[test]
fn a_file_of_somebody_else_is_refused_and_left_alone() {
    let directory = somewhere();
    let file = directory.path().join("agent.redb");
    for content in [&b"not a database at all"[..], &[0; 10_000], &[0xff; 100_000]] {
        std::fs::write(&file, content).unwrap();
        let told = refusal(directory.path());
        assert!(matches!(told, OpenError::Damaged { .. }), "{told:?}");
        assert!(told.to_string().contains("agent.redb"), "{told}");
        assert_eq!(std::fs::read(&file).unwrap(), content);
    }
}

#[tokio::test]
async fn damage_in_the_file_is_found_at_the_start() {
    let mut bed = Bed::embedded().await;
    let ann = bed.user("ann").await;
    for i in 0..50 {
        bed.takes_turn(&ann, &format!("{i} {}", "x".repeat(500))).await;
    }
    // Closed in good order: after a crash the file would be read through anyway.
    bed.close();
    let Ground::Embedded { directory, .. } = &bed.ground else { panic!("this check is for the file") };
    let copy = somewhere();
    let file = copy.path().join("agent.redb");
    let content = std::fs::read(directory.path().join("agent.redb")).unwrap();
    let places: Vec<usize> = content.windows(100).enumerate().filter(|(_, w)| w.iter().all(|b| *b == b'x')).map(|(i, _)| i).collect();
    assert!(places.len() > 1000, "what was said stands in the file");
    let mut spoiled = content.clone();
    for at in places {
        spoiled[at] = b'y';
    }
    std::fs::write(&file, &spoiled).unwrap();
    let told = refusal(copy.path());
    assert!(matches!(told, OpenError::Damaged { .. }), "{told:?}");
    for cut in [100, 4096, content.len() / 2] {
        std::fs::write(&file, &content[..cut]).unwrap();
        assert!(matches!(refusal(copy.path()), OpenError::Damaged { .. } | OpenError::File { .. }), "cut to {cut}");
    }
}

#[tokio::test]
async fn a_copy_of_the_file_taken_at_any_moment_opens_with_all_that_was_answered() {
    let bed = Bed::embedded().await;
    let ann = bed.user("ann").await;
    let Ground::Embedded { directory, clock } = &bed.ground else { panic!("this check is for the file") };
    for i in 0..10_u64 {
        bed.takes_turn(&ann, &format!("t{i}")).await;
        let copy = somewhere();
        std::fs::copy(directory.path().join("agent.redb"), copy.path().join("agent.redb")).unwrap();
        let rates = Rates { requests_per_minute: 1000, turns_per_minute: 1000 };
        let lifetimes = Lifetimes { idle_ms: 600_000, max_ms: 6_000_000, turns_max: 10 };
        let store = EmbeddedStore::open(copy.path(), clock.clone(), rates, lifetimes).expect("the copy opens");
        match store.enter(ann.caller(), Tail::Newest(20)).await {
            Ok(swagger_api_agent::store::contract::Entered::In(visit)) => assert_eq!(visit.tail.len() as u64, i + 1),
            other => panic!("{other:?}"),
        }
    }
}

/// Where the process that is killed below finds its data directory.
const WRITER: &str = "SAA_TEST_WRITES_UNTIL_KILLED";

/// This very test, run as a process of its own, takes turns until it is killed; what it reported as written must be there.
#[tokio::test]
async fn a_process_that_is_killed_loses_nothing_that_was_answered() {
    let lifetimes = Lifetimes { idle_ms: 600_000, max_ms: 6_000_000, turns_max: 100_000 };
    let rates = Rates { requests_per_minute: 1_000_000, turns_per_minute: 1_000_000 };
    let opened = |directory: &Path| {
        let store = EmbeddedStore::open(directory, Clock::System, rates, lifetimes).expect("the file opens");
        Bed::around(Store::Embedded(store))
    };
    if let Ok(directory) = std::env::var(WRITER) {
        let bed = opened(Path::new(&directory));
        let ann = bed.user("ann").await;
        loop {
            let Committed::Done { turns, .. } = bed.takes_turn(&ann, "one more").await else { panic!("not committed") };
            std::fs::write(Path::new(&directory).join("answered"), turns.to_string()).expect("it is told");
        }
    }
    let directory = somewhere();
    for _ in 0..3 {
        let mut writer = std::process::Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "store_contract::embedded_only::a_process_that_is_killed_loses_nothing_that_was_answered"])
            .env(WRITER, directory.path())
            .stdout(std::process::Stdio::null())
            .spawn()
            .expect("this program runs again");
        let read = || std::fs::read_to_string(directory.path().join("answered")).ok().and_then(|n| n.parse::<u64>().ok());
        let before = read().unwrap_or(0);
        let since = Instant::now();
        while read().is_none_or(|n| n < before + 20) {
            assert!(since.elapsed() < Duration::from_secs(30), "the writer does not write");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        writer.kill().expect("it is killed");
        writer.wait().expect("it is gone");
        let answered = std::fs::read_to_string(directory.path().join("answered")).unwrap().parse::<u64>();
        let bed = opened(directory.path());
        let ann = bed.token("ann").await;
        let visit = bed.visit(&ann, Tail::Newest(100_000)).await;
        // The report may have been cut off in the middle, the turn after it may have been written.
        let least = answered.unwrap_or(before + 20);
        assert!((least..=least + 1).contains(&visit.session.turns), "{} turns, {least} were answered", visit.session.turns);
        assert_eq!(visit.tail.len() as u64, visit.session.turns);
        bed.store().reset(ann.caller(), None).await.expect("it can be written again");
        std::fs::write(directory.path().join("answered"), "0").expect("it is told");
    }
}

/// The least of several rounds: the machine and its disk are shared.
#[tokio::test]
async fn a_turn_costs_the_same_however_long_the_conversation() {
    let bed = Bed::embedded().await;
    let (short, long) = (bed.user("short").await, bed.user("long").await);
    let grown: Vec<_> = (0..500).map(|i| turn(&format!("{i} {}", "x".repeat(400)))).collect();
    for (token, commits, turns) in [(&short, 1, 10), (&long, 20, 500)] {
        for i in 0..commits {
            let ask = Ask::new(token, &format!("g{i}")).tail(0);
            let lease = ask.lease(&bed.started(&ask).await);
            bed.commit(&lease, &grown[..turns]).await;
        }
    }
    assert_eq!(bed.visit(&long, Tail::Nothing).await.session.turns, 10_000);
    let mut least = [Duration::MAX; 2];
    for i in 0..40 {
        for (place, token) in [&short, &long].into_iter().enumerate() {
            let ask = Ask::new(token, &format!("r{i}")).tail(10);
            let since = Instant::now();
            let lease = ask.lease(&bed.started(&ask).await);
            bed.commit(&lease, &grown[..1]).await;
            least[place] = least[place].min(since.elapsed());
        }
    }
    eprintln!("begin + commit in the file: {:?} after 10 turns, {:?} after 10,000", least[0], least[1]);
    assert!(least[1] <= 3 * least[0], "{least:?}");
}

#[tokio::test]
async fn a_file_of_a_newer_release_is_refused() {
    let directory = somewhere();
    drop(open(directory.path()).expect("it is made"));
    let database = Database::open(directory.path().join("agent.redb")).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(TableDefinition::<&str, u64>::new("meta")).unwrap().insert("schema", 99).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let told = refusal(directory.path());
    assert!(matches!(told, OpenError::Newer { schema: 99, .. }), "{told:?}");
}

#[tokio::test]
async fn a_new_file_is_current_from_the_start() {
    let directory = somewhere();
    let store = Store::Embedded(open(directory.path()).expect("it is made"));
    assert_eq!(store.keyspace().await, Ok(Keyspace::Current));
}

/// Rows of every table.
fn rows(bed: &mut Bed) -> Vec<(String, u64)> {
    let Ground::Embedded { directory, .. } = &bed.ground else { panic!("this check is for the file") };
    let file = directory.path().join("agent.redb");
    bed.close();
    let mut rows = Vec::new();
    {
        let database = Database::open(file).unwrap();
        let transaction = database.begin_read().unwrap();
        for table in transaction.list_tables().unwrap() {
            let name = table.name().to_owned();
            rows.push((name, transaction.open_untyped_table(table).unwrap().len().unwrap()));
        }
    }
    bed.open();
    rows.sort();
    rows
}

#[tokio::test]
async fn nothing_of_ended_sessions_and_old_requests_stays_in_the_file() {
    let mut bed = Bed::embedded().await;
    for i in 0..20 {
        let user = bed.user(&format!("user{i}")).await;
        let ask = Ask::new(&user, "r1").key("K", "F");
        let lease = ask.lease(&bed.started(&ask).await);
        let reply = ask.idempotency().map(|key| (key, &b"RESP"[..]));
        bed.store().commit(&lease, leaving(&[turn("one"), turn("two")], reply)).await.unwrap();
        bed.started(&Ask::new(&user, "r2").key("L", "F")).await;
    }
    bed.pass(4 * 24 * 60 * 60 * 1000).await;
    assert_eq!(bed.store().sweep().await, Ok(20));
    for (table, rows) in rows(&mut bed) {
        let kept = match table.as_str() {
            "accounts" | "fences" => 20,
            "meta" => 2,
            _ => 0,
        };
        assert_eq!(rows, kept, "{table}");
    }
}

#[tokio::test]
async fn ended_sessions_go_as_others_come() {
    let mut bed = Bed::embedded().await.lasting(1000, 1_000_000);
    for i in 0..20 {
        let user = bed.user(&format!("user{i}")).await;
        bed.takes_turn(&user, "one").await;
    }
    bed.pass(2000).await;
    let ann = bed.user("ann").await;
    for _ in 0..5 {
        bed.takes_turn(&ann, "one").await;
    }
    let rows = rows(&mut bed);
    let of = |table: &str| rows.iter().find(|(name, _)| name == table).map(|(_, rows)| *rows);
    for table in ["sessions", "listed", "activity", "ends"] {
        assert_eq!(of(table), Some(1), "{table}");
    }
    assert_eq!((of("history"), of("journal")), (Some(5), Some(0)));
}

#[tokio::test]
async fn visits_close_together_write_nothing() {
    let bed = Bed::embedded().await;
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    let before = written(&bed);
    for _ in 0..20 {
        bed.pass(40).await;
        bed.visit(&ann, Tail::Newest(5)).await;
        bed.store().stats().await.unwrap();
        bed.store().known(&ann.user).await.unwrap();
    }
    assert_eq!(written(&bed), before);
    bed.pass(1000).await;
    let last = bed.visit(&ann, Tail::Nothing).await.session.last_active_ms;
    assert_eq!(last, bed.now().await, "a later visit counts as activity");
    assert_ne!(written(&bed), before);
}

/// The file's bytes.
fn written(bed: &Bed) -> Vec<u8> {
    let Ground::Embedded { directory, .. } = &bed.ground else { panic!("this check is for the file") };
    std::fs::read(directory.path().join("agent.redb")).unwrap()
}

#[tokio::test]
async fn records_of_the_audit_log_that_are_too_old_go_with_the_next_one() {
    use swagger_api_agent::domain::audit::{Action, Deed, Wanted};
    let bed = Bed::embedded().await;
    let actions = async || {
        let page = bed.store().audited(&Wanted::default(), None, 10).await.unwrap();
        page.records.into_iter().map(|record| record.action).collect::<Vec<_>>()
    };
    bed.store().audit(&Deed::new(Action::UserCreated)).await.unwrap();
    bed.pass(179 * 86_400_000).await;
    bed.store().audit(&Deed::new(Action::UserChanged)).await.unwrap();
    assert_eq!(actions().await, ["user_changed", "user_created"]);
    bed.pass(2 * 86_400_000).await;
    assert_eq!(actions().await, ["user_changed"], "nobody reads what is too old");
    bed.store().audit(&Deed::new(Action::UserRemoved)).await.unwrap();
    assert_eq!(actions().await, ["user_removed", "user_changed"]);
}

//! Reaching behind a store: what it keeps of a user's session is spoilt, on Redis by commands, in the file by its tables.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

/// What of a user's session is made unreadable, or changed behind the store's back.
#[derive(Debug, Clone, Copy)]
pub enum Spoil {
    SessionGarbage,
    SessionOfAnotherKind,
    /// Evicted alone: what belongs to it is left.
    SessionGone,
    NewestTurn,
    HistoryGone,
    HistoryOfAnotherKind,
    JournalOfAnotherKind,
    Summary,
    /// What the user used of today's tokens was used on the day before.
    TokensOfYesterday,
    /// The fence counter falls back, as after a failover.
    FenceRolledBack,
    Account,
    /// Somebody asks the run to stop.
    CancelWanted,
}

pub fn on_redis(command: &dyn Fn(&str, &[&str]) -> redis::Value, key: &dyn Fn(&str) -> String, what: Spoil) {
    let replaced = |kind: &str| command("SET", &[&key(kind), "not what it was"]);
    match what {
        Spoil::SessionGarbage => command("HSET", &[&key("s"), "len", "ten"]),
        Spoil::SessionOfAnotherKind => replaced("s"),
        Spoil::SessionGone => command("DEL", &[&key("s")]),
        Spoil::NewestTurn => command("LSET", &[&key("h"), "-1", "10{half a rec"]),
        Spoil::HistoryGone => command("DEL", &[&key("h")]),
        Spoil::HistoryOfAnotherKind => replaced("h"),
        Spoil::JournalOfAnotherKind => replaced("j"),
        Spoil::Summary => command("HSET", &[&key("s"), "sum", "1{half a rec"]),
        Spoil::TokensOfYesterday => command("HINCRBY", &[&key("tk"), "day", "-1"]),
        Spoil::FenceRolledBack => command("HSET", &[&key("u"), "gen", "0"]),
        Spoil::Account => command("HSET", &[&key("u"), "role", "king"]),
        Spoil::CancelWanted => command("HSET", &[&key("s"), "cx", "cancelled"]),
    };
}

const SESSIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("sessions");
const HISTORY: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("history");
const JOURNAL: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("journal");
const SUMMARIES: TableDefinition<&str, (&str, u64, &[u8])> = TableDefinition::new("summaries");
const TOKENS: TableDefinition<&str, (u64, u64)> = TableDefinition::new("tokens");
const ACCOUNTS: TableDefinition<&str, &[u8]> = TableDefinition::new("accounts");
const FENCES: TableDefinition<&str, u64> = TableDefinition::new("fences");

pub fn in_file(file: &Path, user: &str, what: Spoil) {
    let member = format!("{user}:main");
    let member = member.as_str();
    let database = Database::open(file).expect("the store let go of its file");
    let numbers: Vec<u64> = {
        let history = database.begin_read().unwrap().open_table(HISTORY).unwrap();
        history.range((member, 0)..=(member, u64::MAX)).unwrap().map(|row| row.unwrap().0.value().1).collect()
    };
    let transaction = database.begin_write().unwrap();
    match what {
        Spoil::SessionGarbage => drop(transaction.open_table(SESSIONS).unwrap().insert(member, &b"1{\"sid\":"[..]).unwrap()),
        Spoil::SessionOfAnotherKind => drop(transaction.open_table(SESSIONS).unwrap().insert(member, &b"9\xff"[..]).unwrap()),
        Spoil::SessionGone => drop(transaction.open_table(SESSIONS).unwrap().remove(member).unwrap()),
        Spoil::NewestTurn | Spoil::HistoryOfAnotherKind => {
            let newest = *numbers.last().expect("there is a turn");
            drop(transaction.open_table(HISTORY).unwrap().insert((member, newest), &b"10{half a rec"[..]).unwrap());
        }
        Spoil::HistoryGone => {
            let mut history = transaction.open_table(HISTORY).unwrap();
            for number in numbers {
                history.remove((member, number)).unwrap();
            }
        }
        Spoil::JournalOfAnotherKind => drop(transaction.open_table(JOURNAL).unwrap().insert((member, "no run"), &b"x"[..]).unwrap()),
        Spoil::Summary => {
            let mut summaries = transaction.open_table(SUMMARIES).unwrap();
            let (session, last) = {
                let found = summaries.get(member).unwrap().expect("there is a summary");
                let (session, last, _) = found.value();
                (session.to_owned(), last)
            };
            summaries.insert(member, (session.as_str(), last, &b"1{half a rec"[..])).unwrap();
        }
        Spoil::TokensOfYesterday => {
            let mut tokens = transaction.open_table(TOKENS).unwrap();
            let counter = format!("u{user}");
            let (day, used) = tokens.get(counter.as_str()).unwrap().expect("tokens were used").value();
            tokens.insert(counter.as_str(), (day - 1, used)).unwrap();
        }
        Spoil::FenceRolledBack => drop(transaction.open_table(FENCES).unwrap().insert(user, 0).unwrap()),
        Spoil::Account => drop(transaction.open_table(ACCOUNTS).unwrap().insert(user, &b"1{\"role\":\"king\"}"[..]).unwrap()),
        Spoil::CancelWanted => {
            let mut sessions = transaction.open_table(SESSIONS).unwrap();
            let record = sessions.get(member).unwrap().expect("there is a session").value().to_vec();
            let mut session: serde_json::Value = serde_json::from_slice(&record[1..]).unwrap();
            session["stop"] = "cancelled".into();
            let record = [b"1".to_vec(), serde_json::to_vec(&session).unwrap()].concat();
            sessions.insert(member, record.as_slice()).unwrap();
        }
    }
    transaction.commit().unwrap();
}

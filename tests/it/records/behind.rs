//! Behind the service's back: what it has stored, read and changed as somebody with the store in their hands would.

use std::path::Path;

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use redis::Connection;

use crate::harness::{
    bed::Bed,
    redis::{RedisServer, run},
};

const SESSIONS: TableDefinition<&str, &[u8]> = TableDefinition::new("sessions");
const HISTORY: TableDefinition<(&str, u64), &[u8]> = TableDefinition::new("history");
const JOURNAL: TableDefinition<(&str, &str), &[u8]> = TableDefinition::new("journal");
const RESULTS: TableDefinition<(&str, &str), (u64, &[u8])> = TableDefinition::new("results");
type Request<'a> = (u64, &'a str, &'a str, Option<&'a [u8]>);
const REQUESTS: TableDefinition<(&str, &str), Request<'static>> = TableDefinition::new("requests");

/// The store, while the service does not look.
pub enum Behind<'a> {
    Redis(&'a RedisServer, Connection),
    File(Database),
}

impl Bed {
    /// Does something to what is stored. The embedded store's file is free only while the service is stopped.
    pub async fn behind<T>(&mut self, act: impl FnOnce(&mut Behind<'_>) -> T) -> T {
        if let Some(redis) = &self.redis {
            return act(&mut Behind::Redis(redis, redis.connection()));
        }
        let mut done = None;
        self.restart(async |settings| {
            let mut file = Behind::File(opened(&settings.store.data_dir.join("agent.redb")).await);
            done = Some(act(&mut file));
        })
        .await;
        done.expect("it was done")
    }
}

/// The file, once the service has let go of it.
async fn opened(file: &Path) -> Database {
    let trying = async {
        loop {
            match Database::open(file) {
                Ok(database) => return database,
                Err(redb::DatabaseError::DatabaseAlreadyOpen) => tokio::time::sleep(std::time::Duration::from_millis(5)).await,
                Err(error) => panic!("{error}"),
            }
        }
    };
    tokio::time::timeout(crate::harness::COMES_WITHIN, trying).await.expect("the file is free after a while")
}

fn member(user: &str) -> String {
    format!("{user}:main")
}

impl Behind<'_> {
    /// The records of a user's turns, oldest first.
    pub fn turns(&mut self, user: &str) -> Vec<Vec<u8>> {
        match self {
            Self::Redis(server, connection) => run(connection, "LRANGE", &[&server.key("h", user), "0", "-1"]),
            Self::File(file) => {
                let (member, history) = (member(user), file.begin_read().unwrap().open_table(HISTORY).unwrap());
                let rows = history.range((member.as_str(), 0)..=(member.as_str(), u64::MAX)).unwrap();
                rows.map(|row| row.unwrap().1.value().to_vec()).collect()
            }
        }
    }

    /// Puts a record in the place of the nth that there is.
    pub fn put_turn(&mut self, user: &str, nth: usize, record: &[u8]) {
        match self {
            Self::Redis(server, connection) => {
                let (key, nth) = (server.key("h", user), nth.to_string());
                run::<()>(connection, "LSET", &[key.as_bytes(), nth.as_bytes(), record]);
            }
            Self::File(file) => {
                let member = member(user);
                let number = {
                    let history = file.begin_read().unwrap().open_table(HISTORY).unwrap();
                    let mut rows = history.range((member.as_str(), 0)..=(member.as_str(), u64::MAX)).unwrap();
                    rows.nth(nth).expect("there is such a turn").unwrap().0.value().1
                };
                write(file, |transaction| {
                    transaction.open_table(HISTORY).unwrap().insert((member.as_str(), number), record).unwrap();
                });
            }
        }
    }

    /// What the session's record has under this name.
    pub fn session(&mut self, user: &str, field: &str) -> Option<String> {
        match self {
            Self::Redis(server, connection) => {
                let value: Option<Vec<u8>> = run(connection, "HGET", &[&server.key("s", user), field]);
                value.map(|bytes| bytes.iter().map(|byte| char::from(*byte)).collect())
            }
            Self::File(file) => {
                session_of(file, user).get(field).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            }
        }
    }

    /// The key of a session's turns, as it is stored.
    pub fn session_key(&mut self, user: &str) -> Option<Vec<u8>> {
        match self {
            Self::Redis(server, connection) => run(connection, "HGET", &[&server.key("s", user), "dk"]),
            Self::File(file) => session_of(file, user).get("dk").map(|key| key.as_str().unwrap().as_bytes().to_vec()),
        }
    }

    pub fn put_session_key(&mut self, user: &str, key: &[u8]) {
        match self {
            Self::Redis(server, connection) => {
                let name = server.key("s", user);
                run::<i64>(connection, "HSET", &[name.as_bytes(), b"dk", key]);
            }
            Self::File(file) => {
                let mut session = session_of(file, user);
                session["dk"] = String::from_utf8(key.to_vec()).unwrap().into();
                let record = [b"1".to_vec(), serde_json::to_vec(&session).unwrap()].concat();
                write(file, |transaction| {
                    transaction.open_table(SESSIONS).unwrap().insert(member(user).as_str(), record.as_slice()).unwrap();
                });
            }
        }
    }

    /// The values of the journal, by their names.
    pub fn journal(&mut self, user: &str) -> Vec<(String, Vec<u8>)> {
        match self {
            Self::Redis(server, connection) => {
                let name = server.key("s", user).replace(":s:", ":j:");
                run(connection, "HGETALL", &[&name])
            }
            Self::File(file) => {
                let journal = file.begin_read().unwrap().open_table(JOURNAL).unwrap();
                let rows = journal.iter().unwrap().map(|row| row.unwrap());
                let own = rows.filter(|(key, _)| key.value().0 == member(user));
                own.map(|(key, value)| (key.value().1.to_owned(), value.value().to_vec())).collect()
            }
        }
    }

    /// The record of a kept reply.
    pub fn result(&mut self, user: &str, id: &str) -> Vec<u8> {
        match self {
            Self::Redis(server, connection) => run(connection, "GET", &[&(server.key("u", user).replace(":u:", ":r:") + ":" + id)]),
            Self::File(file) => {
                let results = file.begin_read().unwrap().open_table(RESULTS).unwrap();
                results.get((user, id)).unwrap().expect("it is kept").value().1.to_vec()
            }
        }
    }

    /// Puts the kept reply of one user and id where that of another is.
    pub fn copy_result(&mut self, (from, id): (&str, &str), (to, other): (&str, &str)) {
        let record = self.result(from, id);
        match self {
            Self::Redis(server, connection) => {
                let name = server.key("u", to).replace(":u:", ":r:") + ":" + other;
                run::<()>(connection, "SET", &[name.as_bytes(), &record]);
            }
            Self::File(file) => write(file, |transaction| {
                let mut results = transaction.open_table(RESULTS).unwrap();
                results.insert((to, other), (u64::MAX, record.as_slice())).unwrap();
            }),
        }
    }

    /// Exchanges what is remembered of a user's only two requests with a key.
    pub fn swap_answers(&mut self, user: &str) {
        match self {
            Self::Redis(server, connection) => {
                let pattern = server.key("u", user).replace(":u:", ":i:") + ":*";
                let names: Vec<String> = run(connection, "KEYS", &[&pattern]);
                let [one, two] = names.as_slice() else { panic!("{names:?}") };
                run::<()>(connection, "RENAME", &[one.as_str(), "aside"]);
                run::<()>(connection, "RENAME", &[two.as_str(), one.as_str()]);
                run::<()>(connection, "RENAME", &["aside", two.as_str()]);
            }
            Self::File(file) => write(file, |transaction| {
                let mut requests = transaction.open_table(REQUESTS).unwrap();
                let mut rows = Vec::new();
                for row in requests.iter().unwrap() {
                    let (key, value) = row.unwrap();
                    let ((_, digest), (ends, print, run, answer)) = (key.value(), value.value());
                    rows.push((digest.to_owned(), ends, print.to_owned(), run.to_owned(), answer.unwrap().to_vec()));
                }
                assert_eq!(rows.len(), 2);
                for (row, other) in [(&rows[0], &rows[1]), (&rows[1], &rows[0])] {
                    let value = (other.1, other.2.as_str(), other.3.as_str(), Some(other.4.as_slice()));
                    requests.insert((user, row.0.as_str()), value).unwrap();
                }
            }),
        }
    }
}

fn session_of(file: &Database, user: &str) -> serde_json::Value {
    let sessions = file.begin_read().unwrap().open_table(SESSIONS).unwrap();
    let record = sessions.get(member(user).as_str()).unwrap().expect("there is a session").value().to_vec();
    serde_json::from_slice(&record[1..]).unwrap()
}

fn write(file: &Database, change: impl FnOnce(&redb::WriteTransaction)) {
    let transaction = file.begin_write().unwrap();
    change(&transaction);
    transaction.commit().unwrap();
}

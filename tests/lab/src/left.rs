//! D: what is left when nothing goes wrong any more. Read through the service, and in the store itself: what has no business to be there.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::time::{Instant, sleep};

use crate::{
    clients::{
        Clients, User,
        life::{Asked, ended},
    },
    journal::now_us,
    records::{Busy, Kind, Left, Leftover, Outcome, Session},
    resp::{Redis, Reply},
    rig::{DEADLINE, LEASE, Rig},
};

/// Twice a second each replica looks for runs whose holder is dead.
const SWEEP: Duration = Duration::from_millis(1500);
/// A run may be taken three times before it is given up.
const PATIENCE: Duration = Duration::from_secs(40);

/// What stands in every text of every user.
const CANARY: &[u8] = b"canary-";

/// How often a session is looked at until its numbers agree.
const LOOKS: usize = 10;
const LOOK_AGAIN: Duration = Duration::from_millis(300);

/// Waits until every run has ended, and looks at everything.
pub async fn look(rig: &Rig, clients: &Clients) -> io::Result<Left> {
    let mut left = Left { quiet_within_us: (LEASE + SWEEP + DEADLINE).as_micros() as u64, ..Left::default() };
    if clients.terms.runs {
        for user in &clients.users {
            let generation = *user.generation.read().await;
            clients.look_at_runs(user, generation, PATIENCE).await;
        }
        left.runs = clients.runs.lock().expect("nobody panics with it").clone();
        left.stuck =
            left.runs.iter().filter(|run| !ended(&run.state)).map(|run| format!("run {}, which is {},", run.id, run.state)).collect();
    } else {
        settle(clients).await;
    }
    left.quiet_us = now_us();
    for user in &clients.users {
        let generation = *user.generation.write().await;
        let Some(session) = at_rest(rig, clients, user, generation).await else {
            left.stuck.push(format!("the history of {}", user.caller.user));
            continue;
        };
        left.sessions.push(session);
    }
    let ended = clients.sessions.lock().expect("nobody panics with it").clone();
    left.sessions.extend(ended);
    left.unjudged = clients.killed.lock().expect("nobody panics with it").iter().cloned().collect();
    // Runs that no client knows of end as well, in the same time.
    let patience = Instant::now() + LEASE + SWEEP + DEADLINE;
    loop {
        left.leftovers = leftovers(rig).await?;
        if left.leftovers.is_empty() || Instant::now() > patience {
            break;
        }
        sleep(LOOK_AGAIN).await;
    }
    if let Some(dir) = &rig.sealed {
        left.leftovers.extend(in_clear(dir)?);
    }
    if clients.terms.runs {
        for user in clients.users.iter().step_by(2) {
            if clients.end_session(user).await {
                left.leftovers.extend(keys_of(rig, &user.caller.user).await?);
            } else {
                left.stuck.push(format!("the session of {}, whose end was asked for at rest,", user.caller.user));
            }
        }
    }
    Ok(left)
}

/// Where nobody looks for runs whose holder died, the next turn of the session ends them.
async fn settle(clients: &Clients) {
    for user in &clients.users {
        let generation = user.generation.write().await;
        let mut op = clients.begin(&user.caller.user, *generation, Kind::Turn(Busy::Reject));
        let mark = format!("{}-{}", op.user, op.id);
        let plan = crate::plan::Plan { mark: mark.clone(), canary: crate::plan::canary(&op.user), ..Default::default() };
        let body = serde_json::json!({"message": plan.text()});
        (op.mark, op.key) = (Some(mark), Some(format!("key-{}", op.id)));
        clients.until_answered(&mut op, &user.caller, Asked { method: "POST", path: "/api/process", body: Some(&body) }).await;
        if op.outcome == Outcome::Ok {
            op.run = op.tries.last().and_then(|tried| tried.run.clone());
        }
        clients.end(op).await;
    }
}

/// A session as it is told and as it is counted. A turn whose client hung up may end just now: then it is looked at again.
async fn at_rest(rig: &Rig, clients: &Clients, user: &User, generation: u64) -> Option<Session> {
    let mut session = None;
    for _ in 0..LOOKS {
        let (marks, told) = clients.read_of(user, generation).await?;
        let (counted, records) = counts(rig, &user.caller.user).await.unwrap_or((told, told));
        session = Some(Session { user: user.caller.user.clone(), generation, marks, told, counted, records });
        if counted == records && told == counted {
            break;
        }
        sleep(LOOK_AGAIN).await;
    }
    session
}

/// The turns of a user's session: by the counter, and by the list.
async fn counts(rig: &Rig, user: &str) -> Option<(u64, u64)> {
    for port in primaries(rig).await {
        let mut redis = Redis::connect(port).await.ok()?;
        if let Some(key) = keys(&mut redis, &format!("saa:*:s:{user}:main")).await.ok()?.first() {
            let counted = redis.ask(&["HGET", key, "len"]).await.ok()?.number();
            let records = redis.ask(&["LLEN", &key.replacen(":s:", ":h:", 1)]).await.ok()?.number();
            return Some((counted.cast_unsigned(), records.cast_unsigned()));
        }
    }
    None
}

async fn primaries(rig: &Rig) -> Vec<u16> {
    rig.store.primaries().await.into_iter().map(|n| rig.store.port_of(n)).collect()
}

async fn keys(redis: &mut Redis, pattern: &str) -> io::Result<Vec<String>> {
    let (mut found, mut cursor) = (Vec::new(), "0".to_owned());
    loop {
        let page = redis.ask(&["SCAN", &cursor, "MATCH", pattern, "COUNT", "1000"]).await?.many();
        page.first().map_or("0", Reply::text).clone_into(&mut cursor);
        found.extend(page.into_iter().nth(1).map(Reply::many).unwrap_or_default().iter().map(|key| key.text().to_owned()));
        if cursor == "0" {
            return Ok(found);
        }
    }
}

/// What stays for ever: accounts and what belongs to them, and the indexes, which clean themselves.
fn stays(key: &str) -> bool {
    let kind = key.split(':').nth(2).unwrap_or_default();
    matches!(key, "saa:meta" | "saa:migrating") || matches!(kind, "m" | "u" | "ul" | "x" | "la" | "sm" | "cr")
}

async fn leftovers(rig: &Rig) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for port in primaries(rig).await {
        let mut redis = Redis::connect(port).await?;
        for key in keys(&mut redis, "saa:*").await? {
            let mut say = |problem: String| found.push(Leftover { key: key.clone(), problem });
            if redis.ask(&["PTTL", &key]).await?.number() == -1 && !stays(&key) {
                say("it never dies".to_owned());
            }
            match key.split(':').nth(2).unwrap_or_default() {
                "s" => {
                    let holder = redis.ask(&["HMGET", &key, "rid", "lu"]).await?.many();
                    let (run, until) = (holder.first().map_or("", Reply::text), holder.get(1).map_or(0, Reply::number));
                    if !run.is_empty() && until.cast_unsigned() > now_us() / 1000 {
                        say(format!("held by run {run}"));
                    }
                }
                "j" => say(format!("a journal with {} fields", redis.ask(&["HLEN", &key]).await?.number())),
                "q" => say("a queue".to_owned()),
                "o" | "open" => say("open runs".to_owned()),
                _ => {}
            }
        }
    }
    Ok(found)
}

/// Files of the store's servers in which what users say can be read. Everything that was ever written is there: nothing is rewritten so soon.
fn in_clear(dir: &Path) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    let mut left: Vec<PathBuf> = fs::read_dir(dir)?.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| path.is_dir()).collect();
    left.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("redis")));
    while let Some(path) = left.pop() {
        if path.is_dir() {
            left.extend(fs::read_dir(&path)?.filter_map(|entry| Some(entry.ok()?.path())));
        } else if fs::read(&path)?.windows(CANARY.len()).any(|bytes| bytes == CANARY) {
            found.push(Leftover { key: path.display().to_string(), problem: "text of sealed conversations is in it".to_owned() });
        }
    }
    Ok(found)
}

/// Keys of a session that an administrator has just ended.
async fn keys_of(rig: &Rig, user: &str) -> io::Result<Vec<Leftover>> {
    let mut found = Vec::new();
    for port in primaries(rig).await {
        let mut redis = Redis::connect(port).await?;
        for kind in ["s", "h", "j", "q", "r", "rl"] {
            for key in keys(&mut redis, &format!("saa:*:{kind}:{user}*")).await? {
                found.push(Leftover { key, problem: "its session was ended".to_owned() });
            }
        }
    }
    Ok(found)
}

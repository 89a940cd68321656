//! Both stores are told the same things in the same order, and answer the same: ids and times aside.

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use swagger_api_agent::{
    domain::{
        kept::{KeptReply, ResultId},
        session::SessionInfo,
        tool::ReplyBody,
        turn::FencingToken,
        user::Role,
    },
    store::{
        Store,
        contract::{
            AccountChange, AdminAnswer, Begin, Begun, Caller, Cleared, Commit, Entered, Entry, Idempotency, Lease, Reset, Tail, Visit,
        },
    },
};

use super::bed::{Bed, LONG_MS, account, name, said, turn};

const USERS: [&str; 3] = ["ann", "b:b", "张三"];
const TURNS_MAX: usize = 4;
const SEQUENCES: u32 = 40;

/// One verb with its arguments; leases are named by who was the n-th to get one.
#[derive(Debug, Clone)]
enum Verb {
    Enter { user: usize, tail: Tail },
    Begin { user: usize, run: u8, owner: u8, lapsed: bool, tail: usize, key: Option<(u8, u8)> },
    Step { lease: usize, lapsed: bool, entries: Vec<(u8, u8)> },
    Commit { lease: usize, turns: u8, key: Option<(u8, u8, bool)> },
    Clear { user: usize },
    Keep { user: usize, id: u8, text: u8 },
    Kept { user: usize, id: u8 },
    Reset { user: usize },
    Disable { user: usize, disabled: bool },
    Sessions,
    Stats,
}

fn result(id: u8) -> ResultId {
    ResultId::parse(&format!("{id:032x}")).expect("an id")
}

fn verbs() -> impl Strategy<Value = Verb> {
    let user = 0..USERS.len();
    let tail = prop_oneof![
        Just(Tail::Nothing),
        (0..6_usize).prop_map(Tail::Newest),
        (0..12_u64, 0..6_usize).prop_map(|(turn, n)| Tail::Before { turn, n }),
    ];
    let key = || proptest::option::of((0..2_u8, 0..2_u8));
    prop_oneof![
        2 => (user.clone(), tail).prop_map(|(user, tail)| Verb::Enter { user, tail }),
        6 => (user.clone(), 0..4_u8, 0..3_u8, any::<bool>(), 0..6_usize, key())
            .prop_map(|(user, run, owner, lapsed, tail, key)| Verb::Begin { user, run, owner, lapsed, tail, key }),
        4 => (0..4_usize, any::<bool>(), proptest::collection::vec((0..3_u8, 0..3_u8), 0..3))
            .prop_map(|(lease, lapsed, entries)| Verb::Step { lease, lapsed, entries }),
        6 => (0..4_usize, 0..4_u8, proptest::option::of((0..2_u8, 0..2_u8, any::<bool>())))
            .prop_map(|(lease, turns, key)| Verb::Commit { lease, turns, key }),
        1 => user.clone().prop_map(|user| Verb::Clear { user }),
        2 => (user.clone(), 0..3_u8, 0..3_u8).prop_map(|(user, id, text)| Verb::Keep { user, id, text }),
        2 => (user.clone(), 0..3_u8).prop_map(|(user, id)| Verb::Kept { user, id }),
        1 => user.clone().prop_map(|user| Verb::Reset { user }),
        1 => (user, any::<bool>()).prop_map(|(user, disabled)| Verb::Disable { user, disabled }),
        1 => Just(Verb::Sessions),
        1 => Just(Verb::Stats),
    ]
}

/// One store, with the leases that it gave and the session ids it made, by the order in which they came.
struct Told<'a> {
    store: &'a Store,
    leases: Vec<Lease>,
    ids: Vec<String>,
    issued_ms: u64,
}

impl<'a> Told<'a> {
    fn new(bed: &'a Bed) -> Self {
        // Issued late enough that no change of an account voids it: times differ between the stores.
        Self { store: bed.store(), leases: Vec::new(), ids: Vec::new(), issued_ms: u64::from(u32::MAX) * 1000 }
    }

    fn lease(&self, back: usize) -> Lease {
        let nobodys = || Lease { user: name("ann"), run: "none".into(), token: FencingToken::from_store("0:none".into()) };
        self.leases.iter().rev().nth(back).cloned().unwrap_or_else(nobodys)
    }

    fn session(&mut self, session: &SessionInfo) -> String {
        let id = session.id.as_str().to_owned();
        let nth = self.ids.iter().position(|known| *known == id).unwrap_or_else(|| {
            self.ids.push(id);
            self.ids.len() - 1
        });
        let lives = session.expires_ms - session.created_ms;
        format!("session {nth}, turns {}, version {}, running {:?}, lives {lives}", session.turns, session.version, session.running)
    }

    fn visit(&mut self, visit: &Visit) -> String {
        format!("{:?} {} first {} tail {:?}", visit.role, self.session(&visit.session), visit.first, said(&visit.tail))
    }

    /// Does one verb and puts the answer into words, ids and times aside.
    async fn answer(&mut self, nth: usize, verb: &Verb) -> String {
        let users = USERS.map(name);
        let caller = |user: usize| Caller { user: &users[user], token_id: "jti", issued_ms: self.issued_ms };
        let keys = ["K", "L"];
        let prints = ["F", "G"];
        let idempotency = |(key, print): (u8, u8)| Idempotency { key: keys[usize::from(key)], fingerprint: prints[usize::from(print)] };
        match verb {
            Verb::Enter { user, tail } => match self.store.enter(caller(*user), *tail).await {
                Ok(Entered::In(visit)) => self.visit(&visit),
                other => format!("{other:?}"),
            },
            Verb::Begin { user, run, owner, lapsed, tail, key } => {
                let (run, owner) = (format!("r{run}"), format!("A#{owner}"));
                let lease_ms = if *lapsed { 0 } else { LONG_MS };
                let (caller, input) = (caller(*user), format!("input {nth}"));
                let begin = Begin {
                    caller,
                    run: &run,
                    owner: &owner,
                    lease_ms,
                    tail: *tail,
                    input: input.as_bytes(),
                    idempotency: key.map(idempotency),
                };
                match self.store.begin(begin).await {
                    Ok(Begun::Started(mut started)) => {
                        let lease = Lease { user: users[*user].clone(), run: started.run.clone(), token: started.token.clone() };
                        self.leases.push(lease);
                        started.journal.sort_by(|a, b| (&a.run, &a.field).cmp(&(&b.run, &b.field)));
                        let visit = self.visit(&started.visit);
                        format!("{} {:?} {visit} {:?}", started.run, started.token, started.journal)
                    }
                    Ok(Begun::Busy { run, .. }) => format!("busy with {run}"),
                    other => format!("{other:?}"),
                }
            }
            Verb::Step { lease, lapsed, entries } => {
                let entry = |(field, value): &(u8, u8)| Entry { field: format!("c{field}i"), value: vec![*value] };
                let entries: Vec<_> = entries.iter().map(entry).collect();
                let lease_ms = if *lapsed { 0 } else { LONG_MS };
                format!("{:?}", self.store.step(&self.lease(*lease), lease_ms, &entries).await)
            }
            Verb::Commit { lease, turns, key } => {
                let turns: Vec<_> = (0..*turns).map(|i| turn(&format!("{nth}.{i}"))).collect();
                let answer = format!("answer {nth}");
                let reply = key.map(|(key, print, keeps)| (idempotency((key, print)), if keeps { answer.as_bytes() } else { b"" }));
                format!("{:?}", self.store.commit(&self.lease(*lease), Commit { turns: &turns, reply }).await)
            }
            Verb::Keep { user, id, text } => {
                let reply = KeptReply { content_type: String::new(), body: ReplyBody::Text(format!("text {text}")) };
                format!("{:?}", self.store.keep_result(&users[*user], &result(*id), &reply, Duration::from_secs(600)).await)
            }
            Verb::Kept { user, id } => format!("{:?}", self.store.kept_result(&users[*user], &result(*id)).await),
            Verb::Clear { user } => match self.store.clear(caller(*user)).await {
                Ok(Cleared::Done(session)) => self.session(&session),
                Ok(Cleared::Busy { run, .. }) => format!("busy with {run}"),
                other => format!("{other:?}"),
            },
            Verb::Reset { user } => match self.store.reset(caller(*user)).await {
                Ok(Reset::Done(session)) => self.session(&session),
                other => format!("{other:?}"),
            },
            Verb::Disable { user, disabled } => {
                format!("{:?}", self.store.change_account(&users[*user], AccountChange::Disabled(*disabled)).await)
            }
            Verb::Sessions => {
                let root = name("root");
                let caller = Caller { user: &root, token_id: "jti", issued_ms: self.issued_ms };
                match self.store.sessions(caller, None, 10).await {
                    Ok(AdminAnswer::Granted(page)) => {
                        // Within one millisecond the order is that of the names on one clock and that of time on the other.
                        let mut listed: Vec<_> = page.sessions.iter().map(|s| (s.user.clone(), s.turns)).collect();
                        listed.sort();
                        format!("{listed:?} {} {}", page.stats.total, page.stats.active)
                    }
                    other => format!("{other:?}"),
                }
            }
            Verb::Stats => format!("{:?}", self.store.stats().await),
        }
    }
}

async fn fresh(bed: Bed) -> Bed {
    let bed = bed.keeping(TURNS_MAX);
    for user in USERS {
        bed.store().add_account(&account(user, Role::User)).await.expect("the store answers");
    }
    bed.store().add_account(&account("root", Role::Admin)).await.expect("the store answers");
    bed
}

#[test]
fn both_stores_answer_the_same() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let redis = runtime.block_on(Bed::on_redis());
    let redis = std::cell::RefCell::new(Some(redis));
    let mut runner = TestRunner::new(Config { cases: SEQUENCES, failure_persistence: None, ..Config::default() });
    let sequences = proptest::collection::vec(verbs(), 1..60);
    let outcome = runner.run(&sequences, |verbs| {
        let told = runtime.block_on(async {
            let cleared = redis.borrow_mut().take().expect("the bed was put back");
            cleared.empty();
            let (on_redis, embedded) = (fresh(cleared).await, fresh(Bed::embedded().await).await);
            let (mut one, mut other) = (Told::new(&on_redis), Told::new(&embedded));
            let mut answers = Vec::new();
            for (nth, verb) in verbs.iter().enumerate() {
                answers.push((verb.clone(), one.answer(nth, verb).await, other.answer(nth, verb).await));
            }
            *redis.borrow_mut() = Some(on_redis);
            answers
        });
        for (verb, on_redis, embedded) in told {
            prop_assert_eq!(on_redis, embedded, "{:?}", verb);
        }
        Ok(())
    });
    if let Err(told) = outcome {
        panic!("{told}");
    }
}

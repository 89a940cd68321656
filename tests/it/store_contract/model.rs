//! Both stores are told the same things in the same order, and answer the same: ids and times aside.

use std::time::Duration;

use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use swagger_api_agent::domain::slot::SessionSlot;
use swagger_api_agent::{
    domain::{
        kept::{KeptReply, ResultId},
        rate::Counted,
        session::{Revision, SessionId, SessionInfo},
        tool::ReplyBody,
        turn::{Ending, FencingToken, OnBusy},
        user::{Role, UserName},
    },
    store::{
        Store,
        contract::{
            AccountChange, AdminAnswer, Begin, Begun, Caller, Cancelled, Cleared, Commit, Entered, Entry, Idempotency, Lease, Looked,
            Reset, Started, Tail, Taken, TurnPlace, Visit, overview::Tally,
        },
    },
};

use super::bed::{Bed, LONG_MS, account, name, said, turn};

const USERS: [&str; 3] = ["ann", "b:b", "张三"];
const TURNS_MAX: usize = 4;
const SEQUENCES: u32 = 60;
/// More than may wait for one session.
const RUNS: u8 = 12;

/// One verb with its arguments; leases are named by who was the n-th to get one.
#[derive(Debug, Clone)]
enum Verb {
    Enter { user: usize, tail: Tail },
    Begin { user: usize, run: u8, owner: u8, lapsed: bool, tail: usize, key: Option<(u8, u8)>, on_busy: OnBusy, expects: Option<usize> },
    Release { user: usize, run: u8, owner: u8, key: Option<(u8, u8)> },
    Take { user: usize, owner: u8, lapsed: bool, tail: usize },
    HandOver { lease: usize },
    Step { lease: usize, lapsed: bool, entries: Vec<(u8, u8)> },
    Commit { lease: usize, turns: u8, key: Option<(u8, u8, bool)>, ending: Ending },
    Look { user: usize, run: u8, back: usize },
    Cancel { user: usize, run: u8 },
    Kill { user: usize },
    Due,
    Clear { user: usize, expects: Option<usize> },
    Keep { user: usize, id: u8, text: u8 },
    Kept { user: usize, id: u8 },
    Reset { user: usize, expects: Option<usize> },
    Disable { user: usize, disabled: bool },
    Sessions,
    Stats,
}

fn result(id: u8) -> ResultId {
    ResultId::parse(&format!("{id:032x}")).expect("an id")
}

/// A run has an id of its own: what begins after others have ended has another one.
fn run_name(run: u8, epoch: usize) -> String {
    format!("e{epoch:03}r{run:02}")
}

fn verbs() -> impl Strategy<Value = Verb> {
    let user = 0..USERS.len();
    let tail = prop_oneof![
        Just(Tail::Nothing),
        (0..6_usize).prop_map(Tail::Newest),
        (0..12_u64, 0..6_usize).prop_map(|(turn, n)| Tail::Before { turn, n }),
    ];
    let key = || proptest::option::of((0..2_u8, 0..2_u8));
    let on_busy = prop_oneof![2 => Just(OnBusy::Reject), 2 => Just(OnBusy::Enqueue), 1 => Just(OnBusy::Interrupt)];
    let ending = prop_oneof![Just(Ending::Answered), Just(Ending::UnknownOutcome), Just(Ending::Failed)];
    let seen = || proptest::option::weighted(0.2, 0..4_usize);
    prop_oneof![
        2 => (user.clone(), tail).prop_map(|(user, tail)| Verb::Enter { user, tail }),
        8 => (user.clone(), 0..RUNS, 0..3_u8, any::<bool>(), 0..6_usize, key(), on_busy, seen())
            .prop_map(|(user, run, owner, lapsed, tail, key, on_busy, expects)| {
                Verb::Begin { user, run, owner, lapsed, tail, key, on_busy, expects }
            }),
        1 => (user.clone(), 0..RUNS, 0..3_u8, key()).prop_map(|(user, run, owner, key)| Verb::Release { user, run, owner, key }),
        4 => (user.clone(), 0..3_u8, any::<bool>(), 0..6_usize)
            .prop_map(|(user, owner, lapsed, tail)| Verb::Take { user, owner, lapsed, tail }),
        1 => (0..4_usize).prop_map(|lease| Verb::HandOver { lease }),
        3 => (user.clone(), 0..RUNS, 0..3_usize).prop_map(|(user, run, back)| Verb::Look { user, run, back }),
        2 => (user.clone(), 0..RUNS).prop_map(|(user, run)| Verb::Cancel { user, run }),
        1 => user.clone().prop_map(|user| Verb::Kill { user }),
        2 => Just(Verb::Due),
        4 => (0..4_usize, any::<bool>(), proptest::collection::vec((0..3_u8, 0..3_u8), 0..3))
            .prop_map(|(lease, lapsed, entries)| Verb::Step { lease, lapsed, entries }),
        6 => (0..4_usize, 0..4_u8, proptest::option::of((0..2_u8, 0..2_u8, any::<bool>())), ending)
            .prop_map(|(lease, turns, key, ending)| Verb::Commit { lease, turns, key, ending }),
        1 => (user.clone(), seen()).prop_map(|(user, expects)| Verb::Clear { user, expects }),
        2 => (user.clone(), 0..3_u8, 0..3_u8).prop_map(|(user, id, text)| Verb::Keep { user, id, text }),
        2 => (user.clone(), 0..3_u8).prop_map(|(user, id)| Verb::Kept { user, id }),
        1 => (user.clone(), seen()).prop_map(|(user, expects)| Verb::Reset { user, expects }),
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
    revisions: Vec<Revision>,
    /// How often runs have ended.
    epoch: usize,
    issued_ms: u64,
}

impl<'a> Told<'a> {
    fn new(bed: &'a Bed) -> Self {
        // Issued late enough that no change of an account voids it: times differ between the stores.
        Self {
            store: bed.store(),
            leases: Vec::new(),
            ids: Vec::new(),
            revisions: Vec::new(),
            epoch: 0,
            issued_ms: u64::from(u32::MAX) * 1000,
        }
    }

    fn lease(&self, back: usize) -> Lease {
        let nowhere = || TurnPlace::open(SessionId::from_stored("none"), 0);
        let token = || FencingToken::from_store("0:none".into());
        let nobodys = || Lease { user: name("ann"), run: "none".into(), token: token(), turns_at: nowhere() };
        self.leases.iter().rev().nth(back).cloned().unwrap_or_else(nobodys)
    }

    /// A session's id by the order in which it came.
    fn id(&mut self, id: &str) -> usize {
        let nth = self.ids.iter().position(|known| known == id);
        nth.unwrap_or_else(|| {
            self.ids.push(id.to_owned());
            self.ids.len() - 1
        })
    }

    /// What a client has seen, so many answers ago.
    fn seen(&self, back: usize) -> Option<Revision> {
        self.revisions.iter().rev().nth(back).cloned()
    }

    fn revision(&mut self, revision: &Revision) -> String {
        format!("at {} {} {}", self.id(revision.session.as_str()), revision.fence, revision.version)
    }

    fn started(&mut self, user: &UserName, started: &Started) -> String {
        let (user, run, token) = (user.clone(), started.run.clone(), started.token.clone());
        self.leases.push(Lease { user, run, token, turns_at: started.turns_at.clone() });
        format!("{} {:?} {}", started.run, started.token, self.visit(&started.visit))
    }

    fn session(&mut self, session: &SessionInfo) -> String {
        self.revisions.push(session.revision());
        let nth = self.id(session.id.as_str());
        let lives = session.expires_ms - session.created_ms;
        format!(
            "session {nth}, turns {}, version {}, fence {}, running {:?}, lives {lives}",
            session.turns, session.version, session.fence, session.running
        )
    }

    fn visit(&mut self, visit: &Visit) -> String {
        format!("{:?} {} first {} tail {:?}", visit.role, self.session(&visit.session), visit.first, said(&visit.tail))
    }

    /// Does one verb and puts the answer into words, ids and times aside.
    async fn answer(&mut self, nth: usize, verb: &Verb) -> String {
        let users = USERS.map(name);
        let counted = Counted::default();
        let caller =
            |user: usize| Caller { user: &users[user], token_id: "jti", issued_ms: self.issued_ms, counted: &counted, session: None };
        let keys = ["K", "L"];
        let prints = ["F", "G"];
        let idempotency = |(key, print): (u8, u8)| Idempotency { key: keys[usize::from(key)], fingerprint: prints[usize::from(print)] };
        match verb {
            Verb::Enter { user, tail } => match self.store.enter(caller(*user), *tail).await {
                Ok(Entered::In(visit)) => self.visit(&visit),
                other => format!("{other:?}"),
            },
            Verb::Begin { user, run, owner, lapsed, tail, key, on_busy, expects } => {
                let (run, owner) = (run_name(*run, self.epoch), format!("A#{owner}"));
                let input = format!("input {nth}");
                let expects = expects.and_then(|back| self.seen(back));
                let begin = Begin {
                    caller: caller(*user),
                    run: &run,
                    owner: &owner,
                    lease_ms: if *lapsed { 0 } else { LONG_MS },
                    tail: *tail,
                    input: input.as_bytes(),
                    idempotency: key.map(idempotency),
                    on_busy: *on_busy,
                    expects: expects.as_ref(),
                    running_max: 1,
                };
                match self.store.begin(begin).await {
                    Ok(Begun::Started(started)) => self.started(&users[*user], &started),
                    Ok(Begun::Busy { run, .. }) => format!("busy with {run}"),
                    Ok(Begun::Moved(stored)) => self.revision(&stored),
                    other => format!("{other:?}"),
                }
            }
            Verb::Release { user, run, owner, key } => {
                let (run, owner) = (run_name(*run, self.epoch), format!("A#{owner}"));
                let (caller, on_busy, idempotency) = (caller(*user), OnBusy::Reject, key.map(idempotency));
                let (run, owner) = (run.as_str(), owner.as_str());
                let begun =
                    Begin { caller, run, owner, lease_ms: 0, tail: 0, input: b"", idempotency, on_busy, expects: None, running_max: 0 };
                format!("{:?}", self.store.release(&begun).await)
            }
            Verb::Take { user, owner, lapsed, tail } => {
                let lease_ms = if *lapsed { 0 } else { LONG_MS };
                match self.store.take(&SessionSlot::main(&users[*user]), &format!("T#{owner}"), lease_ms, *tail).await {
                    Ok(Taken::Run(mut taken)) => {
                        taken.journal.sort_by(|a, b| (&a.run, &a.field).cmp(&(&b.run, &b.field)));
                        let started = self.started(&users[*user], &taken.started);
                        format!("{started} {:?} {} {:?}", taken.journal, taken.crashes, taken.stop)
                    }
                    Ok(Taken::Held { run, .. }) => format!("held by {run}"),
                    other => format!("{other:?}"),
                }
            }
            Verb::HandOver { lease } => format!("{:?}", self.store.hand_over(&self.lease(*lease), 0).await),
            Verb::Look { user, run, back } => match self
                .store
                .look(caller(*user), &run_name(*run, self.epoch.saturating_sub(*back)), true)
                .await
            {
                Ok(Looked::Ended { ended, turn, revision }) => {
                    let session = self.id(ended.session.as_str());
                    let said = turn.map(|turn| turn.message);
                    format!("{} {} {:?} {} {said:?} {}", ended.ending.as_str(), session, ended.turn, ended.detail, self.revision(&revision))
                }
                Ok(Looked::Running { left_ms, stop, session, mut journal }) => {
                    journal.sort_by(|a, b| a.field.cmp(&b.field));
                    format!("running {} {stop:?} {} {journal:?}", left_ms > 0, self.id(session.as_str()))
                }
                Ok(Looked::Waiting { place, input, session, .. }) => format!("waits {place} {input:?} {}", self.id(session.as_str())),
                other => format!("{other:?}"),
            },
            Verb::Cancel { user, run } => match self.store.cancel(caller(*user), &run_name(*run, self.epoch)).await {
                Ok(Cancelled::Stopping { left_ms }) => format!("stopping {}", left_ms > 0),
                Ok(Cancelled::Ended(ended)) => format!("ended {}", ended.ending.as_str()),
                other => format!("{other:?}"),
            },
            Verb::Kill { user } => format!("{:?}", self.store.kill(&users[*user], None).await),
            Verb::Due => {
                // An open session is found again until somebody has looked: what is due without need is let go by a take.
                let mut due = self.store.due().await.expect("the store answers");
                due.sort();
                format!("{due:?}")
            }
            Verb::Step { lease, lapsed, entries } => {
                let entry = |(field, value): &(u8, u8)| Entry { field: format!("c{field}i"), value: vec![*value] };
                let entries: Vec<_> = entries.iter().map(entry).collect();
                let lease_ms = if *lapsed { 0 } else { LONG_MS };
                format!("{:?}", self.store.step(&self.lease(*lease), lease_ms, &entries).await)
            }
            Verb::Commit { lease, turns, key, ending } => {
                let turns: Vec<_> = (0..*turns).map(|i| turn(&format!("{nth}.{i}"))).collect();
                let answer = format!("answer {nth}");
                let reply = key.map(|(key, print, keeps)| (idempotency((key, print)), if keeps { answer.as_bytes() } else { b"" }));
                format!(
                    "{:?}",
                    self.store
                        .commit(
                            &self.lease(*lease),
                            Commit {
                                turns: &turns,
                                reply,
                                ending: *ending,
                                accepted_ms: 1,
                                detail: "x",
                                title: None,
                                tally: Tally::default()
                            }
                        )
                        .await
                )
            }
            Verb::Keep { user, id, text } => {
                let reply = KeptReply { content_type: String::new(), body: ReplyBody::Text(format!("text {text}")) };
                format!(
                    "{:?}",
                    self.store.keep_result(&SessionSlot::main(&users[*user]), &result(*id), &reply, Duration::from_secs(600)).await
                )
            }
            Verb::Kept { user, id } => format!("{:?}", self.store.kept_result(&users[*user], &result(*id)).await),
            Verb::Clear { user, expects } => match self.store.clear(caller(*user), expects.and_then(|back| self.seen(back)).as_ref()).await
            {
                Ok(Cleared::Moved(stored)) => self.revision(&stored),
                Ok(Cleared::Done(session)) => self.session(&session),
                Ok(Cleared::Busy { run, .. }) => format!("busy with {run}"),
                other => format!("{other:?}"),
            },
            Verb::Reset { user, expects } => match self.store.reset(caller(*user), expects.and_then(|back| self.seen(back)).as_ref()).await
            {
                Ok(Reset::Moved(stored)) => self.revision(&stored),
                Ok(Reset::Done(session)) => self.session(&session),
                other => format!("{other:?}"),
            },
            Verb::Disable { user, disabled } => {
                format!("{:?}", self.store.change_account(&users[*user], AccountChange::Disabled(*disabled)).await)
            }
            Verb::Sessions => {
                let root = name("root");
                let caller = Caller { user: &root, token_id: "jti", issued_ms: self.issued_ms, counted: &counted, session: None };
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
                if matches!(verb, Verb::Commit { .. } | Verb::Kill { .. } | Verb::Reset { .. } | Verb::Cancel { .. }) {
                    (one.epoch, other.epoch) = (one.epoch + 1, other.epoch + 1);
                }
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

//! Who uses the service: many users, each with a text of their own that nobody else may see, on several connections at once.

pub mod api;
pub mod life;
mod turn;

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use fastrand::Rng;
use tokio::{sync::RwLock, task::JoinHandle, time::sleep};

use self::api::Caller;
use crate::{
    journal::{Journal, now_us},
    records::{Kind, Op, Run, Session, Terms},
    rig::{ADMIN, Rig},
};

/// A session is begun anew after about so many operations, so that its history can be judged in milliseconds.
const OPERATIONS_A_SESSION: u64 = 24;

/// One user, as all connections of that user know it.
pub struct User {
    pub caller: Caller,
    /// The session's number. Held for reading by whatever goes on in it, for writing to end it.
    pub generation: RwLock<u64>,
    operations: AtomicU64,
    etag: Mutex<Option<String>>,
}

/// All clients.
pub struct Clients {
    pub users: Vec<User>,
    pub admin: Caller,
    pub terms: Terms,
    journal: Journal,
    ops: Mutex<Vec<Op>>,
    /// How each session stood when it was ended by its user.
    pub sessions: Mutex<Vec<Session>>,
    /// What runs came to.
    pub runs: Mutex<Vec<Run>>,
    /// Sessions that an administrator ended.
    pub killed: Mutex<BTreeSet<(String, u64)>>,
    next: AtomicU64,
    stopping: AtomicBool,
    /// How often a client hangs up on purpose, of 256.
    pub hangups: u8,
}

/// Whether the service tells about runs: a service that does knows no run of that name, one that does not has no such path.
async fn tells_runs(admin: &Caller) -> bool {
    loop {
        let known = admin.ask("GET", "/api/runs/none", None, &[], crate::http::Hangup::Never).await.tried;
        if known.status == 404 {
            return known.code == "run_unknown";
        }
        sleep(Duration::from_millis(100)).await;
    }
}

impl Clients {
    /// Logs everybody in.
    pub async fn arrive(rig: &Rig, users: usize, mut terms: Terms, log: &Path) -> io::Result<Arc<Self>> {
        let admin = Caller::login(rig.port, ADMIN, &rig.password).await?;
        terms.runs = tells_runs(&admin).await;
        // A service that tells nothing of runs sends no keys either: payments are as unprotected as orders.
        terms.dedup &= terms.runs;
        let mut all = Vec::new();
        for n in 0..users {
            let caller = Caller::login(rig.port, &format!("u{n:02}"), &rig.password).await?;
            let (generation, operations, etag) = (RwLock::new(0), AtomicU64::new(0), Mutex::default());
            all.push(User { caller, generation, operations, etag });
        }
        Ok(Arc::new(Self {
            users: all,
            admin,
            terms,
            journal: Journal::open(log)?,
            ops: Mutex::default(),
            sessions: Mutex::default(),
            runs: Mutex::default(),
            killed: Mutex::default(),
            next: AtomicU64::new(1),
            stopping: AtomicBool::new(false),
            hangups: 14,
        }))
    }

    /// Lets them all work, until `stop`.
    pub fn work(self: &Arc<Self>, seed: u64) -> Vec<JoinHandle<()>> {
        // Who is asked for a yes answers before anything else is said.
        let threads = if self.terms.confirm { 1 } else { 3 };
        let mut rng = Rng::with_seed(seed);
        let mut working = Vec::new();
        for user in 0..self.users.len() {
            for _ in 0..threads {
                let (clients, seed) = (Arc::clone(self), rng.u64(..));
                working.push(tokio::spawn(async move { clients.talk(user, seed).await }));
            }
        }
        if self.terms.runs {
            let (clients, seed) = (Arc::clone(self), rng.u64(..));
            working.push(tokio::spawn(async move { clients.end_sessions(seed).await }));
        }
        working
    }

    pub fn stop(&self) {
        self.stopping.store(true, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }

    pub fn ops(&self) -> Vec<Op> {
        self.ops.lock().expect("nobody panics with it").clone()
    }

    /// One connection's work.
    async fn talk(&self, user: usize, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let own = &self.users[user];
        while !self.stopped() {
            match rng.u8(..100) {
                0..=64 => self.turn(own, &mut rng).await,
                65..=84 => self.read(own).await,
                85..=92 if self.terms.runs => self.later(own, &mut rng).await,
                93..=99 if self.terms.runs => self.call(own, &mut rng).await,
                _ => self.turn(own, &mut rng).await,
            }
            if own.operations.fetch_add(1, Ordering::Relaxed) % OPERATIONS_A_SESSION == OPERATIONS_A_SESSION - 1 {
                self.begin_anew(own).await;
            }
            sleep(Duration::from_millis(rng.u64(5..60))).await;
        }
    }

    /// An operation that begins now.
    pub fn begin(&self, user: &str, generation: u64, kind: Kind) -> Op {
        Op::new(self.next.fetch_add(1, Ordering::Relaxed), user, generation, kind, now_us())
    }

    /// Writes an operation down.
    pub async fn end(&self, op: Op) {
        self.journal.write(&op).await;
        self.ops.lock().expect("nobody panics with it").push(op);
    }
}

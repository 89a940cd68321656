//! Accepting what a user wants: the session is leased for it, or it waits its turn, or it is refused with a reason.

use std::time::{Duration, Instant};

use serde_json::{Map, Value};

use super::{App, AppError, lease::Held};
use crate::{
    domain::{session::Revision, slot::Slot, turn::OnBusy},
    metrics::{Stage, metrics},
    secrets::{digest, random, tokens::Bearer},
    store::contract::{Begin, Begun, Idempotency, Started, StoreError},
};

/// How long a begin whose answer was lost is looked after, so that the session is not blocked for a whole lease.
const RELEASE_ATTEMPTS: u32 = 10;
const RELEASE_PAUSE: Duration = Duration::from_millis(500);
/// How long a request waits for the run of a dead replica to be ended before it is told to come again.
const RECOVERY_WAIT: Duration = Duration::from_millis(900);

/// What somebody wants to begin.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    pub caller: Bearer,
    pub run: String,
    pub owner: String,
    /// What is journaled of it.
    pub input: Vec<u8>,
    /// Turns of the conversation to bring along.
    pub tail: usize,
    pub keyed: Option<Digests>,
    pub on_busy: OnBusy,
    pub expects: Option<Revision>,
}

/// What accepting it came to.
pub(super) enum Accepted {
    Started(Box<Started>, Held),
    /// It was answered before.
    Replay(Vec<u8>),
    /// It waits for the session, and somebody will run it.
    Waits,
}

/// Digests of a client's idempotency key and of what it asks, scoped to the caller.
#[derive(Debug, Clone)]
pub(super) struct Digests {
    pub key: String,
    pub fingerprint: String,
}

impl Digests {
    /// `asked` is what makes two requests the same one, with the session that they name; `route` keeps keys of different endpoints apart.
    pub fn of(caller: &Bearer, route: &str, key: &str, asked: &[&[u8]]) -> Self {
        let session = caller.session.as_ref().map(|session| session.as_str().as_bytes());
        let asked: Vec<&[u8]> = asked.iter().copied().chain(session).collect();
        Self { key: digest::of(&[caller.user.as_str().as_bytes(), route.as_bytes(), key.as_bytes()]), fingerprint: digest::of(&asked) }
    }

    pub fn as_idempotency(&self) -> Idempotency<'_> {
        Idempotency { key: &self.key, fingerprint: &self.fingerprint }
    }
}

/// An object as text, the same for the same object.
pub(super) fn canonical(object: Option<&Map<String, Value>>) -> String {
    object.map(|object| Value::Object(object.clone()).to_string()).unwrap_or_default()
}

impl App {
    /// Leases the session for what is wanted, or has it wait. A run of a dead replica that is in the way is ended first.
    pub(super) async fn accept(&self, wanted: &Wanted) -> Result<Accepted, AppError> {
        let patience = tokio::time::Instant::now() + RECOVERY_WAIT;
        let (user, session) = (&wanted.caller.user, wanted.caller.session_slot());
        let told_before = self.seen().of(user);
        loop {
            let asked = Instant::now();
            let lease_ms = self.settings().turns.lease_ms;
            let begin = Begin { running_max: self.settings().sessions.running_max, ..wanted.begin(lease_ms) };
            let begun = crate::fault::during!("K1", 1, self.store().begin(begin)).await;
            metrics().stage(Stage::Begin, asked);
            match begun {
                Ok(Begun::Started(started)) => {
                    crate::fault::point("K2");
                    self.seen().begun(user, told_before, &started.visit.session.revision());
                    let held = Held::of(user, &started, lease_ms, asked);
                    return Ok(Accepted::Started(started, held));
                }
                Ok(Begun::Replay(body)) => return Ok(Accepted::Replay(body)),
                Ok(Begun::Queued { held, .. }) => {
                    if !held {
                        self.attend_soon(&session);
                    }
                    return Ok(Accepted::Waits);
                }
                Ok(Begun::Orphaned { run }) => {
                    let ended = match self.attend_soon(&session) {
                        Some(attending) => tokio::time::timeout_at(patience, attending).await.is_ok(),
                        None => return Err(AppError::Draining),
                    };
                    if !ended || tokio::time::Instant::now() >= patience {
                        return Err(AppError::Busy { run, left_ms: 0 });
                    }
                }
                Ok(Begun::Refused(refused)) => return Err(refused.into()),
                Ok(Begun::Busy { run, left_ms }) => {
                    if left_ms == 0 {
                        // Somebody waits for a session that nobody holds.
                        self.attend_soon(&session);
                    }
                    return Err(AppError::Busy { run, left_ms });
                }
                Ok(Begun::Full { run }) => return Err(AppError::QueueFull { run }),
                Ok(Begun::InFlight { run }) => return Err(AppError::InFlight { run }),
                Ok(Begun::Lost { run }) => return Err(AppError::Lost { run }),
                Ok(Begun::KeyReused) => return Err(AppError::KeyReused),
                Ok(Begun::NoSession) => return Err(AppError::NoSession),
                Ok(Begun::ManyRun) => return Err(AppError::TooManyTurns { most: self.settings().sessions.running_max }),
                Ok(Begun::Moved(stored)) => return Err(AppError::moved(wanted.expects.as_ref(), stored)),
                Err(error) => {
                    // It may have been done, also where it is not safe: nothing comes of it.
                    if matches!(error, StoreError::Unavailable | StoreError::NotDurable) {
                        self.release_later(wanted.clone());
                    }
                    return Err(error.into());
                }
            }
        }
    }

    /// The store did not answer, but may have done what it was asked: that is undone as soon as it can be reached, unless somebody has
    /// come after it.
    pub(super) fn release_later(&self, wanted: Wanted) {
        let app = self.clone();
        let release = async move {
            for _ in 0..RELEASE_ATTEMPTS {
                tokio::time::sleep(RELEASE_PAUSE).await;
                if app.store().release(&wanted.begin(0)).await.is_ok() {
                    return;
                }
            }
        };
        // If the process is going down there is nobody to look after it: the lease lapses by itself.
        let _ = self.spawn(release);
    }

    /// An id for a new run of a session in this slot, in the order of time (RFC 9562, UUIDv7): of the store's time, for the store forgets the
    /// runs with the oldest ids first, whichever replica made them.
    pub(super) fn new_run(&self, slot: Slot) -> String {
        run_id(self.now_ms(), slot)
    }

    /// Who asks for a lease: this replica, with a nonce for this attempt.
    pub(super) fn new_owner(&self) -> String {
        format!("{}#{}", self.replica(), random::hex_of(8))
    }
}

/// An id for a run that begins now.
pub(super) fn run_id(now_ms: u64, slot: Slot) -> String {
    let nanos = u32::try_from(now_ms % 1000).unwrap_or_default() * 1_000_000;
    slot.run_id(&uuid::Uuid::new_v7(uuid::Timestamp::from_unix(uuid::NoContext, now_ms / 1000, nanos)).simple().to_string())
}

impl Wanted {
    /// Asks for the lease, in however many sessions of the user's runs are.
    pub fn begin(&self, lease_ms: u64) -> Begin<'_> {
        Begin {
            caller: super::caller(&self.caller),
            run: &self.run,
            owner: &self.owner,
            lease_ms,
            tail: self.tail,
            input: &self.input,
            idempotency: self.keyed.as_ref().filter(|_| !crate::fault::ablated("idempotency")).map(Digests::as_idempotency),
            on_busy: self.on_busy,
            expects: self.expects.as_ref(),
            running_max: 0,
        }
    }
}

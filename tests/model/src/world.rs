//! Everything that is, at one moment: the store and its replica, the service's processes, the network, and what people were told.

use crate::store::{Call, MOST, Run, Stage, Store, Token};

/// Where a process is in its work. What stands in brackets is the place of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum At {
    #[default]
    Idle,
    /// It has taken a waiting turn from the queue, or only seen it there, and has not begun it.
    HasSeen,
    /// It owns its run and decides what comes next.
    Owns,
    /// It has stored a marker and waits for WAIT to count it.
    Waits(u8),
    /// It has looked at everything and may send: from here on neither fence nor lease can stop the bytes.
    MaySend(u8),
    /// It waits for the reply.
    Sent(u8),
    /// It knows what came of the call and has not stored it.
    Knows(u8, Call),
}

/// A process of the service, at work on one run at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Worker {
    pub at: At,
    pub run: u8,
    pub token: Token,
    /// How many failovers the store had when it answered last: what was written before one may be gone.
    pub epoch: u8,
    /// Its run, as it was found in the store and as it went on since.
    pub takes: u8,
    pub planned: bool,
    pub calls: [Call; MOST],
    /// The call that is being sent may have been sent before.
    pub again: bool,
}

impl Worker {
    /// A process that begins or takes a run.
    pub fn owning(run: u8, token: Token, epoch: u8, found: &Run) -> Self {
        Self { at: At::Owns, run, token, epoch, takes: found.takes, planned: found.planned, calls: found.calls, again: false }
    }
}

/// What a client was told of a turn that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Told {
    pub stage: Stage,
    pub calls: [Call; MOST],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct World {
    pub store: Store,
    /// The store's replica, which is behind.
    pub replica: Store,
    pub workers: [Worker; 2],
    /// Requests on their way to the API, by turn and call.
    pub under_way: [[u8; MOST]; MOST],
    /// What the API has done.
    pub effects: [[u8; MOST]; MOST],

    /// Turns whose client was told that they are accepted.
    pub acknowledged: [bool; MOST],
    pub told: [Option<Told>; MOST],
    /// Turns of which somebody was told that they are stopped, with the calls that had a marker by then.
    pub stopped: [Option<[bool; MOST]>; MOST],

    /// What must never happen, noted when it does.
    pub stale_write: bool,
    pub sent_after_stop: bool,
    pub sent_after_unknown: bool,

    pub nonces: u8,
    pub crashes: u8,
    pub pauses: u8,
    pub failovers: u8,
    pub hand_overs: u8,
    pub lost_replies: u8,
    pub cancels: u8,
    pub kills: u8,
}

impl World {
    pub fn idle(&self) -> Option<usize> {
        self.workers.iter().position(|worker| worker.at == At::Idle)
    }

    pub fn fresh_nonce(&mut self) -> u8 {
        self.nonces += 1;
        self.nonces
    }

    /// Whether somebody who is alive holds the session.
    pub fn owner_lives(&self) -> bool {
        let holds = |worker: &Worker| worker.at != At::Idle && worker.run == self.store.holder && worker.token == self.store.owner;
        self.workers.iter().any(holds)
    }

    /// Whether WAIT would count: the replica has everything.
    pub fn in_step(&self) -> bool {
        self.store == self.replica
    }
}

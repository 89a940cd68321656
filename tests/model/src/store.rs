//! What Redis holds of one session and its runs. Each method is one script: it looks, then changes all or nothing.

use crate::rules::{Rules, Token as Proof};

/// Turns and calls of a turn that a world can have.
pub const MOST: usize = 2;

/// `fence:replica#nonce`. The nonce is never given twice, the fence may be: a failover can take the counter back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Token {
    pub fence: u8,
    pub nonce: u8,
}

/// One changing call, as the journal knows it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Call {
    /// In the plan `p<round>`, or not yet asked for.
    #[default]
    Planned,
    /// Its dispatch marker `c<round>.<at>i` is there.
    Marked,
    /// Its result `c<round>.<at>r` is there: the API has answered.
    Done,
    NotSent,
    Unknown,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Stage {
    /// The store knows nothing of it.
    #[default]
    Absent,
    Queued,
    /// Out of the queue and not begun: only where the queue is popped without a claim.
    Popped,
    Running,
    Answered,
    UnknownOutcome,
    Failed,
    Cancelled,
    Killed,
}

impl Stage {
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Answered | Self::UnknownOutcome | Self::Failed | Self::Cancelled | Self::Killed)
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Run {
    pub stage: Stage,
    pub cancelled: bool,
    /// How often it was taken over from an owner whose lease lapsed.
    pub takes: u8,
    pub planned: bool,
    pub calls: [Call; MOST],
    /// How often it was written into the history.
    pub ends: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Lease {
    #[default]
    Free,
    Live,
    Lapsed,
    /// By a process that was asked to end.
    GivenBack,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Store {
    /// The counter in the account: it outlives sessions.
    pub fence: u8,
    /// Of whoever holds the session, or held it last.
    pub owner: Token,
    pub lease: Lease,
    /// The run that holds the session.
    pub holder: u8,
    pub runs: [Run; MOST],
}

/// What a script says to a run that writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    Ok,
    Stale,
    Cancel,
}

impl Store {
    pub fn run(&self, run: u8) -> &Run {
        &self.runs[usize::from(run)]
    }

    fn run_mut(&mut self, run: u8) -> &mut Run {
        &mut self.runs[usize::from(run)]
    }

    pub fn first_waiting(&self) -> Option<u8> {
        (0..MOST as u8).find(|run| self.run(*run).stage == Stage::Queued)
    }

    /// `begin`: a run gets the free session and a journal of its own.
    pub fn begin(&mut self, run: u8, nonce: u8) -> Token {
        let ends = self.run(run).ends;
        *self.run_mut(run) = Run { stage: Stage::Running, ends, ..Run::default() };
        self.own(run, nonce)
    }

    /// `begin` with `on_busy: "enqueue"`, when the session is held.
    pub fn enqueue(&mut self, run: u8) {
        self.run_mut(run).stage = Stage::Queued;
    }

    /// A run whose lease lapsed gets a new owner.
    pub fn take(&mut self, nonce: u8, rules: &Rules) -> Token {
        let run = self.holder;
        self.run_mut(run).takes += u8::from(self.lease == Lease::Lapsed);
        if rules.token == Proof::KeptByTheTaker {
            self.lease = Lease::Live;
            return self.owner;
        }
        self.own(run, nonce)
    }

    fn own(&mut self, run: u8, nonce: u8) -> Token {
        self.fence += 1;
        self.owner = Token { fence: self.fence, nonce };
        self.lease = Lease::Live;
        self.holder = run;
        self.owner
    }

    /// What every write of a run asks first.
    pub fn proves(&self, run: u8, token: Token, rules: &Rules) -> bool {
        let same = match rules.token {
            Proof::Whole | Proof::KeptByTheTaker => token == self.owner,
            Proof::NumberOnly => token.fence == self.owner.fence,
            Proof::Unchecked => true,
        };
        same && (self.run(run).stage == Stage::Running || !rules.stop_checked)
    }

    /// `step` with a plan, where that is a step of its own.
    pub fn plan(&mut self, run: u8, token: Token, rules: &Rules) -> Reply {
        if !self.proves(run, token, rules) {
            return Reply::Stale;
        }
        self.run_mut(run).planned = true;
        Reply::Ok
    }

    /// `step` with a dispatch marker, the first one of a plan with that plan: the one that a cancel stops.
    pub fn mark(&mut self, run: u8, call: u8, token: Token, rules: &Rules) -> Reply {
        if !self.proves(run, token, rules) {
            return Reply::Stale;
        }
        let run = self.run_mut(run);
        if run.cancelled && rules.stop_checked {
            return Reply::Cancel;
        }
        run.calls[usize::from(call)] = Call::Marked;
        run.planned |= rules.plan_with_marker && call == 0;
        Reply::Ok
    }

    /// `step` with a result.
    pub fn settle(&mut self, run: u8, call: u8, outcome: Call, token: Token, rules: &Rules) -> Reply {
        if !self.proves(run, token, rules) {
            return Reply::Stale;
        }
        self.run_mut(run).calls[usize::from(call)] = outcome;
        Reply::Ok
    }

    /// `commit`: the turn is told as what it became, and the session is free.
    pub fn commit(&mut self, run: u8, stage: Stage, calls: [Call; MOST], token: Token, rules: &Rules) -> Reply {
        if rules.commit_checked && !self.proves(run, token, rules) {
            return Reply::Stale;
        }
        self.end(run, stage, calls);
        self.lease = Lease::Free;
        Reply::Ok
    }

    /// A process that ends gives the run back: whoever takes it need not wait, and it does not count as taken.
    pub fn hand_over(&mut self, run: u8, token: Token, rules: &Rules) -> Reply {
        if !self.proves(run, token, rules) {
            return Reply::Stale;
        }
        self.lease = Lease::GivenBack;
        Reply::Ok
    }

    /// `POST /api/runs/{id}/cancel`: a waiting turn is over, a running one is asked to stop.
    pub fn cancel(&mut self, run: u8) {
        match self.run(run).stage {
            Stage::Queued => self.end(run, Stage::Cancelled, [Call::Planned; MOST]),
            _ => self.run_mut(run).cancelled = true,
        }
    }

    /// `DELETE /api/admin/sessions/{user}`: everything of the session is over, and told from its journals.
    pub fn kill(&mut self) {
        for run in 0..MOST as u8 {
            let Run { stage, calls, .. } = *self.run(run);
            if matches!(stage, Stage::Running | Stage::Queued) {
                self.end(run, Stage::Killed, calls);
            }
        }
        self.lease = Lease::Free;
    }

    fn end(&mut self, run: u8, stage: Stage, calls: [Call; MOST]) {
        let run = self.run_mut(run);
        *run = Run { stage, calls: calls.map(told), ends: run.ends + 1, ..Run::default() };
    }
}

/// What is told of a call when its turn is over.
fn told(call: Call) -> Call {
    match call {
        Call::Planned => Call::NotSent,
        Call::Marked => Call::Unknown,
        known @ (Call::Done | Call::NotSent | Call::Unknown) => known,
    }
}

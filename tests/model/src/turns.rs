//! The model: what can happen next in a world, and the world after it.

use stateright::{Model, Property};

use crate::{
    properties,
    rules::{Bounds, Claim, Rules},
    store::{Call, Lease, MOST, Stage},
    world::{At, Worker, World},
};

/// The protocol under these rules, in a world of this size.
#[derive(Clone, Copy, Debug)]
pub struct Turns {
    pub rules: Rules,
    pub bounds: Bounds,
}

/// What can happen. A number that stands alone is that of a turn, of a process where it says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// A client's request comes to an idle process: `begin`, or the queue.
    Accept(u8),
    /// The client is told that its turn is accepted.
    Acknowledge(u8),
    /// A client is told how its turn ended: the answer, its replay, or `GET /api/runs/{id}`.
    Tell(u8),
    /// An idle process takes the run whose lease lapsed or was given back: the reaper, or the next request for the session.
    Take,
    /// An idle process takes the first waiting turn.
    Claim,
    /// A process does its next step.
    Advance {
        process: usize,
    },
    ConnectFails {
        process: usize,
    },
    Reply {
        process: usize,
    },
    LoseReply {
        process: usize,
    },
    HandOver {
        process: usize,
    },
    Crash {
        process: usize,
    },
    /// A request arrives at the API, however long ago it was sent.
    Arrive {
        turn: usize,
        call: usize,
    },
    /// The lease of an owner that is gone lapses.
    Lapse,
    /// The lease of an owner that lives lapses.
    Pause,
    /// The replica of the store catches up.
    Replicate,
    /// The replica becomes the store: what it had not heard of is gone.
    FailOver,
    Cancel(u8),
    Kill,
    /// Whoever cancelled or killed is told that it is done.
    ConfirmStop(u8),
}

impl Turns {
    /// WAIT is asked for where the rule says so, and costs nothing where the store never fails over.
    pub fn waits(&self, rule: bool) -> bool {
        rule && self.bounds.failovers > 0
    }

    fn turns(&self) -> impl Iterator<Item = u8> {
        0..self.bounds.turns
    }

    /// What goes on by itself, without anybody's doing harm or changing their mind.
    pub fn progress(&self, world: &World, actions: &mut Vec<Action>) {
        for turn in self.turns() {
            let first = turn == 0 || world.store.run(turn - 1).stage != Stage::Absent;
            if world.store.run(turn).stage == Stage::Absent && first && !world.acknowledged[usize::from(turn)] {
                actions.push(Action::Accept(turn));
            }
        }
        actions.push(Action::Take);
        actions.push(Action::Claim);
        actions.push(Action::Lapse);
        for (process, worker) in world.workers.iter().enumerate() {
            match worker.at {
                At::Idle => {}
                At::Sent(_) => actions.push(Action::Reply { process }),
                _ => actions.push(Action::Advance { process }),
            }
        }
        for (turn, calls) in world.under_way.iter().enumerate() {
            for (call, under_way) in calls.iter().enumerate() {
                if *under_way > 0 {
                    actions.push(Action::Arrive { turn, call });
                }
            }
        }
        if self.bounds.failovers > 0 {
            actions.push(Action::Replicate);
        }
    }

    /// What people may do or learn, and what may break.
    fn events(&self, world: &World, actions: &mut Vec<Action>) {
        for turn in self.turns() {
            actions.extend([Action::Acknowledge(turn), Action::Tell(turn), Action::ConfirmStop(turn)]);
            if world.cancels < self.bounds.cancels {
                actions.push(Action::Cancel(turn));
            }
        }
        if world.kills < self.bounds.kills {
            actions.push(Action::Kill);
        }
        if world.failovers < self.bounds.failovers {
            actions.push(Action::FailOver);
        }
        if world.pauses < self.bounds.pauses {
            actions.push(Action::Pause);
        }
        for (process, worker) in world.workers.iter().enumerate() {
            if worker.at != At::Idle && world.crashes < self.bounds.crashes {
                actions.push(Action::Crash { process });
            }
            if worker.at == At::Owns && world.hand_overs < self.bounds.hand_overs {
                actions.push(Action::HandOver { process });
            }
            if matches!(worker.at, At::MaySend(_)) {
                actions.push(Action::ConnectFails { process });
            }
            if matches!(worker.at, At::Sent(_)) && world.lost_replies < self.bounds.lost_replies {
                actions.push(Action::LoseReply { process });
            }
        }
    }

    fn apply(&self, world: &mut World, action: Action) -> Option<()> {
        match action {
            Action::Accept(turn) => self.accept(world, turn),
            Action::Acknowledge(turn) => self.acknowledge(world, turn),
            Action::Tell(turn) => self.tell(world, turn),
            Action::Take => self.take(world),
            Action::Claim => self.claim(world),
            Action::Advance { process } => self.advance(world, process),
            Action::ConnectFails { process } => self.connect_fails(world, process),
            Action::Reply { process } => self.reply_comes(world, process),
            Action::LoseReply { process } => self.reply_is_lost(world, process),
            Action::HandOver { process } => self.hand_over(world, process),
            Action::Crash { process } => {
                world.workers[process] = Worker::default();
                world.crashes += 1;
                Some(())
            }
            Action::Arrive { turn, call } => {
                world.under_way[turn][call] -= 1;
                let effects = &mut world.effects[turn][call];
                *effects = if self.rules.deduplicated() { 1 } else { *effects + 1 };
                Some(())
            }
            Action::Lapse => (world.store.lease == Lease::Live && !world.owner_lives()).then(|| world.store.lease = Lease::Lapsed),
            Action::Pause => {
                let pauses = world.store.lease == Lease::Live && world.owner_lives();
                pauses.then(|| (world.store.lease, world.pauses) = (Lease::Lapsed, world.pauses + 1))
            }
            Action::Replicate => (!world.in_step()).then(|| world.replica = world.store),
            Action::FailOver => {
                world.store = world.replica;
                world.failovers += 1;
                Some(())
            }
            Action::Cancel(turn) => self.cancel(world, turn),
            Action::Kill => self.kill(world),
            Action::ConfirmStop(turn) => self.confirm_stop(world, turn),
        }
    }

    fn take(&self, world: &mut World) -> Option<()> {
        let who = world.idle()?;
        if !matches!(world.store.lease, Lease::Lapsed | Lease::GivenBack) {
            return None;
        }
        let nonce = world.fresh_nonce();
        let token = world.store.take(nonce, &self.rules);
        let turn = world.store.holder;
        let mut worker = Worker::owning(turn, token, world.failovers, world.store.run(turn));
        if !self.rules.plan_kept {
            (worker.planned, worker.calls) = (false, [Call::Planned; MOST]);
        }
        world.workers[who] = worker;
        Some(())
    }

    fn claim(&self, world: &mut World) -> Option<()> {
        let (who, turn) = (world.idle()?, world.store.first_waiting()?);
        if world.store.lease != Lease::Free {
            return None;
        }
        if self.rules.claim == Claim::OneScript {
            let nonce = world.fresh_nonce();
            let token = world.store.begin(turn, nonce);
            world.workers[who] = Worker::owning(turn, token, world.failovers, world.store.run(turn));
            return Some(());
        }
        if self.rules.claim == Claim::PopThenBegin {
            world.store.runs[usize::from(turn)].stage = Stage::Popped;
        }
        world.workers[who] = Worker { at: At::HasSeen, run: turn, ..Worker::default() };
        Some(())
    }
}

impl Model for Turns {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World::default()]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        self.progress(world, actions);
        self.events(world, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        let mut next = *world;
        self.apply(&mut next, action)?;
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::all()
    }
}

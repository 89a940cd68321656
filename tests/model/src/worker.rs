//! One process of the service at work on a run: what it does next, and what becomes of it when the store says no.

use crate::{
    rules::{Claim, Recovery},
    store::{Call, Lease, MOST, Reply, Stage},
    turns::Turns,
    world::{At, Worker, World},
};

impl Turns {
    /// The next thing that this process does by itself. `None` if it waits for something.
    pub fn advance(&self, world: &mut World, who: usize) -> Option<()> {
        match world.workers[who].at {
            At::Idle | At::Sent(_) => return None,
            At::HasSeen => self.begin_seen(world, who)?,
            At::Owns => self.decide(world, who),
            At::Waits(call) => self.wait(world, who, call)?,
            At::MaySend(call) => self.send(world, who, call),
            At::Knows(call, outcome) => self.settle(world, who, call, outcome),
        }
        Some(())
    }

    /// The second script where popping and beginning are two.
    fn begin_seen(&self, world: &mut World, who: usize) -> Option<()> {
        if world.store.lease != Lease::Free {
            // Somebody else is at it: what was only seen stays where it is.
            return (self.rules.claim == Claim::PeekThenBegin).then(|| world.workers[who] = Worker::default());
        }
        let run = world.workers[who].run;
        let nonce = world.fresh_nonce();
        let token = world.store.begin(run, nonce);
        world.workers[who] = Worker::owning(run, token, world.failovers, world.store.run(run));
        Some(())
    }

    fn decide(&self, world: &mut World, who: usize) {
        let worker = world.workers[who];
        if worker.takes > self.bounds.takes {
            return self.end(world, who, Stage::Failed);
        }
        if !worker.planned {
            return self.plan(world, who);
        }
        let asked_for = &worker.calls[..usize::from(self.bounds.calls)];
        let Some(next) = asked_for.iter().position(|call| matches!(call, Call::Planned | Call::Marked)) else {
            return self.end(world, who, Stage::Answered);
        };
        let call = next as u8;
        let halts = asked_for.contains(&Call::Unknown) && self.rules.halt_after_unknown;
        if worker.calls[next] == Call::Marked {
            world.workers[who].at = match self.rules.recovery {
                _ if halts => At::Knows(call, Call::Unknown),
                Recovery::TellUnknown => At::Knows(call, Call::Unknown),
                Recovery::TellDone => At::Knows(call, Call::Done),
                Recovery::TellNotSent => At::Knows(call, Call::NotSent),
                Recovery::SendAgainWithKey | Recovery::SendAgainAndForget | Recovery::SendAgainBlindly => {
                    self.once_counted(self.rules.wait_to_send_again, call)
                }
            };
            world.workers[who].again = true;
        } else if halts {
            self.end(world, who, Stage::Answered);
        } else if self.rules.marker {
            self.mark(world, who, call);
        } else {
            world.workers[who].at = At::MaySend(call);
        }
    }

    /// The planner has answered.
    fn plan(&self, world: &mut World, who: usize) {
        let Worker { run, token, .. } = world.workers[who];
        world.workers[who].calls = [Call::Planned; MOST];
        if self.rules.plan_with_marker {
            world.workers[who].planned = true;
            return;
        }
        let reply = world.store.plan(run, token, &self.rules);
        if self.accepted(world, who, reply) {
            world.workers[who].planned = true;
        }
    }

    fn mark(&self, world: &mut World, who: usize, call: u8) {
        let Worker { run, token, .. } = world.workers[who];
        match world.store.mark(run, call, token, &self.rules) {
            Reply::Cancel => self.end(world, who, Stage::Cancelled),
            reply => {
                if self.accepted(world, who, reply) {
                    world.workers[who].calls[usize::from(call)] = Call::Marked;
                    world.workers[who].at = self.once_counted(self.rules.wait_for_marker, call);
                }
            }
        }
    }

    fn once_counted(&self, rule: bool, call: u8) -> At {
        if self.waits(rule) { At::Waits(call) } else { At::MaySend(call) }
    }

    fn wait(&self, world: &mut World, who: usize, call: u8) -> Option<()> {
        if world.workers[who].epoch < world.failovers {
            // WAIT fell short: nothing is sent on the strength of this marker, and the run is left to whoever takes it.
            world.workers[who] = Worker::default();
        } else if world.in_step() {
            world.workers[who].at = At::MaySend(call);
        } else {
            return None;
        }
        Some(())
    }

    fn send(&self, world: &mut World, who: usize, call: u8) {
        let Worker { run, calls, .. } = world.workers[who];
        let (turn, place) = (usize::from(run), usize::from(call));
        world.under_way[turn][place] += 1;
        world.sent_after_unknown |= calls[..place].contains(&Call::Unknown);
        world.sent_after_stop |= world.stopped[turn].is_some_and(|marked| !marked[place]);
        world.workers[who].at = At::Sent(call);
    }

    /// No connection comes about: not a byte was written, this time.
    pub fn connect_fails(&self, world: &mut World, who: usize) -> Option<()> {
        let worker = &mut world.workers[who];
        let At::MaySend(call) = worker.at else { return None };
        let sent_before = worker.again && self.rules.recovery != Recovery::SendAgainAndForget;
        worker.at = At::Knows(call, if sent_before { Call::Unknown } else { Call::NotSent });
        Some(())
    }

    pub fn reply_comes(&self, world: &mut World, who: usize) -> Option<()> {
        let worker = &mut world.workers[who];
        let At::Sent(call) = worker.at else { return None };
        if world.effects[usize::from(worker.run)][usize::from(call)] == 0 {
            return None;
        }
        worker.at = At::Knows(call, Call::Done);
        Some(())
    }

    /// The connection broke or the time is over. With a key the call is sent again, once.
    pub fn reply_is_lost(&self, world: &mut World, who: usize) -> Option<()> {
        let worker = &mut world.workers[who];
        let At::Sent(call) = worker.at else { return None };
        if self.rules.sends_again() && !worker.again {
            (worker.at, worker.again) = (At::MaySend(call), true);
        } else {
            worker.at = At::Knows(call, Call::Unknown);
        }
        world.lost_replies += 1;
        Some(())
    }

    fn settle(&self, world: &mut World, who: usize, call: u8, outcome: Call) {
        let Worker { run, token, .. } = world.workers[who];
        let reply = world.store.settle(run, call, outcome, token, &self.rules);
        if self.accepted(world, who, reply) {
            let worker = &mut world.workers[who];
            worker.calls[usize::from(call)] = outcome;
            (worker.at, worker.again) = (At::Owns, false);
        }
    }

    fn end(&self, world: &mut World, who: usize, stage: Stage) {
        let Worker { run, token, calls, .. } = world.workers[who];
        let stage = if stage == Stage::Answered && calls.contains(&Call::Unknown) { Stage::UnknownOutcome } else { stage };
        let reply = world.store.commit(run, stage, calls, token, &self.rules);
        if self.accepted(world, who, reply) {
            world.workers[who] = Worker::default();
        }
    }

    /// A process that was asked to end gives its run back, where nothing is out.
    pub fn hand_over(&self, world: &mut World, who: usize) -> Option<()> {
        let Worker { at, run, token, .. } = world.workers[who];
        if at != At::Owns {
            return None;
        }
        let reply = world.store.hand_over(run, token, &self.rules);
        self.accepted(world, who, reply);
        world.workers[who] = Worker::default();
        world.hand_overs += 1;
        Some(())
    }

    /// Notes what a script said. A process whose write is refused has lost its run and stops.
    fn accepted(&self, world: &mut World, who: usize, reply: Reply) -> bool {
        if reply != Reply::Ok {
            world.workers[who] = Worker::default();
            return false;
        }
        world.stale_write |= world.workers[who].token != world.store.owner;
        world.workers[who].epoch = world.failovers;
        true
    }
}

//! What people do and learn: clients who ask, those who cancel, the administrator who ends a session.

use crate::{
    store::{Call, Lease, Stage},
    turns::Turns,
    world::{Told, Worker, World},
};

impl Turns {
    pub fn accept(&self, world: &mut World, turn: u8) -> Option<()> {
        let overlooked = world.store.lease == Lease::Lapsed && !self.rules.lapsed_first;
        if world.store.lease != Lease::Free && !overlooked {
            world.store.enqueue(turn);
            return Some(());
        }
        let who = world.idle()?;
        let nonce = world.fresh_nonce();
        let token = world.store.begin(turn, nonce);
        world.workers[who] = Worker::owning(turn, token, world.failovers, world.store.run(turn));
        Some(())
    }

    /// Whether somebody may be told what the store says.
    fn may_tell(&self, world: &World, rule: bool) -> bool {
        !self.waits(rule) || world.in_step()
    }

    pub fn acknowledge(&self, world: &mut World, turn: u8) -> Option<()> {
        let known = world.store.run(turn).stage != Stage::Absent;
        let acknowledged = world.acknowledged[usize::from(turn)];
        (known && !acknowledged && self.may_tell(world, self.rules.wait_to_tell)).then(|| world.acknowledged[usize::from(turn)] = true)
    }

    pub fn tell(&self, world: &mut World, turn: u8) -> Option<()> {
        let run = *world.store.run(turn);
        let told = &world.told[usize::from(turn)];
        if !run.stage.has_ended() || told.is_some() || !self.may_tell(world, self.rules.wait_to_tell) {
            return None;
        }
        world.told[usize::from(turn)] = Some(Told { stage: run.stage, calls: run.calls });
        // Whoever knows how it ended knows that it was accepted.
        world.acknowledged[usize::from(turn)] = true;
        Some(())
    }

    pub fn cancel(&self, world: &mut World, turn: u8) -> Option<()> {
        let run = world.store.run(turn);
        if run.cancelled || !matches!(run.stage, Stage::Queued | Stage::Running) {
            return None;
        }
        world.store.cancel(turn);
        world.cancels += 1;
        Some(())
    }

    pub fn kill(&self, world: &mut World) -> Option<()> {
        if !world.store.runs.iter().any(|run| matches!(run.stage, Stage::Queued | Stage::Running)) {
            return None;
        }
        world.store.kill();
        world.kills += 1;
        Some(())
    }

    pub fn confirm_stop(&self, world: &mut World, turn: u8) -> Option<()> {
        let run = *world.store.run(turn);
        let stopped = run.cancelled || matches!(run.stage, Stage::Cancelled | Stage::Killed);
        if !stopped || world.stopped[usize::from(turn)].is_some() || !self.may_tell(world, self.rules.wait_to_stop) {
            return None;
        }
        world.stopped[usize::from(turn)] = Some(run.calls.map(|call| !matches!(call, Call::Planned | Call::NotSent)));
        Some(())
    }
}

//! What must hold in every world that can be reached, and what must be reachable, so that a model in which nothing happens proves nothing.

use stateright::{Model, Property};

use crate::{
    store::{Call, Stage},
    turns::Turns,
    world::{Told, World},
};

pub const AT_MOST_ONCE: &str = "a call takes effect at most once";
pub const DONE_IS_TRUE: &str = "a call told as done took effect";
pub const NOT_SENT_IS_TRUE: &str = "a call told as not sent never takes effect";
pub const NOTHING_LOST: &str = "what a client was told of a turn stays so";
pub const NO_STALE_WRITE: &str = "no write is accepted from whoever has lost its run";
pub const ONCE_IN_HISTORY: &str = "a turn enters the history once";
pub const STOP_HOLDS: &str = "after a kill or cancel is confirmed only calls marked before it are sent";
pub const HALTS: &str = "after an unknown outcome no further changing call is sent";
pub const ONE_AT_A_TIME: &str = "one turn of a session runs at a time";
pub const ENDS: &str = "an accepted turn ends, or something is under way that will end it";

/// What must hold.
pub const PROMISES: [&str; 10] =
    [AT_MOST_ONCE, DONE_IS_TRUE, NOT_SENT_IS_TRUE, NOTHING_LOST, NO_STALE_WRITE, ONCE_IN_HISTORY, STOP_HOLDS, HALTS, ONE_AT_A_TIME, ENDS];

pub const ANSWERED: &str = "told as answered";
pub const UNKNOWN: &str = "told as unknown outcome";
pub const FAILED: &str = "told as failed";
pub const CANCELLED: &str = "told as cancelled";
pub const KILLED: &str = "told as killed";
pub const NOT_SENT: &str = "told as answered, with a call that was not sent";
pub const BOTH_ANSWERED: &str = "both turns told as answered";

pub fn all() -> Vec<Property<Turns>> {
    vec![
        Property::always(AT_MOST_ONCE, |_, world: &World| world.effects.iter().flatten().all(|effects| *effects <= 1)),
        Property::always(DONE_IS_TRUE, |_, world: &World| each_told(world, |call, effects| call != Call::Done || effects > 0)),
        Property::always(NOT_SENT_IS_TRUE, |_, world: &World| each_told(world, |call, effects| call != Call::NotSent || effects == 0)),
        Property::always(NOTHING_LOST, |_, world: &World| nothing_lost(world)),
        Property::always(NO_STALE_WRITE, |_, world: &World| !world.stale_write),
        Property::always(ONCE_IN_HISTORY, |_, world: &World| world.store.runs.iter().all(|run| run.ends <= 1)),
        Property::always(STOP_HOLDS, |_, world: &World| !world.sent_after_stop),
        Property::always(HALTS, |_, world: &World| !world.sent_after_unknown),
        Property::always(ONE_AT_A_TIME, |_, world: &World| world.store.runs.iter().filter(|run| run.stage == Stage::Running).count() <= 1),
        Property::always(ENDS, ends),
        Property::sometimes(ANSWERED, |_, world: &World| is_told(world, Stage::Answered)),
        Property::sometimes(UNKNOWN, |_, world: &World| is_told(world, Stage::UnknownOutcome)),
        Property::sometimes(FAILED, |_, world: &World| is_told(world, Stage::Failed)),
        Property::sometimes(CANCELLED, |_, world: &World| is_told(world, Stage::Cancelled)),
        Property::sometimes(KILLED, |_, world: &World| is_told(world, Stage::Killed)),
        Property::sometimes(NOT_SENT, |turns: &Turns, world: &World| {
            let calls = usize::from(turns.bounds.calls);
            told(world).any(|told| told.stage == Stage::Answered && told.calls[..calls].contains(&Call::NotSent))
        }),
        Property::sometimes(BOTH_ANSWERED, |_, world: &World| told(world).filter(|told| told.stage == Stage::Answered).count() == 2),
    ]
}

fn told(world: &World) -> impl Iterator<Item = &Told> {
    world.told.iter().flatten()
}

fn is_told(world: &World, stage: Stage) -> bool {
    told(world).any(|told| told.stage == stage)
}

/// Whether this is so of every call of which somebody was told, and of what the API has done for it.
fn each_told(world: &World, holds: impl Fn(Call, u8) -> bool) -> bool {
    world.told.iter().zip(&world.effects).all(|(told, effects)| {
        let Some(told) = told else { return true };
        told.calls.iter().zip(effects).all(|(call, effects)| holds(*call, *effects))
    })
}

fn nothing_lost(world: &World) -> bool {
    world.store.runs.iter().enumerate().all(|(turn, run)| {
        let known = run.stage != Stage::Absent || !world.acknowledged[turn];
        known && world.told[turn].is_none_or(|told| told.stage == run.stage && told.calls == run.calls)
    })
}

/// No dead end: where a turn is open, something can happen that is nobody's doing harm. Nothing of that kind can go on for ever, because
/// each step of it uses something up; so in a world where no more breaks, every turn ends.
fn ends(turns: &Turns, world: &World) -> bool {
    let open = |stage: Stage| stage != Stage::Absent && !stage.has_ended();
    if !world.store.runs.iter().any(|run| open(run.stage)) {
        return true;
    }
    let mut actions = Vec::new();
    turns.progress(world, &mut actions);
    actions.into_iter().any(|action| turns.next_state(world, action).is_some())
}

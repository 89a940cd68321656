//! Turns with a model that does whatever it pleases, as many as the time allows: whatever it does, nothing is sent that may not be, the turn
//! ends in time and says how, and the next one works.

mod api;
mod dice;
mod model;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use swagger_api_agent::domain::policy::Confirm;

use self::{
    api::Api,
    dice::Dice,
    model::{Model, POLITELY},
};
use super::secs;
use crate::harness::{
    bed::{Bed, On},
    client::Client,
};

const USERS: usize = 24;
const ROUNDS_MAX: u32 = 5;
const CALLS_MAX: u32 = 7;
const ATTEMPTS_MAX: u32 = 2;
/// What the model may take. Long enough that a busy machine, with all of this in one process, is not taken for a model that hangs.
const ATTEMPT: Duration = Duration::from_secs(3);
const DEADLINE: Duration = Duration::from_secs(20);
/// What a turn may take beyond its deadline, on such a machine.
const SLACK: Duration = Duration::from_secs(10);
/// How a turn may be refused whose model was away.
const AWAY: [&str; 2] = ["model_unavailable", "context_too_long"];

struct World {
    bed: Bed,
    api: Api,
    model: Model,
    confirm: bool,
    turns: AtomicU64,
    answered: AtomicU64,
    changes: AtomicU64,
    end: Instant,
}

#[expect(clippy::disallowed_methods, reason = "a test may be seeded from its environment, or by the hour")]
fn seed() -> u64 {
    let by_the_hour = || u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() % u128::from(u64::MAX)).unwrap();
    std::env::var("GENERATED_SEED").ok().map_or_else(by_the_hour, |seed| seed.parse().expect("GENERATED_SEED is a number"))
}

async fn tried(confirm: bool, refuses_tools: bool) {
    let seed = seed();
    let mut dice = Dice::new(seed);
    let (api, model) = (Api::start().await, Model::start(dice.split(), refuses_tools).await);
    // Turns are to be many, and what a disk takes for each is not what is tried here.
    let data = ["/dev/shm", "/tmp"].into_iter().find_map(|place| tempfile::tempdir_in(place).ok()).expect("a directory");
    let bed = Bed::with(On::Embedded, |settings| {
        settings.store.data_dir = data.path().to_owned();
        settings.llm.url = Some(model.url.clone());
        settings.llm.timeout_ms = u64::try_from(ATTEMPT.as_millis()).unwrap();
        settings.llm.attempts_max = ATTEMPTS_MAX;
        settings.openapi.file = Some(api.document());
        settings.upstream.base_url = Some(api.url.clone());
        settings.agent.confirm = Some(if confirm { Confirm::Changing } else { Confirm::Never });
        settings.turns.deadline_ms = u64::try_from(DEADLINE.as_millis()).unwrap();
        (settings.turns.rounds_max, settings.turns.calls_max, settings.turns.history_turns) = (ROUNDS_MAX, CALLS_MAX, 3);
        (settings.limits.requests_per_minute, settings.limits.turns_per_minute) = (1_000_000_000, 1_000_000_000);
    })
    .await;
    // One after the other: logins cost much, and only so many are served at once.
    for user in 0..USERS {
        bed.as_user(&format!("u{user}")).token().await;
    }
    let began = Instant::now();
    let (turns, answered, changes) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    let world = Arc::new(World { bed, api, model, confirm, turns, answered, changes, end: began + Duration::from_secs(secs()) });
    let users: Vec<_> = (0..USERS).map(|user| tokio::spawn(talks(world.clone(), user, dice.split()))).collect();
    for user in users {
        user.await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
    let (turns, answered) = (world.turns.load(Ordering::Relaxed), world.answered.load(Ordering::Relaxed));
    let (calls, changes, requests) = (world.api.calls(), world.changes.load(Ordering::Relaxed), world.model.requests());
    println!(
        "{turns} turns ({answered} answered), {requests} requests to the model, {calls} calls ({changes} changes) in {:?}",
        began.elapsed()
    );
    for wrong in [world.api.wrong(), world.model.wrong()] {
        assert!(wrong.is_empty(), "seed {seed}: {} times: {:#?}", wrong.len(), &wrong[..wrong.len().min(5)]);
    }
    assert!(calls > 0 && answered > turns / 2 && (confirm || changes > 0), "too little was tried to say anything");
}

async fn talks(world: Arc<World>, user: usize, mut dice: Dice) {
    let client = world.bed.as_user(&format!("u{user}"));
    // Whether a question waits for a yes; None after a turn that may have left it open or not.
    let (mut turn, mut waits) = (0_u64, Some(false));
    while Instant::now() < world.end {
        turn += 1;
        let mark = format!("u{user}-{turn}");
        if dice.once_in(4) {
            works(&world, &client, &mark, waits).await;
            waits = Some(false);
        } else {
            let words = dice.one_of(&["list things", "create Ann", "删除 7", "不", "no"]);
            waits = hostile(&world, &client, &mark, words).await;
        }
    }
}

/// A turn with the model as it is. Whether it ends with a question, if it ended as turns do.
async fn hostile(world: &World, client: &Client, mark: &str, words: &str) -> Option<bool> {
    let began = Instant::now();
    let reply = client.process(&format!("#{mark} {words}")).await;
    let took = began.elapsed();
    let (came, asked) = (world.api.take(mark), world.model.take(mark));
    world.turns.fetch_add(1, Ordering::Relaxed);
    world.changes.fetch_add(came.changes.into(), Ordering::Relaxed);

    assert!(took < DEADLINE + SLACK, "{mark} took {took:?}");
    let told = reply.json();
    match reply.status {
        200 => {
            world.answered.fetch_add(1, Ordering::Relaxed);
            assert!(!told["message"].as_str().unwrap_or_default().trim().is_empty(), "{mark} ends without a word: {told}");
            assert!(["answered", "failed", "unknown_outcome"].iter().any(|state| told["state"] == *state), "{mark}: {told}");
        }
        _ => assert!(AWAY.iter().any(|code| told["code"] == *code || told["error"] == *code), "{mark} ends with {}: {told}", reply.status),
    }
    for name in ["prompt_tokens", "completion_tokens", "total_tokens"] {
        let tokens = &told["usage"][name];
        assert!(tokens.is_null() || tokens.as_u64().is_some_and(|tokens| tokens < 10_000_000_000), "{mark}: {tokens}");
    }
    assert!(came.calls <= CALLS_MAX, "{mark}: {} calls", came.calls);
    // The first request of all finds out that tools are refused.
    assert!(asked <= ROUNDS_MAX * ATTEMPTS_MAX + 1, "{mark}: the model was asked {asked} times");
    assert!(!world.confirm || came.changes == 0, "{mark}: {} changes that nobody said yes to", came.changes);
    told["awaiting_confirmation"].as_bool().filter(|_| reply.status == 200)
}

/// A turn with the model on its best behaviour: what went before does not stand in its way. What waited for a yes is over, which is told.
async fn works(world: &World, client: &Client, mark: &str, waits: Option<bool>) {
    let reply = client.process(&format!("#{mark} {POLITELY}")).await;
    let message = reply.message();
    let (said, dropped) = message.split_once("\n\n_What waited for your yes was not sent: ").unwrap_or((&message, ""));
    assert_eq!(said, mark, "{mark}: {message}");
    assert!(waits.is_none_or(|waits| waits != dropped.is_empty()), "{mark}: {message}");
    world.model.take(mark);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_model_gets_nothing_sent_that_may_not_be() {
    tried(false, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_model_changes_nothing_that_nobody_said_yes_to() {
    tried(true, false).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_model_that_is_asked_in_words_is_held_to_the_same() {
    tried(true, true).await;
}

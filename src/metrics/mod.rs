//! What this process counts and measures, for whoever scrapes it: OpenMetrics text, which Prometheus reads.
//!
//! One registry for the process, because what it tells is of the process. Every series whose labels are known beforehand is there from
//! the start, and whoever counts holds it by its place: nothing is looked up or allocated on the way of a turn. No label has a value that
//! somebody outside can choose: not a path, not a user, not a function.

mod labels;
mod process;
mod series;

use std::{
    sync::LazyLock,
    time::{Duration, Instant},
};

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram, info::Info},
    registry::Registry,
};

pub use self::labels::{
    CallClass, CallOutcome, ConnectionState, LoginOutcome, RunKind, RunOutcome, Stage, StoreFault, TakenHow, TokenKind, Verb, Whose,
};
use self::series::{By, By2};
use crate::release;

/// The content type of what [`Metrics::told`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the buckets of times in a turn, in seconds: from a round trip on the loopback to the deadline of a turn.
const STAGE_BOUNDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 120.0];
/// Upper bounds of the buckets of times of the store, in seconds.
const STORE_BOUNDS: [f64; 9] = [0.000_25, 0.000_5, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0];

static METRICS: LazyLock<Metrics> = LazyLock::new(Metrics::new);

/// The process's own.
pub fn metrics() -> &'static Metrics {
    &METRICS
}

/// Route, method and class of status.
type Request = [(&'static str, &'static str); 3];

/// Times by what was asked for.
type Times = Family<[(&'static str, &'static str); 1], Histogram, fn() -> Histogram>;

/// All series.
pub struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    runs: By2<RunKind, RunOutcome, Counter>,
    stages: By<Stage, Histogram>,
    tokens: By<TokenKind, Counter>,
    calls: By2<CallClass, CallOutcome, Counter>,
    leases_held: Gauge,
    leases_fenced: Counter,
    taken: By<TakenHow, Counter>,
    wait_shortfalls: Counter,
    store_faults: By<StoreFault, Counter>,
    store_times: Times,
    streams: Gauge,
    connections: By<ConnectionState, Gauge>,
    budgets: By<Whose, Counter>,
    logins: By<LoginOutcome, Counter>,
}

/// What is asked for only when somebody scrapes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Asked {
    /// Sessions that there are, and those that were active lately; nothing while the store is away.
    pub sessions: Option<(u64, u64)>,
    pub store_answers: bool,
    pub draining: bool,
}

/// How much a process has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Load {
    /// Sessions that it holds for runs it works on.
    pub turns: u64,
    /// Streams of events that clients follow.
    pub streams: u64,
    /// Memory that is resident; none where the system does not tell.
    pub memory_bytes: Option<u64>,
}

impl Metrics {
    fn new() -> Self {
        let mut root = Registry::default();
        let registry = root.sub_registry_with_prefix("saa");
        let stage = || Histogram::new(STAGE_BOUNDS);
        let store = || Histogram::new(STORE_BOUNDS);
        let requests = Family::default();
        registry.register("requests", "Requests answered, by route template, method and class of status", requests.clone());
        let leases_held = Gauge::default();
        registry.register("leases_held", "Sessions that this process holds for runs it works on", leases_held.clone());
        let leases_fenced = Counter::default();
        registry.register("leases_fenced", "Runs of this process whose session was another's when they wrote", leases_fenced.clone());
        let wait_shortfalls = Counter::default();
        registry.register("store_wait_shortfalls", "Writes that too few replicas of Redis had in time", wait_shortfalls.clone());
        let streams = Gauge::default();
        registry.register("event_streams_open", "Streams of events that clients follow", streams.clone());
        let store_times = Family::new_with_constructor(store as fn() -> Histogram);
        registry.register("store_seconds", "Time that the store took, by what it was asked", store_times.clone());
        let build = Info::new([("version", release::VERSION), ("commit", release::COMMIT)]);
        registry.register("build", "The release", build);
        Self {
            runs: By2::new(
                registry,
                ("runs_ended", "Runs that ended under a lease of this process", ["kind", "outcome"]),
                Counter::default,
            ),
            stages: By::new(registry, ("stage_seconds", "Time that a stage of a turn took", "stage"), stage),
            tokens: By::new(registry, ("tokens", "Tokens of the model, as its server counts or as is estimated", "kind"), Counter::default),
            calls: By2::new(registry, ("calls", "Calls of the APIs, by class and outcome", ["class", "outcome"]), Counter::default),
            taken: By::new(
                registry,
                ("runs_taken", "Runs that nobody worked on, taken by this process: orphaned by another, or waiting", "how"),
                Counter::default,
            ),
            store_faults: By::new(
                registry,
                ("store_errors", "Answers that the store did not give, or not so that they count", "error"),
                Counter::default,
            ),
            connections: By::new(registry, ("connections_open", "Connections, at rest or served", "state"), Gauge::default),
            budgets: By::new(registry, ("budgets_exhausted", "Moves that a budget of tokens did not allow", "budget"), Counter::default),
            logins: By::new(registry, ("logins", "Logins and refreshes, by outcome", "outcome"), Counter::default),
            requests,
            leases_held,
            leases_fenced,
            wait_shortfalls,
            store_times,
            streams,
            registry: root,
        }
    }

    /// A request was answered. `route` is a template of the router, so there are few.
    pub fn request(&self, route: &'static str, verb: Verb, status: u16) {
        let class = match status {
            0..=199 => "1xx",
            200..=299 => "2xx",
            300..=399 => "3xx",
            400..=499 => "4xx",
            _ => "5xx",
        };
        self.requests.get_or_create(&[("route", route), ("method", verb.as_str()), ("class", class)]).inc();
    }

    /// A run ended, and the store has it.
    pub fn run_ended(&self, kind: RunKind, outcome: RunOutcome) {
        self.runs.of(kind, outcome).inc();
    }

    /// A stage of a turn began then and has ended now.
    pub fn stage(&self, stage: Stage, began: Instant) {
        self.stages.of(stage).observe(began.elapsed().as_secs_f64());
    }

    /// The model's server was given so many tokens and gave so many.
    pub fn tokens(&self, prompt: u64, completion: u64) {
        self.tokens.of(TokenKind::Prompt).inc_by(prompt);
        self.tokens.of(TokenKind::Completion).inc_by(completion);
    }

    /// A call of an API has come to this.
    pub fn call(&self, class: CallClass, outcome: CallOutcome) {
        self.calls.of(class, outcome).inc();
    }

    /// A session is held until what comes back goes.
    pub fn lease(&self) -> Open {
        Open::of(&self.leases_held)
    }

    pub fn lease_fenced(&self) {
        self.leases_fenced.inc();
    }

    pub fn run_taken(&self, how: TakenHow) {
        self.taken.of(how).inc();
    }

    pub fn wait_shortfall(&self) {
        self.wait_shortfalls.inc();
    }

    pub fn store_fault(&self, fault: StoreFault) {
        self.store_faults.of(fault).inc();
    }

    /// What measures one verb of the store. It is looked up once.
    pub fn store_verb(&self, verb: &'static str) -> StoreTime {
        StoreTime(self.store_times.get_or_create(&[("verb", verb)]).clone())
    }

    /// A stream of events is open until what comes back goes.
    pub fn stream(&self) -> Open {
        Open::of(&self.streams)
    }

    /// A connection is in this state until what comes back goes.
    pub fn connection(&self, state: ConnectionState) -> Open {
        Open::of(self.connections.of(state))
    }

    pub fn budget_exhausted(&self, whose: Whose) {
        self.budgets.of(whose).inc();
    }

    pub fn login(&self, outcome: LoginOutcome) {
        self.logins.of(outcome).inc();
    }

    /// How much this process has to do now.
    pub fn load(&self) -> Load {
        let now = |gauge: &Gauge| u64::try_from(gauge.get()).unwrap_or_default();
        Load { turns: now(&self.leases_held), streams: now(&self.streams), memory_bytes: process::resident_bytes() }
    }

    /// Everything as text, with what was asked for now.
    pub fn told(&self, asked: Asked) -> String {
        let mut text = String::with_capacity(32 * 1024);
        let mut now = Registry::default();
        asked.register(&mut now);
        process::register(&mut now);
        let written = encode_registry(&mut text, &self.registry).and_then(|()| encode_registry(&mut text, &now));
        // A text takes whatever is written to it.
        let _ = written.and_then(|()| encode_eof(&mut text));
        text
    }
}

impl Asked {
    fn register(self, now: &mut Registry) {
        let now = now.sub_registry_with_prefix("saa");
        let mut gauge = |name: &str, help: &str, value: u64| {
            let gauge: Gauge = Gauge::default();
            gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
            now.register(name, help, gauge);
        };
        if let Some((total, active)) = self.sessions {
            gauge("sessions", "Sessions that there are in the store", total);
            gauge("sessions_active", "Sessions that were used lately", active);
        }
        gauge("store_up", "Whether the store answered lately", u64::from(self.store_answers));
        gauge("draining", "Whether this process is going down", u64::from(self.draining));
    }
}

/// One verb of the store.
pub struct StoreTime(Histogram);

impl StoreTime {
    pub fn took(&self, time: Duration) {
        self.0.observe(time.as_secs_f64());
    }
}

/// Counted in a gauge for as long as it lives.
#[derive(Debug)]
pub struct Open(Gauge);

impl Open {
    fn of(gauge: &Gauge) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_are_there_before_anything_is_counted_and_count_where_they_should() {
        let metrics = Metrics::new();
        let before = metrics.told(Asked::default());
        assert!(before.contains("saa_calls_total{class=\"changing\",outcome=\"unknown\"} 0\n"), "{before}");
        assert!(before.ends_with("# EOF\n") && !before.contains("saa_sessions "), "{before}");
        metrics.call(CallClass::Changing, CallOutcome::Unknown);
        metrics.request("/api/runs/{id}", Verb::Get, 404);
        metrics.stage(Stage::Commit, Instant::now());
        let held = metrics.lease();
        let after = metrics.told(Asked { sessions: Some((7, 3)), store_answers: true, draining: false });
        for line in [
            "saa_calls_total{class=\"changing\",outcome=\"unknown\"} 1",
            "saa_requests_total{route=\"/api/runs/{id}\",method=\"GET\",class=\"4xx\"} 1",
            "saa_stage_seconds_count{stage=\"commit\"} 1",
            "saa_leases_held 1",
            "saa_sessions 7",
            "saa_sessions_active 3",
            "saa_store_up 1",
        ] {
            assert!(after.lines().any(|told| told == line), "{line} is missing in {after}");
        }
        drop(held);
        assert!(metrics.told(Asked::default()).contains("saa_leases_held 0\n"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_process_is_told() {
        let told = Metrics::new().told(Asked::default());
        let value = |name: &str| told.lines().find_map(|line| line.strip_prefix(name)?.trim().parse::<u64>().ok());
        assert!(value("process_resident_memory_bytes ").is_some_and(|bytes| bytes > 1_000_000), "{told}");
        assert!(value("process_open_fds ").is_some_and(|fds| fds > 2), "{told}");
    }
}

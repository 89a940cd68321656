//! The turn protocol as a model, and a checker (stateright) that walks through every world it can come to: two processes of the service,
//! one session with up to two turns of up to two changing calls, a store and its replica, an API, and everything that may go wrong between
//! them, within the bounds of a variant. `cargo test --manifest-path tests/model/Cargo.toml` prints the table.
//!
//! Each promise of [`properties`] must hold in every world of the variants in [`variants::HOLD`]. Each variant in [`variants::ABLATIONS`]
//! takes one rule away and must break a promise: so it is known what the rule is for, and that the checker can see.
//!
//! # What stands for what
//!
//! | Here | In the service |
//! |---|---|
//! | [`store::Store`] | the keys of a session in Redis; a method is a script |
//! | `begin`, `enqueue` | a message, a changing direct call; `on_busy: "enqueue"` |
//! | `Take` | recovery, by the reaper or by the next request: the same run, a new token `fence:replica#nonce` |
//! | `Claim` | the first waiting turn becomes the running one, in one script |
//! | `plan`, `mark`, `settle` | the journal: `p<round>`, `c<round>.<at>i`, `c<round>.<at>r` |
//! | `commit` | the turn enters the history, the journal is settled and the lease given back, in one script |
//! | `hand_over` | SIGTERM: the lease is given back and the journal stays |
//! | `cancel`, `kill` | `POST /api/runs/{id}/cancel`, also what `on_busy: "interrupt"` does; `DELETE /api/admin/sessions/{user}` |
//! | `Waits` | WAIT in `durable` mode; a variant without failovers does not wait |
//! | `MaySend` | between the last look at token, lease and kill, and the first byte: what nothing can stop any more |
//! | `Pause` | a process that is stopped, or a clock that jumps: the lease lapses, its owner lives and wakes when it likes |
//! | `Tell` | the answer on the connection, its replay under an idempotency key, `GET /api/runs/{id}` |
//!
//! # What it leaves out
//!
//! Reading calls, since they may be sent at any time. Time: leases lapse whenever they like. The answer of a script that is lost: for the
//! process it is like a crash, and a script that is asked twice with one token does nothing the second time. An old primary that still
//! answers after a failover: what is written to it is gone like what the replica had not heard of before, and WAIT never counts it; that
//! nobody may be told what it says, `min-replicas-to-write` has to see to. Several replicas that may be promoted: WAIT must count all of
//! them. WAIT after `begin`, which the service asks for: the promises hold without it, except for calls that are sent again
//! ([`rules::Rules::wait_to_send_again`]). A loss of power, which no WAIT survives.

pub mod check;
pub mod people;
pub mod properties;
pub mod rules;
pub mod store;
pub mod turns;
pub mod variants;
pub mod worker;
pub mod world;

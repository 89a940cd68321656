//! Every table of the file, in one place.
//!
//! | table | key | holds | goes |
//! |---|---|---|---|
//! | `meta` | name | `schema`, `swept` (ms since 1970) | never |
//! | `accounts` | escaped user | account record (`stored.rs`) | never |
//! | `fences` | escaped user | how many leases were given; outlives sessions | never |
//! | `sessions` | member | session record (`stored.rs`) | when it ends |
//! | `history` | member, number of the turn | turn record (`record.rs`) | with the session |
//! | `journal` | member, `<run>\|<field>` | as written | at commit, or with the session |
//! | `requests` | escaped user, digest of the idempotency key | ends at, fingerprint, run, the answer if there is one | 24 h |
//! | `credentials` | escaped user, what for | set at (ms since 1970), kind, sealed | with the account |
//! | `results` | escaped user, id | ends at, one reply kept whole (`kept.rs`) | `results.ttl_secs`, at a reset, or when there are too many |
//! | `listed` | member | last active, ends at, created, turns, session id | with the session |
//! | `activity` | last active, member | nothing: it is the order of the administrators' listing | with the session |
//! | `ends` | ends at, member | nothing: it is what the sweeper reads | with the session |
//! | `request_ends` | ends at, escaped user, digest | nothing: it is what the sweeper reads | with the request |
//! | `result_ends` | ends at, escaped user, id | nothing: it is what the sweeper reads | with the kept reply |
//!
//! A member is `<escaped user>:main`, as in the index on Redis. `listed` repeats what the index entries of a session are made of, so
//! that they are found again even if the session's record cannot be read.

use redb::TableDefinition;

pub(super) type Bytes = &'static [u8];
pub(super) type Text = &'static str;
/// Last active, ends at, created (all ms since 1970), turns, session id.
pub(super) type Row = (u64, u64, u64, u64, Text);
/// Ends at (ms since 1970), fingerprint, run, the answer once there is one.
pub(super) type Request = (u64, Text, Text, Option<Bytes>);
/// Set at (ms since 1970), kind, sealed.
pub(super) type Credential = (u64, Text, Bytes);
/// Ends at (ms since 1970), record.
pub(super) type Kept = (u64, Bytes);

pub(super) const META: TableDefinition<Text, u64> = TableDefinition::new("meta");
pub(super) const ACCOUNTS: TableDefinition<Text, Bytes> = TableDefinition::new("accounts");
pub(super) const FENCES: TableDefinition<Text, u64> = TableDefinition::new("fences");
pub(super) const SESSIONS: TableDefinition<Text, Bytes> = TableDefinition::new("sessions");
pub(super) const HISTORY: TableDefinition<(Text, u64), Bytes> = TableDefinition::new("history");
pub(super) const JOURNAL: TableDefinition<(Text, Text), Bytes> = TableDefinition::new("journal");
pub(super) const REQUESTS: TableDefinition<(Text, Text), Request> = TableDefinition::new("requests");
pub(super) const CREDENTIALS: TableDefinition<(Text, Text), Credential> = TableDefinition::new("credentials");
pub(super) const LISTED: TableDefinition<Text, Row> = TableDefinition::new("listed");
pub(super) const ACTIVITY: TableDefinition<(u64, Text), ()> = TableDefinition::new("activity");
pub(super) const ENDS: TableDefinition<(u64, Text), ()> = TableDefinition::new("ends");
pub(super) const REQUEST_ENDS: TableDefinition<(u64, Text, Text), ()> = TableDefinition::new("request_ends");
pub(super) const RESULTS: TableDefinition<(Text, Text), Kept> = TableDefinition::new("results");
pub(super) const RESULT_ENDS: TableDefinition<(u64, Text, Text), ()> = TableDefinition::new("result_ends");

/// In `meta`: the schema that the file has reached.
pub(super) const SCHEMA_REACHED: &str = "schema";
/// In `meta`: when the sweeper last went through.
pub(super) const SWEPT: &str = "swept";

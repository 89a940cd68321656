//! Every table of the file, in one place.
//!
//! | table | key | holds | goes |
//! |---|---|---|---|
//! | `meta` | name | `schema`, `swept` (ms since 1970) | never |
//! | `accounts` | escaped user | account record (`stored.rs`) | never |
//! | `fences` | escaped user | how many leases were given; outlives sessions | never |
//! | `sessions` | member | session record (`stored.rs`) | when it ends |
//! | `history` | member, number of the turn | turn record (`record.rs`) | with the session |
//! | `summaries` | member | session id, the last turn that is covered, summary record (`summary.rs`) | with the session |
//! | `journal` | member, `<run>\|<field>` | as written | at commit, or with the session |
//! | `waiting` | member, place | accepted at (ms since 1970), run, input: runs that wait for the session, the next one first | when they begin |
//! | `open` | member | when somebody must look after its run, which has not ended (ms since 1970) | at commit |
//! | `runs` | escaped user, run | one run that has ended (`contract::Ended`) | 24 h, or when there are too many |
//! | `run_ends` | ends at, escaped user, run | nothing: it is what the sweeper reads | with the run |
//! | `requests` | escaped user, digest of the idempotency key | ends at, fingerprint, run, the answer if there is one | 24 h |
//! | `credentials` | escaped user, what for | set at (ms since 1970), kind, sealed | with the account |
//! | `refresh` | escaped user, family | born, ends, rotated (ms since 1970), digest of the good refresh token, of the one before, the good one sealed for whoever has the one before | when it ends, or at a logout |
//! | `revoked` | escaped user, token id or family | when no such token can be valid any more (ms since 1970) | then |
//! | `tokens` | `u` and an escaped user, or `s` for all of them | a day (days since 1970), tokens used on it | never |
//! | `results` | escaped user, or of a session beside the main one its member; id | ends at, one reply kept whole (`kept.rs`) | `results.ttl_secs`, at a reset, or when there are too many |
//! | `vectors` | digest of a function's text and the model for embeddings | ends at, what it means (`vectors.rs`) | 90 days after a start that read it |
//! | `audit` | at (ms since 1970), number | one record of the audit log (`audit.rs`) | after 180 days, or when there are too many |
//! | `unknown` | ended at (ms since 1970), run | member, session id, functions with commas between: a run of which it is not known what became of a change | at a sweep after 30 days, when there are too many, or with the account |
//! | `counted` | when an hour began (ms since 1970), what | how many of it (`contract::overview`) | at a sweep, 3 days after it began |
//! | `listed` | member | last active, ends at, created, turns, session id | with the session |
//! | `activity` | last active, member | nothing: it is the order of the administrators' listing | with the session |
//! | `ends` | ends at, member | nothing: it is what the sweeper reads | with the session |
//! | `request_ends` | ends at, escaped user, digest | nothing: it is what the sweeper reads | with the request |
//! | `result_ends` | ends at, escaped user, id | nothing: it is what the sweeper reads | with the kept reply |
//! | `vector_ends` | ends at, digest | nothing: it is what the sweeper reads | with what it means |
//!
//! Turns, summaries, journals, answers and kept replies may be compressed and sealed (`envelope`); nothing else that is said or called stands in the file.
//!
//! A member is `<escaped user>:<slot>`, as in the index on Redis. `listed` repeats what the index entries of a session are made of, so
//! that they are found again even if the session's record cannot be read.

use redb::TableDefinition;

pub(super) type Bytes = &'static [u8];
pub(super) type Text = &'static str;
/// Last active, ends at, created (all ms since 1970), turns, session id.
pub(super) type Row = (u64, u64, u64, u64, Text);
/// Ends at (ms since 1970), fingerprint, run, the answer once there is one.
pub(super) type Request = (u64, Text, Text, Option<Bytes>);
/// Accepted at (ms since 1970), run, input.
pub(super) type Waits = (u64, Text, Bytes);
/// Set at (ms since 1970), kind, sealed.
pub(super) type Credential = (u64, Text, Bytes);
/// Born, ends, rotated (ms since 1970), digest of the good token, of the one before, the good one sealed.
pub(super) type Family = (u64, u64, u64, Text, Text, Text);
/// Session id, the last turn that is covered, record.
pub(super) type Covering = (Text, u64, Bytes);
/// Ends at (ms since 1970), record.
pub(super) type Kept = (u64, Bytes);

pub(super) const META: TableDefinition<Text, u64> = TableDefinition::new("meta");
pub(super) const ACCOUNTS: TableDefinition<Text, Bytes> = TableDefinition::new("accounts");
pub(super) const FENCES: TableDefinition<Text, u64> = TableDefinition::new("fences");
pub(super) const SESSIONS: TableDefinition<Text, Bytes> = TableDefinition::new("sessions");
pub(super) const HISTORY: TableDefinition<(Text, u64), Bytes> = TableDefinition::new("history");
pub(super) const SUMMARIES: TableDefinition<Text, Covering> = TableDefinition::new("summaries");
pub(super) const JOURNAL: TableDefinition<(Text, Text), Bytes> = TableDefinition::new("journal");
pub(super) const WAITING: TableDefinition<(Text, i64), Waits> = TableDefinition::new("waiting");
pub(super) const OPEN: TableDefinition<Text, u64> = TableDefinition::new("open");
pub(super) const RUNS: TableDefinition<(Text, Text), Text> = TableDefinition::new("runs");
pub(super) const RUN_ENDS: TableDefinition<(u64, Text, Text), ()> = TableDefinition::new("run_ends");
pub(super) const REQUESTS: TableDefinition<(Text, Text), Request> = TableDefinition::new("requests");
pub(super) const CREDENTIALS: TableDefinition<(Text, Text), Credential> = TableDefinition::new("credentials");
pub(super) const LISTED: TableDefinition<Text, Row> = TableDefinition::new("listed");
pub(super) const ACTIVITY: TableDefinition<(u64, Text), ()> = TableDefinition::new("activity");
pub(super) const ENDS: TableDefinition<(u64, Text), ()> = TableDefinition::new("ends");
pub(super) const REQUEST_ENDS: TableDefinition<(u64, Text, Text), ()> = TableDefinition::new("request_ends");
pub(super) const REFRESH: TableDefinition<(Text, Text), Family> = TableDefinition::new("refresh");
pub(super) const REVOKED: TableDefinition<(Text, Text), u64> = TableDefinition::new("revoked");
pub(super) const TOKENS: TableDefinition<Text, (u64, u64)> = TableDefinition::new("tokens");
pub(super) const RESULTS: TableDefinition<(Text, Text), Kept> = TableDefinition::new("results");
pub(super) const RESULT_ENDS: TableDefinition<(u64, Text, Text), ()> = TableDefinition::new("result_ends");
pub(super) const VECTORS: TableDefinition<Text, Kept> = TableDefinition::new("vectors");
pub(super) const VECTOR_ENDS: TableDefinition<(u64, Text), ()> = TableDefinition::new("vector_ends");
pub(super) const AUDIT: TableDefinition<(u64, u64), Bytes> = TableDefinition::new("audit");

pub(super) const UNKNOWN: TableDefinition<(u64, Text), (Text, Text, Text)> = TableDefinition::new("unknown");
pub(super) const COUNTED: TableDefinition<(u64, Text), u64> = TableDefinition::new("counted");

/// In `meta`: the schema that the file has reached.
pub(super) const SCHEMA_REACHED: &str = "schema";
/// In `meta`: when the sweeper last went through.
pub(super) const SWEPT: &str = "swept";

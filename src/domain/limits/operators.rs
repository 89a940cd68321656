//! What operators and administrators see and set: lists, statistics, replicas, the audit log, the doctor.

use super::DAY_MS;

/// Hours of which administrators are told what was counted.
pub const STATS_HOURS: usize = 48;
/// How long it is kept what was counted on a day after it began, in milliseconds.
pub const STATS_KEPT_MS: u64 = 3 * DAY_MS;
/// How long what begins and ends is written down after an administrator said that somebody watches, in milliseconds.
pub const WATCHED_MS: u64 = 60_000;
/// How often it is said while somebody watches, in milliseconds.
pub const WATCH_AGAIN_MS: u64 = 20_000;
/// How long ago a stream of changes may have broken off that is taken up again, in milliseconds: nothing was missed meanwhile, because it was
/// still written down.
pub const WATCH_RESUMED_MS: u64 = 30_000;
/// Changes of one bucket read at once.
pub const CHANGES_READ_MAX: usize = 500;
/// Changes that the embedded store keeps for those who watch; the oldest go.
pub const CHANGES_KEPT_MAX: usize = 4000;
/// Administrators who watch what begins and ends, at one replica.
pub const WATCHERS_MAX: usize = 16;
/// How often a replica says that it is there, in milliseconds.
pub const REPLICA_BEAT_MS: u64 = 5_000;
/// How long it counts as being there after it said so, in milliseconds: twice it may fail to.
pub const REPLICA_LASTS_MS: u64 = 3 * REPLICA_BEAT_MS;
/// Running turns in one answer of the administrators' listing when the client does not say.
pub const OPEN_RUNS_PAGE_DEFAULT: usize = 100;
/// Running turns in one answer of the administrators' listing, at most.
pub const OPEN_RUNS_PAGE_MAX: usize = 500;
/// Runs of unknown outcome that are remembered, in each of the 64 buckets of users; the oldest go.
pub const UNKNOWN_OUTCOMES_PER_BUCKET: usize = 64;
/// How long they are remembered after the last of them ended, in milliseconds.
pub const UNKNOWN_OUTCOMES_MS: u64 = 30 * DAY_MS;
/// Runs of unknown outcome in one answer when the client does not say.
pub const UNKNOWN_OUTCOMES_PAGE_DEFAULT: usize = 100;
/// Runs of unknown outcome in one answer, at most.
pub const UNKNOWN_OUTCOMES_PAGE_MAX: usize = 1000;
/// Users in one answer of the administrators' listing when the client does not say.
pub const USERS_PAGE_DEFAULT: usize = 100;
/// Users in one answer of the administrators' listing, at most.
pub const USERS_PAGE_MAX: usize = 1000;
/// Sessions in one answer of the administrator's listing when the client does not say.
pub const SESSIONS_PAGE_DEFAULT: usize = 100;
/// Sessions that are looked at for one page of the administrator's listing where only some are wanted; then the page ends, with what was found.
pub const SESSIONS_LOOKED_AT_MAX: u64 = 50_000;
/// Sessions of one bucket that are looked at by one script, so that no turn waits long for it.
pub const SESSIONS_LOOKED_AT_ONCE: usize = 256;
/// Sessions in one answer of the administrator's listing, at most.
pub const SESSIONS_PAGE_MAX: usize = 1000;
/// Entries of each list of what came of a document, in one answer, when the administrator does not say.
pub const REPORT_PAGE_DEFAULT: usize = 100;
/// Entries of each list of what came of a document, in one answer, at most.
pub const REPORT_PAGE_MAX: usize = 1000;
/// A file of settings, in bytes.
pub const SETTINGS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// How long the health check of the container waits for each step: connecting, asking, the first line of the answer.
pub const PROBE_TIMEOUT_MS: u64 = 2000;
/// After so long without a request what serves a connection is let go, and made again when something comes, in milliseconds: long enough
/// that those in use keep theirs.
pub const CONNECTION_RESTS_AFTER_MS: u64 = 1000;
/// Connections of the admin listener that are served at once; more wait in the system's queue.
pub const ADMIN_CONNECTIONS_MAX: usize = 16;
/// Characters of what the log is to tell, where it is changed while the process runs.
pub const LOG_LEVEL_CHARS_MAX: usize = 1000;
/// A machine's clock and the store's may be so far apart before `doctor` says so, in milliseconds.
pub const CLOCKS_APART_MS_MAX: u64 = 1000;
/// A certificate that is good for fewer days is one that `doctor` warns of.
pub const CERTIFICATE_DAYS_MIN: i64 = 30;
/// What is shown of a certificate's name, in characters.
pub const CERTIFICATE_NAME_CHARS_MAX: usize = 100;
/// How long `doctor` waits for a model's answer, in milliseconds.
pub const DOCTOR_MODEL_MS_MAX: u64 = 20_000;
/// What `doctor` reads of an API's answer, in bytes.
pub const DOCTOR_REPLY_BYTES_MAX: usize = 64 * 1024;
/// Records of the audit log that are kept; the oldest go. Some 250 bytes each.
pub const AUDIT_RECORDS_MAX: u64 = 20_000;
/// How long a record of the audit log is kept, in milliseconds.
pub const AUDIT_KEPT_MS: u64 = 180 * 24 * 60 * 60 * 1000;
/// Records of the audit log read from the store at once.
pub const AUDIT_READ_AT_ONCE: usize = 500;
/// Records of the audit log in one answer when the client does not say.
pub const AUDIT_PAGE_DEFAULT: usize = 100;
/// Records of the audit log in one answer, at most.
pub const AUDIT_PAGE_MAX: usize = 1000;

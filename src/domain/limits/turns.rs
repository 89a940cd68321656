//! Turns and runs: what may be asked, what waits, what is told of them.

/// What a person may say in one turn, in characters.
pub const MESSAGE_CHARS_MAX: usize = 16_000;
/// How deep a JSON request body may nest.
pub const JSON_DEPTH_MAX: usize = 32;
/// How often wrong arguments go back to a model in one turn.
pub const REPAIRS_MAX: usize = 3;
/// How long a model's server may ask us to wait, in seconds; more is taken as this.
pub const RETRY_AFTER_SECS_MAX: u64 = 24 * 60 * 60;
/// A client's idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
/// What is kept of an answer in the stored turn, in bytes.
pub const ANSWER_KEPT_BYTES_MAX: usize = 64 * 1024;
/// How long a user's yes to a changing call is taken, in milliseconds from the beginning of the turn that asked.
pub const CONFIRMATION_MS_MAX: u64 = 15 * 60 * 1000;
/// Characters of a question's id: 128 bits in hexadecimal.
pub const CONFIRMATION_ID_CHARS: usize = 32;
/// Among so many of the newest turns a question is looked for by its id; one that is older is not known any more.
pub const CONFIRMATION_TURNS_MAX: usize = 20;
/// A request as it is shown to whoever must say yes to it, in characters; what is beyond is counted in a mark.
pub const REQUEST_SHOWN_CHARS_MAX: usize = 20_000;
/// Runs that wait for one session.
pub const WAITING_RUNS_MAX: u64 = 8;
/// Runs of one user that are known after they have ended.
pub const ENDED_RUNS_MAX: usize = 256;
/// How long the user's runs are known after the last of them ended, in milliseconds.
pub const ENDED_RUNS_MS: u64 = 24 * 60 * 60 * 1000;
/// Sessions of one bucket that a replica looks after at once, because nobody works on their run.
pub const DUE_SESSIONS_PER_BUCKET_MAX: usize = 4;
/// Times that a run may be taken from a holder that died; then it ends, because it may be what they die of.
pub const CRASHES_OF_A_RUN_MAX: u64 = 3;
/// How long a client may ask to wait for the answer of a request that is being worked on (`Prefer: wait`), in seconds.
pub const PREFER_WAIT_SECS_MAX: u64 = 600;
/// Events of one user's streamed runs that are kept for whoever comes later; the oldest go.
pub const EVENTS_KEPT_MAX: usize = 2000;
/// How long they are kept after the last of them was told, in milliseconds.
pub const EVENTS_KEPT_MS: u64 = 15 * 60 * 1000;
/// Events read from the store at once.
pub const EVENTS_READ_MAX: usize = 500;
/// The id of a run, in characters: longer ones are nobody's.
pub const RUN_ID_CHARS_MAX: usize = 64;

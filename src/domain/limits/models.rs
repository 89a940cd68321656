//! Models: how they are asked, what is taken of what they say, how a conversation fits into their context.

/// What one upstream reply may add to the model's context, in bytes; the rest is cut with a mark.
pub const RESULT_TO_MODEL_BYTES_MAX: usize = 16 * 1024;
/// An answer of the model, in bytes.
pub const MODEL_REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How long a connection to the model may be idle before it is not used again, in seconds.
pub const MODEL_IDLE_SECS_MAX: u64 = 60;
/// What one upstream reply of an earlier turn may add to the model's context, in bytes.
pub const OLD_RESULT_TO_MODEL_BYTES_MAX: usize = 1024;
/// A call's id as providers accept it, in bytes; others are replaced.
pub const CALL_ID_BYTES_MAX: usize = 40;
/// What is kept of arguments that are not a JSON object, in bytes.
pub const BROKEN_ARGUMENTS_BYTES_MAX: usize = 1024;
/// The arguments of all calls in one answer of a model, in bytes as JSON: more is no request but a loop, and all of it would be kept and told
/// again in every later turn.
pub const ARGUMENTS_BYTES_MAX: usize = 256 * 1024;
/// A name or an id that a model gives a call, in bytes; a longer name is cut and is no function's, a longer id is replaced.
pub const CALL_NAME_BYTES_MAX: usize = 256;
/// Tokens that one answer of a model can count for: a server that claims more is not believed.
pub const TOKENS_PER_ANSWER_MAX: u64 = 1_000_000_000;
/// Calls in one answer of a model that are put together; what is beyond is dropped. More than a turn may have.
pub const CALLS_PER_ANSWER_MAX: usize = 1024;
/// How long what an answer cost is waited for when the answer is finished, in milliseconds.
pub const MODEL_USAGE_WAIT_MS_MAX: u64 = 2000;
/// The pause before a model's server is asked for the second time, in milliseconds; each one after it is twice as long, and half of it is
/// left to chance, so that those who failed together do not come again together.
pub const MODEL_PAUSE_MS_MIN: u64 = 250;
/// The longest such pause that is not the server's own wish, in milliseconds.
pub const MODEL_PAUSE_MS_MAX: u64 = 8000;
/// How long a model's server may ask to wait, in milliseconds, before the next one is asked instead, if there is one.
pub const MODEL_PAUSE_BESIDE_OTHERS_MS_MAX: u64 = 1000;
/// What must be left of a turn after a pause, in milliseconds: a model has no answer in less.
pub const MODEL_ATTEMPT_MS_MIN: u64 = 1000;
/// Failures in a row after which a model's server is not asked for a while.
pub const MODEL_FAILURES_MAX: u32 = 5;
/// How long that while is, in milliseconds; then one request finds out.
pub const MODEL_REST_MS: u64 = 10_000;
/// Endpoints that stand in for the model.
pub const MODEL_FALLBACKS_MAX: usize = 8;
/// Turns of the history that a model is told with their calls and results; of older ones it is told what was said.
pub const TURNS_WITH_CALLS_TO_MODEL_MAX: usize = 2;
/// What is left of a model's context for its answer where `llm.max_tokens` does not say it, in tokens; a quarter of the context at most.
pub const ANSWER_TOKENS_DEFAULT: u64 = 4096;
/// The functions that a model is given take this part of what may be sent to it, at most.
pub const TOOLS_SHARE: u64 = 3;
/// The history is left this part of what may be sent to a model before the results of the running turn are told whole.
pub const HISTORY_SHARE: u64 = 4;
/// A summary takes this part of what may be sent to a model, at most.
pub const SUMMARY_SHARE: u64 = 8;
/// What is kept of a summary of older turns, in bytes.
pub const SUMMARY_BYTES_MAX: usize = 4 * 1024;
/// What a result is cut to, in bytes, step by step, until what is sent to a model fits.
pub const RESULT_BYTES_STEPS: [usize; 7] = [16 * 1024, 8 * 1024, 4 * 1024, 2 * 1024, 1024, 512, 256];
/// Arguments of a call that are longer are left out when what is sent to a model would not fit otherwise, in bytes.
pub const TOLD_ARGUMENTS_BYTES_MAX: usize = 512;
/// How much longer tokens stay set aside than the request may take that they are for, in milliseconds.
pub const RESERVATION_MARGIN_MS: u64 = 30_000;

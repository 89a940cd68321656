//! Conversations as they are kept, read, searched and carried about.

/// What is kept of one upstream reply in the stored turn, in bytes.
pub const RESULT_KEPT_BYTES_MAX: usize = 4 * 1024;
/// Messages in one answer of the history endpoint when the client does not say.
pub const HISTORY_PAGE_DEFAULT: usize = 200;
/// Turns that are read at once where a whole conversation is.
pub const HISTORY_READ_TURNS: usize = 200;
/// Sessions of one user that are searched in one round trip: what they cost the store in one piece must delay no turn.
pub const SESSIONS_SEARCHED_AT_ONCE: usize = 64;
/// Round trips of one search that are under way at the same time: while one is looked through, the next is fetched.
pub const SESSION_SEARCHES_UNDER_WAY: usize = 2;
/// The longest text that is searched for in sessions, in characters.
pub const SESSION_SEARCH_CHARS_MAX: usize = 200;
/// The longest title of a session, in characters.
pub const SESSION_TITLE_CHARS_MAX: usize = 200;
/// The longest one that is made from a message, in characters.
pub const SESSION_TITLE_MADE_CHARS_MAX: usize = 60;
/// A session as a file that is brought, in bytes.
pub const SESSION_FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// One turn of such a file, in bytes.
pub const SESSION_FILE_TURN_BYTES_MAX: usize = 512 * 1024;
/// Values in such a file, whatever they are.
pub const SESSION_FILE_PARTS_MAX: usize = 1_000_000;
/// Values in the arguments of all calls of such a file: each takes up to 450 bytes when it is read.
pub const SESSION_FILE_VALUES_MAX: usize = 200_000;
/// Such files that a replica reads at once; whoever comes then waits.
pub const SESSION_FILES_AT_ONCE: usize = 2;
/// What a client may note of a session, in bytes of JSON.
pub const SESSION_METADATA_BYTES_MAX: usize = 4 * 1024;
/// The greatest number of a turn that is asked for: every reader of JSON takes it exactly (RFC 8259, 6).
pub const TURN_NUMBER_MAX: u64 = (1 << 53) - 1;
/// Messages in one answer of the history endpoint, at most.
pub const HISTORY_PAGE_MAX: usize = 1000;
/// Stored turns in one answer of the history endpoint, in bytes, give or take a few turns; the rest is on the next page.
pub const HISTORY_PAGE_BYTES: usize = 1024 * 1024;
/// A stored record that is compressed, in bytes before it is: what a small one may unpack to is bounded.
pub const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;
/// Replies kept whole for one user; the oldest go.
pub const RESULTS_KEPT_MAX: usize = 16;
/// Keys and indices in a path into a kept reply.
pub const RESULT_PATH_PARTS_MAX: usize = 64;
/// A text that a kept reply is searched for, in characters.
pub const RESULT_SEARCH_CHARS_MAX: usize = 200;
/// A line of a text as kept replies are read in: longer ones are several, in bytes.
pub const RESULT_LINE_BYTES_MAX: usize = 1000;

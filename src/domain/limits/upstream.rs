//! APIs: replies, credentials, secrets, sending again.

/// How long a connection to the API behind the document may be idle before it is not used again, in seconds: shorter than the 5 s after
/// which common servers close theirs, because a changing call that meets a closing connection has an unknown outcome.
pub const UPSTREAM_IDLE_SECS_MAX: u64 = 4;
/// Header fields kept of one upstream reply, in bytes of names and values; later ones are dropped.
pub const REPLY_HEADERS_BYTES_MAX: usize = 8 * 1024;
/// An answer that is kept to be repeated under its idempotency key, in bytes; the results in a larger one are cut.
pub const REPLAYED_BODY_BYTES_MAX: usize = 256 * 1024;
/// A user's own credential for the API (a key, a token, a name or a password), in bytes.
pub const CREDENTIAL_BYTES_MAX: usize = 8 * 1024;
/// Credentials of their own that one user may have.
pub const CREDENTIALS_PER_USER_MAX: usize = 64;
/// A name of a security scheme in a request, in characters; longer ones are nobody's.
pub const SCHEME_NAME_CHARS_MAX: usize = 256;
/// What a token endpoint may answer, in bytes.
pub const TOKEN_REPLY_BYTES_MAX: usize = 64 * 1024;
/// An access token for the API, in bytes: a header field that servers accept.
pub const UPSTREAM_TOKEN_BYTES_MAX: usize = 16 * 1024;
/// How long a token for the API is kept whose endpoint does not say how long it is good for, in seconds.
pub const UPSTREAM_TOKEN_SECS_DEFAULT: u64 = 300;
/// How long a token for the API is kept at most, in seconds, whatever its endpoint says.
pub const UPSTREAM_TOKEN_SECS_MAX: u64 = 24 * 60 * 60;
/// How long before its end a token for the API is not used any more, in seconds: a request must not outlive it on its way.
pub const UPSTREAM_TOKEN_MARGIN_SECS: u64 = 30;
/// How long a request waits for a token that another request is fetching before it fetches one itself, in milliseconds.
pub const UPSTREAM_TOKEN_WAIT_MS: u64 = 3000;
/// Time between two looks whether another request has fetched the token, in milliseconds.
pub const UPSTREAM_TOKEN_POLL_MS: u64 = 25;
/// A secret at least this long is taken out of what is told, in bytes: shorter ones would be found by chance.
pub const SECRET_BYTES_MIN: usize = 8;
/// The value of a header whose name does not say that it is a secret counts as one if it looks like a key and is at least this long, in bytes.
pub const UNNAMED_SECRET_BYTES_MIN: usize = 20;
/// How often a packed reply may be larger unpacked than it came, once it has [`UNPACKED_BYTES_FREE`]: more is a bomb.
pub const UNPACKED_RATIO_MAX: usize = 100;
/// Bytes of an unpacked reply up to which it is not asked how well they were packed.
pub const UNPACKED_BYTES_FREE: usize = 1024 * 1024;
/// How long an API may ask a reading call to wait before it is sent a second time, in milliseconds; what asks for more is answered as it is.
pub const REPEAT_PAUSE_MS_MAX: u64 = 5000;
/// The pause before that second time when the API names none, in milliseconds.
pub const REPEAT_PAUSE_MS_DEFAULT: u64 = 500;
/// A reply that is no text, in bytes, as a direct call gives it as base64; of a larger one only its size is told.
pub const BINARY_SHOWN_BYTES_MAX: usize = 256 * 1024;

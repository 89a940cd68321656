//! Who comes in: names, passwords, keys, tokens, issuers, throttles.

/// A user name, in characters.
pub const USER_NAME_CHARS_MAX: usize = 64;
/// A password, in bytes: longer ones are refused before any hash is run.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// The operator's first password for the administrator, in characters.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// A password that is set by the API or the command line, in characters.
pub const NEW_PASSWORD_CHARS_MIN: usize = 12;
/// The same, at most.
pub const NEW_PASSWORD_CHARS_MAX: usize = 128;
/// How long a token lasts that is good for changing one's password only, in seconds.
pub const PASSWORD_CHANGE_SECS: u64 = 15 * 60;
/// An API key, in characters: that of a user whose name is as long as a name can be has fewer.
pub const API_KEY_CHARS_MAX: usize = 512;
/// API keys of one user.
pub const API_KEYS_PER_USER_MAX: usize = 32;
/// What an API key may be called, in characters.
pub const API_KEY_NAME_CHARS_MAX: usize = 64;
/// How long an API key lasts when its user does not say, in days.
pub const API_KEY_DAYS_DEFAULT: u64 = 90;
/// How long an API key may last, in days.
pub const API_KEY_DAYS_MAX: u64 = 365;
/// API keys that a replica knows; of more, all are looked for anew. Some 300 bytes each.
pub const API_KEYS_KNOWN_MAX: usize = 4096;
/// The key that signs tokens, in bytes (RFC 7518, 3.2: at least the size of the hash).
pub const SIGNING_KEY_BYTES_MIN: usize = 32;
/// Keys that sign tokens or check them.
pub const SIGNING_KEYS_MAX: usize = 16;
/// What a key that signs tokens may be called, in characters.
pub const SIGNING_KEY_ID_CHARS_MAX: usize = 64;
/// A file with a key that signs tokens, in bytes.
pub const SIGNING_KEY_FILE_BYTES_MAX: u64 = 64 * 1024;
/// An RSA key, in bits (RFC 7518, 3.3).
pub const RSA_KEY_BITS_MIN: usize = 2048;
/// A refresh token, in characters: that of a user whose name is as long as a name can be has fewer.
pub const REFRESH_TOKEN_CHARS_MAX: usize = 512;
/// How long after a refresh token was exchanged it may come once more, in milliseconds, because the answer was lost: as long as clients try
/// again, and shorter than a thief needs whose luck it would be.
pub const REFRESH_GRACE_MS: u64 = 10_000;
/// Logins of one user that are kept going by refresh tokens; of more, the one that was used longest ago ends.
pub const REFRESH_FAMILIES_PER_USER_MAX: usize = 64;
/// Revoked tokens of one user that are remembered one by one; of more, all tokens of the user are void.
pub const REVOKED_IDS_PER_USER_MAX: usize = 1024;
/// How long a revoked token is remembered beyond its end, in milliseconds: clocks differ.
pub const REVOKED_BEYOND_END_MS: u64 = 60_000;
/// Users of whom a replica remembers what it told of their sessions last: so many, and up to as many again who came before them. Some 150
/// bytes each.
pub const SEEN_USERS_MAX: usize = 8192;
/// Wrong passwords for one account in an hour, from wherever they come (OWASP ASVS 4, 2.2.1 asks for a hundred at most).
pub const LOGIN_FAILURES_MAX: u32 = 100;
pub const LOGIN_FAILURES_MS: u64 = 60 * 60 * 1000;
/// Wrong passwords for one account from one address in a quarter of an hour.
pub const LOGIN_FAILURES_FROM_ADDRESS_MAX: u32 = 10;
pub const LOGIN_FAILURES_FROM_ADDRESS_MS: u64 = 15 * 60 * 1000;
/// How long wrong passwords from one address count that are for whatever accounts, in milliseconds; how many may come is a setting.
pub const LOGIN_FAILURES_OF_ADDRESS_MS: u64 = 15 * 60 * 1000;
/// Issuers of tokens beside our own, the characters of what one is called, and roles of one that make an administrator.
pub const ISSUERS_MAX: usize = 8;
pub const ISSUER_ID_CHARS_MAX: usize = 32;
pub const ISSUER_ROLES_MAX: usize = 32;
/// A token of an issuer is not read if it is longer, in bytes: all headers of a request have 16 KiB.
pub const ISSUER_TOKEN_BYTES_MAX: usize = 12 * 1024;
/// The longest life of an issuer's token, in seconds: the revocation of one is remembered for as long as our own tokens could live.
pub const ISSUER_TOKEN_SECS_MAX: u64 = 24 * 60 * 60;
/// How far an issuer's clock may be from ours, in seconds.
pub const ISSUER_LEEWAY_SECS: u64 = 30;
/// What an issuer tells of itself or its keys, in bytes, and its keys.
pub const ISSUER_ANSWER_BYTES_MAX: usize = 256 * 1024;
pub const ISSUER_KEYS_MAX: usize = 64;
/// How long an issuer may take to answer, in milliseconds.
pub const ISSUER_ANSWERS_MS_MAX: u64 = 5000;
/// Keys of an issuer are asked for again when they are older than this, in milliseconds, and when a token names one that is not among them.
pub const ISSUER_KEYS_FRESH_MS: u64 = 10 * 60 * 1000;
/// An issuer is not asked more often than this, in milliseconds, whatever tokens name and whatever it answers.
pub const ISSUER_ASKED_AGAIN_MS: u64 = 10 * 1000;
/// Keys that could not be asked for again are good for this long, in milliseconds.
pub const ISSUER_KEYS_STALE_MS: u64 = 24 * 60 * 60 * 1000;
/// For how long a replica remembers that an issuer's user has an account here, in milliseconds, and of how many users.
pub const ISSUER_USER_KNOWN_MS: u64 = 30 * 1000;
pub const ISSUER_USERS_KNOWN_MAX: usize = 8192;
/// Networks of proxies that an operator trusts.
pub const TRUSTED_PROXIES_MAX: usize = 256;
/// What a key that seals secrets may be called, in characters.
pub const SEALING_KEY_ID_CHARS_MAX: usize = 32;

//! Every bound of the service that is not a setting, with its unit in its name.

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
/// A day, in milliseconds.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// An hour, in milliseconds.
pub const HOUR_MS: u64 = 60 * 60 * 1000;
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
/// What a person may say in one turn, in characters.
pub const MESSAGE_CHARS_MAX: usize = 16_000;
/// Markdown that is made into HTML, in bytes; what is behind it is shown as plain text.
pub const MARKDOWN_TO_HTML_BYTES_MAX: usize = 100 * 1024;
/// The HTML that one text is made into, in bytes; where it would be more, the text is shown as it is.
pub const MARKDOWN_HTML_BYTES_MAX: usize = 1024 * 1024;
/// How many times as long as its text such HTML may be, beyond what any text may have: what people and models write grows six times at most.
pub const MARKDOWN_HTML_GROWTH_MAX: usize = 16;
/// Such HTML that any text may become, in bytes, however short it is.
pub const MARKDOWN_HTML_BYTES_ALWAYS: usize = 4 * 1024;
/// Such HTML in one answer of the history endpoint, in bytes; answers older than what fits are shown as plain text.
pub const HISTORY_HTML_BYTES_MAX: usize = 4 * 1024 * 1024;
/// How deep elements of such HTML nest; of what is deeper only the text is shown.
pub const MARKDOWN_HTML_DEPTH_MAX: usize = 24;
/// Where a link in such HTML leads, in bytes; what leads elsewhere by more is no link.
pub const MARKDOWN_LINK_BYTES_MAX: usize = 2 * 1024;
/// How deep a JSON request body may nest.
pub const JSON_DEPTH_MAX: usize = 32;
/// What one upstream reply may add to the model's context, in bytes; the rest is cut with a mark.
pub const RESULT_TO_MODEL_BYTES_MAX: usize = 16 * 1024;
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
/// Names offered when a function is not found.
pub const NEAR_NAMES_MAX: usize = 5;
/// Tools that providers take in one request.
pub const TOOLS_PROVIDERS_TAKE: u64 = 128;
/// Functions of our own that may stand beside those of a document: two that find others, one that reads kept results.
pub const FUNCTIONS_OF_OURS: usize = 3;
/// Functions that are given to a model because of one thing that it said.
pub const FUNCTIONS_PER_REMARK: usize = 4;
/// What a search tells of each function that it found, in characters.
pub const FUNCTION_SUMMARY_CHARS_MAX: usize = 160;
/// Functions that a search of the model finds when it does not say how many.
pub const FUNCTIONS_FOUND_DEFAULT: usize = 8;
/// Functions that one search of the model finds, at most.
pub const FUNCTIONS_FOUND_MAX: usize = 20;
/// Rules about operations in one list of the settings.
pub const SELECTION_RULES_MAX: usize = 1000;
/// Rules of `[[policy]]`.
pub const POLICY_RULES_MAX: usize = 256;
/// Functions that are always offered to the model.
pub const PINNED_FUNCTIONS_MAX: usize = 128;
/// Characters of a message by which functions are looked for; the rest of a longer one is data more often than a wish.
pub const RETRIEVAL_CHARS_MAX: usize = 2000;
/// Different things of a message by which functions are looked for; of more, those that fewest functions have.
pub const RETRIEVAL_GROUPS_MAX: usize = 48;
/// Characters of a function's description that it is found by.
pub const RETRIEVAL_DESCRIPTION_CHARS_MAX: usize = 400;
/// A function's name, in characters: what providers accept (`^[a-zA-Z0-9_-]{1,64}$`).
pub const FUNCTION_NAME_CHARS_MAX: usize = 64;
/// APIs that are served beside the one of `[openapi]`.
pub const APIS_MAX: usize = 100;
/// The name of an API, in characters; half of a function's name is left for the function.
pub const API_NAME_CHARS_MAX: usize = 32;
/// An operator's document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// An answer of the model, in bytes.
pub const MODEL_REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A request body of the demo API, in bytes.
pub const DEMO_BODY_BYTES_MAX: usize = 64 * 1024;
/// Records of one kind that the demo API keeps in memory.
pub const DEMO_RECORDS_MAX: usize = 1000;
/// Records on one page of the demo API when the client does not say.
pub const DEMO_PAGE_DEFAULT: u32 = 20;
/// Records on one page of the demo API, at most.
pub const DEMO_PAGE_MAX: u32 = 100;
/// Rows of one table of a reply as people read it.
pub const MARKDOWN_ROWS_MAX: usize = 50;
/// Columns of one table of a reply as people read it.
pub const MARKDOWN_COLUMNS_MAX: usize = 10;
/// One cell of a table of a reply, in characters before escaping.
pub const MARKDOWN_CELL_CHARS_MAX: usize = 160;
/// A sentence of our own in an answer, in characters: it ends with what is to be done, so all of it is shown.
pub const MARKDOWN_SENTENCE_CHARS_MAX: usize = 2000;
/// A text reply as people read it, in characters.
pub const MARKDOWN_TEXT_CHARS_MAX: usize = 4000;
/// Loading the operator's document from a URL, in seconds, from the first to the last byte.
pub const DOCUMENT_FETCH_SECS_MAX: u64 = 30;
/// How long a connection to the API behind the document may be idle before it is not used again, in seconds: shorter than the 5 s after
/// which common servers close theirs, because a changing call that meets a closing connection has an unknown outcome.
pub const UPSTREAM_IDLE_SECS_MAX: u64 = 4;
/// How long a connection to the model may be idle before it is not used again, in seconds.
pub const MODEL_IDLE_SECS_MAX: u64 = 60;
/// Header fields kept of one upstream reply, in bytes of names and values; later ones are dropped.
pub const REPLY_HEADERS_BYTES_MAX: usize = 8 * 1024;
/// What one upstream reply of an earlier turn may add to the model's context, in bytes.
pub const OLD_RESULT_TO_MODEL_BYTES_MAX: usize = 1024;
/// A function's description as providers accept it, in characters; the rest is cut with a mark.
pub const FUNCTION_DESCRIPTION_CHARS_MAX: usize = 1024;
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
/// Numbers of one answer of a model for embeddings: the largest models in use have as many.
pub const EMBEDDING_DIMENSIONS_MAX: usize = 4096;
/// A text as a model for embeddings is given it, in bytes of UTF-8; the rest is cut. Tokens go by bytes rather than by characters: three
/// letters or one Chinese character are about one, and common models take 512.
pub const EMBEDDED_TEXT_BYTES_MAX: usize = 1200;
/// Texts in one request for embeddings.
pub const EMBEDDED_AT_ONCE_MAX: usize = 32;
/// An answer with embeddings, in bytes.
pub const EMBEDDINGS_REPLY_BYTES_MAX: usize = 4 * 1024 * 1024;
/// A request for the embeddings of functions must be answered within this time, in milliseconds: nobody waits for it, and a server without
/// a graphics card may need seconds for each.
pub const EMBEDDINGS_OF_FUNCTIONS_MS_MAX: u64 = 60_000;
/// How long a replica has for one such request before another may ask for the same, in milliseconds.
pub const EMBEDDINGS_CLAIM_MS: u64 = EMBEDDINGS_OF_FUNCTIONS_MS_MAX + 5000;
/// The pause before functions are tried again whose embeddings could not be had, in milliseconds; each one after it is twice as long.
pub const EMBEDDINGS_PAUSE_MS_MIN: u64 = 1000;
/// The longest such pause, in milliseconds.
pub const EMBEDDINGS_PAUSE_MS_MAX: u64 = 5 * 60 * 1000;
/// How long the embedding of a function is kept after a replica last read it, in milliseconds.
pub const EMBEDDINGS_KEPT_MS: u64 = 90 * 24 * 60 * 60 * 1000;
/// Embeddings read from the store at once.
pub const EMBEDDINGS_READ_AT_ONCE: usize = 256;
/// Embeddings of what was said that a replica remembers.
pub const EMBEDDINGS_REMEMBERED_MAX: usize = 256;
/// Functions of each of two rankings that are put together; later places say next to nothing.
pub const RANKED_FUNCTIONS_MAX: usize = 200;
/// How often wrong arguments go back to a model in one turn.
pub const REPAIRS_MAX: usize = 3;
/// How long a model's server may ask us to wait, in seconds; more is taken as this.
pub const RETRY_AFTER_SECS_MAX: u64 = 24 * 60 * 60;
/// A file of settings, in bytes.
pub const SETTINGS_FILE_BYTES_MAX: u64 = 1024 * 1024;
/// A client's idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARS_MAX: usize = 255;
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
/// How deep an operator's YAML document may nest (the JSON reader has a bound of 128 of its own): the reader's stack is 2 MiB.
pub const DOCUMENT_DEPTH_MAX: usize = 64;
/// Values in an operator's document, all its files together and aliases expanded: each takes up to 250 bytes while it is read.
pub const DOCUMENT_NODES_MAX: usize = 2_000_000;
/// Files that an operator's document may consist of.
pub const DOCUMENT_FILES_MAX: usize = 256;
/// A path of an operator's document, in bytes.
pub const PATH_BYTES_MAX: usize = 4096;
/// Parameters of one operation, those of its path and the fields of its form included.
pub const PARAMETERS_MAX: usize = 1000;
/// Properties of a body that are arguments of their own; a body with more is one argument.
pub const FLAT_PROPERTIES_MAX: usize = 500;
/// What all functions of a document may take up as they are shown, in bytes of text with 64 more for each value; operations beyond are
/// set aside.
pub const FUNCTIONS_BYTES_MAX: usize = 128 * 1024 * 1024;
/// Odd things about a document that are named one by one.
pub const WARNINGS_MAX: usize = 1000;
/// Parts of an operator's YAML document that aliases may repeat.
pub const DOCUMENT_ALIASED_MAX: usize = 200_000;
/// References that are followed one after another before they are taken for a circle.
pub const REFERENCE_HOPS_MAX: usize = 32;
/// The description of an argument or of a part of one, in characters.
pub const ARGUMENT_DESCRIPTION_CHARS_MAX: usize = 600;
/// How often a recursive schema is unrolled in what a model is given.
pub const SCHEMA_UNROLLED_MAX: usize = 2;
/// How deep the schema that a model is given may nest.
pub const SCHEMA_DEPTH_MAX: usize = 12;
/// Schemas in the one that a model is given for a function; what is beyond is summarised.
pub const SCHEMA_NODES_MAX: usize = 400;
/// Values of one enumeration that a model is given; of a longer one it is told how many there are and the first few.
pub const ENUM_SHOWN_MAX: usize = 256;
/// Properties of one object that a model is given: more than can be arguments of their own, so that those are never cut.
pub const PROPERTIES_SHOWN_MAX: usize = FLAT_PROPERTIES_MAX + 1;
/// Parts (`allOf`, through references) that one schema may be put together from.
pub const SCHEMA_PARTS_MAX: usize = 256;
/// Shared schemas that one operation may reach: they are compiled one inside the other.
pub const SCHEMAS_REACHED_MAX: usize = 4096;
/// What a schema being compiled may take of the stack, for each level that it and the schemas that it reaches nest, in bytes.
pub const SCHEMA_STACK_BYTES: usize = 16 * 1024;
/// Schemas that arguments may be judged by, whatever they are.
pub const CHECK_STEPS_BASE: usize = 100_000;
/// Schemas that arguments may be judged by more, for each value in them.
pub const CHECK_STEPS_PER_VALUE: usize = 200;
/// How deep the judging of one value may go: schemas within schemas within values.
pub const CHECK_DEPTH_MAX: usize = 512;
/// What the sentences about wrong arguments may be made from, in values; beyond it is only said that they do not fit.
pub const CHECK_CELLS_MAX: usize = 500_000;
/// Errors that are read before they are counted only.
pub const ERRORS_READ_MAX: usize = 1000;
/// What compiling one pattern may cost, in repeated characters; one of a Unicode class counts for a hundred.
pub const PATTERN_COST_MAX: usize = 60_000;
/// What compiling all patterns of a document may cost; later ones are left to the API.
pub const PATTERNS_COST_MAX: usize = 500_000;
/// Steps back that matching one pattern may take before it is left to the API.
pub const PATTERN_STEPS_BACK_MAX: usize = 100_000;
/// Values that may be copied because read-only properties are declared elsewhere, in one document.
pub const SCHEMA_COPIED_NODES_MAX: usize = 1_000_000;
/// Copies of schemas within copies.
pub const SCHEMA_COPIES_DEPTH_MAX: usize = 8;
/// Shared schemas that one schema may copy because their read-only properties are declared elsewhere.
pub const SCHEMA_COPIES_MAX: usize = 64;
/// Sentences about wrong arguments in one answer.
pub const PROBLEMS_MAX: usize = 20;
/// A value quoted in a sentence about it, in characters.
pub const QUOTED_VALUE_CHARS_MAX: usize = 60;
/// How long the health check of the container waits for each step: connecting, asking, the first line of the answer.
pub const PROBE_TIMEOUT_MS: u64 = 2000;
/// Words, numbers and signs of a message that the offline planner reads; longer ones are answered with a request to be brief.
pub const OFFLINE_PARTS_MAX: usize = 300;
/// Functions that the offline planner reads a sentence against.
pub const OFFLINE_CANDIDATES_MAX: usize = 25;
/// Functions that the offline planner names to say what it can do.
pub const OFFLINE_EXAMPLES_MAX: usize = 5;
/// Functions between which the offline planner asks to choose.
pub const OFFLINE_CHOICES_MAX: usize = 4;
/// Arguments that a question of the offline planner names.
pub const OFFLINE_ASKED_MAX: usize = 8;
/// Turns back to which the offline planner follows its own questions for arguments.
pub const OFFLINE_QUESTIONS_MAX: usize = 8;
/// Words of a text that is not quoted, as the offline planner reads it.
pub const OFFLINE_TEXT_WORDS_MAX: usize = 8;
/// Turns of the history that a model is told with their calls and results; of older ones it is told what was said.
pub const TURNS_WITH_CALLS_TO_MODEL_MAX: usize = 2;
/// An answer that is kept to be repeated under its idempotency key, in bytes; the results in a larger one are cut.
pub const REPLAYED_BODY_BYTES_MAX: usize = 256 * 1024;
/// What is kept of an answer in the stored turn, in bytes.
pub const ANSWER_KEPT_BYTES_MAX: usize = 64 * 1024;
/// Stored turns in one answer of the history endpoint, in bytes, give or take a few turns; the rest is on the next page.
pub const HISTORY_PAGE_BYTES: usize = 1024 * 1024;
/// What a key that seals secrets may be called, in characters.
pub const SEALING_KEY_ID_CHARS_MAX: usize = 32;
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
/// A reply that is no text, in bytes, as a direct call gives it as base64; of a larger one only its size is told.
pub const BINARY_SHOWN_BYTES_MAX: usize = 256 * 1024;
/// How long a user's yes to a changing call is taken, in milliseconds from the beginning of the turn that asked.
pub const CONFIRMATION_MS_MAX: u64 = 15 * 60 * 1000;
/// Characters of a question's id: 128 bits in hexadecimal.
pub const CONFIRMATION_ID_CHARS: usize = 32;
/// Among so many of the newest turns a question is looked for by its id; one that is older is not known any more.
pub const CONFIRMATION_TURNS_MAX: usize = 20;
/// A request as it is shown to whoever must say yes to it, in characters; what is beyond is counted in a mark.
pub const REQUEST_SHOWN_CHARS_MAX: usize = 20_000;
/// Rules about idempotency keys of one API, and probes of one API.
pub const KEY_RULES_MAX: usize = 100;
/// Origins beside its own that one API may be called at.
pub const ORIGINS_MAX: usize = 32;
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

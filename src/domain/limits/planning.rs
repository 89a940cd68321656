//! Which functions a planner is shown, and what the offline planner makes of a sentence.

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
/// Functions that are always offered to the model.
pub const PINNED_FUNCTIONS_MAX: usize = 128;
/// Characters of a message by which functions are looked for; the rest of a longer one is data more often than a wish.
pub const RETRIEVAL_CHARS_MAX: usize = 2000;
/// Different things of a message by which functions are looked for; of more, those that fewest functions have.
pub const RETRIEVAL_GROUPS_MAX: usize = 48;
/// Characters of a function's description that it is found by.
pub const RETRIEVAL_DESCRIPTION_CHARS_MAX: usize = 400;
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

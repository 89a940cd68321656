//! OpenAPI documents: how much of them is read, and what becomes of them; which operations, and who may call them.

/// Names offered when a function is not found.
pub const NEAR_NAMES_MAX: usize = 5;
/// Rules about operations in one list of the settings.
pub const SELECTION_RULES_MAX: usize = 1000;
/// Rules of `[[policy]]`.
pub const POLICY_RULES_MAX: usize = 256;
/// A function's name, in characters: what providers accept (`^[a-zA-Z0-9_-]{1,64}$`).
pub const FUNCTION_NAME_CHARS_MAX: usize = 64;
/// APIs that are served beside the one of `[openapi]`.
pub const APIS_MAX: usize = 100;
/// The name of an API, in characters; half of a function's name is left for the function.
pub const API_NAME_CHARS_MAX: usize = 32;
/// An operator's document, in bytes.
pub const DOCUMENT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A request body of the demo API, in bytes.
pub const DEMO_BODY_BYTES_MAX: usize = 64 * 1024;
/// Records of one kind that the demo API keeps in memory.
pub const DEMO_RECORDS_MAX: usize = 1000;
/// Records on one page of the demo API when the client does not say.
pub const DEMO_PAGE_DEFAULT: u32 = 20;
/// Records on one page of the demo API, at most.
pub const DEMO_PAGE_MAX: u32 = 100;
/// Loading the operator's document from a URL, in seconds, from the first to the last byte.
pub const DOCUMENT_FETCH_SECS_MAX: u64 = 30;
/// A function's description as providers accept it, in characters; the rest is cut with a mark.
pub const FUNCTION_DESCRIPTION_CHARS_MAX: usize = 1024;
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
/// Rules about idempotency keys of one API, and probes of one API.
pub const KEY_RULES_MAX: usize = 100;
/// Origins beside its own that one API may be called at.
pub const ORIGINS_MAX: usize = 32;

//! Answers: Markdown, and the HTML that is made of it.

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

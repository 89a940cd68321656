//! Getting the operator's document: from a file, from a URL, or the demo's own.

use std::path::Path;

use crate::{
    demo,
    domain::limits::DOCUMENT_BYTES_MAX,
    openapi::Catalogue,
    outbound::{Outbound, Url, shown},
};

/// Where the document is.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    File(&'a Path),
    Url(&'a str),
    /// Built in.
    Demo,
}

impl<'a> Source<'a> {
    /// A path or an `http(s)` URL as the settings have it; nothing means the demo.
    pub fn of(file: Option<&'a str>) -> Self {
        match file {
            None => Self::Demo,
            Some(url) if url.starts_with("http://") || url.starts_with("https://") => Self::Url(url),
            Some(path) => Self::File(Path::new(path)),
        }
    }
}

/// Reads the document and makes its functions.
///
/// # Errors
/// A sentence that names the document and says what is wrong with it.
pub async fn read_document(source: Source<'_>, outbound: &Outbound) -> Result<Catalogue, String> {
    match source {
        Source::Demo => Catalogue::read(demo::DOCUMENT, "the built-in demo").map_err(|e| e.to_string()),
        Source::Url(url) => {
            // A token in the query or before the host is the operator's own affair.
            let named = Url::parse(url).map_or_else(|_| "the document's URL".to_owned(), |url| shown(&url));
            let text = outbound.fetch_text(url, DOCUMENT_BYTES_MAX).await.map_err(|e| format!("openapi.file: {e}"))?;
            read_off_runtime(text, named).await
        }
        Source::File(path) => {
            let name = path.display().to_string();
            let size = tokio::fs::metadata(path).await.map_err(|e| format!("openapi.file: {name}: {e}"))?.len();
            if size > DOCUMENT_BYTES_MAX as u64 {
                return Err(format!("openapi.file: {name} has {size} bytes; at most {DOCUMENT_BYTES_MAX} are read"));
            }
            let bytes = tokio::fs::read(path).await.map_err(|e| format!("openapi.file: {name}: {e}"))?;
            let text = String::from_utf8(bytes)
                .map_err(|e| format!("openapi.file: {name} is not UTF-8: byte {} is wrong", e.utf8_error().valid_up_to()))?;
            read_off_runtime(text, name).await
        }
    }
}

/// Big documents take a while, and the runtime has other things to do.
async fn read_off_runtime(text: String, origin: String) -> Result<Catalogue, String> {
    let reading = tokio::task::spawn_blocking(move || Catalogue::read(&text, &origin).map_err(|e| format!("openapi.file: {e}")));
    reading.await.unwrap_or_else(|_| Err("openapi.file: reading the document failed".to_owned()))
}

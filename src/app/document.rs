//! Getting an API's document: from a file, from a URL, or the demo's own.

use std::path::Path;

use crate::{
    demo,
    domain::limits::DOCUMENT_BYTES_MAX,
    openapi::{Catalogue, ReadOptions},
    outbound::{Outbound, Url, shown},
    settings::Api,
};

/// Where the document is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Source<'a> {
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

/// Reads an API's document and makes its functions.
///
/// # Errors
/// A sentence that names the setting and the document and says what is wrong with it.
pub async fn read_document(api: &Api, outbound: &Outbound) -> Result<Catalogue, String> {
    read(api, outbound).await.map_err(|problem| format!("{}: {problem}", named(api, "file")))
}

/// A setting of an API as messages name it: `openapi.file`, or `apis.shop.file`.
pub(super) fn named(api: &Api, key: &str) -> String {
    match (api.name.as_str(), key) {
        ("", "file" | "server_variables" | "external_references") => format!("openapi.{key}"),
        ("", key) => format!("upstream.{key}"),
        (name, key) => format!("apis.{name}.{key}"),
    }
}

/// Which document it is, for people: a URL without what may be secret in it.
pub(super) fn shown_document(api: &Api) -> String {
    match Source::of(api.file.as_deref()) {
        Source::Demo => "built-in demo".to_owned(),
        Source::Url(url) => Url::parse(url).map_or_else(|_| "a URL".to_owned(), |url| shown(&url)),
        Source::File(path) => path.display().to_string(),
    }
}

async fn read(api: &Api, outbound: &Outbound) -> Result<Catalogue, String> {
    let source = Source::of(api.file.as_deref());
    let (text, origin) = match source {
        Source::Demo => (demo::DOCUMENT.to_owned(), "the built-in demo".to_owned()),
        Source::Url(url) => {
            // A token in the query or before the host is the operator's own affair.
            (outbound.fetch_text(url, DOCUMENT_BYTES_MAX).await?, shown_document(api))
        }
        Source::File(path) => {
            let origin = shown_document(api);
            let size = tokio::fs::metadata(path).await.map_err(|e| format!("{origin}: {e}"))?.len();
            if size > DOCUMENT_BYTES_MAX as u64 {
                return Err(format!("{origin} has {size} bytes; at most {DOCUMENT_BYTES_MAX} are read"));
            }
            let bytes = tokio::fs::read(path).await.map_err(|e| format!("{origin}: {e}"))?;
            let text =
                String::from_utf8(bytes).map_err(|e| format!("{origin} is not UTF-8: byte {} is wrong", e.utf8_error().valid_up_to()))?;
            (text, origin)
        }
    };
    let external_references = match source {
        Source::File(path) if api.external_references => {
            // A bare file name has the directory ``, which is the one that the process runs in.
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            Some(directory.unwrap_or(Path::new(".")).to_owned())
        }
        Source::File(_) | Source::Url(_) | Source::Demo => None,
    };
    let options =
        ReadOptions { origin, server_variables: api.server_variables.clone(), external_references, selection: api.selection.clone() };
    // Big documents take a while, and the runtime has other things to do.
    let reading = tokio::task::spawn_blocking(move || Catalogue::read_with(&text, &options).map_err(|error| error.to_string()));
    reading.await.unwrap_or_else(|_| Err("reading the document failed".to_owned()))
}

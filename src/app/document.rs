//! Getting an API's document: from a file, from a URL, or the demo's own.

use std::{io::Read as _, path::Path};

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
    read(api, outbound).await.map_err(|problem| format!("{}: {problem}", api.setting("file")))
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
            let place = path.to_owned();
            let bytes = tokio::task::spawn_blocking(move || read_bounded(&place)).await.unwrap_or_else(|e| Err(e.to_string()));
            let bytes = bytes.map_err(|problem| format!("{origin}: {problem}"))?;
            let text =
                String::from_utf8(bytes).map_err(|e| format!("{origin} is not UTF-8: byte {} is wrong", e.utf8_error().valid_up_to()))?;
            (text, origin)
        }
    };
    let directory = match source {
        Source::File(path) if api.external_references => {
            // A bare file name has the directory ``, which is the one that the process runs in.
            let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
            let own = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            Some((directory.unwrap_or(Path::new(".")).to_owned(), own))
        }
        Source::File(_) | Source::Url(_) | Source::Demo => None,
    };
    let (server_variables, selection, key_rules) = (api.server_variables.clone(), api.selection.clone(), api.idempotency.clone());
    let options = ReadOptions { origin, server_variables, selection, key_rules };
    // Big documents take a while, and the runtime has other things to do.
    let reading = tokio::task::spawn_blocking(move || {
        let read = match directory {
            None => Catalogue::read_with(&text, &options),
            Some((directory, own)) => Catalogue::read_files(&text, &own, &options, &mut |path| read_below(&directory, path)),
        };
        read.map_err(|error| error.to_string())
    });
    reading.await.unwrap_or_else(|_| Err("reading the document failed".to_owned()))
}

/// A file of a document that consists of several: a plain file below `directory`, wherever symbolic links lead.
fn read_below(directory: &Path, path: &str) -> Result<String, String> {
    let root = directory.canonicalize().map_err(|e| e.to_string())?;
    let file = root.join(path).canonicalize().map_err(|e| e.to_string())?;
    if !file.starts_with(&root) {
        return Err("it leads out of the document's directory".to_owned());
    }
    let bytes = read_bounded(&file)?;
    String::from_utf8(bytes).map_err(|e| format!("it is not UTF-8: byte {} is wrong", e.utf8_error().valid_up_to()))
}

/// A plain file's bytes. Pipes and devices may never answer, or never end: whoever waits for one holds up every later reload.
fn read_bounded(file: &Path) -> Result<Vec<u8>, String> {
    if !std::fs::metadata(file).map_err(|e| e.to_string())?.is_file() {
        return Err("it is no file".to_owned());
    }
    let mut bytes = Vec::new();
    let opened = std::fs::File::open(file).map_err(|e| e.to_string())?;
    opened.take(DOCUMENT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(|e| e.to_string())?;
    if bytes.len() > DOCUMENT_BYTES_MAX {
        return Err(format!("it has more than {DOCUMENT_BYTES_MAX} bytes"));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_files_below_the_directory_are_read() {
        let outside = tempfile::tempdir().unwrap();
        std::fs::write(outside.path().join("secret"), "s").unwrap();
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir(root.path().join("sub")).unwrap();
        std::fs::write(root.path().join("sub/pet.yaml"), "a: 1").unwrap();
        symlink(root.path().join("sub"), root.path().join("inside")).unwrap();
        symlink(outside.path(), root.path().join("out")).unwrap();
        symlink(outside.path().join("secret"), root.path().join("secret")).unwrap();
        let read = |path: &str| read_below(root.path(), path);
        assert_eq!(read("sub/pet.yaml").as_deref(), Ok("a: 1"));
        assert_eq!(read("inside/pet.yaml").as_deref(), Ok("a: 1"));
        for path in ["secret", "out/secret"] {
            assert_eq!(read(path).unwrap_err(), "it leads out of the document's directory", "{path}");
        }
        assert_eq!(read("sub").unwrap_err(), "it is no file");
        assert!(read("nowhere.yaml").is_err());
    }

    #[tokio::test]
    async fn a_document_that_is_no_plain_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("api.json");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let outbound = Outbound::new(std::time::Duration::from_secs(1), std::time::Duration::from_secs(1)).unwrap();
        for place in [pipe.to_str().unwrap(), "/dev/zero", directory.path().to_str().unwrap()] {
            let api = Api { file: Some(place.to_owned()), ..Api::default() };
            assert_eq!(read_document(&api, &outbound).await.unwrap_err(), format!("openapi.file: {place}: it is no file"));
        }
    }
}

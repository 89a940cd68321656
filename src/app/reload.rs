//! Reading the documents again while the service runs: beside what is served, and in its place only when all of it can be used.

use std::{
    os::unix::fs::MetadataExt,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::future::join_all;
use tracing::{Instrument, debug, info, warn};

use super::{
    App, AppError, Inner,
    document::Source,
    served::{Served, Sources},
};
use crate::{
    demo::Demo,
    domain::{
        audit::{Action, Deed},
        limits::DOCUMENT_BYTES_MAX,
        scope::Scope,
    },
    llm::Planner,
    openapi,
    outbound::Outbound,
    redact::Redactor,
    secrets::tokens::Bearer,
    settings::{Api, Settings},
};

/// What it takes to read the documents again, and how it went last time.
pub(super) struct Reloading {
    outbound: Outbound,
    model: Option<Arc<Planner>>,
    /// The operator's secrets.
    hidden: Redactor,
    /// One at a time: of two at once the later could be overtaken by the earlier.
    one: tokio::sync::Mutex<()>,
    failure: Mutex<Option<ReloadFailure>>,
}

/// A reload that changed nothing because it could not be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReloadFailure {
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// All that stood in the way, one sentence each.
    pub problems: Vec<String>,
}

/// A reload that was done.
#[derive(Debug)]
pub struct Reloaded {
    /// Whether other documents are served now than before.
    pub changed: bool,
    pub served: Arc<Served>,
}

impl Reloading {
    pub fn new(outbound: Outbound, model: Option<Arc<Planner>>, hidden: Redactor) -> Self {
        Self { outbound, model, hidden, one: tokio::sync::Mutex::new(()), failure: Mutex::new(None) }
    }

    /// What reading the documents takes.
    pub fn sources<'a>(&'a self, settings: &'a Settings, demo: Option<&Demo>) -> Sources<'a> {
        let (model, hidden) = (self.model.clone(), self.hidden.clone());
        Sources { settings, outbound: &self.outbound, demo: demo.map(|demo| demo.address), model, hidden }
    }

    fn failure(&self) -> Option<ReloadFailure> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, failure: Option<ReloadFailure>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

impl App {
    /// Reads all documents again and serves them from now on; what runs ends with what it began with. Documents that did not change keep
    /// their place. The settings are not read again.
    ///
    /// # Errors
    /// All that stands in the way, one sentence each; then everything stays as it was.
    pub async fn reload(&self) -> Result<Reloaded, Vec<String>> {
        let reloaded = self.reload_quietly().await;
        // Whoever looks every few seconds has nothing to say but what changed.
        if let Ok(Reloaded { changed: true, served }) = &reloaded {
            let deed = Deed::new(Action::DocumentsReloaded).with("replica", self.replica());
            self.note_deed(deed.with("outcome", "changed").with("fingerprint", served.apis.fingerprint())).await;
        }
        reloaded
    }

    async fn reload_quietly(&self) -> Result<Reloaded, Vec<String>> {
        let reloading = &self.0.reloading;
        let _one = reloading.one.lock().await;
        let before = self.served();
        let sources = reloading.sources(self.settings(), self.0.demo.as_ref());
        match Served::read(&sources, self.now_ms(), Some(&before)).await {
            Ok(served) => {
                reloading.note(None);
                let (old, new) = (before.apis.fingerprint(), served.apis.fingerprint());
                if old == new {
                    debug!(fingerprint = new, "the documents were read again and are the same");
                    return Ok(Reloaded { changed: false, served: before });
                }
                let functions = served.apis.functions().len();
                info!(fingerprint = new, before = old, functions, "other documents are served: {functions} functions, {old} became {new}");
                let served = Arc::new(served);
                self.0.served.store(Arc::clone(&served));
                self.learn_meanings(&served);
                served.restricted().for_each(|served| self.learn_meanings(served));
                Ok(Reloaded { changed: true, served })
            }
            Err(problems) => {
                let told = reloading.failure().is_some_and(|failure| failure.problems == problems);
                // Whoever looks every few seconds says it once.
                if !told {
                    warn!("the documents could not be read again, and are served as before: {}", problems.join("; "));
                }
                reloading.note(Some(ReloadFailure { at_ms: self.now_ms(), problems: problems.clone() }));
                Err(problems)
            }
        }
    }

    /// [`App::reload`] for an administrator. It goes on if the caller stops waiting.
    ///
    /// # Errors
    /// The caller may not, or the documents cannot be used.
    pub async fn reload_as(&self, caller: &Bearer) -> Result<Reloaded, AppError> {
        self.granted(caller, Scope::OpenApiReload).await?;
        let app = self.clone();
        let by = caller.user.clone();
        let reloading = async move {
            let reloaded = app.reload_quietly().await;
            let outcome = match &reloaded {
                Ok(Reloaded { changed: true, .. }) => "changed",
                Ok(Reloaded { changed: false, .. }) => "the same",
                Err(_) => "refused",
            };
            let deed = Deed::new(Action::DocumentsReloaded).by(&by).with("replica", app.replica()).with("outcome", outcome);
            app.note_deed(deed.with("fingerprint", app.served().apis.fingerprint())).await;
            reloaded.map_err(AppError::Documents)
        };
        self.spawn(reloading.in_current_span())?.await.map_err(|_| AppError::Broken)?
    }

    /// What is served and why the last reload failed, if it did, for an administrator.
    ///
    /// # Errors
    /// The caller may not.
    pub async fn served_as(&self, caller: &Bearer) -> Result<(Arc<Served>, Option<ReloadFailure>), AppError> {
        self.granted(caller, Scope::OpenApiReload).await?;
        Ok((self.served(), self.0.reloading.failure()))
    }
}

/// Looks at the documents every so often, and has them read again when one looks different, for as long as there is a service.
pub(super) async fn watch(service: Weak<Inner>, every: Duration) {
    // How they looked before the start is not known: the first look reads them.
    let mut known = None;
    loop {
        tokio::time::sleep(every).await;
        let Some(app) = service.upgrade().map(App) else { return };
        // Before they are read: what changes meanwhile looks different the next time.
        let seen = looks(app.settings(), &app.0.reloading.outbound).await;
        if known.as_ref() != Some(&seen) || seen.contains(&Look::Unknown) {
            // What failed may have been on the way: it is tried again.
            known = app.reload().await.is_ok().then_some(seen);
        }
    }
}

/// How a document looks from outside.
#[derive(Debug, PartialEq, Eq)]
enum Look {
    /// What the file system says of a file: its own number, its size, and when its content and its entry changed.
    File {
        number: u64,
        bytes: u64,
        modified: (i64, i64),
        changed: (i64, i64),
    },
    Text(String),
    /// It is not there.
    Away,
    /// It leads to other files, which only reading it tells.
    Unknown,
    BuiltIn,
}

async fn looks(settings: &Settings, outbound: &Outbound) -> Vec<Look> {
    join_all(settings.served_apis().iter().map(|api| look(api, outbound))).await
}

async fn look(api: &Api, outbound: &Outbound) -> Look {
    match Source::of(api.file.as_deref()) {
        Source::Demo => Look::BuiltIn,
        Source::File(_) if api.external_references => Look::Unknown,
        Source::File(path) => tokio::fs::metadata(path).await.map_or(Look::Away, |found| Look::File {
            number: found.ino(),
            bytes: found.size(),
            modified: (found.mtime(), found.mtime_nsec()),
            changed: (found.ctime(), found.ctime_nsec()),
        }),
        Source::Url(url) => {
            let text = outbound.fetch_text(url, DOCUMENT_BYTES_MAX).await;
            text.map_or(Look::Away, |text| Look::Text(openapi::fingerprint(&text)))
        }
    }
}

//! Opening the file: making it if there is none, and saying plainly why it cannot be had.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::Arc,
};

use redb::{Database, DatabaseError, StorageError};
use tracing::info;

use super::{
    EmbeddedStore, Fault, Inner, attempts::Attempts, budgets::Reservations, changes::Newest, credentials::UpstreamTokens, events::Events,
    rates::Arrivals, replicas::Replicas,
};
use crate::{
    clock::Clock,
    store::{
        contract::{Lifetimes, Rates},
        envelope::Envelopes,
        migrate::Keyspace,
    },
};

const FILE: &str = "agent.redb";
/// Memory for pages of the file, in bytes: the system caches the file as well.
const CACHE_BYTES: usize = 8 * 1024 * 1024;
/// A file up to this size is read through at every start to find damage, in bytes: some 50 ms. A larger one is read through after a
/// crash only; damage in it is found when it is met.
const CHECKED_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Why there is no store.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("{} is held by another process: stop the server that uses it first", .file.display())]
    Held { file: PathBuf },
    #[error("the data directory {} cannot be made: {reason}", .directory.display())]
    Directory { directory: PathBuf, reason: io::Error },
    #[error("{} cannot be opened: {reason}", .file.display())]
    File { file: PathBuf, reason: io::Error },
    #[error("{} is damaged, or is no file of this program: {reason}", .file.display())]
    Damaged { file: PathBuf, reason: String },
    #[error("{} has schema {schema}, which a newer release of this program wrote; this one does not touch it", .file.display())]
    Newer { file: PathBuf, schema: u32 },
}

impl EmbeddedStore {
    /// Whether there is a store in this directory.
    pub fn is_in(data_dir: &Path) -> bool {
        data_dir.join(FILE).exists()
    }

    /// Opens `<data_dir>/agent.redb`, makes it if there is none, and brings a new one to this program's schema.
    /// Blocks: it reads the file. The directory is made for its owner alone, and so is the file.
    ///
    /// # Errors
    /// Why the file cannot be had, as a sentence that names it.
    pub fn open(data_dir: &Path, clock: Clock, rates: Rates, lifetimes: Lifetimes) -> Result<Self, OpenError> {
        Self::open_with(data_dir, clock, rates, lifetimes, Envelopes::default())
    }

    /// As [`EmbeddedStore::open`]; the store closes and opens content so.
    ///
    /// # Errors
    /// As there.
    pub fn open_with(data_dir: &Path, clock: Clock, rates: Rates, lifetimes: Lifetimes, envelopes: Envelopes) -> Result<Self, OpenError> {
        let file = data_dir.join(FILE);
        make_directory(data_dir).map_err(|reason| OpenError::Directory { directory: data_dir.to_owned(), reason })?;
        let bytes = make_file(&file, data_dir).map_err(|reason| OpenError::File { file: file.clone(), reason })?;
        let database = database(&file, bytes)?;
        let (arrivals, upstream_tokens) = (Arrivals::default(), UpstreamTokens::default());
        let (events, reservations, attempts) = (Events::default(), Reservations::default(), Attempts::default());
        let inner = Inner {
            database,
            clock,
            rates,
            lifetimes,
            envelopes,
            arrivals,
            upstream_tokens,
            events,
            reservations,
            attempts,
            replicas: Replicas::default(),
            newest: Newest::default(),
        };
        let schema = inner.schema().map_err(|fault| refused(&file, fault))?;
        match Keyspace::of(schema) {
            Keyspace::Newer { schema } => return Err(OpenError::Newer { file, schema }),
            Keyspace::Empty => {
                inner.migrate().map_err(|fault| refused(&file, fault))?;
                info!(file = %file.display(), "made the data file {}", file.display());
            }
            Keyspace::Current | Keyspace::Behind { .. } => inner.add_tables().map_err(|fault| refused(&file, fault))?,
        }
        Ok(Self(Arc::new(inner)))
    }
}

fn make_directory(directory: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(directory)
}

/// The file's size; it is made, empty, if there is none.
fn make_file(file: &Path, directory: &Path) -> io::Result<u64> {
    if let Ok(known) = fs::metadata(file) {
        return Ok(known.len());
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)?;
    // A power cut must not take the file's name away after its content was promised to be safe.
    #[cfg(unix)]
    fs::File::open(directory)?.sync_all()?;
    Ok(0)
}

fn database(file: &Path, bytes: u64) -> Result<Database, OpenError> {
    let damaged = |reason: String| OpenError::Damaged { file: file.to_owned(), reason };
    let open = || {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES).set_check_integrity_on_open((1..=CHECKED_BYTES_MAX).contains(&bytes));
        builder.create(file)
    };
    // Redb says that it may panic on a damaged file. Nothing that it touched is used afterwards.
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(database)) => Ok(database),
        Ok(Err(DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch)) => Err(OpenError::Held { file: file.to_owned() }),
        Ok(Err(DatabaseError::Storage(StorageError::Io(reason)))) if reason.kind() != io::ErrorKind::InvalidData => {
            Err(OpenError::File { file: file.to_owned(), reason })
        }
        Ok(Err(error)) => Err(damaged(error.to_string())),
        Err(_) => Err(damaged("it could not be read to the end".to_owned())),
    }
}

fn refused(file: &Path, fault: Fault) -> OpenError {
    match fault {
        Fault::Unreadable | Fault::Newer | Fault::Unsealed => {
            OpenError::Damaged { file: file.to_owned(), reason: "a record cannot be read".to_owned() }
        }
        Fault::File(redb::Error::Io(reason)) => OpenError::File { file: file.to_owned(), reason },
        Fault::File(error) => OpenError::Damaged { file: file.to_owned(), reason: error.to_string() },
    }
}

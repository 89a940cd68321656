//! Bringing the file to this program's schema.
//!
//! The file has the same schema numbers as the keyspace on Redis. A step here is code, not Lua, and all missing steps are one
//! transaction, so there is no lease: nobody else has the file.

use redb::{ReadableDatabase, ReadableTable, TableError, WriteTransaction};

use super::{
    EmbeddedStore, Fault, Inner,
    tables::{
        ACCOUNTS, ACTIVITY, AUDIT, COUNTED, CREDENTIALS, ENDS, FENCES, HISTORY, JOURNAL, LISTED, META, OPEN, REFRESH, REQUEST_ENDS,
        REQUESTS, RESULT_ENDS, RESULTS, REVOKED, RUN_ENDS, RUNS, SCHEMA_REACHED, SESSIONS, SUMMARIES, TOKENS, UNKNOWN, VECTOR_ENDS,
        VECTORS, WAITING,
    },
};
use crate::store::{
    contract::StoreError,
    migrate::{Keyspace, MIGRATIONS, Migrated, SCHEMA},
};

type Step = fn(&WriteTransaction) -> Result<(), Fault>;

/// What each migration does to the file, in the order of `MIGRATIONS`.
const STEPS: [Step; MIGRATIONS.len()] = [first];

/// The first shape: all tables, so that readers find them.
fn first(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(ACCOUNTS)?;
    transaction.open_table(FENCES)?;
    transaction.open_table(SESSIONS)?;
    transaction.open_table(HISTORY)?;
    transaction.open_table(JOURNAL)?;
    transaction.open_table(REQUESTS)?;
    transaction.open_table(CREDENTIALS)?;
    transaction.open_table(LISTED)?;
    transaction.open_table(ACTIVITY)?;
    transaction.open_table(ENDS)?;
    transaction.open_table(REQUEST_ENDS)?;
    transaction.open_table(RESULTS)?;
    transaction.open_table(RESULT_ENDS)?;
    added(transaction)
}

/// Tables that came later without a migration: an older release does not look at them, so nothing has to move.
fn added(transaction: &WriteTransaction) -> Result<(), Fault> {
    transaction.open_table(WAITING)?;
    transaction.open_table(OPEN)?;
    transaction.open_table(RUNS)?;
    transaction.open_table(RUN_ENDS)?;
    transaction.open_table(SUMMARIES)?;
    transaction.open_table(TOKENS)?;
    transaction.open_table(VECTORS)?;
    transaction.open_table(VECTOR_ENDS)?;
    transaction.open_table(REFRESH)?;
    transaction.open_table(REVOKED)?;
    transaction.open_table(AUDIT)?;
    transaction.open_table(UNKNOWN)?;
    transaction.open_table(COUNTED)?;
    Ok(())
}

impl EmbeddedStore {
    pub async fn keyspace(&self) -> Result<Keyspace, StoreError> {
        self.work(|inner| inner.schema().map(Keyspace::of)).await
    }

    /// Runs the steps that are missing. There is nobody to hold them against, so `holder` is not asked for its name.
    pub async fn migrate(&self, _holder: &str) -> Result<Migrated, StoreError> {
        self.work(Inner::migrate).await
    }
}

impl Inner {
    /// The schema that the file has reached; 0 if nothing was ever written.
    pub fn schema(&self) -> Result<u32, Fault> {
        let transaction = self.database.begin_read()?;
        let meta = match transaction.open_table(META) {
            Ok(meta) => meta,
            Err(TableError::TableDoesNotExist(_)) => return Ok(0),
            Err(error) => return Err(error.into()),
        };
        Ok(meta.get(SCHEMA_REACHED)?.map_or(0, |schema| u32::try_from(schema.value()).unwrap_or(u32::MAX)))
    }

    /// Makes the tables that this release has and the file may not have yet.
    pub fn add_tables(&self) -> Result<(), Fault> {
        if self.database.begin_read()?.open_table(AUDIT).is_ok() {
            return Ok(());
        }
        let transaction = self.database.begin_write()?;
        added(&transaction)?;
        transaction.commit()?;
        Ok(())
    }

    pub fn migrate(&self) -> Result<Migrated, Fault> {
        let transaction = self.database.begin_write()?;
        let mut ran = Vec::new();
        {
            let mut meta = transaction.open_table(META)?;
            let reached = meta.get(SCHEMA_REACHED)?.map_or(0, |schema| u32::try_from(schema.value()).unwrap_or(u32::MAX));
            if let Keyspace::Newer { schema } = Keyspace::of(reached) {
                return Ok(Migrated::Newer { schema });
            }
            for (migration, step) in MIGRATIONS.iter().zip(STEPS).filter(|(migration, _)| migration.number > reached) {
                step(&transaction)?;
                ran.push(migration.name);
            }
            meta.insert(SCHEMA_REACHED, u64::from(SCHEMA))?;
        }
        if ran.is_empty() {
            transaction.abort()?;
        } else {
            transaction.commit()?;
        }
        Ok(Migrated::Ran(ran))
    }
}

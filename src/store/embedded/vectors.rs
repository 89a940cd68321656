//! What functions mean, so that a restart asks for nothing.

use redb::ReadableDatabase;

use super::{EmbeddedStore, book::Book, ends, tables::VECTORS};
use crate::{
    domain::vector::Vector,
    store::{
        contract::StoreError,
        embedded::Fault,
        vectors::{decode, encode},
    },
};

impl EmbeddedStore {
    /// Those that are kept, in the order of their names, and kept on from now: written only if half of their time is over, for they are many.
    pub async fn kept_vectors(&self, names: &[String], ttl_ms: u64) -> Result<Vec<Option<Vector>>, StoreError> {
        let names = names.to_vec();
        self.work(move |inner| {
            let (mut found, mut old) = (Vec::with_capacity(names.len()), Vec::new());
            {
                let (vectors, now) = (inner.database.begin_read()?.open_table(VECTORS)?, inner.clock.now_ms());
                for name in &names {
                    let kept = vectors.get(name.as_str())?;
                    let kept = kept.as_ref().map(redb::AccessGuard::value).filter(|(ends, _)| *ends > now);
                    let vector = kept.and_then(|(_, record)| decode(record));
                    if let (Some((ends, _)), Some(vector)) = (kept, &vector)
                        && ends - now < ttl_ms / 2
                    {
                        old.push((name.clone(), vector.clone()));
                    }
                    found.push(vector);
                }
            }
            if !old.is_empty() {
                inner.write(|book| book.keep_vectors(&old, ttl_ms))?;
            }
            Ok(found)
        })
        .await
    }

    pub async fn keep_vectors(&self, vectors: &[(String, Vector)], ttl_ms: u64) -> Result<(), StoreError> {
        let vectors = vectors.to_vec();
        self.work(move |inner| inner.write(|book| book.keep_vectors(&vectors, ttl_ms))).await
    }

    /// There is nobody else whose it could be.
    pub async fn claim_vectors(&self, _work: &str, _by: &str, _claim_ms: u64) -> Result<bool, StoreError> {
        Ok(true)
    }

    pub async fn unclaim_vectors(&self, _work: &str) -> Result<(), StoreError> {
        Ok(())
    }
}

impl Book<'_> {
    fn keep_vectors(&mut self, vectors: &[(String, Vector)], ttl_ms: u64) -> Result<(), Fault> {
        let ends = self.now.saturating_add(ttl_ms);
        for (name, vector) in vectors {
            self.forget_vector(name)?;
            self.vectors.insert(name.as_str(), (ends, encode(vector).as_slice()))?;
            self.vector_ends.insert((ends, name.as_str()), ())?;
            self.changed = true;
        }
        Ok(())
    }

    /// Removes at most `n` whose time is over; how many it were.
    pub fn clean_vectors(&mut self, n: usize) -> Result<u64, Fault> {
        let ended = ends::over(&self.vector_ends, self.now, n)?;
        for name in &ended {
            self.forget_vector(name)?;
        }
        Ok(ended.len() as u64)
    }

    fn forget_vector(&mut self, name: &str) -> Result<(), Fault> {
        let ends = self.vectors.remove(name)?.map(|found| found.value().0);
        if let Some(ends) = ends {
            self.vector_ends.remove((ends, name))?;
            self.changed = true;
        }
        Ok(())
    }
}

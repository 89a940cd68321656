//! What turns need beside their session: tokens of a day, vectors of functions, tokens of APIs.

use super::either;
use crate::{
    domain::vector::Vector,
    store::{
        Store,
        contract::{
            StoreError,
            budgets::{Purse, Reservation, Reserved},
            credentials::{FetchedToken, UpstreamToken},
        },
    },
};

impl Store {
    /// Sets tokens of the day aside, if so many are neither used nor set aside; `per_day` are there. Repeating it is safe.
    pub async fn reserve_tokens(&self, purse: Purse<'_>, reservation: &Reservation, per_day: u64) -> Result<Reserved, StoreError> {
        either!(self.reserve_tokens(purse, reservation, per_day))
    }

    /// Counts what was used of tokens that were set aside, and gives the rest back; a reservation that lapsed and was cleared away is
    /// passed over. Repeating it is safe.
    pub async fn settle_tokens(&self, purse: Purse<'_>, reservation: &Reservation, used: u64) -> Result<(), StoreError> {
        either!(self.settle_tokens(purse, reservation, used))
    }

    /// What texts mean, by names that tell text and model, in their order; `None` where it is not kept, or not so that this release can read
    /// it. What was found is kept for so long from now. Nothing relies on it.
    pub async fn kept_vectors(&self, names: &[String], ttl_ms: u64) -> Result<Vec<Option<Vector>>, StoreError> {
        either!(self.kept_vectors(names, ttl_ms))
    }

    /// Keeps what texts mean for so long. Repeating it is safe.
    pub async fn keep_vectors(&self, vectors: &[(String, Vector)], ttl_ms: u64) -> Result<(), StoreError> {
        either!(self.keep_vectors(vectors, ttl_ms))
    }

    /// Whether it is the caller's to find out what some texts mean, which `work` tells from others; then nobody else's for so long. It spares
    /// work and is nothing to rely on.
    pub async fn claim_vectors(&self, work: &str, by: &str, claim_ms: u64) -> Result<bool, StoreError> {
        either!(self.claim_vectors(work, by, claim_ms))
    }

    /// Ends a claim of the caller's.
    pub async fn unclaim_vectors(&self, work: &str) -> Result<(), StoreError> {
        either!(self.unclaim_vectors(work))
    }

    /// A token for the API that all replicas share; if there is none, one who asks is chosen to fetch it and holds the claim for
    /// `claim_ms`. Repeating it with the same `by` is safe. `place` is a digest: it tells whose token it is and what for.
    pub async fn upstream_token(&self, place: &str, by: &str, claim_ms: u64) -> Result<UpstreamToken, StoreError> {
        either!(self.upstream_token(place, by, claim_ms))
    }

    /// Keeps a token that was fetched, and ends the claim; `None` gives the claim back. Repeating it is safe.
    pub async fn keep_upstream_token(&self, place: &str, by: &str, fetched: Option<FetchedToken<'_>>) -> Result<(), StoreError> {
        either!(self.keep_upstream_token(place, by, fetched))
    }

    /// Forgets a token that the API refused, if it is still the one that is kept. Repeating it is safe.
    pub async fn drop_upstream_token(&self, place: &str, sealed: &[u8]) -> Result<(), StoreError> {
        either!(self.drop_upstream_token(place, sealed))
    }
}

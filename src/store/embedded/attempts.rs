//! Passwords that were tried, as `attempt.lua`, `take_back.lua` and `forgive.lua` count them. In memory: one process, and whoever restarts it lets them try anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::EmbeddedStore;
use crate::{
    domain::user::UserName,
    store::contract::{
        StoreError,
        logins::{Attempted, FROM_ADDRESS, OF_ACCOUNT, Window, of_address},
    },
};

/// Counts that are kept before those whose time is over are looked for.
const SWEPT_FROM: usize = 4096;

/// Where a failure counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Place {
    Account(UserName),
    /// For an account from an address.
    AccountFrom(UserName, String),
    /// For whatever account from an address.
    Address(String),
}

impl Place {
    fn both(user: &UserName, from: &str) -> [Self; 2] {
        [Self::Account(user.clone()), Self::AccountFrom(user.clone(), from.to_owned())]
    }
}

/// How many failed, until when they count, and whether somebody was told that they are too many.
type Counts = HashMap<Place, (u32, u64, bool)>;

/// Failures that are remembered.
#[derive(Default)]
pub(super) struct Attempts(Mutex<Counts>);

impl Attempts {
    fn try_one<const N: usize>(&self, places: [(Place, Window); N], now: u64) -> Attempted {
        let mut counts = self.counts();
        if counts.len() >= SWEPT_FROM {
            counts.retain(|_, (_, until, _)| *until > now);
        }
        let (mut wait, mut first) = (None, false);
        for (place, window) in &places {
            if let Some((count, until, told)) = counts.get_mut(place).filter(|(_, until, _)| *until > now)
                && *count >= window.failures_max
            {
                wait = wait.max(Some(*until - now));
                first |= !std::mem::replace(told, true);
            }
        }
        if let Some(retry_after_ms) = wait {
            return Attempted::Limited { retry_after_ms, first };
        }
        for (place, window) in places {
            let count = counts.entry(place).or_insert((0, now + window.ms, false));
            if count.1 <= now {
                *count = (0, now + window.ms, false);
            }
            count.0 += 1;
        }
        Attempted::Counted
    }

    fn take_back(&self, places: &[Place]) {
        let mut counts = self.counts();
        for place in places {
            if let Some((count, _, _)) = counts.get_mut(place) {
                *count = count.saturating_sub(1);
            }
        }
    }

    fn forgive(&self, user: &UserName, from: &str) {
        let [account, from] = Place::both(user, from);
        self.counts().remove(&from);
        self.take_back(&[account]);
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedStore {
    pub async fn attempt(&self, user: &UserName, from: &str) -> Result<Attempted, StoreError> {
        let [account, from] = Place::both(user, from);
        let places = [(account, OF_ACCOUNT), (from, FROM_ADDRESS)];
        self.work(move |inner| Ok(inner.attempts.try_one(places, inner.clock.now_ms()))).await
    }

    pub async fn attempt_from(&self, from: &str, failures_max: u32) -> Result<Attempted, StoreError> {
        let places = [(Place::Address(from.to_owned()), of_address(failures_max))];
        self.work(move |inner| Ok(inner.attempts.try_one(places, inner.clock.now_ms()))).await
    }

    pub async fn take_back(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        self.not_failed(Place::both(user, from)).await
    }

    pub async fn take_back_from(&self, from: &str) -> Result<(), StoreError> {
        self.not_failed([Place::Address(from.to_owned())]).await
    }

    async fn not_failed<const N: usize>(&self, places: [Place; N]) -> Result<(), StoreError> {
        self.work(move |inner| {
            inner.attempts.take_back(&places);
            Ok(())
        })
        .await
    }

    pub async fn forgive(&self, user: &UserName, from: &str) -> Result<(), StoreError> {
        let (user, from) = (user.clone(), from.to_owned());
        self.work(move |inner| {
            inner.attempts.forgive(&user, &from);
            Ok(())
        })
        .await
    }
}

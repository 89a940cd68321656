//! Passwords that were tried, as `attempt.lua` and `forgive.lua` count them. In memory: one process, and whoever restarts it lets them try anew.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::EmbeddedStore;
use crate::{
    domain::user::UserName,
    store::contract::{
        StoreError,
        logins::{Attempted, FROM_ADDRESS, OF_ACCOUNT, Window},
    },
};

/// Counts that are kept before those whose time is over are looked for.
const SWEPT_FROM: usize = 4096;

/// By account, and by account and address: how many failed, until when they count, and whether somebody was told that they are too many.
type Counts = HashMap<(UserName, String), (u32, u64, bool)>;

/// Failures that are remembered.
#[derive(Default)]
pub(super) struct Attempts(Mutex<Counts>);

impl Attempts {
    fn try_one(&self, user: &UserName, from: &str, now: u64) -> Attempted {
        let mut counts = self.counts();
        if counts.len() >= SWEPT_FROM {
            counts.retain(|_, (_, until, _)| *until > now);
        }
        let places: [(_, Window); 2] = [((user.clone(), String::new()), OF_ACCOUNT), ((user.clone(), from.to_owned()), FROM_ADDRESS)];
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

    fn forgive(&self, user: &UserName, from: &str) {
        let mut counts = self.counts();
        counts.remove(&(user.clone(), from.to_owned()));
        if let Some((count, _, _)) = counts.get_mut(&(user.clone(), String::new())) {
            *count = count.saturating_sub(1);
        }
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EmbeddedStore {
    pub async fn attempt(&self, user: &UserName, from: &str) -> Result<Attempted, StoreError> {
        let (user, from) = (user.clone(), from.to_owned());
        self.work(move |inner| Ok(inner.attempts.try_one(&user, &from, inner.clock.now_ms()))).await
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

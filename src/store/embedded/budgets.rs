//! Tokens of a day. What was used is in the file; what is set aside is in memory, for with the process the requests that it was set aside
//! for are gone as well.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use redb::{ReadableDatabase, ReadableTable};

use super::{EmbeddedStore, Fault, Inner, tables::TOKENS};
use crate::store::{
    contract::{
        StoreError,
        budgets::{Purse, Reservation, Reserved},
    },
    keys::UserKeys,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The counter of all users together; those of users have their escaped names behind another letter.
const SERVICE: &str = "s";

/// What is set aside from one counter: tokens and when they lapse, by id.
type Held = HashMap<String, (u64, u64)>;

/// What is set aside, by counter.
#[derive(Default)]
pub(super) struct Reservations(Mutex<HashMap<String, Held>>);

impl Reservations {
    /// A panic elsewhere leaves at worst one that lapses.
    fn all(&self) -> MutexGuard<'_, HashMap<String, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn counter(purse: Purse<'_>) -> String {
    match purse {
        Purse::User(user) => format!("u{}", UserKeys::of(user).listed()),
        Purse::Service => SERVICE.to_owned(),
    }
}

impl EmbeddedStore {
    pub async fn reserve_tokens(&self, purse: Purse<'_>, reservation: &Reservation, per_day: u64) -> Result<Reserved, StoreError> {
        let (counter, reservation) = (counter(purse), reservation.clone());
        self.work(move |inner| inner.reserve_tokens(counter, reservation, per_day)).await
    }

    pub async fn settle_tokens(&self, purse: Purse<'_>, reservation: &Reservation, used: u64) -> Result<(), StoreError> {
        let (counter, id) = (counter(purse), reservation.id.clone());
        self.work(move |inner| inner.settle_tokens(&counter, &id, used)).await
    }
}

impl Inner {
    fn reserve_tokens(&self, counter: String, reservation: Reservation, per_day: u64) -> Result<Reserved, Fault> {
        let Reservation { id, tokens, lasts_ms } = reservation;
        let mut all = self.reservations.all();
        let now = self.clock.now_ms();
        let used = used_today(&self.database.begin_read()?.open_table(TOKENS)?, &counter, now)?;
        all.retain(|_, held| {
            held.retain(|_, (_, lapses)| *lapses > now);
            !held.is_empty()
        });
        let held = all.get(&counter);
        if held.is_some_and(|held| held.contains_key(&id)) {
            return Ok(Reserved::Granted);
        }
        let set_aside = held.map_or(0, |held| held.values().map(|(tokens, _)| *tokens).fold(0, u64::saturating_add));
        if used.saturating_add(set_aside).saturating_add(tokens) > per_day {
            let resets_ms = (now / DAY_MS + 1) * DAY_MS;
            return Ok(Reserved::Exhausted { resets_ms, left_ms: resets_ms - now });
        }
        all.entry(counter).or_default().insert(id, (tokens, now.saturating_add(lasts_ms)));
        Ok(Reserved::Granted)
    }

    fn settle_tokens(&self, counter: &str, id: &str, used: u64) -> Result<(), Fault> {
        // Held until what was used is written: nobody may reserve in between what is neither set aside any more nor used yet.
        let mut all = self.reservations.all();
        if all.get(counter).is_none_or(|held| !held.contains_key(id)) {
            return Ok(());
        }
        self.write(|book| {
            let total = used_today(&book.tokens, counter, book.now)?.saturating_add(used);
            book.tokens.insert(counter, (book.now / DAY_MS, total))?;
            book.changed = true;
            Ok(())
        })?;
        if let Some(held) = all.get_mut(counter) {
            held.remove(id);
        }
        Ok(())
    }
}

fn used_today(tokens: &impl ReadableTable<&'static str, (u64, u64)>, counter: &str, now: u64) -> Result<u64, Fault> {
    let Some(found) = tokens.get(counter)? else { return Ok(0) };
    let (day, used) = found.value();
    Ok(if day == now / DAY_MS { used } else { 0 })
}

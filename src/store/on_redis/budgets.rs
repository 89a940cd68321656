//! Tokens of a day: one script for each counter.

use super::{
    RedisStore,
    reply::odd,
    script::{RESERVE, SETTLE},
};
use crate::store::{
    contract::{
        StoreError,
        budgets::{Purse, Reservation, Reserved},
    },
    keys::{self, UserKeys},
};

impl RedisStore {
    pub async fn reserve_tokens(&self, purse: Purse<'_>, reservation: &Reservation, per_day: u64) -> Result<Reserved, StoreError> {
        let (counter, reservations) = keys_of(purse);
        let mut call = RESERVE.on(&[&counter, &reservations]);
        call.arg(&reservation.id).arg(reservation.tokens).arg(per_day).arg(reservation.lasts_ms);
        let (status, mut parts) = self.ask(&RESERVE, &call).await?;
        match status.as_str() {
            "GRANTED" => Ok(Reserved::Granted),
            "EXHAUSTED" => Ok(Reserved::Exhausted { resets_ms: parts.number()?, left_ms: parts.number()? }),
            _ => Err(odd("a status of this script")),
        }
    }

    pub async fn settle_tokens(&self, purse: Purse<'_>, reservation: &Reservation, used: u64) -> Result<(), StoreError> {
        let (counter, reservations) = keys_of(purse);
        let mut call = SETTLE.on(&[&counter, &reservations]);
        call.arg(&reservation.id).arg(reservation.tokens).arg(used);
        self.run(&SETTLE, &call).await.map(drop)
    }
}

fn keys_of(purse: Purse<'_>) -> (String, String) {
    match purse {
        Purse::User(user) => {
            let keys = UserKeys::of(user);
            (keys.tokens(), keys.reservations())
        }
        Purse::Service => (keys::SERVICE_TOKENS.to_owned(), keys::SERVICE_RESERVATIONS.to_owned()),
    }
}

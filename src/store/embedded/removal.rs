//! A user goes. As `account_remove.lua`.

use redb::ReadableTable;

use super::{EmbeddedStore, Fault, book::Book, logins::LAST};
use crate::{
    domain::user::UserName,
    store::{contract::StoreError, keys::UserKeys},
};

impl EmbeddedStore {
    /// False if there is no such user.
    pub async fn remove_account(&self, user: &UserName) -> Result<bool, StoreError> {
        let (user, keys) = (user.clone(), UserKeys::of(user));
        self.work(move |inner| {
            inner.write(|book| {
                if book.accounts.remove(keys.listed())?.is_none() {
                    return Ok(false);
                }
                book.changed = true;
                for slot in book.slots_of(&user)? {
                    book.wipe(&user, slot, "administrator")?;
                }
                book.forget_user(keys.listed())?;
                Ok(true)
            })
        })
        .await
    }
}

impl Book<'_> {
    fn forget_user(&mut self, user: &str) -> Result<(), Fault> {
        let mut runs = Vec::new();
        for entry in self.runs.range((user, "")..=(user, LAST))? {
            runs.push(entry?.0.value().1.to_owned());
        }
        for run in runs {
            self.forget_run(user, &run)?;
        }
        self.forget_requests(user)?;
        self.forget_unknown(user)?;
        self.credentials.retain_in((user, "")..=(user, LAST), |_, _| false)?;
        self.families.retain_in((user, "")..=(user, LAST), |_, _| false)?;
        self.revoked.retain_in((user, "")..=(user, LAST), |_, _| false)?;
        self.tokens.remove(format!("u{user}").as_str())?;
        Ok(())
    }
}

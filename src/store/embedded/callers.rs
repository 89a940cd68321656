//! What callers do with their session without a run: look, clear, reset. Who is let in, and how often.

use redb::{ReadableDatabase, ReadableTable};

use super::{
    EmbeddedStore, Fault, Inner,
    accounts::account_of,
    book::{Book, session_of, turns_of},
    rates::Class,
    stored::Session,
    tables::{ACCOUNTS, Bytes, HISTORY, LISTED, SESSIONS, Text},
};
use crate::{
    domain::user::{Role, UserName},
    store::{
        contract::{Caller, Cleared, Entered, Refused, Reset, StoreError, Tail, Visit},
        keys::UserKeys,
        new_session_id,
    },
};

/// A caller, on its way to a blocking thread.
pub(super) struct Who {
    pub user: UserName,
    /// The user's escaped name.
    pub key: String,
    /// What stands for the user's session.
    pub member: String,
    issued_ms: u64,
}

impl From<Caller<'_>> for Who {
    fn from(caller: Caller<'_>) -> Self {
        let keys = UserKeys::of(caller.user);
        Self { user: caller.user.clone(), key: keys.listed().to_owned(), member: keys.member(), issued_ms: caller.issued_ms }
    }
}

impl EmbeddedStore {
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| inner.enter(&who, tail)).await
    }

    pub async fn clear(&self, caller: Caller<'_>) -> Result<Cleared, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| inner.write(|book| inner.clear(book, &who))).await
    }

    pub async fn reset(&self, caller: Caller<'_>) -> Result<Reset, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| inner.write(|book| inner.reset(book, &who))).await
    }
}

impl Inner {
    /// Whether a caller may come in: the account's state first, then the rate, which is counted.
    pub fn let_in(&self, accounts: &impl ReadableTable<Text, Bytes>, who: &Who, now: u64) -> Result<Result<Role, Refused>, Fault> {
        let role = match account_of(accounts, &who.key)? {
            Some(account) if !account.disabled && who.issued_ms >= account.tokens_from => account.role()?,
            _ => return Ok(Err(Refused::Revoked)),
        };
        let admitted = self.arrivals.admit(&who.key, Class::Request, self.rates.requests_per_minute, now);
        Ok(admitted.map(|()| role).map_err(|retry_after_ms| Refused::Limited { retry_after_ms }))
    }

    fn enter(&self, who: &Who, tail: Tail) -> Result<Entered, Fault> {
        let role = {
            let transaction = self.database.begin_read()?;
            let now = self.clock.now_ms();
            let role = match self.let_in(&transaction.open_table(ACCOUNTS)?, who, now)? {
                Ok(role) => role,
                Err(refused) => return Ok(Entered::Refused(refused)),
            };
            let listed = transaction.open_table(LISTED)?;
            let fresh = session_of(&transaction.open_table(SESSIONS)?, &listed, &who.member, now)?
                .filter(|session| now.saturating_sub(session.active) < self.lifetimes.touch_every_ms());
            if let Some(session) = fresh {
                let turns = turns_of(&transaction.open_table(HISTORY)?, &who.member, &session, tail, 0)?;
                return Ok(visited(role, who, now, &session, turns));
            }
            role
        };
        self.write(|book| {
            let mut session = self.session_or_new(book, who)?;
            let turns = book.turns(&who.member, &session, tail, 0)?;
            book.keep(&who.member, &mut session)?;
            Ok(visited(role, who, book.now, &session, turns))
        })
    }

    fn clear(&self, book: &mut Book<'_>, who: &Who) -> Result<Cleared, Fault> {
        if let Err(refused) = self.let_in(&book.accounts, who, book.now)? {
            return Ok(Cleared::Refused(refused));
        }
        let mut session = self.session_or_new(book, who)?;
        if let Some((held, left_ms)) = session.running(book.now) {
            return Ok(Cleared::Busy { run: held.run.clone(), left_ms });
        }
        book.forget_turns(&who.member)?;
        // Numbers of turns are never given twice; what a dead run left in the journal is still to be told.
        (session.base, session.turns, session.version) = (session.next(), 0, session.version.saturating_add(1));
        book.keep(&who.member, &mut session)?;
        Ok(Cleared::Done(Box::new(session.told(&who.user, book.now))))
    }

    /// Also the way out of a session whose record cannot be read.
    fn reset(&self, book: &mut Book<'_>, who: &Who) -> Result<Reset, Fault> {
        if let Err(refused) = self.let_in(&book.accounts, who, book.now)? {
            return Ok(Reset::Refused(refused));
        }
        book.remove(&who.member)?;
        book.forget_results(&who.key)?;
        book.fence(&who.key)?;
        let mut session = Session::fresh(new_session_id(), book.now, self.lifetimes.max_ms);
        book.keep(&who.member, &mut session)?;
        Ok(Reset::Done(Box::new(session.told(&who.user, book.now))))
    }

    /// The caller's session; what is left of one that has ended goes.
    pub fn session_or_new(&self, book: &mut Book<'_>, who: &Who) -> Result<Session, Fault> {
        if let Some(session) = book.session(&who.member)? {
            return Ok(session);
        }
        book.remove(&who.member)?;
        Ok(Session::fresh(new_session_id(), book.now, self.lifetimes.max_ms))
    }
}

fn visited(role: Role, who: &Who, now: u64, session: &Session, (tail, first): (Vec<crate::domain::session::Turn>, u64)) -> Entered {
    Entered::In(Box::new(Visit { role, session: session.told(&who.user, now), tail, first }))
}

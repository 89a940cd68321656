//! What callers do with their session without a run: look, clear, reset. Who is let in, and how often.

use redb::{ReadableDatabase, ReadableTable};

use super::{
    EmbeddedStore, Fault, Inner,
    accounts::account_of,
    book::{Book, session_of, turns_of},
    stored::{Session, StoredAccount},
    tables::{ACCOUNTS, Bytes, FENCES, HISTORY, LISTED, REVOKED, SESSIONS, Text},
};
use crate::{
    domain::{
        rate::{Counted, Rate},
        session::{Revision, SessionInfo, Turn},
        user::{Role, UserName},
    },
    store::{
        contract::{Caller, Cleared, Entered, Refused, Reset, StoreError, Tail, Visit, keys::API_KEY_ID},
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
    token_id: String,
    issued_ms: u64,
    pub counted: Counted,
}

impl From<Caller<'_>> for Who {
    fn from(caller: Caller<'_>) -> Self {
        let keys = UserKeys::of(caller.user);
        Self {
            user: caller.user.clone(),
            key: keys.listed().to_owned(),
            member: keys.member(),
            token_id: caller.token_id.to_owned(),
            issued_ms: caller.issued_ms,
            counted: caller.counted.clone(),
        }
    }
}

impl Who {
    /// Digest of the API key that the caller comes with, if it is one.
    pub fn api_key(&self) -> Option<&str> {
        self.token_id.strip_prefix(API_KEY_ID)
    }

    /// The account, if it lets this token in: it lives, and the token is neither older than it allows nor revoked, by its id or with its
    /// family (whose name stands before the `-` of the id).
    pub fn let_in_by(
        &self,
        accounts: &impl ReadableTable<Text, Bytes>,
        revoked: &impl ReadableTable<(Text, Text), u64>,
        now: u64,
    ) -> Result<Option<StoredAccount>, Fault> {
        let account = account_of(accounts, &self.key)?.filter(|account| !account.disabled);
        // An API key is good while it stands in the account, whatever became of logins.
        if let Some(digest) = self.api_key() {
            return Ok(account.filter(|account| account.keys.get(digest).is_some_and(|key| key.ends > now)));
        }
        let account = account.filter(|account| self.issued_ms >= account.tokens_from);
        let family = self.token_id.split_once('-').map(|(family, _)| family);
        for id in [Some(self.token_id.as_str()), family].into_iter().flatten() {
            if revoked.get((self.key.as_str(), id))?.is_some() {
                return Ok(None);
            }
        }
        Ok(account)
    }
}

impl EmbeddedStore {
    pub async fn enter(&self, caller: Caller<'_>, tail: Tail) -> Result<Entered, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| inner.enter(&who, tail)).await
    }

    pub async fn clear(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Cleared, StoreError> {
        let (who, expects) = (Who::from(caller), expects.cloned());
        self.work(move |inner| inner.write(|book| inner.clear(book, &who, expects.as_ref()))).await
    }

    pub async fn reset(&self, caller: Caller<'_>, expects: Option<&Revision>) -> Result<Reset, StoreError> {
        let (who, expects) = (Who::from(caller), expects.cloned());
        self.work(move |inner| inner.write(|book| inner.reset(book, &who, expects.as_ref()))).await
    }
}

impl Inner {
    /// Whether a caller may come in: the account's state first, then the rate, which is counted.
    pub fn let_in(
        &self,
        accounts: &impl ReadableTable<Text, Bytes>,
        revoked: &impl ReadableTable<(Text, Text), u64>,
        who: &Who,
        now: u64,
    ) -> Result<Result<Role, Refused>, Fault> {
        Ok(self.admit(accounts, revoked, who, now)?.map(|(role, _)| role))
    }

    /// As [`Inner::let_in`], and notes what is left of the rate: what is done in the caller's session tells it.
    pub fn let_in_telling(
        &self,
        accounts: &impl ReadableTable<Text, Bytes>,
        revoked: &impl ReadableTable<(Text, Text), u64>,
        who: &Who,
        now: u64,
    ) -> Result<Result<Role, Refused>, Fault> {
        Ok(self.admit(accounts, revoked, who, now)?.map(|(role, ahead_ms)| {
            who.counted.tell(Rate::Requests, ahead_ms);
            role
        }))
    }

    fn admit(
        &self,
        accounts: &impl ReadableTable<Text, Bytes>,
        revoked: &impl ReadableTable<(Text, Text), u64>,
        who: &Who,
        now: u64,
    ) -> Result<Result<(Role, u64), Refused>, Fault> {
        let Some(account) = who.let_in_by(accounts, revoked, now)? else { return Ok(Err(Refused::Revoked)) };
        let role = account.role()?;
        let rate = Rate::Requests;
        let admitted = self.arrivals.admit(&who.key, rate, self.rates.requests_per_minute, now);
        Ok(admitted.map(|ahead_ms| (role, ahead_ms)).map_err(|retry_after_ms| Refused::Limited { rate, retry_after_ms }))
    }

    fn enter(&self, who: &Who, tail: Tail) -> Result<Entered, Fault> {
        let role = {
            let transaction = self.database.begin_read()?;
            let now = self.clock.now_ms();
            let role = match self.let_in_telling(&transaction.open_table(ACCOUNTS)?, &transaction.open_table(REVOKED)?, who, now)? {
                Ok(role) => role,
                Err(refused) => return Ok(Entered::Refused(refused)),
            };
            let listed = transaction.open_table(LISTED)?;
            let fence = transaction.open_table(FENCES)?.get(who.key.as_str())?.map_or(0, |n| n.value());
            let fresh = session_of(&transaction.open_table(SESSIONS)?, &listed, &who.member, now)?
                .filter(|session| now.saturating_sub(session.active) < self.lifetimes.touch_every_ms());
            if let Some(session) = fresh {
                let (told, key) = (session.told(&who.user, now, fence), session.wrapped_key()?);
                let stored = self.envelopes.turns_of(&who.user, &told.id, key.as_deref());
                let turns = turns_of(&transaction.open_table(HISTORY)?, &who.member, &session, tail, tail.whole(), &stored)?;
                return Ok(visited(role, told, turns));
            }
            role
        };
        self.write(|book| {
            let mut session = self.session_or_new(book, who)?;
            let turns = book.turns(&who.member, &session, tail, tail.whole())?;
            book.keep(&who.member, &mut session)?;
            Ok(visited(role, session.told(&who.user, book.now, book.fences(&who.key)?), turns))
        })
    }

    fn clear(&self, book: &mut Book<'_>, who: &Who, expects: Option<&Revision>) -> Result<Cleared, Fault> {
        if let Err(refused) = self.let_in_telling(&book.accounts, &book.revoked, who, book.now)? {
            return Ok(Cleared::Refused(refused));
        }
        if expects.is_some() {
            let found = book.session(&who.member)?;
            if let Some(stored) = book.moved(who, found.as_ref(), expects)? {
                return Ok(Cleared::Moved(stored));
            }
        }
        let mut session = self.session_or_new(book, who)?;
        if let Some((held, left_ms)) = session.running(book.now) {
            return Ok(Cleared::Busy { run: held.run.clone(), left_ms });
        }
        if let Some(first) = book.first_waiting(&who.member)? {
            return Ok(Cleared::Busy { run: first.run, left_ms: 0 });
        }
        book.forget_turns(&who.member)?;
        // Numbers of turns are never given twice; what a dead run left in the journal is still to be told.
        (session.base, session.turns, session.version) = (session.next(), 0, session.version.saturating_add(1));
        book.keep(&who.member, &mut session)?;
        self.events.forget(&who.member);
        Ok(Cleared::Done(Box::new(session.told(&who.user, book.now, book.fences(&who.key)?))))
    }

    /// Also the way out of a session whose record cannot be read.
    fn reset(&self, book: &mut Book<'_>, who: &Who, expects: Option<&Revision>) -> Result<Reset, Fault> {
        if let Err(refused) = self.let_in_telling(&book.accounts, &book.revoked, who, book.now)? {
            return Ok(Reset::Refused(refused));
        }
        if expects.is_some() {
            let found = book.session(&who.member).unwrap_or_default();
            if let Some(stored) = book.moved(who, found.as_ref(), expects)? {
                return Ok(Reset::Moved(stored));
            }
        }
        let fence = book.wipe(&who.key, &who.member, "reset")?;
        let mut session = Session::fresh(new_session_id(), book.now, self.lifetimes.max_ms);
        book.keep(&who.member, &mut session)?;
        Ok(Reset::Done(Box::new(session.told(&who.user, book.now, fence))))
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

fn visited(role: Role, session: SessionInfo, (tail, first): (Vec<Turn>, u64)) -> Entered {
    Entered::In(Box::new(Visit { role, session, tail, first }))
}

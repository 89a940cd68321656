//! Runs that have not ended, and those that have: who must be looked after, going on with the dead, and what may be asked of one.

use redb::ReadableTable;

use super::{EmbeddedStore, Fault, Inner, accounts::account_of, book::Book, callers::Who, runs::proves, stored::Held};
use crate::{
    domain::{
        limits::TURNS_WITH_CALLS_TO_MODEL_MAX,
        session::{Revision, SessionId},
        slot::{SessionSlot, Slot},
        turn::{Ending, FencingToken, Stop},
        user::{Role, UserName},
    },
    store::{
        contract::{
            Caller, Cancelled, Ended, Lease, Looked, Refused, Started, Stepped, StoreError, Tail, Taken, TakenRun, Visit, changes::What,
            overview::holder_of,
        },
        keys::{UserKeys, session_of_member},
    },
};

impl EmbeddedStore {
    /// Sessions with a run that nobody works on: its lease has lapsed, or it waits.
    pub async fn due(&self) -> Result<Vec<SessionSlot>, StoreError> {
        self.work(|inner| inner.write(|book| due(book))).await
    }

    pub async fn take(&self, session: &SessionSlot, owner: &str, lease_ms: u64, tail: usize) -> Result<Taken, StoreError> {
        let (session, owner) = (session.clone(), owner.to_owned());
        self.work(move |inner| {
            let taken = inner.write(|book| take(book, &session, &owner, lease_ms, tail));
            if matches!(taken, Err(Fault::Unreadable)) {
                // Nobody can; its user resets it. What a transaction that fails has done is undone, so this is one of its own.
                inner.write(|book| {
                    book.open.remove(UserKeys::at(&session.user, session.slot).member().as_str())?;
                    book.changed = true;
                    Ok(())
                })?;
            }
            taken
        })
        .await
    }

    /// As `begun_with.lua`.
    pub async fn begun_with(&self, lease: &Lease, key: &str) -> Result<Stepped, StoreError> {
        let (lease, keys, key) = (lease.clone(), UserKeys::of_run(&lease.user, &lease.run), key.to_owned());
        self.work(move |inner| {
            inner.write(|book| {
                let Some(mut session) = book.session(&keys.member())? else { return Ok(Stepped::Stale) };
                let Some(held) = session.held.as_mut().filter(|held| proves(&lease, held)) else { return Ok(Stepped::Stale) };
                if !account_of(&book.accounts, keys.listed())?.is_some_and(|account| account.keys.contains_key(&key)) {
                    return Ok(Stepped::StopWanted(Stop::Revoked));
                }
                held.key = Some(key);
                book.prolong(&keys.member(), &mut session)?;
                Ok(Stepped::Held)
            })
        })
        .await
    }

    pub async fn look(&self, caller: Caller<'_>, run: &str, counted: bool) -> Result<Looked, StoreError> {
        let (who, run) = (Who::of_run(caller, run), run.to_owned());
        self.work(move |inner| inner.write(|book| inner.look(book, &who, &run, counted))).await
    }

    pub async fn cancel(&self, caller: Caller<'_>, run: &str) -> Result<Cancelled, StoreError> {
        let (who, run) = (Who::of_run(caller, run), run.to_owned());
        self.work(move |inner| inner.write(|book| inner.cancel(book, &who, &run))).await
    }

    /// Ends a user's session, or all of them, whoever runs them. How many it were.
    pub async fn kill(&self, user: &UserName, session: Option<&SessionId>) -> Result<u64, StoreError> {
        let (user, named) = (user.clone(), session.cloned());
        self.work(move |inner| {
            inner.write(|book| {
                let slots = named.as_ref().map_or_else(|| book.slots_of(&user), |named| Ok(vec![Slot::of_session(named)]))?;
                let mut ended = 0;
                for slot in slots {
                    let id = book.listed_id(&UserKeys::at(&user, slot).member())?;
                    if id.is_some_and(|id| named.as_ref().is_none_or(|named| named.as_str() == id)) {
                        book.wipe(&user, slot, "administrator")?;
                        ended += 1;
                    }
                }
                Ok(ended)
            })
        })
        .await
    }
}

fn due(book: &Book<'_>) -> Result<Vec<SessionSlot>, Fault> {
    let mut sessions = Vec::new();
    for entry in book.open.iter()? {
        let (member, at) = entry?;
        if at.value() <= book.now {
            sessions.extend(session_of_member(member.value()));
        }
    }
    Ok(sessions)
}

/// As `take.lua`.
fn take(book: &mut Book<'_>, session: &SessionSlot, owner: &str, lease_ms: u64, tail: usize) -> Result<Taken, Fault> {
    let user = &session.user;
    let keys = UserKeys::at(user, session.slot);
    let (member, key) = (keys.member(), keys.listed());
    let Some(mut session) = book.session(&member)? else {
        book.remove(&member)?;
        return Ok(Taken::Nothing);
    };
    if let Some((held, left_ms)) = session.running(book.now).filter(|(held, _)| held.owner != owner) {
        let taken = Taken::Held { run: held.run.clone(), left_ms };
        book.open.insert(member.as_str(), held.until)?;
        book.changed = true;
        return Ok(taken);
    }
    let (tail, first) = book.turns(&member, &session, Tail::Newest(tail), TURNS_WITH_CALLS_TO_MODEL_MAX)?;
    let turns_at = book.turn_place(&member, &mut session)?;
    let begins = session.held.is_none();
    let (run, begun_with) = match session.held.take() {
        Some(held) => {
            session.crashes = session.crashes.saturating_add(1);
            (held.run, held.key)
        }
        None => {
            let Some(next) = book.first_waiting(&member)? else {
                book.open.remove(member.as_str())?;
                book.changed = true;
                return Ok(Taken::Nothing);
            };
            book.stop_waiting(&member, next.at)?;
            book.journal_once(&member, &next.run, "in", &next.input)?;
            (session.stop, session.crashes) = (None, 0);
            (next.run, None)
        }
    };
    let journal = book.journal(&member)?;
    let account = account_of(&book.accounts, key)?;
    let may = account.as_ref().is_some_and(|account| !account.disabled);
    let stop = if may { session.stop.as_deref().map(Stop::from_stored) } else { Some(Stop::Revoked) };
    let fence = book.fence(key)?;
    let token = format!("{fence}:{owner}");
    let until = book.now.saturating_add(lease_ms);
    session.held = Some(Held { run: run.clone(), owner: owner.to_owned(), token: token.clone(), until, key: begun_with });
    book.keep(&member, &mut session)?;
    book.open.insert(member.as_str(), until)?;
    let holder = holder_of(owner);
    let what = if begins { What::TurnBegun { run: run.clone(), holder } } else { What::TurnTaken { run: run.clone(), holder } };
    book.change(&member, &session.id, what);
    let role = account.as_ref().map_or(Ok(Role::User), super::stored::StoredAccount::role)?;
    let visit = Visit { role, session: session.told(user, book.now, fence), tail, first };
    let summary = book.summary(&member, &session)?;
    let started = Started { token: FencingToken::from_store(token), run, visit, turns_at, summary, now_ms: book.now };
    let crashes = u64::try_from(session.crashes).unwrap_or_default();
    let tokens_void_before_ms = account.map_or(0, |account| account.tokens_from);
    Ok(Taken::Run(Box::new(TakenRun { started, journal, crashes, stop, tokens_void_before_ms })))
}

impl Inner {
    fn may_look(&self, book: &Book<'_>, who: &Who, counted: bool) -> Result<Result<Role, Refused>, Fault> {
        if counted {
            return self.let_in_telling(&book.accounts, &book.revoked, who, book.now);
        }
        let account = who.let_in_by(&book.accounts, &book.revoked, book.now)?;
        // Whoever waits for a run asks often; what it asked for was counted.
        account.map_or(Ok(Err(Refused::Revoked)), |account| account.role().map(Ok))
    }

    fn look(&self, book: &mut Book<'_>, who: &Who, run: &str, counted: bool) -> Result<Looked, Fault> {
        if let Err(refused) = self.may_look(book, who, counted)? {
            return Ok(Looked::Refused(refused));
        }
        let session = book.session(&who.member)?;
        let id = SessionId::from_stored(session.as_ref().map_or("", |session| session.id.as_str()));
        if let Some(ended) = book.ended(&who.key, run)? {
            let revision =
                Revision { session: id, fence: book.fences(&who.key)?, version: session.as_ref().map_or(0, |session| session.version) };
            let turn = match (&session, ended.turn) {
                (Some(session), Some(number)) if ended.session.as_str() == session.id && number >= session.base => {
                    let (mut turns, first) = book.turns(&who.member, session, Tail::Before { turn: number + 1, n: 1 }, 1)?;
                    // After a rewind the turn of another run may have the number.
                    turns.pop().filter(|turn| first == number && turn.run == run).map(Box::new)
                }
                _ => None,
            };
            return Ok(Looked::Ended { ended, turn, revision });
        }
        if let Some(session) = &session
            && let Some(held) = session.held.as_ref().filter(|held| held.run == run)
        {
            let journal = book.journal(&who.member)?.into_iter().filter(|entry| entry.run == run).collect();
            let stop = session.stop.as_deref().map(Stop::from_stored);
            return Ok(Looked::Running { left_ms: held.until.saturating_sub(book.now), stop, session: id, journal });
        }
        for (place, waits) in (1..).zip(book.waiting_of(&who.member)?) {
            if waits.run == run {
                return Ok(Looked::Waiting { place, accepted_ms: waits.accepted, input: waits.input, session: id });
            }
        }
        Ok(Looked::Unknown)
    }

    fn cancel(&self, book: &mut Book<'_>, who: &Who, run: &str) -> Result<Cancelled, Fault> {
        if let Err(refused) = self.let_in_telling(&book.accounts, &book.revoked, who, book.now)? {
            return Ok(Cancelled::Refused(refused));
        }
        let session = book.session(&who.member)?;
        if let Some(ended) = book.ended(&who.key, run)? {
            return Ok(Cancelled::Ended(ended));
        }
        let id = session.as_ref().map_or("", |session| session.id.as_str()).to_owned();
        if let Some(mut session) = session
            && let Some(until) = session.held.as_ref().filter(|held| held.run == run).map(|held| held.until)
        {
            session.stop.get_or_insert_with(|| Stop::Cancelled.as_str().to_owned());
            book.prolong(&who.member, &mut session)?;
            return Ok(Cancelled::Stopping { left_ms: until.saturating_sub(book.now) });
        }
        for waits in book.waiting_of(&who.member)? {
            if waits.run == run {
                book.stop_waiting(&who.member, waits.at)?;
                let (session, turn, detail) = (SessionId::from_stored(&id), None, String::new());
                let (ending, accepted_ms, ended_ms) = (Ending::Cancelled, waits.accepted, book.now);
                book.end(&who.key, &Ended { run: waits.run, ending, session, turn, accepted_ms, ended_ms, detail })?;
                return Ok(Cancelled::Taken);
            }
        }
        Ok(Cancelled::Unknown)
    }
}

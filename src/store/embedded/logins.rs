//! Logins that refresh tokens keep going, and how they end. As `tokens.lua`, `login.lua`, `refresh.lua` and `logout.lua`.

use redb::{ReadTransaction, ReadableTable};

use super::{
    EmbeddedStore, Fault, Inner,
    accounts::account_of,
    book::Book,
    callers::Who,
    stored::encode,
    tables::{REFRESH, REVOKED},
};
use crate::{
    domain::{
        limits::{REFRESH_FAMILIES_PER_USER_MAX, REFRESH_GRACE_MS, REVOKED_IDS_PER_USER_MAX},
        rate::Rate,
        session::SessionId,
        turn::{Ending, Stop},
    },
    store::{
        contract::{
            Ended, Refused, StoreError, StoredKey,
            logins::{LoggedOut, Login, Logout, Opened, Rotated, Rotation, StoppedRun, StoppedRuns},
        },
        keys::escaped,
    },
};

/// Behind every name of a family and every id of a token.
pub(super) const LAST: &str = "\u{10ffff}";

/// A family of refresh tokens as it is stored.
struct Family {
    born: u64,
    ends: u64,
    rotated: u64,
    good: String,
    before: String,
    sealed: String,
}

impl EmbeddedStore {
    pub async fn log_in(&self, login: Login<'_>) -> Result<Opened, StoreError> {
        let (user, born, name) = (escaped(login.user), login.born_ms, login.family.to_owned());
        let (good, lasts_ms) = (login.token.to_owned(), login.lasts_ms);
        self.work(move |inner| {
            inner.write(|book| {
                let account = account_of(&book.accounts, &user)?;
                if account.is_none_or(|account| account.disabled || born < account.tokens_from) {
                    return Ok(Opened::Revoked);
                }
                book.clean_families(&user, &name)?;
                let (before, sealed) = (String::new(), String::new());
                let family = Family { born, ends: book.now.saturating_add(lasts_ms), rotated: book.now, good, before, sealed };
                book.keep_family(&user, &name, &family)?;
                Ok(Opened::Done)
            })
        })
        .await
    }

    pub async fn rotate(&self, rotation: Rotation<'_>) -> Result<Rotated, StoreError> {
        let (user, name) = (escaped(rotation.user), rotation.family.to_owned());
        let (presented, successor) = (rotation.presented.to_owned(), rotation.successor.to_owned());
        let (sealed, lasts_ms, access_ms) = (rotation.sealed.to_owned(), rotation.lasts_ms, rotation.access_ms);
        self.work(move |inner| {
            inner.write(|book| {
                let Some(family) = book.family(&user, &name)? else { return Ok(Rotated::Unknown) };
                let account = account_of(&book.accounts, &user)?;
                let Some(account) = account.filter(|account| !account.disabled && family.born >= account.tokens_from) else {
                    book.end_family(&user, &name)?;
                    return Ok(Rotated::Refused(Refused::Revoked));
                };
                // Why it is forgiven, and why everything else is theft: `refresh.lua`.
                let again = presented == family.before && book.now.saturating_sub(family.rotated) <= REFRESH_GRACE_MS;
                if presented != family.good && !again {
                    book.end_family(&user, &name)?;
                    book.revoke(&user, &name, book.now.saturating_add(access_ms))?;
                    return Ok(Rotated::Used);
                }
                let rate = Rate::Requests;
                if let Err(retry_after_ms) = inner.arrivals.admit(&user, rate, inner.rates.requests_per_minute, book.now) {
                    return Ok(Rotated::Refused(Refused::Limited { rate, retry_after_ms }));
                }
                let (role, now_ms) = (account.role()?, book.now);
                if again {
                    return Ok(Rotated::Again { role, now_ms, sealed: family.sealed });
                }
                let ends = now_ms.saturating_add(lasts_ms);
                let next = Family { born: family.born, ends, rotated: now_ms, good: successor, before: presented, sealed };
                book.keep_family(&user, &name, &next)?;
                Ok(Rotated::Done { role, now_ms })
            })
        })
        .await
    }

    pub async fn log_out(&self, logout: Logout<'_>) -> Result<LoggedOut, StoreError> {
        let (who, id, family) = (Who::from(logout.caller), logout.caller.token_id.to_owned(), logout.family.map(str::to_owned));
        let Logout { token_until_ms, access_ms, everything, stops_runs, .. } = logout;
        self.work(move |inner| {
            inner.write(|book| {
                if who.let_in_by(&book.accounts, &book.revoked, book.now)?.is_none() {
                    return Ok(LoggedOut::Refused(Refused::Revoked));
                }
                if everything {
                    book.void_tokens(&who.key)?;
                } else {
                    book.revoke(&who.key, &id, token_until_ms)?;
                    if let Some(family) = family {
                        book.end_family(&who.key, &family)?;
                        book.revoke(&who.key, &family, book.now.saturating_add(access_ms))?;
                    }
                }
                Ok(LoggedOut::Done(if stops_runs { Inner::stop_all(book, &who)? } else { StoppedRuns::default() }))
            })
        })
        .await
    }
}

impl Inner {
    /// Has the runs stop that hold the user's sessions; those that wait never begin.
    fn stop_all(book: &mut Book<'_>, who: &Who) -> Result<StoppedRuns, Fault> {
        let mut stopped = StoppedRuns::default();
        for member in book.members_of(&who.user)? {
            Self::stop_one(book, &who.key, &member, &mut stopped)?;
        }
        Ok(stopped)
    }

    fn stop_one(book: &mut Book<'_>, user: &str, member: &str, stopped: &mut StoppedRuns) -> Result<(), Fault> {
        // A session that cannot be read runs nothing.
        let session = book.session(member).unwrap_or_default();
        let id = session.as_ref().map_or("", |session| session.id.as_str()).to_owned();
        if let Some(mut session) = session
            && let Some(held) = session.held.clone()
        {
            session.stop.get_or_insert_with(|| Stop::Cancelled.as_str().to_owned());
            book.prolong(member, &mut session)?;
            stopped.running.push(StoppedRun { run: held.run, left_ms: held.until.saturating_sub(book.now) });
        }
        for waits in book.waiting_of(member)? {
            book.stop_waiting(member, waits.at)?;
            let (session, turn, detail) = (SessionId::from_stored(&id), None, String::new());
            let (ending, accepted_ms, ended_ms) = (Ending::Cancelled, waits.accepted, book.now);
            book.end(user, &Ended { run: waits.run, ending, session, turn, accepted_ms, ended_ms, detail })?;
            stopped.waited += 1;
        }
        Ok(())
    }
}

impl Book<'_> {
    /// A family, if there is one that has not ended.
    fn family(&self, user: &str, name: &str) -> Result<Option<Family>, Fault> {
        let Some(found) = self.families.get((user, name))? else { return Ok(None) };
        let (born, ends, rotated, good, before, sealed) = found.value();
        let (good, before, sealed) = (good.to_owned(), before.to_owned(), sealed.to_owned());
        Ok((ends > self.now).then_some(Family { born, ends, rotated, good, before, sealed }))
    }

    fn keep_family(&mut self, user: &str, name: &str, family: &Family) -> Result<(), Fault> {
        let Family { born, ends, rotated, good, before, sealed } = family;
        self.families.insert((user, name), (*born, *ends, *rotated, good.as_str(), before.as_str(), sealed.as_str()))?;
        self.changed = true;
        Ok(())
    }

    fn end_family(&mut self, user: &str, name: &str) -> Result<(), Fault> {
        self.changed |= self.families.remove((user, name))?.is_some();
        Ok(())
    }

    /// Takes a user's families out that have ended, and of too many beside `own` the one that was used longest ago.
    fn clean_families(&mut self, user: &str, own: &str) -> Result<(), Fault> {
        let (mut left, mut over) = (Vec::new(), Vec::new());
        for entry in self.families.range((user, "")..)? {
            let (key, family) = entry?;
            let ((whose, name), (_, ends, rotated, ..)) = (key.value(), family.value());
            if whose != user {
                break;
            }
            if name != own {
                if ends > self.now { left.push((rotated, name.to_owned())) } else { over.push(name.to_owned()) }
            }
        }
        left.sort();
        let too_many = (left.len() + 1).saturating_sub(REFRESH_FAMILIES_PER_USER_MAX);
        over.extend(left.into_iter().take(too_many).map(|(_, name)| name));
        over.iter().try_for_each(|name| self.end_family(user, name))
    }

    /// Lets nobody in any more with a token of this id, or of this family, for so long as one can be valid.
    fn revoke(&mut self, user: &str, id: &str, until: u64) -> Result<(), Fault> {
        let now = self.now;
        self.revoked.insert((user, id), until)?;
        self.changed = true;
        let mut remembered = Vec::new();
        for entry in self.revoked.range((user, "")..)? {
            let (key, until) = entry?;
            let (whose, id) = key.value();
            if whose != user {
                break;
            }
            remembered.push((id.to_owned(), until.value()));
        }
        let mut left = 0;
        for (id, until) in &remembered {
            if *until > now {
                left += 1;
            } else {
                self.revoked.remove((user, id.as_str()))?;
            }
        }
        // Nobody's list grows without a bound: all tokens of this user are void instead.
        if left > REVOKED_IDS_PER_USER_MAX { self.void_tokens(user) } else { Ok(()) }
    }

    /// Nothing that was issued up to now lets this user in any more, and no login goes on.
    fn void_tokens(&mut self, user: &str) -> Result<(), Fault> {
        let Some(mut account) = account_of(&self.accounts, user)? else { return Ok(()) };
        // Those of this millisecond too.
        account.tokens_from = self.now.saturating_add(1);
        self.accounts.insert(user, encode(&account).as_slice())?;
        self.revoked.retain_in((user, "")..=(user, LAST), |_, _| false)?;
        self.families.retain_in((user, "")..=(user, LAST), |_, _| false)?;
        self.changed = true;
        Ok(())
    }

    /// Forgets families that have ended, and revoked tokens that have expired.
    pub fn clean_logins(&mut self) -> Result<(), Fault> {
        let (now, mut forgotten) = (self.now, false);
        for family in self.families.extract_if(|_, (_, ends, ..)| ends <= now)? {
            family?;
            forgotten = true;
        }
        for token in self.revoked.extract_if(|_, until| until <= now)? {
            token?;
            forgotten = true;
        }
        self.changed |= forgotten;
        Ok(())
    }
}

/// The entries that hold a user's logins, as an administrator is told of them.
pub(super) fn stored(transaction: &ReadTransaction, user: &str, now: u64) -> Result<Vec<StoredKey>, Fault> {
    let mut told = Vec::new();
    let mut tell = |table: &str, kind: &str, ends: u64, bytes: u64| {
        if ends > now {
            told.push(StoredKey { name: format!("{table}/{user}"), kind: kind.to_owned(), ttl_ms: Some(ends - now), bytes });
        }
    };
    let (mut newest, mut bytes) = (0, 0);
    for entry in transaction.open_table(REFRESH)?.range((user, "")..)? {
        let (key, family) = entry?;
        let ((whose, name), (_, ends, _, good, before, sealed)) = (key.value(), family.value());
        if whose != user {
            break;
        }
        newest = newest.max(ends);
        bytes += (name.len() + good.len() + before.len() + sealed.len()) as u64;
    }
    tell("refresh", "hash", newest, bytes);
    (newest, bytes) = (0, 0);
    for entry in transaction.open_table(REVOKED)?.range((user, "")..)? {
        let (key, until) = entry?;
        if key.value().0 != user {
            break;
        }
        newest = newest.max(until.value());
        bytes += (key.value().1.len() + size_of::<u64>()) as u64;
    }
    tell("revoked", "zset", newest, bytes);
    Ok(told)
}

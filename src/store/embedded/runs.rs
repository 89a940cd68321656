//! What a run does with a session: begin, step, commit.

use super::{
    EmbeddedStore, Fault, Inner,
    book::{Book, Remembered},
    callers::Who,
    rates::Class,
    stored::{Held, Session},
};
use crate::{
    domain::{limits::TURNS_WITH_CALLS_TO_MODEL_MAX, session::Turn, turn::FencingToken},
    store::{
        IDEMPOTENCY_TTL_MS,
        contract::{Begin, Begun, Commit, Committed, Entry, Lease, Refused, Started, Stepped, StoreError, Tail, Visit},
        keys::UserKeys,
        new_session_id,
    },
};

/// A wish to begin, on its way to a blocking thread.
struct Wish {
    who: Who,
    run: String,
    owner: String,
    lease_ms: u64,
    tail: usize,
    input: Vec<u8>,
    request: Option<Request>,
}

/// A request with an idempotency key: the key and what was asked, both digests.
struct Request {
    key: String,
    fingerprint: String,
}

/// What a run leaves, on its way to a blocking thread.
struct Leaving {
    turns: Vec<Turn>,
    reply: Option<(Request, Vec<u8>)>,
}

/// Whose session a lease is for.
struct Place {
    user: String,
    member: String,
}

impl Place {
    fn of(lease: &Lease) -> Self {
        let keys = UserKeys::of(&lease.user);
        Self { user: keys.listed().to_owned(), member: keys.member() }
    }
}

impl EmbeddedStore {
    pub async fn begin(&self, begin: Begin<'_>) -> Result<Begun, StoreError> {
        let wish = Wish {
            who: Who::from(begin.caller),
            run: begin.run.to_owned(),
            owner: begin.owner.to_owned(),
            lease_ms: begin.lease_ms,
            tail: begin.tail,
            input: begin.input.to_vec(),
            request: begin.idempotency.map(|i| Request { key: i.key.to_owned(), fingerprint: i.fingerprint.to_owned() }),
        };
        self.work(move |inner| inner.write(|book| inner.begin(book, &wish))).await
    }

    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let (lease, entries) = (lease.clone(), entries.to_vec());
        self.work(move |inner| inner.write(|book| step(book, &lease, lease_ms, &entries))).await
    }

    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        let (user, run, owner) = (begun.caller.user.clone(), begun.run.to_owned(), begun.owner.to_owned());
        let request = begun.idempotency.map(|i| i.key.to_owned());
        self.work(move |inner| inner.write(|book| release(book, &UserKeys::of(&user), &run, &owner, request.as_deref()))).await
    }

    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let lease = lease.clone();
        let request = |i: crate::store::contract::Idempotency<'_>| Request { key: i.key.to_owned(), fingerprint: i.fingerprint.to_owned() };
        let leaving = Leaving { turns: commit.turns.to_vec(), reply: commit.reply.map(|(i, answer)| (request(i), answer.to_vec())) };
        self.work(move |inner| {
            let kept = inner.lifetimes.turns_max as u64;
            inner.write(|book| leave(book, &lease, leaving, kept))
        })
        .await
    }
}

impl Inner {
    fn begin(&self, book: &mut Book<'_>, wish: &Wish) -> Result<Begun, Fault> {
        let who = &wish.who;
        let role = match self.let_in(&book.accounts, who, book.now)? {
            Ok(role) => role,
            Err(refused) => return Ok(Begun::Refused(refused)),
        };
        let found = book.session(&who.member)?;
        // The same owner is this very attempt, whose answer was lost.
        let busy = found.as_ref().and_then(|session| session.running(book.now)).filter(|(held, _)| held.owner != wish.owner);
        let mut run = wish.run.clone();
        if let Some(request) = &wish.request
            && let Some(known) = book.remembered(&who.key, &request.key)?
        {
            if known.fingerprint != request.fingerprint {
                return Ok(Begun::KeyReused);
            }
            if let Some(answer) = known.answer {
                return Ok(Begun::Replay(answer));
            }
            if busy.is_some_and(|(held, _)| held.run == known.run) {
                return Ok(Begun::InFlight { run: known.run });
            }
            // Its journal went with its session: what it may have sent is not known any more, so it must not run again.
            if found.is_none() || !book.journaled(&who.member, &known.run, "in")? {
                return Ok(Begun::Lost { run: known.run });
            }
            // The same request, its holder dead: go on under the same run.
            run = known.run;
        }
        if let Some((held, left_ms)) = busy {
            return Ok(Begun::Busy { run: held.run.clone(), left_ms });
        }
        let arrival = match self.arrivals.due(&who.key, Class::Turn, self.rates.turns_per_minute, book.now) {
            Ok(arrival) => arrival,
            Err(retry_after_ms) => return Ok(Begun::Refused(Refused::Limited { retry_after_ms })),
        };

        let mut session = match found {
            Some(session) => session,
            None => {
                book.remove(&who.member)?;
                Session::fresh(new_session_id(), book.now, self.lifetimes.max_ms)
            }
        };
        let (tail, first) = book.turns(&who.member, &session, Tail::Newest(wish.tail), TURNS_WITH_CALLS_TO_MODEL_MAX)?;
        let journal = book.journal(&who.member)?;
        self.arrivals.charge(&who.key, Class::Turn, arrival, book.now);
        let token = format!("{}:{}", book.fence(&who.key)?, wish.owner);
        let until = book.now.saturating_add(wish.lease_ms);
        session.held = Some(Held { run: run.clone(), owner: wish.owner.clone(), token: token.clone(), until });
        session.cancel = false;
        book.journal_once(&who.member, &run, "in", &wish.input)?;
        if let Some(Request { key, fingerprint }) = &wish.request {
            let what = Remembered { fingerprint: fingerprint.clone(), run: run.clone(), answer: None };
            book.remember(&who.key, key, IDEMPOTENCY_TTL_MS, &what)?;
        }
        book.keep(&who.member, &mut session)?;
        let visit = Visit { role, session: session.told(&who.user, book.now), tail, first };
        Ok(Begun::Started(Box::new(Started { token: FencingToken::from_store(token), run, visit, journal, now_ms: book.now })))
    }
}

fn step(book: &mut Book<'_>, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, Fault> {
    let place = Place::of(lease);
    let Some(mut session) = book.session(&place.member)? else { return Ok(Stepped::Stale) };
    match &mut session.held {
        Some(held) if proves(lease, held) => held.until = book.now.saturating_add(lease_ms),
        _ => return Ok(Stepped::Stale),
    }
    for entry in entries {
        book.journal_once(&place.member, &lease.run, &entry.field, &entry.value)?;
    }
    book.prolong(&place.member, &mut session)?;
    Ok(if session.cancel { Stepped::CancelWanted } else { Stepped::Held })
}

/// As `release.lua`: undoes this very begin, and nothing else.
fn release(book: &mut Book<'_>, keys: &UserKeys, run: &str, owner: &str, request: Option<&str>) -> Result<bool, Fault> {
    let member = keys.member();
    let Some(mut session) = book.session(&member)? else { return Ok(false) };
    let Some(held) = session.held.take_if(|held| held.owner == owner) else { return Ok(false) };
    if held.run == run {
        book.unjournal(&member, run, "in")?;
    }
    if let Some(key) = request
        && book.remembered(keys.listed(), key)?.is_some_and(|known| known.run == run && known.answer.is_none())
    {
        book.forget(keys.listed(), key)?;
    }
    book.keep(&member, &mut session)?;
    Ok(true)
}

fn leave(book: &mut Book<'_>, lease: &Lease, leaving: Leaving, kept: u64) -> Result<Committed, Fault> {
    let place = Place::of(lease);
    let Some(mut session) = book.session(&place.member)? else { return Ok(Committed::Stale) };
    if !session.held.as_ref().is_some_and(|held| proves(lease, held)) {
        let repeated = session.last.as_ref().is_some_and(|(run, token)| *run == lease.run && token == lease.token.as_str());
        let done = Committed::Done { turns: session.turns, version: session.version };
        return Ok(if repeated { done } else { Committed::Stale });
    }
    for turn in &leaving.turns {
        book.append(&place.member, &mut session, turn)?;
    }
    if !leaving.turns.is_empty() {
        session.version = session.version.saturating_add(1);
        book.trim(&place.member, &mut session, kept)?;
    }
    session.held = None;
    session.cancel = false;
    session.last = Some((lease.run.clone(), lease.token.as_str().to_owned()));
    book.settle(&place.member)?;
    if let Some((request, answer)) = leaving.reply {
        if answer.is_empty() {
            book.forget(&place.user, &request.key)?;
        } else {
            let what = Remembered { fingerprint: request.fingerprint, run: lease.run.clone(), answer: Some(answer) };
            book.remember(&place.user, &request.key, IDEMPOTENCY_TTL_MS, &what)?;
        }
    }
    book.keep(&place.member, &mut session)?;
    Ok(Committed::Done { turns: session.turns, version: session.version })
}

/// Whether a lease is the one that holds the session: run and whole token.
fn proves(lease: &Lease, held: &Held) -> bool {
    held.run == lease.run && held.token == lease.token.as_str()
}

//! What a run does with a session: begin, step, commit, or give it back.

use redb::ReadableTable;

use super::{
    EmbeddedStore, Fault, Inner,
    book::{Book, Remembered},
    callers::Who,
    rates::ahead,
    stored::{Held, Session},
    waiting::Waits,
};
use crate::{
    domain::{
        base64,
        limits::{TURNS_WITH_CALLS_TO_MODEL_MAX, WAITING_RUNS_MAX},
        rate::Rate,
        session::{Revision, SessionId, Summary},
        slot::Slot,
        totals::Totals,
        turn::{Ending, FencingToken, OnBusy, Stop},
        user::UserName,
    },
    store::{
        IDEMPOTENCY_TTL_MS,
        contract::{
            Begin, Begun, Commit, Committed, Ended, Entry, Idempotency, Lease, Refused, Started, Stepped, StoreError, Tail, TurnPlace,
            Visit, changes::What, overview::holder_of,
        },
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
    on_busy: OnBusy,
    expects: Option<Revision>,
    running_max: u64,
}

/// A request with an idempotency key: the key and what was asked, both digests.
struct Request {
    key: String,
    fingerprint: String,
}

impl From<Idempotency<'_>> for Request {
    fn from(idempotency: Idempotency<'_>) -> Self {
        Self { key: idempotency.key.to_owned(), fingerprint: idempotency.fingerprint.to_owned() }
    }
}

/// What a run leaves, on its way to a blocking thread.
struct Leaving {
    /// Records, one a turn.
    turns: Vec<Vec<u8>>,
    reply: Option<(Request, Vec<u8>)>,
    ending: Ending,
    accepted_ms: u64,
    detail: String,
    /// Closed; empty if there is none.
    title: Vec<u8>,
    /// What it adds to what its session has come to.
    totals: Totals,
    /// Functions of which it is not known what became of their calls, with commas between.
    unknown: String,
}

/// Whose session a lease is for.
struct Place {
    user: String,
    member: String,
}

impl Place {
    fn of(lease: &Lease) -> Self {
        let keys = UserKeys::of_run(&lease.user, &lease.run);
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
            request: begin.idempotency.map(Request::from),
            on_busy: begin.on_busy,
            expects: begin.expects.cloned(),
            running_max: begin.running_max,
        };
        self.work(move |inner| inner.write(|book| inner.begin(book, &wish))).await
    }

    pub async fn step(&self, lease: &Lease, lease_ms: u64, entries: &[Entry]) -> Result<Stepped, StoreError> {
        let (lease, entries) = (lease.clone(), entries.to_vec());
        self.work(move |inner| inner.write(|book| step(book, &lease, lease_ms, &entries))).await
    }

    /// Gives a run back as it is, for whoever takes it; false if it was not held any more.
    pub async fn hand_over(&self, lease: &Lease, again_ms: u64) -> Result<bool, StoreError> {
        let lease = lease.clone();
        self.work(move |inner| inner.write(|book| hand_over(book, &lease, again_ms))).await
    }

    pub async fn release(&self, begun: &Begin<'_>) -> Result<bool, StoreError> {
        let (keys, run, owner) = (UserKeys::at(begun.caller.user, begun.caller.slot()), begun.run.to_owned(), begun.owner.to_owned());
        let request = begun.idempotency.map(|i| i.key.to_owned());
        self.work(move |inner| inner.write(|book| release(book, &keys, &run, &owner, request.as_deref()))).await
    }

    pub async fn keep_summary(&self, user: &UserName, place: &TurnPlace, summary: &Summary) -> Result<bool, StoreError> {
        let record = self.envelopes().close_summary(user, place, summary)?;
        let (member, session, last) =
            (UserKeys::at(user, Slot::of_session(place.session())).member(), place.session().clone(), summary.last);
        self.work(move |inner| inner.write(|book| summarise(book, &member, &session, last, &record))).await
    }

    pub async fn commit(&self, lease: &Lease, commit: Commit<'_>) -> Result<Committed, StoreError> {
        let lease = lease.clone();
        let leaving = Leaving {
            turns: self.envelopes().close_turns(&lease.user, &lease.turns_at, commit.turns)?,
            reply: commit.reply.map(|(i, answer)| (Request::from(i), answer.to_vec())),
            ending: commit.ending,
            accepted_ms: commit.accepted_ms,
            detail: commit.detail.to_owned(),
            title: self.envelopes().close_title(&lease.user, lease.turns_at.session(), commit.title.unwrap_or_default())?,
            totals: Totals {
                turns: commit.turns.len() as u64,
                calls: commit.tally.calls,
                changing_calls: commit.tally.changing_calls,
                prompt_tokens: commit.tally.prompt_tokens,
                completion_tokens: commit.tally.completion_tokens,
                estimated: commit.tally.estimated,
            },
            unknown: commit.tally.unknown.to_owned(),
        };
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
        let role = match self.let_in_telling(&book.accounts, &book.revoked, who, book.now)? {
            Ok(role) => role,
            Err(refused) => return Ok(Begun::Refused(refused)),
        };
        let found = book.session(&who.member)?;
        let holder = found.as_ref().and_then(|session| session.held.as_ref());
        // The same owner is this very attempt, whose answer was lost.
        let own = holder.is_some_and(|held| held.run == wish.run && held.owner == wish.owner);
        let other = holder.filter(|_| !own);
        // Whoever waited for a session that ended waits for nothing.
        let waiting = if found.is_some() { book.waiting_of(&who.member)? } else { Vec::new() };
        if let Some(request) = &wish.request
            && let Some(known) = book.remembered(&who.key, &request.key)?
        {
            if known.fingerprint != request.fingerprint {
                return Ok(Begun::KeyReused);
            }
            if let Some(answer) = known.answer {
                return Ok(Begun::Replay(answer));
            }
            if !own {
                let run = known.run;
                return Ok(match other.filter(|held| held.run == run) {
                    Some(held) if held.until > book.now => Begun::InFlight { run },
                    Some(_) => Begun::Orphaned { run },
                    None if waiting.iter().any(|waits| waits.run == run) => Begun::InFlight { run },
                    // Its journal went with its session: what it may have sent is not known any more, so it must not run again.
                    None => Begun::Lost { run },
                });
            }
        }
        if !own && !who.names(found.as_ref()) {
            return Ok(Begun::NoSession);
        }
        let moved = book.moved(who, found.as_ref(), wish.expects.as_ref())?;
        if let Some(stored) = moved.filter(|_| !own) {
            return Ok(Begun::Moved(stored));
        }
        let left_ms = other.map(|held| held.until.saturating_sub(book.now));
        if let (Some(held), Some(0)) = (other, left_ms) {
            return Ok(Begun::Orphaned { run: held.run.clone() });
        }
        // A begin whose answer was lost holds the session already: whoever has come to wait since waits behind it.
        let waits = waiting.first().filter(|_| !own).map(|waits| waits.run.clone());
        let before = other.map(|held| held.run.clone()).or(waits);
        if let (Some(run), OnBusy::Reject) = (&before, wish.on_busy) {
            return Ok(Begun::Busy { run: run.clone(), left_ms: left_ms.unwrap_or_default() });
        }
        if !own && before.is_none() && as_many_run_as_may(book, who, wish.running_max)? {
            return Ok(Begun::ManyRun);
        }
        let arrival = match self.arrivals.due(&who.key, Rate::Turns, self.rates.turns_per_minute, book.now) {
            Ok(arrival) => arrival,
            Err(retry_after_ms) => return Ok(Begun::Refused(Refused::Limited { rate: Rate::Turns, retry_after_ms })),
        };
        if let Some(run) = before {
            let held = other.is_some();
            let until = other.map_or(book.now, |held| held.until);
            let begun = self.wait(book, wish, found, &waiting, run, held)?;
            if matches!(begun, Begun::Queued { .. }) {
                self.charge_turn(who, arrival, book.now);
                book.open.insert(who.member.as_str(), until)?;
            }
            return Ok(begun);
        }

        let mut session = match found {
            Some(session) => session,
            None => {
                book.remove(&who.member)?;
                Session::fresh(new_session_id(who.slot).to_string(), book.now, self.lifetimes.max_ms)
            }
        };
        let (tail, first) = book.turns(&who.member, &session, Tail::Newest(wish.tail), TURNS_WITH_CALLS_TO_MODEL_MAX)?;
        let turns_at = book.turn_place(&who.member, &mut session)?;
        book.journal(&who.member)?;
        self.charge_turn(who, arrival, book.now);
        let run = wish.run.clone();
        let fence = book.fence(&who.key)?;
        let token = format!("{fence}:{}", wish.owner);
        let until = book.now.saturating_add(wish.lease_ms);
        session.held =
            Some(Held { run: run.clone(), owner: wish.owner.clone(), token: token.clone(), until, key: who.api_key().map(str::to_owned) });
        if !own {
            (session.stop, session.crashes) = (None, 0);
        }
        book.journal_once(&who.member, &run, "in", &wish.input)?;
        remember(book, wish)?;
        book.keep(&who.member, &mut session)?;
        book.open.insert(who.member.as_str(), until)?;
        if !own {
            book.change(&who.member, &session.id, What::TurnBegun { run: run.clone(), holder: holder_of(&wish.owner) });
        }
        let visit = Visit { role, session: session.told(&who.user, book.now, fence), tail, first };
        let token = FencingToken::from_store(token);
        let summary = book.summary(&who.member, &session)?;
        Ok(Begun::Started(Box::new(Started { token, run, visit, turns_at, summary, now_ms: book.now })))
    }

    fn charge_turn(&self, who: &Who, arrival: f64, now: u64) {
        self.arrivals.charge(&who.key, Rate::Turns, arrival, now);
        who.counted.tell(Rate::Turns, ahead(arrival, now));
    }

    /// Has a run wait behind the one that is `before` it.
    fn wait(
        &self,
        book: &mut Book<'_>,
        wish: &Wish,
        session: Option<Session>,
        waiting: &[Waits],
        before: String,
        held: bool,
    ) -> Result<Begun, Fault> {
        let member = wish.who.member.as_str();
        // The answer to this very begin was lost.
        let known = (1..).zip(waiting).find(|(_, waits)| waits.run == wish.run).map(|(place, _)| place);
        let first = wish.on_busy == OnBusy::Interrupt;
        let place = match known {
            Some(place) => place,
            None if waiting.len() as u64 >= WAITING_RUNS_MAX => return Ok(Begun::Full { run: before }),
            None => {
                let at = match (waiting.first(), waiting.last()) {
                    (Some(head), _) if first => head.at.saturating_sub(1),
                    (_, Some(tail)) => tail.at.saturating_add(1),
                    _ => 0,
                };
                book.waiting.insert((member, at), (book.now, wish.run.as_str(), wish.input.as_slice()))?;
                remember(book, wish)?;
                if first { 1 } else { waiting.len() as u64 + 1 }
            }
        };
        if let Some(mut session) = session.filter(|_| held && first) {
            session.stop.get_or_insert_with(|| Stop::Interrupted.as_str().to_owned());
            book.prolong(member, &mut session)?;
        }
        book.changed = true;
        Ok(Begun::Queued { place, held })
    }
}

/// Whether runs hold as many of the user's other sessions as may be at once; what counts says `begin.lua`.
fn as_many_run_as_may(book: &Book<'_>, who: &Who, most: u64) -> Result<bool, Fault> {
    if most == 0 {
        return Ok(false);
    }
    let mut others = book.members_of(&who.user)?;
    others.retain(|member| *member != who.member);
    // Most users have few sessions: then none of them is read.
    if (others.len() as u64) < most {
        return Ok(false);
    }
    let mut running = 0;
    for member in &others {
        // One that cannot be read runs nothing.
        let Ok(Some(session)) = book.session(member) else { continue };
        let runs = match &session.held {
            Some(held) => held.until > book.now,
            None => book.first_waiting(member)?.is_some(),
        };
        running += u64::from(runs);
    }
    Ok(running >= most)
}

/// A request with an idempotency key is remembered as what this run works on.
fn remember(book: &mut Book<'_>, wish: &Wish) -> Result<(), Fault> {
    let Some(Request { key, fingerprint }) = &wish.request else { return Ok(()) };
    let what = Remembered { fingerprint: fingerprint.clone(), run: wish.run.clone(), answer: None };
    book.remember(&wish.who.key, key, IDEMPOTENCY_TTL_MS, &what)
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
    let stop = session.stop.as_deref().map(Stop::from_stored);
    Ok(stop.map_or(Stepped::Held, Stepped::StopWanted))
}

/// As `handover.lua`.
fn hand_over(book: &mut Book<'_>, lease: &Lease, again_ms: u64) -> Result<bool, Fault> {
    let place = Place::of(lease);
    let Some(mut session) = book.session(&place.member)? else { return Ok(false) };
    match &mut session.held {
        Some(held) if proves(lease, held) => {
            held.owner.clear();
            held.token.clear();
            held.until = 0;
        }
        _ => return Ok(false),
    }
    session.crashes = session.crashes.saturating_sub(1);
    book.prolong(&place.member, &mut session)?;
    book.open.insert(place.member.as_str(), book.now.saturating_add(again_ms))?;
    Ok(true)
}

/// As `release.lua`: undoes this very begin, and nothing else.
fn release(book: &mut Book<'_>, keys: &UserKeys, run: &str, owner: &str, request: Option<&str>) -> Result<bool, Fault> {
    let member = keys.member();
    let found = book.session(&member)?;
    let own = found.as_ref().and_then(|session| session.held.as_ref()).is_some_and(|held| held.owner == owner && held.run == run);
    if let Some(mut session) = found.filter(|_| own) {
        session.held = None;
        book.unjournal(&member, run, "in")?;
        book.keep(&member, &mut session)?;
        book.open.insert(member.as_str(), book.now)?;
    } else if let Some(waits) = book.waiting_of(&member)?.into_iter().find(|waits| waits.run == run) {
        book.stop_waiting(&member, waits.at)?;
    } else {
        return Ok(false);
    }
    if let Some(key) = request
        && book.remembered(keys.listed(), key)?.is_some_and(|known| known.run == run && known.answer.is_none())
    {
        book.forget(keys.listed(), key)?;
    }
    Ok(true)
}

fn leave(book: &mut Book<'_>, lease: &Lease, leaving: Leaving, kept: u64) -> Result<Committed, Fault> {
    let place = Place::of(lease);
    let Some(mut session) = book.session(&place.member)? else { return Ok(Committed::Stale) };
    let waiting = book.waiting_of(&place.member)?.len() as u64;
    if !session.held.as_ref().is_some_and(|held| proves(lease, held)) {
        let repeated = session.last.as_ref().is_some_and(|(run, token)| *run == lease.run && token == lease.token.as_str());
        let done = Committed::Done { turns: session.turns, version: session.version, waiting };
        return Ok(if repeated { done } else { Committed::Stale });
    }
    for record in &leaving.turns {
        book.append(&place.member, &mut session, record)?;
    }
    let turn = leaving.turns.last().map(|_| session.next().saturating_sub(1));
    if turn.is_some() {
        session.version = session.version.saturating_add(1);
        book.trim(&place.member, &mut session, kept)?;
    }
    (session.held, session.stop, session.crashes) = (None, None, 0);
    if !leaving.title.is_empty() {
        session.made_title = Some(base64::encode(&leaving.title));
    }
    session.last = Some((lease.run.clone(), lease.token.as_str().to_owned()));
    session.add(leaving.totals);
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
    let Leaving { ending, accepted_ms, detail, totals, unknown, .. } = leaving;
    let (run, session_id) = (lease.run.clone(), SessionId::from_stored(&session.id));
    if ending == Ending::UnknownOutcome {
        book.remember_unknown(&run, &place.member, &session.id, &unknown)?;
    }
    let counted = [("calls", totals.calls), ("prompt_tokens", totals.prompt_tokens), ("completion_tokens", totals.completion_tokens)];
    for (what, n) in counted {
        book.count(what, n)?;
    }
    book.end(&place.user, &Ended { run, ending, session: session_id, turn, accepted_ms, ended_ms: book.now, detail })?;
    if waiting > 0 {
        book.open.insert(place.member.as_str(), book.now)?;
    } else {
        book.open.remove(place.member.as_str())?;
    }
    Ok(Committed::Done { turns: session.turns, version: session.version, waiting })
}

/// As `summary.lua`.
fn summarise(book: &mut Book<'_>, member: &str, session: &SessionId, last: u64, record: &[u8]) -> Result<bool, Fault> {
    let Some(there) = book.session(member)?.filter(|there| there.id == session.as_str()) else { return Ok(false) };
    let known = book.summaries.get(member)?.map(|known| (known.value().0 == there.id, known.value().1));
    if last < there.base || last >= there.next() || known.is_some_and(|(same, covered)| same && last <= covered) {
        return Ok(false);
    }
    book.summaries.insert(member, (session.as_str(), last, record))?;
    book.changed = true;
    Ok(true)
}

/// Whether a lease is the one that holds the session: run and whole token.
pub(super) fn proves(lease: &Lease, held: &Held) -> bool {
    held.run == lease.run && held.token == lease.token.as_str()
}

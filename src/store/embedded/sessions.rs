//! The sessions that a user has beside the main one: begun, listed, called by names, wound back, ended. As the scripts of these names.

use redb::{ReadableDatabase, ReadableTable};

use super::{
    EmbeddedStore, Fault, Inner,
    book::{Book, members_of, session_of, turns_of},
    callers::Who,
    stored::Session,
    tables::{ACCOUNTS, Bytes, FENCES, HISTORY, LISTED, REVOKED, Row, SESSIONS, Text},
};
use crate::{
    domain::{
        base64,
        limits::{HISTORY_PAGE_BYTES, HISTORY_READ_TURNS},
        session::{Revision, SessionId},
        slot::Slot,
        user::UserName,
    },
    store::{
        contract::{
            Caller, StoreError, Tail,
            credentials::Admitted,
            sessions::{LabelChange, NewSession, OwnSession, ReadBefore, ReadTurns, Rewound, SessionOpened},
        },
        envelope::{ClosedLabel, Envelopes, StoredLabel},
        keys::UserKeys,
    },
};

/// A session to be begun, on its way to a blocking thread.
struct Wish {
    who: Who,
    id: SessionId,
    slot: Slot,
    label: ClosedLabel,
    key: Option<String>,
    records: Vec<Vec<u8>>,
    most: usize,
}

impl EmbeddedStore {
    pub async fn open_session(&self, caller: Caller<'_>, new: NewSession<'_>) -> Result<SessionOpened, StoreError> {
        let (user, envelopes) = (caller.user, self.envelopes());
        let key = envelopes.new_session_key(user)?;
        let wrapped = key.as_ref().map(|key| key.wrapped().to_vec());
        let place = envelopes.turn_place(user, new.id, 0, key, wrapped.as_deref())?;
        let wish = Wish {
            who: Who::from(caller),
            id: new.id.clone(),
            slot: Slot::of_session(new.id),
            label: envelopes.close_label(user, new.id, &LabelChange::of(new.label))?,
            key: wrapped.map(|wrapped| base64::encode(&wrapped)),
            records: envelopes.close_turns(user, &place, new.turns)?,
            most: new.most,
        };
        self.work(move |inner| inner.write(|book| inner.open_session(book, wish))).await
    }

    pub async fn own_sessions(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnSession>>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| inner.own_sessions(&who)).await
    }

    pub async fn read_several(&self, user: &UserName, wanted: &[ReadBefore]) -> Result<Vec<Option<ReadTurns>>, StoreError> {
        let (user, wanted) = (user.clone(), wanted.to_vec());
        self.work(move |inner| inner.read_several(&user, &wanted)).await
    }

    pub async fn label_session(&self, caller: Caller<'_>, label: &LabelChange) -> Result<Admitted<bool>, StoreError> {
        let who = Who::from(caller);
        let Some(id) = caller.session else { return Ok(Admitted::In(false)) };
        let label = self.envelopes().close_label(caller.user, id, label)?;
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(Admitted::Refused(refused));
                }
                let Some(mut session) = book.session(&who.member)?.filter(|session| who.names(Some(session))) else {
                    return Ok(Admitted::In(false));
                };
                put(label, &mut session);
                book.rewrite(&who.member, &session)?;
                Ok(Admitted::In(true))
            })
        })
        .await
    }

    pub async fn end_session(&self, caller: Caller<'_>) -> Result<Admitted<bool>, StoreError> {
        let who = Who::from(caller);
        self.work(move |inner| {
            inner.write(|book| {
                if let Err(refused) = inner.let_in(&book.accounts, &book.revoked, &who, book.now)? {
                    return Ok(Admitted::Refused(refused));
                }
                let id = book.listed_id(&who.member)?;
                if who.session.as_ref().map(SessionId::as_str) != id.as_deref() {
                    return Ok(Admitted::In(false));
                }
                book.wipe(&who.user, who.slot, "ended")?;
                Ok(Admitted::In(true))
            })
        })
        .await
    }

    pub async fn rewind(&self, caller: Caller<'_>, turn: u64, expects: Option<&Revision>) -> Result<Rewound, StoreError> {
        let (who, expects) = (Who::from(caller), expects.cloned());
        self.work(move |inner| inner.write(|book| inner.rewind(book, &who, turn, expects.as_ref()))).await
    }
}

impl Inner {
    fn open_session(&self, book: &mut Book<'_>, wish: Wish) -> Result<SessionOpened, Fault> {
        let who = &wish.who;
        if let Err(refused) = self.let_in(&book.accounts, &book.revoked, who, book.now)? {
            return Ok(SessionOpened::Refused(refused));
        }
        let member = UserKeys::at(&who.user, wish.slot).member();
        let session = match book.session(&member)? {
            // It was begun, and the answer was lost.
            Some(session) => session,
            None => {
                let mut others = 0;
                for slot in book.slots_of(&who.user)?.into_iter().filter(|slot| !slot.is_main()) {
                    others += usize::from(book.listed_id(&UserKeys::at(&who.user, slot).member())?.is_some());
                }
                if others >= wish.most {
                    return Ok(SessionOpened::Full);
                }
                book.remove(&member)?;
                let mut session = Session::fresh(wish.id.to_string(), book.now, self.lifetimes.max_ms);
                session.key = wish.key;
                put(wish.label, &mut session);
                for record in &wish.records {
                    book.append(&member, &mut session, record)?;
                }
                session.version = u64::from(!wish.records.is_empty());
                book.keep(&member, &mut session)?;
                session
            }
        };
        let fence = book.fences(&who.key)?;
        Ok(SessionOpened::Done(Box::new(own(&self.envelopes, &who.user, &session, book.now, fence))))
    }

    fn own_sessions(&self, who: &Who) -> Result<Admitted<Vec<OwnSession>>, Fault> {
        let (transaction, now) = (self.database.begin_read()?, self.clock.now_ms());
        if let Err(refused) = self.let_in(&transaction.open_table(ACCOUNTS)?, &transaction.open_table(REVOKED)?, who, now)? {
            return Ok(Admitted::Refused(refused));
        }
        let (sessions, listed) = (transaction.open_table(SESSIONS)?, transaction.open_table(LISTED)?);
        let fence = transaction.open_table(FENCES)?.get(who.key.as_str())?.map_or(0, |n| n.value());
        let mut found = Vec::new();
        let members = match &who.session {
            Some(_) => vec![who.member.clone()],
            None => members_of(&listed, &who.user)?,
        };
        for member in members {
            // One that cannot be read is not told of: its user resets or ends it.
            let session = readable(&sessions, &listed, &member, now)?.filter(|session| who.names(Some(session)));
            found.extend(session.map(|session| own(&self.envelopes, &who.user, &session, now, fence)));
        }
        Ok(Admitted::In(found))
    }

    fn read_several(&self, user: &UserName, wanted: &[ReadBefore]) -> Result<Vec<Option<ReadTurns>>, Fault> {
        let (transaction, now) = (self.database.begin_read()?, self.clock.now_ms());
        let (sessions, listed) = (transaction.open_table(SESSIONS)?, transaction.open_table(LISTED)?);
        let history = transaction.open_table(HISTORY)?;
        let (mut found, mut bytes) = (Vec::new(), 0_usize);
        for ReadBefore { session: id, turn } in wanted {
            if bytes >= HISTORY_PAGE_BYTES {
                break;
            }
            let member = UserKeys::at(user, Slot::of_session(id)).member();
            let mut read = || {
                let session = session_of(&sessions, &listed, &member, now)?.filter(|session| session.id == id.as_str());
                let Some(session) = session else { return Ok(None) };
                let key = session.wrapped_key()?;
                let stored = self.envelopes.turns_of(user, id, key.as_deref());
                let tail = Tail::Before { turn: *turn, n: HISTORY_READ_TURNS };
                let read = turns_of(&history, &member, &session, tail, tail.whole(), &stored);
                bytes = bytes.saturating_add(stored.bytes());
                read.map(|(turns, first)| Some(ReadTurns { turns, first }))
            };
            found.push(match read() {
                Err(Fault::Unreadable | Fault::Newer) => None,
                read => read?,
            });
        }
        Ok(found)
    }

    fn rewind(&self, book: &mut Book<'_>, who: &Who, turn: u64, expects: Option<&Revision>) -> Result<Rewound, Fault> {
        if let Err(refused) = self.let_in(&book.accounts, &book.revoked, who, book.now)? {
            return Ok(Rewound::Refused(refused));
        }
        let Some(mut session) = book.session(&who.member)?.filter(|session| who.names(Some(session))) else {
            return Ok(Rewound::NoSession);
        };
        if let Some(stored) = book.moved(who, Some(&session), expects)? {
            return Ok(Rewound::Moved(stored));
        }
        if let Some(held) = &session.held {
            return Ok(Rewound::Busy { run: held.run.clone(), left_ms: held.until.saturating_sub(book.now) });
        }
        if let Some(first) = book.first_waiting(&who.member)? {
            return Ok(Rewound::Busy { run: first.run, left_ms: 0 });
        }
        if turn < session.base || turn > session.next() {
            return Ok(Rewound::NoTurn);
        }
        if turn < session.next() {
            book.cut(&who.member, turn)?;
            (session.turns, session.version) = (turn - session.base, session.version.saturating_add(1));
            if session.turns == 0 {
                session.made_title = None;
            }
            self.events.forget(&who.member);
        }
        book.keep(&who.member, &mut session)?;
        Ok(Rewound::Done(Box::new(session.told(&who.user, book.now, book.fences(&who.key)?))))
    }
}

fn readable(
    sessions: &impl ReadableTable<Text, Bytes>,
    listed: &impl ReadableTable<Text, Row>,
    member: &str,
    now: u64,
) -> Result<Option<Session>, Fault> {
    match session_of(sessions, listed, member, now) {
        Err(Fault::Unreadable | Fault::Newer) => Ok(None),
        found => found,
    }
}

fn own(envelopes: &Envelopes, user: &UserName, session: &Session, now: u64, fence: u64) -> OwnSession {
    let told = session.told(user, now, fence);
    let decoded = |stored: &Option<String>| stored.as_deref().and_then(base64::decode).unwrap_or_default();
    let [made, given, metadata] = [&session.made_title, &session.given_title, &session.metadata].map(decoded);
    let stored = StoredLabel { titles: [&made, &given], pinned: session.pinned, metadata: &metadata };
    OwnSession { label: envelopes.open_label(user, &told.id, &stored), session: told, ends_ms: session.ends, totals: session.totals() }
}

/// Puts what is given of a label into a session's record.
fn put(label: ClosedLabel, session: &mut Session) {
    let encoded = |text: Vec<u8>| (!text.is_empty()).then(|| base64::encode(&text));
    label.title.into_iter().for_each(|title| session.given_title = encoded(title));
    label.pinned.into_iter().for_each(|pinned| session.pinned = pinned);
    label.metadata.into_iter().for_each(|metadata| session.metadata = encoded(metadata));
}

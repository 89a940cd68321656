//! The sessions that a user has beside the main one: begun, listed, called by names, wound back, ended.

use redis::{Cmd, Value};

use super::{
    RedisStore,
    reply::{self, Parts, odd, refused},
    script::{REWIND, SEARCH, SESSION_END, SESSION_LABEL, SESSION_LIST, SESSION_OPEN},
    turns::{expected, named},
};
use crate::{
    domain::{
        limits::{HISTORY_PAGE_BYTES, HISTORY_READ_TURNS},
        session::{Revision, SessionId},
        slot::Slot,
        totals::Totals,
        user::UserName,
    },
    secrets::records::DataKey,
    store::{
        contract::{
            Caller, StoreError,
            credentials::Admitted,
            sessions::{LabelChange, NewSession, OwnSession, ReadBefore, ReadTurns, Rewound, SessionOpened},
        },
        envelope::{ClosedLabel, Envelopes, StoredLabel},
        keys::UserKeys,
    },
};

impl RedisStore {
    pub async fn open_session(&self, caller: Caller<'_>, new: NewSession<'_>) -> Result<SessionOpened, StoreError> {
        let (user, slot) = (caller.user, Slot::of_session(new.id));
        let (keys, main) = (UserKeys::at(user, slot), UserKeys::of(user).session());
        let bucket = keys.bucket();
        let mut call = SESSION_OPEN.on(&[
            &keys.account(),
            &keys.revoked(),
            &keys.session(),
            &keys.history(),
            &keys.slots(),
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
            &main,
        ]);
        self.asks(&mut call, caller);
        call.arg(self.lifetimes.idle_ms).arg(self.lifetimes.max_ms).arg(keys.member()).arg(new.id.as_str()).arg(slot.to_string());
        let key = self.envelopes.new_session_key(user)?;
        call.arg(new.most).arg(key.as_ref().map_or(&b""[..], DataKey::wrapped));
        let ClosedLabel { title, pinned, metadata } = self.envelopes.close_label(user, new.id, &LabelChange::of(new.label))?;
        let pinned = if pinned.unwrap_or_default() { "1" } else { "" };
        call.arg(title.unwrap_or_default()).arg(pinned).arg(metadata.unwrap_or_default());
        let wrapped = key.as_ref().map(|key| key.wrapped().to_vec());
        let place = self.envelopes.turn_place(user, new.id, 0, key, wrapped.as_deref())?;
        for record in self.envelopes.close_turns(user, &place, new.turns)? {
            call.arg(record);
        }
        let (status, mut parts) = self.ask_relied_on(&SESSION_OPEN, &call).await?;
        match status.as_str() {
            "OK" => {
                parts.role()?;
                let now_ms = parts.number()?;
                let mut labelled = Parts::of(parts.next()?)?;
                Ok(SessionOpened::Done(Box::new(own(&self.envelopes, user, &mut labelled, now_ms)?)))
            }
            "FULL" => Ok(SessionOpened::Full),
            other => refused(other, &mut parts).map(SessionOpened::Refused),
        }
    }

    pub async fn own_sessions(&self, caller: Caller<'_>) -> Result<Admitted<Vec<OwnSession>>, StoreError> {
        let keys = UserKeys::at(caller.user, caller.slot());
        let mut call = SESSION_LIST.on(&[&keys.account(), &keys.revoked(), &keys.session(), &keys.slots()]);
        self.asks(&mut call, caller).arg(named(caller));
        let (status, mut parts) = self.ask(&SESSION_LIST, &call).await?;
        if status != "OK" {
            return refused(&status, &mut parts).map(Admitted::Refused);
        }
        parts.role()?;
        let now_ms = parts.number()?;
        let Value::Array(found) = parts.next()? else { return Err(StoreError::Unavailable) };
        let read = |labelled| own(&self.envelopes, caller.user, &mut Parts::of(labelled)?, now_ms);
        found.into_iter().map(read).collect::<Result<_, _>>().map(Admitted::In)
    }

    /// Over a connection of its own: much may come back.
    pub async fn read_several(&self, user: &UserName, wanted: &[ReadBefore]) -> Result<Vec<Option<ReadTurns>>, StoreError> {
        let keys = wanted.iter().flat_map(|one| {
            let keys = UserKeys::at(user, Slot::of_session(&one.session));
            [keys.session(), keys.history()]
        });
        let mut call = SEARCH.on_all(keys);
        call.arg(HISTORY_READ_TURNS).arg(HISTORY_PAGE_BYTES);
        for ReadBefore { session, turn } in wanted {
            call.arg(session.as_str()).arg(turn);
        }
        let Value::Array(found) = self.apart(Some(&SEARCH), &call).await? else { return Err(odd("a list")) };
        // The script counts what is stored; what is compressed may be much more when it is open, and a page is full of that all the same.
        let (mut read, mut bytes) = (Vec::new(), 0);
        for (one, wanted) in found.into_iter().zip(wanted) {
            if bytes >= HISTORY_PAGE_BYTES {
                break;
            }
            let (turns, more) = self.read(user, &wanted.session, one, HISTORY_PAGE_BYTES - bytes)?;
            read.push(turns);
            bytes += more;
        }
        Ok(read)
    }

    /// `{the session's key, number of the first record, {records}}`, or an empty list: the turns, and how many bytes were opened for them.
    fn read(&self, user: &UserName, session: &SessionId, found: Value, page: usize) -> Result<(Option<ReadTurns>, usize), StoreError> {
        if matches!(&found, Value::Array(parts) if parts.is_empty()) {
            return Ok((None, 0));
        }
        let mut parts = Parts::of(found)?;
        let (key, first, records) = (parts.bytes()?, parts.number()?, parts.list()?);
        let stored = self.envelopes.turns_of(user, session, Some(key.as_slice()).filter(|key| !key.is_empty()));
        // What is wrong with a record that cannot be read was logged where it was found.
        let Ok(turns) = reply::turns(&records, first, 0, page, &stored) else { return Ok((None, stored.bytes())) };
        let first = first.saturating_add((records.len() - turns.len()) as u64);
        Ok((Some(ReadTurns { turns, first }), stored.bytes()))
    }

    pub async fn label_session(&self, caller: Caller<'_>, label: &LabelChange) -> Result<Admitted<bool>, StoreError> {
        let keys = UserKeys::at(caller.user, caller.slot());
        let mut call = SESSION_LABEL.on(&[&keys.account(), &keys.revoked(), &keys.session()]);
        self.asks(&mut call, caller).arg(named(caller));
        if let Some(id) = caller.session {
            for (field, value) in fields(self.envelopes.close_label(caller.user, id, label)?) {
                call.arg(field).arg(value);
            }
        }
        let (status, mut parts) = self.ask_relied_on(&SESSION_LABEL, &call).await?;
        done(&status, &mut parts)
    }

    pub async fn end_session(&self, caller: Caller<'_>) -> Result<Admitted<bool>, StoreError> {
        let keys = UserKeys::at(caller.user, caller.slot());
        let mut call = SESSION_END.on_all(keys.ending().into_iter().chain([keys.revoked()]));
        self.asks(&mut call, caller).arg(named(caller)).arg(keys.member()).arg(keys.result_prefix()).arg(caller.slot().to_string());
        let (status, mut parts) = self.ask_relied_on(&SESSION_END, &call).await?;
        done(&status, &mut parts)
    }

    pub async fn rewind(&self, caller: Caller<'_>, turn: u64, expects: Option<&Revision>) -> Result<Rewound, StoreError> {
        let keys = UserKeys::at(caller.user, caller.slot());
        let bucket = keys.bucket();
        let mut call = REWIND.on(&[
            &keys.account(),
            &keys.revoked(),
            &keys.session(),
            &keys.history(),
            &bucket.expiries(),
            &bucket.activity(),
            &bucket.summaries(),
            &keys.waiting(),
            &keys.events(),
        ]);
        self.asks(&mut call, caller).arg(self.lifetimes.idle_ms).arg(keys.member()).arg(named(caller)).arg(turn);
        expected(&mut call, expects);
        let (status, mut parts) = self.ask_relied_on(&REWIND, &call).await?;
        match status.as_str() {
            "OK" => {
                parts.role()?;
                parts.number()?;
                parts.session(caller.user).map(|session| Rewound::Done(Box::new(session)))
            }
            "BUSY" => Ok(Rewound::Busy { run: parts.text()?, left_ms: parts.number()? }),
            "NO_TURN" => Ok(Rewound::NoTurn),
            "NO_SESSION" => Ok(Rewound::NoSession),
            "MOVED" => parts.revision().map(Rewound::Moved),
            other => refused(other, &mut parts).map(Rewound::Refused),
        }
    }

    /// The first arguments of a script that lets a caller in.
    fn asks<'c>(&self, call: &'c mut Cmd, caller: Caller<'_>) -> &'c mut Cmd {
        call.arg(caller.token_id).arg(caller.issued_ms).arg(self.rates.requests_per_minute)
    }
}

/// `role`, and whether there was such a session.
fn done(status: &str, parts: &mut Parts) -> Result<Admitted<bool>, StoreError> {
    if status != "OK" {
        return refused(status, parts).map(Admitted::Refused);
    }
    parts.role()?;
    Ok(Admitted::In(parts.number()? == 1))
}

/// Fields of a session's hash; nothing for one that goes.
fn fields(label: ClosedLabel) -> impl Iterator<Item = (&'static str, Vec<u8>)> {
    let pinned = label.pinned.map(|pinned| if pinned { b"1".to_vec() } else { Vec::new() });
    [("ut", label.title), ("pin", pinned), ("md", label.metadata)].into_iter().filter_map(|(field, value)| Some((field, value?)))
}

/// `{session}, ms to live, title of the first turn, title of the user, pinned, metadata, what it has come to`.
fn own(envelopes: &Envelopes, user: &UserName, parts: &mut Parts, now_ms: u64) -> Result<OwnSession, StoreError> {
    let session = parts.session(user)?;
    let ends_ms = now_ms.saturating_add(parts.number()?);
    let (made, given, pinned, metadata) = (parts.bytes()?, parts.bytes()?, parts.bytes()?, parts.bytes()?);
    let totals = Totals::from_stored(&parts.text()?);
    let stored = StoredLabel { titles: [&made, &given], pinned: !pinned.is_empty(), metadata: &metadata };
    Ok(OwnSession { label: envelopes.open_label(user, &session.id, &stored), session, ends_ms, totals })
}

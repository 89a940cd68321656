//! Reading what scripts answer: shapes are ours, so anything else means that something stands between us and Redis.

use redis::Value;

use crate::{
    domain::{
        number::whole,
        rate::Rate,
        session::{Revision, SessionId, SessionInfo, Turn},
        turn::JournalEntry,
        user::{Role, UserName},
    },
    store::{
        contract::{Refused, StoreError, Visit, logins::StoppedRun},
        envelope::SessionTurns,
        record::Detail,
    },
};

/// Digits of a number in a session's hash: more would not be exact in a script.
const STORED_DIGITS_MAX: usize = 17;

/// A session as its hash has it.
pub(super) struct StoredSession {
    pub session: SessionInfo,
    /// The key of its turns, wrapped.
    pub key: Option<Vec<u8>>,
}

/// The parts of a script's answer, taken from the front.
pub(super) struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    pub fn of(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            _ => Err(odd("a list")),
        }
    }

    /// The next part, if there are more: for lists whose length is not known.
    pub fn more(&mut self) -> Option<Value> {
        self.0.next()
    }

    pub fn next(&mut self) -> Result<Value, StoreError> {
        self.0.next().ok_or_else(|| odd("another part"))
    }

    /// `run, ms left of its lease, …`, to the end.
    pub fn stopped(&mut self) -> Result<Vec<StoppedRun>, StoreError> {
        let mut stopped = Vec::new();
        while !self.0.as_slice().is_empty() {
            stopped.push(StoppedRun { run: self.text()?, left_ms: self.number()? });
        }
        Ok(stopped)
    }

    pub fn text(&mut self) -> Result<String, StoreError> {
        text(self.next()?)
    }

    pub fn bytes(&mut self) -> Result<Vec<u8>, StoreError> {
        match self.next()? {
            Value::BulkString(bytes) => Ok(bytes),
            _ => Err(odd("bytes")),
        }
    }

    pub fn number(&mut self) -> Result<u64, StoreError> {
        number(&self.next()?)
    }

    pub fn list(&mut self) -> Result<Vec<Value>, StoreError> {
        match self.next()? {
            Value::Array(parts) => Ok(parts),
            _ => Err(odd("a list")),
        }
    }

    /// `role, now, first, {session}, {records}`: the records are not read yet.
    pub fn visit(&mut self, user: &UserName) -> Result<(Visit, u64, Vec<Value>), StoreError> {
        let (role, now, first) = (self.role(), self.number(), self.number());
        let (session, records) = (self.session(user), self.list());
        Ok((Visit { role: role?, session: session?, tail: Vec::new(), first: first? }, now?, records?))
    }

    pub fn role(&mut self) -> Result<Role, StoreError> {
        Role::parse(&self.text()?).ok_or(StoreError::Unreadable)
    }

    /// `{sid, ca, la, exp, ver, len, base, fence, running}`.
    pub fn session(&mut self, user: &UserName) -> Result<SessionInfo, StoreError> {
        let mut parts = Self::of(self.next()?)?;
        let id = SessionId::from_stored(&parts.text()?);
        let created_ms = parts.number()?;
        let last_active_ms = parts.number()?;
        let expires_ms = parts.number()?;
        let version = parts.number()?;
        let turns = parts.number()?;
        let first_turn = parts.number()?;
        let fence = parts.number()?;
        let running = Some(parts.text()?).filter(|run| !run.is_empty());
        Ok(SessionInfo { user: user.clone(), id, created_ms, last_active_ms, expires_ms, turns, first_turn, version, fence, running })
    }

    /// `session, fence, version`.
    pub fn revision(&mut self) -> Result<Revision, StoreError> {
        Ok(Revision { session: SessionId::from_stored(&self.text()?), fence: self.number()?, version: self.number()? })
    }

    /// The values of [`SESSION_FIELDS`]; `None` if there is no session, or its time is over.
    pub fn session_fields(&mut self, user: &UserName, now_ms: u64, fence: u64) -> Result<Option<StoredSession>, StoreError> {
        let mut parts = Self::of(self.next()?)?;
        let id = match parts.next()? {
            Value::Nil => return Ok(None),
            id => SessionId::from_stored(&text(id)?),
        };
        let mut times_and_counts = [0; 6];
        for value in &mut times_and_counts {
            *value = stored_number(parts.next()?)?;
        }
        let [created_ms, last_active_ms, expires_ms, version, turns, first_turn] = times_and_counts;
        let (run, leased_until_ms) = (parts.next()?, parts.next()?);
        let key = if let Value::BulkString(key) = parts.next()? { Some(key) } else { None };
        let running = match (run, leased_until_ms) {
            (Value::Nil, _) | (_, Value::Nil) => None,
            (run, until) => Some(text(run)?).filter(|run| !run.is_empty() && stored_number(until).is_ok_and(|until| until > now_ms)),
        };
        let session =
            SessionInfo { user: user.clone(), id, created_ms, last_active_ms, expires_ms, turns, first_turn, version, fence, running };
        Ok((expires_ms > now_ms).then_some(StoredSession { session, key }))
    }

    /// `{'<run>|<field>', value, …}`.
    pub fn journal(&mut self) -> Result<Vec<JournalEntry>, StoreError> {
        let mut parts = self.list()?.into_iter();
        let mut entries = Vec::new();
        while let (Some(name), Some(value)) = (parts.next(), parts.next()) {
            let name = text(name)?;
            let (run, field) = name.split_once('|').ok_or(StoreError::Unreadable)?;
            let Value::BulkString(value) = value else { return Err(odd("bytes")) };
            entries.push(JournalEntry { run: run.to_owned(), field: field.to_owned(), value });
        }
        Ok(entries)
    }
}

/// The fields of a session's hash that say what callers are told of it, in the order in which they are read.
pub(super) const SESSION_FIELDS: [&str; 10] = ["sid", "ca", "la", "exp", "ver", "len", "base", "rid", "lu", "dk"];

/// A number that a script of ours wrote into a session: anything else is damage.
fn stored_number(value: Value) -> Result<u64, StoreError> {
    let Value::BulkString(digits) = value else { return Err(StoreError::Unreadable) };
    if digits.len() > STORED_DIGITS_MAX {
        return Err(StoreError::Unreadable);
    }
    std::str::from_utf8(&digits).ok().and_then(|digits| digits.parse().ok()).ok_or(StoreError::Unreadable)
}

/// Turns in a row, oldest first; the first of the records has this number. The newest `whole` come with their calls. Older ones than fill
/// `page_bytes` unpacked are left out: scripts count what is stored.
pub(super) fn turns(
    records: &[Value],
    first: u64,
    whole: usize,
    page_bytes: usize,
    stored: &SessionTurns<'_>,
) -> Result<Vec<Turn>, StoreError> {
    let said = records.len().saturating_sub(whole);
    let mut turns = Vec::with_capacity(records.len());
    for (at, record) in records.iter().enumerate().rev() {
        let Value::BulkString(bytes) = record else { return Err(odd("a record")) };
        let detail = if at < said { Detail::Said } else { Detail::Whole };
        turns.push(stored.open(first.saturating_add(at as u64), bytes, detail)?);
        if stored.bytes() >= page_bytes {
            break;
        }
    }
    turns.reverse();
    Ok(turns)
}

/// What every script of a caller may answer instead of its own `OK`.
pub(super) fn refused(status: &str, parts: &mut Parts) -> Result<Refused, StoreError> {
    match status {
        "REVOKED" => Ok(Refused::Revoked),
        "LIMITED" => {
            let retry_after_ms = parts.number()?;
            let rate = if parts.0.next().is_some() { Rate::Turns } else { Rate::Requests };
            Ok(Refused::Limited { rate, retry_after_ms })
        }
        "UNREADABLE" => Err(StoreError::Unreadable),
        _ => Err(odd("a status of this script")),
    }
}

pub(super) fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| StoreError::Unreadable),
        Value::SimpleString(text) => Ok(text),
        Value::Okay => Ok("OK".to_owned()),
        _ => Err(odd("text")),
    }
}

pub(super) fn number(value: &Value) -> Result<u64, StoreError> {
    match value {
        Value::Int(n) => u64::try_from(*n).map_err(|_| StoreError::Unreadable),
        Value::BulkString(bytes) => {
            let text = std::str::from_utf8(bytes).map_err(|_| StoreError::Unreadable)?;
            // Scores come as floats.
            text.parse::<u64>().or_else(|_| text.parse::<f64>().map(whole)).map_err(|_| StoreError::Unreadable)
        }
        Value::Double(f) if *f >= 0.0 => Ok(whole(*f)),
        Value::Nil => Ok(0),
        _ => Err(odd("a number")),
    }
}

pub(super) fn odd(expected: &'static str) -> StoreError {
    tracing::error!(expected, "redis answered with something that no script of ours returns; {expected} was expected");
    StoreError::Unavailable
}

//! Reading what scripts answer: shapes are ours, so anything else means that something stands between us and Redis.

use redis::Value;

use crate::{
    domain::{
        number::whole,
        session::{SessionId, SessionInfo},
        turn::JournalEntry,
        user::{Role, UserName},
    },
    store::{
        contract::{Refused, StoreError, Visit},
        record::{self, Detail},
    },
};

/// The parts of a script's answer, taken from the front.
pub(super) struct Parts(std::vec::IntoIter<Value>);

impl Parts {
    pub fn of(value: Value) -> Result<Self, StoreError> {
        match value {
            Value::Array(parts) => Ok(Self(parts.into_iter())),
            _ => Err(odd("a list")),
        }
    }

    pub fn next(&mut self) -> Result<Value, StoreError> {
        self.0.next().ok_or_else(|| odd("another part"))
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

    /// `role, now, first, {session}, {records}`: these parts are taken, whether or not they can be read.
    ///
    /// The newest `whole` turns come with their calls.
    pub fn visit(&mut self, user: &UserName, whole: usize) -> Result<(Visit, u64), StoreError> {
        let (role, now, first) = (self.role(), self.number(), self.number());
        let (session, records) = (self.session(user), self.list());
        let records = records?;
        let said = records.len().saturating_sub(whole);
        let detail = |at| if at < said { Detail::Said } else { Detail::Whole };
        let tail = records.into_iter().enumerate().map(|(at, record)| turn(record, detail(at))).collect::<Result<_, _>>()?;
        Ok((Visit { role: role?, session: session?, tail, first: first? }, now?))
    }

    pub fn role(&mut self) -> Result<Role, StoreError> {
        Role::parse(&self.text()?).ok_or(StoreError::Unreadable)
    }

    /// `{sid, ca, la, exp, ver, len, base, running}`.
    pub fn session(&mut self, user: &UserName) -> Result<SessionInfo, StoreError> {
        let mut parts = Self::of(self.next()?)?;
        let id = SessionId::from_stored(&parts.text()?);
        let created_ms = parts.number()?;
        let last_active_ms = parts.number()?;
        let expires_ms = parts.number()?;
        let version = parts.number()?;
        let turns = parts.number()?;
        let first_turn = parts.number()?;
        let running = Some(parts.text()?).filter(|run| !run.is_empty());
        Ok(SessionInfo { user: user.clone(), id, created_ms, last_active_ms, expires_ms, turns, first_turn, version, running })
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

/// What every script of a caller may answer instead of its own `OK`.
pub(super) fn refused(status: &str, parts: &mut Parts) -> Result<Refused, StoreError> {
    match status {
        "REVOKED" => Ok(Refused::Revoked),
        "LIMITED" => Ok(Refused::Limited { retry_after_ms: parts.number()? }),
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

fn turn(value: Value, detail: Detail) -> Result<crate::domain::session::Turn, StoreError> {
    match value {
        Value::BulkString(bytes) => record::decode(&bytes, detail).ok_or(StoreError::Unreadable),
        _ => Err(odd("a record")),
    }
}

fn odd(expected: &'static str) -> StoreError {
    tracing::error!(expected, "redis answered with something that no script of ours returns; {expected} was expected");
    StoreError::Unavailable
}

//! The stored form of a record of the audit log: `<version byte><JSON>`, names short. What this release does not know in it is passed over.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::contract::StoreError;
use crate::domain::audit::{AuditPlace, Audited, Deed};

const VERSION: u8 = b'1';

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "a")]
    action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    by: Option<String>,
    #[serde(rename = "u", default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    #[serde(rename = "d", default, skip_serializing_if = "BTreeMap::is_empty")]
    details: BTreeMap<String, String>,
}

pub(super) fn encode(deed: &Deed) -> Vec<u8> {
    let stored = Stored {
        action: deed.action.as_str().to_owned(),
        by: deed.by.as_ref().map(ToString::to_string),
        user: deed.user.as_ref().map(ToString::to_string),
        details: deed.details.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
    };
    let mut record = vec![VERSION];
    // Writing JSON of strings into memory cannot fail.
    serde_json::to_writer(&mut record, &stored).unwrap_or_default();
    record
}

pub(super) fn decode(place: AuditPlace, record: &[u8]) -> Result<Audited, StoreError> {
    let [VERSION, json @ ..] = record else { return Err(StoreError::Newer) };
    let Stored { action, by, user, details } = serde_json::from_slice(json).map_err(|_| StoreError::Unreadable)?;
    Ok(Audited { place, action, by, user, details: details.into_iter().collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{audit::Action, user::UserName};

    #[test]
    fn a_record_comes_back_as_it_was_stored() {
        let (place, ann) = (AuditPlace { at_ms: 1, n: 2 }, UserName::new("张三").unwrap());
        let read = decode(place, &encode(&Deed::new(Action::SessionRead).by(&ann).to(&ann).with("session", "s\"1"))).unwrap();
        assert_eq!(
            (read.place, &*read.action, read.by.as_deref(), read.user.as_deref()),
            (place, "session_read", Some("张三"), Some("张三"))
        );
        assert_eq!(read.details, [("session".to_owned(), "s\"1".to_owned())]);
    }

    #[test]
    fn what_a_newer_release_added_does_not_keep_a_record_from_being_read() {
        let place = AuditPlace { at_ms: 1, n: 2 };
        let read = decode(place, br#"1{"a":"moon_walked","u":"ann","new":[1]}"#).unwrap();
        assert_eq!((&*read.action, read.by, read.user.as_deref()), ("moon_walked", None, Some("ann")));
        assert_eq!(decode(place, b"2{}"), Err(StoreError::Newer));
        assert_eq!(decode(place, b"1{"), Err(StoreError::Unreadable));
    }
}

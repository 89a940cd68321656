//! What sessions are called and what is noted of them: under a key of their user, because it is told without the conversation.

use super::{Envelopes, Place};
use crate::{
    domain::{
        session::{Label, SessionId},
        user::UserName,
    },
    store::contract::{StoreError, sessions::LabelChange},
};

/// What changes of a label, closed. An empty text goes.
pub(in crate::store) struct ClosedLabel {
    pub title: Option<Vec<u8>>,
    pub pinned: Option<bool>,
    pub metadata: Option<Vec<u8>>,
}

/// A label as it is stored; what there is not is empty.
pub(in crate::store) struct StoredLabel<'a> {
    /// The title made from the first turn, and the one that the user gave.
    pub titles: [&'a [u8]; 2],
    pub pinned: bool,
    pub metadata: &'a [u8],
}

impl Envelopes {
    /// A title as it is stored; none stays none.
    ///
    /// # Errors
    /// As [`Envelopes::close`].
    pub(in crate::store) fn close_title(&self, user: &UserName, session: &SessionId, title: &str) -> Result<Vec<u8>, StoreError> {
        self.close_text(&Place::title(user, session), title)
    }

    /// # Errors
    /// As [`Envelopes::close`].
    pub(in crate::store) fn close_label(
        &self,
        user: &UserName,
        session: &SessionId,
        label: &LabelChange,
    ) -> Result<ClosedLabel, StoreError> {
        let LabelChange { title, pinned, metadata } = label;
        Ok(ClosedLabel {
            title: title.as_ref().map(|title| self.close_title(user, session, title)).transpose()?,
            pinned: *pinned,
            metadata: metadata.as_ref().map(|text| self.close_text(&Place::metadata(user, session), text)).transpose()?,
        })
    }

    /// What a session is called, by its user if they called it something. A session whose title cannot be read is there all the same; the log
    /// says what cannot.
    pub(in crate::store) fn open_label(&self, user: &UserName, session: &SessionId, stored: &StoredLabel<'_>) -> Label {
        let open = |place: &Place<'_>, stored: &[u8]| {
            let stored = Some(stored).filter(|stored| !stored.is_empty())?;
            String::from_utf8(self.open(place, stored).ok()?.into_owned()).ok()
        };
        let [made, given] = stored.titles;
        let title = if given.is_empty() { made } else { given };
        Label {
            title: open(&Place::title(user, session), title),
            pinned: stored.pinned,
            metadata: open(&Place::metadata(user, session), stored.metadata),
        }
    }

    fn close_text(&self, place: &Place<'_>, text: &str) -> Result<Vec<u8>, StoreError> {
        if text.is_empty() { Ok(Vec::new()) } else { Ok(self.close(place, text.as_bytes())?.into_owned()) }
    }
}

//! Somebody who reads along in a test.

use std::sync::Mutex;

use super::Heard;

/// The pieces that were heard, with a `|` where those before it were taken back.
#[derive(Debug, Default)]
pub(super) struct Reader(Mutex<Vec<String>>);

impl Reader {
    pub(super) fn hears(&self, heard: Heard<'_>) {
        let mut pieces = self.0.lock().expect("pieces");
        match heard {
            Heard::Piece(piece) => pieces.push(piece.to_owned()),
            Heard::Anew if pieces.last().is_some_and(|last| last != "|") => pieces.push("|".to_owned()),
            Heard::Anew => {}
        }
    }

    pub(super) fn pieces(self) -> Vec<String> {
        self.0.into_inner().expect("pieces")
    }
}

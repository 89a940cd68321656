//! The two bytes before a payload, and compression.
//!
//! The first is the version. `2` is this form; `3` to `9` are of releases to come. Anything else is a record as it was stored before there
//! was a form: JSON that begins with a brace, or a record of version `1` (`record.rs`, `kept.rs`). The second has the flags in its lower
//! bits, so that it is a digit: 1 compressed, 2 sealed for its user, 4 sealed for its session.
//!
//! Compressed is `length (4, little-endian) | zstd frame`: the length bounds what unpacking may make.

use crate::{domain::limits::RECORD_BYTES_MAX, store::contract::StoreError};

const VERSION: u8 = b'2';
const VERSIONS_TO_COME: std::ops::RangeInclusive<u8> = b'3'..=b'9';
const FLAGS: u8 = b'0';
const COMPRESSED: u8 = 1;
const FOR_USER: u8 = 2;
const FOR_SESSION: u8 = 4;
/// The fastest that zstd has for everybody: records are small, and a turn waits for it.
const LEVEL: i32 = 1;
const LENGTH_BYTES: usize = 4;

/// By which key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sealed {
    No,
    ForUser,
    ForSession,
}

/// What the flags say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Form {
    pub compressed: bool,
    pub sealed: Sealed,
}

impl Form {
    pub fn is_bare(self) -> bool {
        self == Self { compressed: false, sealed: Sealed::No }
    }

    /// What stands before the payload.
    pub fn head(self) -> [u8; 2] {
        let sealed = match self.sealed {
            Sealed::No => 0,
            Sealed::ForUser => FOR_USER,
            Sealed::ForSession => FOR_SESSION,
        };
        [VERSION, FLAGS | sealed | u8::from(self.compressed)]
    }

    /// The form of a record and where its payload begins; `None` for one that stands as it is.
    pub fn read(stored: &[u8]) -> Result<Option<(Self, usize)>, StoreError> {
        let flags = match stored {
            [VERSION, flags, ..] => flags ^ FLAGS,
            [VERSION] => return Err(StoreError::Unreadable),
            [version, ..] if VERSIONS_TO_COME.contains(version) => return Err(StoreError::Newer),
            _ => return Ok(None),
        };
        let sealed = match flags & !COMPRESSED {
            0 => Sealed::No,
            FOR_USER => Sealed::ForUser,
            FOR_SESSION => Sealed::ForSession,
            _ => return Err(StoreError::Newer),
        };
        Ok(Some((Self { compressed: flags & COMPRESSED != 0, sealed }, 2)))
    }
}

/// Whether a record that stands as it is would be taken for one with a form.
pub(super) fn would_be_misread(record: &[u8]) -> bool {
    record.first().is_some_and(|first| *first == VERSION || VERSIONS_TO_COME.contains(first))
}

/// The record compressed, if it is larger than `over` (0: never) and an eighth or more is saved.
pub(super) fn compressed(record: &[u8], over: usize) -> Option<Vec<u8>> {
    if over == 0 || !(over + 1..=RECORD_BYTES_MAX).contains(&record.len()) {
        return None;
    }
    let mut packed = u32::try_from(record.len()).ok()?.to_le_bytes().to_vec();
    packed.extend(zstd::bulk::compress(record, LEVEL).ok()?);
    (packed.len() <= record.len() - record.len() / 8).then_some(packed)
}

/// What was compressed; `None` if it is not what it says.
pub(super) fn unpacked(packed: &[u8]) -> Option<Vec<u8>> {
    let (length, frame) = packed.split_first_chunk::<LENGTH_BYTES>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok().filter(|length| *length <= RECORD_BYTES_MAX)?;
    let record = zstd::bulk::decompress(frame, length).ok()?;
    (record.len() == length).then_some(record)
}

//! The stored form of a summary: `1<JSON>`. Which turn is the last that it covers stands beside it, for the stores decide by that.

use serde::{Deserialize, Serialize};

use crate::domain::session::Summary;

const VERSION: u8 = b'1';

#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(rename = "from")]
    first: u64,
    text: String,
}

/// The record of a summary.
pub(super) fn encode(summary: &Summary) -> Vec<u8> {
    let mut record = vec![VERSION];
    // Writing JSON of a string and a number into memory cannot fail.
    serde_json::to_writer(&mut record, &Stored { first: summary.first, text: summary.text.clone() }).unwrap_or_default();
    record
}

/// The summary of a record that covers everything up to `last`; `None` if it is none that this release can read.
pub(super) fn decode(record: &[u8], last: u64) -> Option<Summary> {
    let Stored { first, text } = serde_json::from_slice(record.strip_prefix(&[VERSION])?).ok()?;
    (first <= last).then_some(Summary { first, last, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_comes_back_as_it_was_stored() {
        let summary = Summary { first: 3, last: 9, text: "他们问了\n\"two\" things".into() };
        assert_eq!(decode(&encode(&summary), 9), Some(summary));
        for record in [&b""[..], b"1", b"1{}", b"2{\"from\":1,\"text\":\"\"}", b"1{\"from\":10,\"text\":\"\"}"] {
            assert_eq!(decode(record, 9), None);
        }
        let newer = br#"1{"from":1,"text":"t","new":{"a":[1]}}"#;
        assert_eq!(decode(newer, 9).map(|summary| summary.text).as_deref(), Some("t"));
    }
}

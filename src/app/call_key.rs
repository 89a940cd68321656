//! The key by which an API knows a changing call again.

use crate::secrets::digest;

/// The same for the same call of a run, whichever replica sends it and however often, and another for any other: it is made of the run, the
/// round and the place in it. It has the form of a random UUID, which is what most APIs take.
pub(super) fn call_key(run: &str, round: usize, at: usize) -> String {
    let hex = digest::of(&[b"call", run.as_bytes(), &(round as u64).to_be_bytes(), &(at as u64).to_be_bytes()]);
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
    // RFC 9562, 5.4: version 4, variant 10.
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_of_one_call_alone() {
        let key = call_key("run", 1, 12);
        assert_eq!(uuid::Uuid::parse_str(&key).unwrap().get_version_num(), 4, "{key}");
        assert_eq!(key, call_key("run", 1, 12));
        let others = [call_key("rum", 1, 12), call_key("run", 11, 2), call_key("run", 12, 1), call_key("run", 1, 1)];
        assert!(others.iter().all(|other| *other != key));
    }
}

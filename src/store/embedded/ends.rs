//! Whose time is over, by the tables that list everything that ends in the order in which it does.

use redb::ReadableTable;

use super::{Fault, tables::Text};

/// The names of at most `n` that have ended.
pub(super) fn over(ends: &impl ReadableTable<(u64, Text), ()>, now: u64, n: usize) -> Result<Vec<String>, Fault> {
    let mut over = Vec::new();
    for entry in ends.range((0, "")..(now.saturating_add(1), ""))?.take(n) {
        over.push(entry?.0.value().1.to_owned());
    }
    Ok(over)
}

/// At most `n` that have ended of those that belong to users: whose, and their names.
pub(super) fn over_of_users(ends: &impl ReadableTable<(u64, Text, Text), ()>, now: u64, n: usize) -> Result<Vec<(String, String)>, Fault> {
    let mut over = Vec::new();
    for entry in ends.range((0, "", "")..(now.saturating_add(1), "", ""))?.take(n) {
        let (key, _) = entry?;
        let (_, user, name) = key.value();
        over.push((user.to_owned(), name.to_owned()));
    }
    Ok(over)
}

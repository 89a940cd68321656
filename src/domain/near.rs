//! Which known names a mistyped one may have meant.

/// A name this short is mended by at most two edits; longer ones by a third of their characters.
const EDITS_MIN: usize = 2;

/// The known names nearest to `name`, the nearest first, at most `count` of them; none when nothing is near. Case does not matter.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>, count: usize) -> Vec<&'a str> {
    let wanted: Vec<char> = name.to_lowercase().chars().collect();
    let edits_max = EDITS_MIN.max(wanted.len() / 3);
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .filter_map(|candidate| {
            let letters: Vec<char> = candidate.to_lowercase().chars().collect();
            // The difference in length is the least number of edits: most candidates end here, unmeasured.
            if wanted.len().abs_diff(letters.len()) > edits_max {
                return None;
            }
            let edits = edits_between(&wanted, &letters);
            (edits <= edits_max && edits < wanted.len().max(letters.len())).then_some((edits, candidate))
        })
        .collect();
    near.sort();
    near.truncate(count);
    near.into_iter().map(|(_, candidate)| candidate).collect()
}

/// Insertions, deletions and replacements that turn one into the other (Levenshtein), one row of the table at a time.
fn edits_between(one: &[char], other: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, a) in one.iter().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        for (cell, b) in row.iter_mut().skip(1).zip(other) {
            let replaced = diagonal + usize::from(a != b);
            diagonal = *cell;
            left = replaced.min(diagonal + 1).min(left + 1);
            *cell = left;
        }
        if let Some(first) = row.first_mut() {
            *first = above + 1;
        }
    }
    row.last().copied().unwrap_or(one.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn edits(one: &str, other: &str) -> usize {
        edits_between(&one.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>())
    }

    #[test]
    fn edits_are_counted_both_ways() {
        for (one, other, count) in [("", "", 0), ("", "abc", 3), ("kitten", "sitting", 3), ("查询用户", "查询订单", 2), ("ab", "ba", 2)]
        {
            assert_eq!((edits(one, other), edits(other, one)), (count, count), "{one} {other}");
        }
    }

    #[test]
    fn the_nearest_come_first_and_the_far_not_at_all() {
        let known = ["server.port", "server.host", "store.data_dir"];
        assert_eq!(nearest("servr.prt", known, 5), ["server.port"]);
        assert_eq!(nearest("SERVER.PORTS", known, 5), ["server.port", "server.host"]);
        assert_eq!(nearest("SERVER.PORTS", known, 1), ["server.port"]);
        assert!(nearest("weather", known, 5).is_empty());
    }

    #[test]
    fn a_name_that_shares_nothing_is_not_near_however_short() {
        assert!(nearest("ab", ["xy"], 5).is_empty());
        assert!(nearest("", ["x"], 5).is_empty());
    }
}

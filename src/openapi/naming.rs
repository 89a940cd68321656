//! Names of functions and arguments: legal for every provider, unique, and the same on every replica and after every reordering.

use std::collections::{HashMap, HashSet};

use crate::domain::limits::FUNCTION_NAME_CHARS_MAX;

/// What an operation is named by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Identity<'a> {
    pub operation_id: Option<&'a str>,
    pub method: &'a str,
    pub path: &'a str,
}

/// A name for each operation, in the order given; which one it gets depends on the set of operations only.
///
/// An `operationId` that is legal and stands once is kept. Others are cleaned, or made of method and path, and get a hash of their own
/// when they were cut or when the cleaned name is someone else's too.
pub(super) fn function_names(operations: &[Identity]) -> Vec<String> {
    let bases: Vec<(String, bool)> = operations.iter().map(base).collect();
    let mut claims: HashMap<&str, (usize, usize)> = HashMap::new();
    for (base, exact) in &bases {
        let (all, exactly) = claims.entry(base).or_default();
        *all += 1;
        *exactly += usize::from(*exact);
    }
    let hashed = |base: &str, operation: &Identity| {
        let identity = [operation.operation_id.unwrap_or_default(), operation.method, operation.path].join("\n");
        suffixed(base, &identity)
    };
    let name = |(operation, (base, exact)): (&Identity, &(String, bool))| match claims.get(base.as_str()) {
        Some((1, _)) => base.clone(),
        Some((_, 1)) if *exact => base.clone(),
        _ => hashed(base, operation),
    };
    let names: Vec<String> = operations.iter().zip(&bases).map(name).collect();
    // An operationId may look like a hashed name of another operation; then the hashed one is hashed again, in an order of its own.
    let mut taken: HashSet<String> = HashSet::with_capacity(names.len());
    let mut order: Vec<usize> = (0..names.len()).collect();
    let rank = |at: &usize| {
        let keeps = bases.get(*at).is_some_and(|(base, exact)| *exact && names.get(*at) == Some(base));
        (!keeps, operations.get(*at).map(|operation| (operation.path, operation.method)))
    };
    order.sort_by_key(rank);
    let mut given = vec![String::new(); names.len()];
    for at in order {
        let (Some(operation), Some(name), Some(given)) = (operations.get(at), names.get(at), given.get_mut(at)) else { continue };
        let mut name = name.clone();
        let mut round = 0_usize;
        while !taken.insert(name.clone()) {
            name = suffixed(&name, &[operation.method, operation.path, &round.to_string()].join("\n"));
            round += 1;
        }
        *given = name;
    }
    given
}

/// The wished name, and whether it is the operationId itself.
fn base(operation: &Identity) -> (String, bool) {
    let made = || cleaned(&format!("{} {}", operation.method.to_lowercase(), operation.path));
    let id = operation.operation_id.unwrap_or_default();
    let clean = cleaned(id);
    // Without a letter or digit of its own an identifier says nothing ("查询用户" cleans to nothing).
    let wished = if clean.is_empty() { made() } else { clean };
    let exact = wished == id;
    if wished.len() > FUNCTION_NAME_CHARS_MAX {
        return (suffixed(&wished, if id.is_empty() { operation.path } else { id }), false);
    }
    (wished, exact)
}

/// ASCII letters, digits, `_` and `-`; runs of anything else become one `_` between.
fn cleaned(text: &str) -> String {
    join_legal(text, |c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

fn join_legal(text: &str, legal: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    for c in text.chars() {
        if legal(c) {
            if std::mem::take(&mut gap) && !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            out.push(c);
        } else {
            gap = true;
        }
    }
    out
}

pub(super) fn suffixed(base: &str, identity: &str) -> String {
    let keep = FUNCTION_NAME_CHARS_MAX - 9;
    let head: String = base.chars().take(keep).collect();
    format!("{}_{:08x}", head.trim_end_matches(['_', '-']), fnv1a(identity.as_bytes()) >> 32)
}

/// What an argument is named by: where its value goes, and what it is called there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a> {
    pub kind: &'a str,
    pub wire: &'a str,
}

/// A name for each parameter, in the order given: its own, cleaned, when no other wants it; `id_path`, `id_query` … when several do.
pub(super) fn argument_names(places: &[Place]) -> Vec<String> {
    let bases: Vec<String> = places.iter().map(|place| argument_name(place.wire)).collect();
    let mut rivals: HashMap<&str, (usize, usize)> = HashMap::new();
    for (place, base) in places.iter().zip(&bases) {
        let (all, exact) = rivals.entry(base).or_default();
        *all += 1;
        *exact += usize::from(place.wire == base);
    }
    let name = |(place, base): (&Place, &String)| {
        let (all, exact) = rivals.get(base.as_str()).copied().unwrap_or_default();
        if all == 1 || (exact == 1 && place.wire == base) { base.clone() } else { format!("{base}_{}", place.kind) }
    };
    let names: Vec<String> = places.iter().zip(&bases).map(name).collect();
    let mut times: HashMap<&str, usize> = HashMap::new();
    names.iter().for_each(|name| *times.entry(name).or_default() += 1);
    let unique = |(place, name): (&Place, &String)| {
        let alone = times.get(name.as_str()) == Some(&1);
        if alone || name == place.wire { name.clone() } else { suffixed(name, &[place.kind, place.wire].join("\n")) }
    };
    places.iter().zip(&names).map(unique).collect()
}

/// One name as an argument: letters and digits of any script, `_`, `-` and `.`; `<` and `>` are spoken, as names differ in them alone.
pub(super) fn argument_name(wire: &str) -> String {
    let spoken = wire.replace('<', " lt ").replace('>', " gt ");
    let clean = join_legal(&spoken, |c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    match clean.chars().count() {
        0 => format!("arg_{:08x}", fnv1a(wire.as_bytes()) >> 32),
        chars if chars > FUNCTION_NAME_CHARS_MAX => suffixed(&clean, wire),
        _ => clean,
    }
}

/// FNV-1a, 64 bits: stable across platforms and releases, which the standard library's hashers do not promise. It tells names and
/// documents apart; it defends against nobody.
pub(super) fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// Tells a text from any other: 16 hexadecimal digits, the same everywhere.
pub fn fingerprint(text: &str) -> String {
    format!("{:016x}", fnv1a(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(operations: &[(&str, &str, &str)]) -> Vec<String> {
        let identities: Vec<Identity> =
            operations.iter().map(|(id, method, path)| Identity { operation_id: (!id.is_empty()).then_some(*id), method, path }).collect();
        function_names(&identities)
    }

    #[test]
    fn names_are_legal_unique_and_independent_of_order() {
        let long = "x".repeat(70);
        let (one, two) = (format!("{long}1234567890"), format!("{long}0987654321"));
        let operations = [
            ("same", "GET", "/a"),
            ("same", "POST", "/a"),
            ("foo/list", "GET", "/b"),
            ("foo.list", "GET", "/c"),
            (&one, "GET", "/d"),
            (&two, "GET", "/e"),
            ("查询用户", "GET", "/users"),
            ("查询订单", "GET", "/订单"),
            ("删除订单", "GET", "/订/单"),
            ("", "DELETE", "/users/{id}"),
            ("", "GET", "/"),
            ("plain", "GET", "/p"),
        ];
        let names = named(&operations);
        for (at, name) in names.iter().enumerate() {
            assert!((1..=64).contains(&name.len()), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{name}");
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name} at {at}");
        }
        assert_eq!(names[11], "plain");
        assert_eq!(names[6], "get_users");
        assert_eq!(names[9], "delete_users_id");
        let mut shuffled = operations;
        shuffled.reverse();
        let mut reversed = named(&shuffled);
        reversed.reverse();
        assert_eq!(names, reversed);
    }

    #[test]
    fn the_one_exact_identifier_keeps_its_name() {
        let names = named(&[("foo_list", "GET", "/a"), ("foo.list", "GET", "/b")]);
        assert_eq!(names[0], "foo_list");
        assert!(names[1].starts_with("foo_list_"), "{names:?}");
    }

    #[test]
    fn a_name_that_looks_like_a_hashed_one_stays_its_owners() {
        let hashed = named(&[("foo_list", "GET", "/a"), ("foo.list", "GET", "/b")])[1].clone();
        let names = named(&[("foo_list", "GET", "/a"), ("foo.list", "GET", "/b"), (&hashed, "GET", "/c")]);
        assert_eq!(names[2], hashed);
        assert_ne!(names[1], hashed);
    }

    #[test]
    fn arguments_of_one_name_in_several_places_are_told_apart() {
        let place = |kind, wire| Place { kind, wire };
        let names = argument_names(&[place("path", "id"), place("query", "id"), place("header", "id"), place("query", "limit")]);
        assert_eq!(names, ["id_path", "id_query", "id_header", "limit"]);
        let names = argument_names(&[place("query", "StartTime"), place("query", "StartTime<"), place("query", "StartTime>")]);
        assert_eq!(names, ["StartTime", "StartTime_lt", "StartTime_gt"]);
        let names = argument_names(&[place("query", "a b"), place("query", "a[b]"), place("query", "a_b")]);
        assert_eq!(names[2], "a_b");
        assert!(names[0] != names[1] && names[0] != names[2] && names[1] != names[2], "{names:?}");
        assert_eq!(argument_names(&[place("query", "filter[状态]")]), ["filter_状态"]);
        assert!(argument_names(&[place("query", "[]")])[0].starts_with("arg_"));
    }
}

//! Names of functions when several documents are served as one: unique over all, and none depends on the order of the documents.

use std::collections::HashMap;

use super::naming::suffixed;
use crate::domain::limits::FUNCTION_NAME_CHARS_MAX;

/// How often colliding names are hashed; after the second time none is expected to collide.
const ROUNDS_MAX: u32 = 8;

/// A name for every function of every document, in the order given: `(the API's name, its functions)`.
///
/// The functions of the API without a name keep theirs. Those of the others are `<api>_<function>`, always, so that a document more renames
/// nothing; a name that is too long, or that a function of the nameless API has, is cut and gets a hash of its own. The names of the APIs
/// must differ.
pub fn names_over_all(apis: &[(&str, Vec<&str>)]) -> Vec<Vec<String>> {
    let fixed = apis.iter().filter(|(api, _)| api.is_empty());
    let mut times: HashMap<String, usize> = fixed.flat_map(|(_, functions)| functions).map(|name| ((*name).to_owned(), 1)).collect();
    let mut wished: Vec<Vec<String>> =
        apis.iter().map(|(api, functions)| functions.iter().map(|function| wish(api, function)).collect()).collect();
    let named = |api: &str| !api.is_empty();
    let count = |wished: &[Vec<String>], times: &mut HashMap<String, usize>| {
        for (_, names) in apis.iter().zip(wished).filter(|((api, _), _)| named(api)) {
            names.iter().for_each(|name| *times.entry(name.clone()).or_default() += 1);
        }
    };
    let unclaimed = times.clone();
    count(&wished, &mut times);
    // A hashed name may be another's by chance (one in 2^32 for each pair); then it is hashed again.
    for round in 0..ROUNDS_MAX {
        if times.values().all(|times| *times == 1) {
            break;
        }
        for ((api, functions), names) in apis.iter().zip(&mut wished).filter(|((api, _), _)| named(api)) {
            for (function, name) in functions.iter().zip(names.iter_mut()) {
                if times.get(name).is_some_and(|times| *times > 1) {
                    *name = suffixed(name, &[api, *function, &round.to_string()].join("\n"));
                }
            }
        }
        times = unclaimed.clone();
        count(&wished, &mut times);
    }
    wished
}

fn wish(api: &str, function: &str) -> String {
    if api.is_empty() {
        return function.to_owned();
    }
    let whole = format!("{api}_{function}");
    if whole.len() > FUNCTION_NAME_CHARS_MAX { suffixed(&whole, &whole) } else { whole }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_api_begins_its_functions_with_its_name_and_the_nameless_one_does_not() {
        let names = names_over_all(&[("", vec!["list", "get"]), ("shop", vec!["list"]), ("crm-2", vec!["list", "a_b"])]);
        assert_eq!(names, [vec!["list", "get"], vec!["shop_list"], vec!["crm-2_list", "crm-2_a_b"]]);
    }

    #[test]
    fn names_are_legal_unique_and_independent_of_the_order_of_the_documents() {
        let long = "x".repeat(63);
        let (one, two) = (format!("{long}1"), format!("{long}2"));
        let apis = [("", vec!["shop_list", "plain"]), ("shop", vec!["list", &one, &two]), ("store", vec![&one, "list"])];
        let names = names_over_all(&apis);
        let all: Vec<&String> = names.iter().flatten().collect();
        for name in &all {
            assert!(name.len() <= 64, "{name}");
            assert_eq!(all.iter().filter(|other| other == &name).count(), 1, "{name}");
        }
        assert_eq!(names[0], ["shop_list", "plain"]);
        assert!(names[1][0].starts_with("shop_list_"), "{names:?}");
        assert!(names[1][1].starts_with("shop_xxx") && names[2][0].starts_with("store_xxx"), "{names:?}");
        let mut turned = apis.to_vec();
        turned.reverse();
        let mut again = names_over_all(&turned);
        again.reverse();
        assert_eq!(again, names);
        // A document more renames nothing.
        assert_eq!(names_over_all(&apis[1..])[0][1..], names[1][1..]);
        assert_eq!(names_over_all(&apis[1..])[1], names[2]);
    }
}

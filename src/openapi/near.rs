//! Function and argument names that a wrong one may have meant.

use std::collections::HashMap;

use crate::domain::{limits::NEAR_NAMES_MAX, near::nearest};

/// What a name must share with another, in characters, to be near it by standing in it whole.
const SHARED_CHARS_MIN: usize = 3;

/// The names closest to `wrong`, closest first: first those a few slips away, then those that hold it or stand in it whole.
pub fn near<'a>(wrong: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let wanted = folded(wrong);
    let mut known: HashMap<String, Vec<&str>> = HashMap::new();
    for name in names {
        known.entry(folded(name)).or_default().push(name);
    }
    let mut found: Vec<&str> = nearest(&wanted, known.keys().map(String::as_str), NEAR_NAMES_MAX);
    let long = |text: &str| text.chars().count() >= SHARED_CHARS_MIN;
    let shares =
        |other: &&str| long(&wanted) && long(other) && (other.contains(&wanted) || wanted.contains(*other)) && !found.contains(other);
    let mut sharing: Vec<&str> = known.keys().map(String::as_str).filter(shares).collect();
    sharing.sort_unstable_by_key(|name| (name.len().abs_diff(wanted.len()), *name));
    found.extend(sharing);
    let spelt = |name: &str| {
        let mut spellings = known.get(name).cloned().unwrap_or_default();
        spellings.sort_unstable();
        spellings
    };
    found.into_iter().flat_map(spelt).take(NEAR_NAMES_MAX).map(str::to_owned).collect()
}

/// Letters and digits in lower case: `listPets`, `list_pets` and `list-pets` are one name to people and models.
fn folded(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).take(128).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_other_spellings_are_found() {
        let names = ["list_pets", "get_pet_by_id", "createUser", "deleteOrder"];
        let near = |wrong| near(wrong, names.iter().copied());
        assert_eq!(near("listPets"), ["list_pets"]);
        assert_eq!(near("lsit_pets"), ["list_pets"]);
        assert_eq!(near("pet"), ["list_pets", "get_pet_by_id"]);
        assert_eq!(near("create_user"), ["createUser"]);
        assert!(near("weather_forecast").is_empty());
        assert!(near("").is_empty());
    }
}

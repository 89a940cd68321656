//! English words in their base form, and names taken apart.

/// A word in lower case without the endings of plural, past and progressive, the same for a name and for what people write.
/// It need not be a word (`pricing` becomes `pric`, as `price` does): what counts is that they meet.
pub fn stem(word: &str) -> String {
    let word = word.to_lowercase();
    if !word.is_ascii() || word.len() < 4 || word.bytes().any(|b| b.is_ascii_digit()) {
        return word;
    }
    let base = singular(&word);
    for ending in ["ing", "ed"] {
        if let Some(head) = base.strip_suffix(ending).filter(|head| head.len() >= 3 && head.bytes().any(is_vowel)) {
            return without_double(head);
        }
    }
    base.strip_suffix('e').filter(|head| head.len() >= 3).unwrap_or(&base).to_owned()
}

/// A lower-case word without its plural ending.
pub fn singular(word: &str) -> String {
    if word.len() < 4 || ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending)) {
        return word.to_owned();
    }
    if let Some(head) = word.strip_suffix("ies") {
        return format!("{head}y");
    }
    for ending in ["ches", "shes", "sses", "xes", "zes"] {
        if word.ends_with(ending) {
            return word.trim_end_matches("es").to_owned();
        }
    }
    word.strip_suffix('s').unwrap_or(word).to_owned()
}

/// The words of a name in lower case: `listUsers`, `list_users`, `list-users` and `users/list` come apart at case, digits and signs.
pub fn words_of_name(name: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut before = ' ';
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        let lower_next = chars.peek().is_some_and(|next| next.is_lowercase());
        let humps = c.is_uppercase() && (before.is_lowercase() || (before.is_uppercase() && lower_next));
        let digits = c.is_ascii_digit() != before.is_ascii_digit() && before.is_alphanumeric();
        if (humps || digits || !c.is_alphanumeric()) && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if c.is_alphanumeric() {
            word.extend(c.to_lowercase());
        }
        before = c;
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn is_vowel(b: u8) -> bool {
    matches!(b, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

fn without_double(head: &str) -> String {
    let bytes = head.as_bytes();
    match bytes {
        [.., a, b] if a == b && !matches!(b, b'l' | b's' | b'z') => head.get(..head.len() - 1).unwrap_or(head).to_owned(),
        _ => head.strip_suffix('e').unwrap_or(head).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inflections_of_a_word_meet() {
        for (a, b) in [
            ("users", "user"),
            ("ordered", "order"),
            ("shipping", "shipped"),
            ("categories", "category"),
            ("addresses", "address"),
            ("boxes", "box"),
            ("prices", "pricing"),
            ("merged", "merge"),
            ("statuses", "status"),
        ] {
            assert_eq!(stem(a), stem(b), "{a} {b}");
        }
        assert_ne!(stem("user"), stem("use"));
    }

    #[test]
    fn names_come_apart() {
        assert_eq!(words_of_name("listUsers"), ["list", "users"]);
        assert_eq!(words_of_name("repos/list-for_org"), ["repos", "list", "for", "org"]);
        assert_eq!(words_of_name("getHTTPProxyV2"), ["get", "http", "proxy", "v", "2"]);
        assert_eq!(words_of_name("查询用户"), ["查询用户"]);
        assert_eq!(words_of_name(""), Vec::<String>::new());
    }
}

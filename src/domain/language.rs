//! The languages that people are answered in.

/// A language of texts for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Language {
    #[default]
    English,
    Chinese,
}

impl Language {
    /// The language of what someone wrote: Chinese if any character is a CJK ideograph.
    pub fn of_text(text: &str) -> Self {
        if text.chars().any(is_ideograph) { Self::Chinese } else { Self::English }
    }

    /// What an `Accept-Language` header prefers (RFC 9110, 12.5.4): of the Chinese and English ranges the one with the greater
    /// weight, the first of equals; `*` counts as English. English if neither is accepted or the header makes no sense.
    pub fn from_accept_language(header: &str) -> Self {
        let mut best: Option<(f32, Self)> = None;
        for range in header.split(',') {
            let mut parts = range.split(';');
            let tag = parts.next().unwrap_or_default().trim().to_ascii_lowercase();
            let language = match tag.split('-').next() {
                Some("zh") => Self::Chinese,
                Some("en" | "*") => Self::English,
                _ => continue,
            };
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")).map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
            if weight > 0.0 && best.is_none_or(|(heaviest, _)| weight > heaviest) {
                best = Some((weight, language));
            }
        }
        best.map_or(Self::English, |(_, language)| language)
    }

    /// The text of the two that is in this language.
    pub fn choose<'a>(self, english: &'a str, chinese: &'a str) -> &'a str {
        match self {
            Self::English => english,
            Self::Chinese => chinese,
        }
    }
}

/// Whether a character is a CJK ideograph (Unicode 16, blocks CJK Unified Ideographs with extensions and compatibility).
pub fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3007}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFD}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ideograph_makes_a_text_chinese() {
        assert_eq!(Language::of_text("list users page 2"), Language::English);
        assert_eq!(Language::of_text("list 用户"), Language::Chinese);
        assert_eq!(Language::of_text("Größe – ünïcode…"), Language::English);
        assert_eq!(Language::of_text(""), Language::English);
    }

    #[test]
    fn the_heavier_range_wins_and_the_first_of_equals() {
        for (header, expected) in [
            ("", Language::English),
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-US,en;q=0.9,zh-CN;q=0.8", Language::English),
            ("zh;q=0.3, en;q=0.7", Language::English),
            ("fr-FR, zh-TW;q=0.5", Language::Chinese),
            ("fr, de;q=0.5", Language::English),
            ("zh;q=0, en;q=0.1", Language::English),
            ("zh;q=0", Language::English),
            ("*, zh;q=0.5", Language::English),
            ("ZH-hans", Language::Chinese),
            ("zh;q=lots", Language::English),
            (";;;,,,", Language::English),
        ] {
            assert_eq!(Language::from_accept_language(header), expected, "{header:?}");
        }
    }
}

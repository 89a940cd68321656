//! What a session has come to since it began: how much was asked, called and used in it.

use std::fmt;

/// Greater sums are not counted any further: scripts count in doubles, which are exact up to here.
const COUNT_MAX: u64 = (1 << 53) - 1;

/// Sums over all turns of a session and its direct calls that change something. What is taken out of the conversation later stays counted: it
/// was done and used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Turns that entered the conversation.
    pub turns: u64,
    /// Calls that were answered, or may have been sent; direct ones that only read are not among them.
    pub calls: u64,
    /// Those of them that may change something.
    pub changing_calls: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
    /// Whether some of the tokens are not what a model's server counted, but estimated.
    pub estimated: bool,
}

impl Totals {
    /// The sum.
    pub fn plus(self, more: Self) -> Self {
        let sum = |a: u64, b: u64| a.saturating_add(b).min(COUNT_MAX);
        Self {
            turns: sum(self.turns, more.turns),
            calls: sum(self.calls, more.calls),
            changing_calls: sum(self.changing_calls, more.changing_calls),
            prompt_tokens: sum(self.prompt_tokens, more.prompt_tokens),
            completion_tokens: sum(self.completion_tokens, more.completion_tokens),
            estimated: self.estimated || more.estimated,
        }
    }

    /// As they are stored ([`Display`](fmt::Display)); what cannot be read says nothing of the session, and counting begins anew behind it.
    pub fn from_stored(text: &str) -> Self {
        let mut parts = text.split('|');
        let mut number = || parts.next().and_then(|digits| digits.parse().ok());
        let read = (|| {
            let [turns, calls, changing_calls] = [number()?, number()?, number()?];
            let [prompt_tokens, completion_tokens, estimated] = [number()?, number()?, number()?];
            let totals = Self { turns, calls, changing_calls, prompt_tokens, completion_tokens, estimated: estimated == 1 };
            (estimated <= 1).then_some(totals)
        })();
        read.filter(|_| parts.next().is_none()).unwrap_or_default()
    }
}

/// `<turns>|<calls>|<changing calls>|<prompt tokens>|<completion tokens>|<1 if some tokens are estimated, else 0>`.
impl fmt::Display for Totals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { turns, calls, changing_calls, prompt_tokens, completion_tokens, estimated } = self;
        write!(f, "{turns}|{calls}|{changing_calls}|{prompt_tokens}|{completion_tokens}|{}", u8::from(*estimated))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_read_as_they_are_stored_and_nonsense_counts_for_nothing() {
        let totals = Totals { turns: 1, calls: 2, changing_calls: 1, prompt_tokens: 40, completion_tokens: 5, estimated: true };
        assert_eq!(totals.to_string(), "1|2|1|40|5|1");
        assert_eq!(Totals::from_stored(&totals.to_string()), totals);
        for text in ["", "1", "1|2|1|40|5", "1|2|1|40|5|2", "1|2|1|40|5|1|", "1|-2|1|40|5|1", "1|x|1|40|5|1"] {
            assert_eq!(Totals::from_stored(text), Totals::default(), "{text}");
        }
    }

    #[test]
    fn a_sum_says_that_a_part_of_it_is_estimated_and_ends_where_numbers_are_not_exact_any_more() {
        let counted = Totals { turns: 1, prompt_tokens: COUNT_MAX, ..Totals::default() };
        let estimated = Totals { turns: 1, prompt_tokens: 5, estimated: true, ..Totals::default() };
        assert_eq!(counted.plus(estimated), Totals { turns: 2, prompt_tokens: COUNT_MAX, estimated: true, ..Totals::default() });
        assert!(!counted.plus(counted).estimated);
    }
}

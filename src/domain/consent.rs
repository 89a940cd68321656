//! Yes and no, as people write them when they are asked whether something may be done.

/// What a whole message says to such a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Yes,
    No,
}

/// Nothing that could as well be said about something else.
const YES: [&str; 36] = [
    "yes",
    "y",
    "yep",
    "yeah",
    "sure",
    "yes please",
    "yes do it",
    "yes go ahead",
    "yes send it",
    "yes send them",
    "go ahead",
    "do it",
    "send it",
    "send them",
    "ok",
    "okay",
    "confirm",
    "confirmed",
    "i confirm",
    "i agree",
    "agreed",
    "approve",
    "approved",
    "确认",
    "確認",
    "确定",
    "確定",
    "是",
    "是的",
    "好",
    "好的",
    "可以",
    "行",
    "同意",
    "执行",
    "发送",
];
const NO: [&str; 31] = [
    "no",
    "n",
    "nope",
    "no thanks",
    "no thank you",
    "no dont",
    "dont",
    "do not",
    "dont do it",
    "cancel",
    "cancel it",
    "cancel that",
    "stop",
    "abort",
    "never mind",
    "nevermind",
    "取消",
    "否",
    "不",
    "不是",
    "不要",
    "不用",
    "不用了",
    "不行",
    "不可以",
    "不同意",
    "不确认",
    "不確認",
    "别",
    "算了",
    "拒绝",
];

impl Consent {
    /// Whether a message is a yes or a no and nothing else, once ("yes, please") or several times over ("好的，确认"): letter case, spaces and
    /// punctuation do not count. A question mark does: who asks back has not agreed.
    pub fn of_text(message: &str) -> Option<Self> {
        let message = message.trim();
        if message.len() > MESSAGE_BYTES_MAX || message.contains(['?', '？']) {
            return None;
        }
        let kept: String = message.chars().filter(|c| !matches!(c, '\'' | '’')).flat_map(char::to_lowercase).collect();
        let parts: Vec<String> = kept.split(is_punctuation).map(spaced_once).filter(|part| !part.is_empty()).collect();
        Self::of_words(&parts.join(" ")).or_else(|| {
            let mut said = parts.iter().map(|part| Self::of_words(part));
            let first = said.next()??;
            said.all(|other| other == Some(first)).then_some(first)
        })
    }

    fn of_words(said: &str) -> Option<Self> {
        match () {
            () if YES.contains(&said) => Some(Self::Yes),
            () if NO.contains(&said) => Some(Self::No),
            () => None,
        }
    }
}

/// The longest of the words above, in bytes, with room for what is stripped and for saying it twice.
const MESSAGE_BYTES_MAX: usize = 64;

fn spaced_once(words: &str) -> String {
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_punctuation(c: char) -> bool {
    c.is_ascii_punctuation()
        || matches!(c, '。' | '，' | '、' | '！' | '；' | '：' | '“' | '”' | '‘' | '「' | '」' | '…' | '～' | '—' | '·')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_yes_and_a_no_are_known_however_they_are_written() {
        for yes in [
            "yes",
            " YES! ",
            "Yes, please.",
            "“y”",
            "ok",
            "确认",
            "确认。",
            " 好的！",
            "Go ahead…",
            "yes\n",
            "Sure!",
            "好的，确认",
            "Yes, sure. Go ahead!",
        ] {
            assert_eq!(Consent::of_text(yes), Some(Consent::Yes), "{yes:?}");
        }
        for no in ["no", "No!", "don't", "DON’T.", "no, thanks", "取消", "不用了。", "Never mind.", "算了，不用了", "No, cancel it."]
        {
            assert_eq!(Consent::of_text(no), Some(Consent::No), "{no:?}");
        }
    }

    #[test]
    fn whatever_else_is_said_is_neither() {
        let others = [
            "",
            "yes?",
            "是吗？",
            "yes and delete the rest",
            "yes no",
            "y.e.s",
            "yesterday",
            "确认订单 5",
            "不确定",
            "!!!",
            "no problem",
            "yes, no",
            "不，可以",
            "好的，确认订单",
            "sure, why",
        ];
        for other in others {
            assert_eq!(Consent::of_text(other), None, "{other:?}");
        }
        assert_eq!(Consent::of_text(&"yes ".repeat(1000)), None);
    }
}

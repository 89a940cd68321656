//! What the offline planner says, in the language it was spoken to.

use serde_json::Value;

use super::{
    Why,
    decide::Decision,
    fill::Reading,
    index::{Entry, Index},
    slot::{Kind, Slot},
};
use crate::{
    domain::{
        language::Language,
        limits::{OFFLINE_ASKED_MAX, OFFLINE_EXAMPLES_MAX},
        session::Round,
        tool::{Effect, Outcome, ReplyBody, ToolResult},
    },
    markdown,
    words::{Action, words_of_name},
};

/// Why there was no call, what was understood, and what is needed.
pub(super) fn question(index: &Index, decision: &Decision<'_>, language: Language) -> String {
    match decision {
        Decision::Missing { reading, slots, any } => {
            let what = match (language, any) {
                (Language::English, false) => "I still need:",
                (Language::English, true) => "I still need at least one of:",
                (Language::Chinese, false) => "还需要：",
                (Language::Chinese, true) => "还需要以下至少一项：",
            };
            // That an argument is missing which was named is said by its name below.
            let named = |part: &&str| slots.iter().any(|slot| slot.has(&part.to_lowercase()));
            let unused: Vec<&str> =
                reading.stray_literals().into_iter().chain(reading.unexplained(index)).filter(|part| !named(part)).collect();
            let unused = match (language, unused.is_empty()) {
                (_, true) => String::new(),
                (Language::English, false) => format!("I could not use {}. ", quoted(&unused, language)),
                (Language::Chinese, false) => format!("未能使用{}。", quoted(&unused, language)),
            };
            format!("{}\n\n{unused}{what}\n\n{}", understood(reading, language), list(slots))
        }
        Decision::Unclear { reading, parts } => {
            let parts = quoted(parts, language);
            let why = match (language, parts.is_empty()) {
                (Language::English, false) => {
                    format!("I do not know what to do with {parts}, so I changed nothing. Please say one change at a time, plainly.")
                }
                (Language::English, true) => {
                    "I am not sure that this is what you want, so I changed nothing. Please say one thing at a time, plainly.".to_owned()
                }
                (Language::Chinese, false) => format!("我不明白{parts}的意思，所以没有做任何更改。请一次只说一项更改，并说得明确一些。"),
                (Language::Chinese, true) => "我不确定这是否是您的意思，所以没有做任何更改。请一次只说一件事，并说得明确一些。".to_owned(),
            };
            format!("{}\n\n{why}", understood(reading, language))
        }
        Decision::NoCommand { reading } => {
            let why = language.choose(
                "I only do what a sentence plainly asks for, and this one does not, so I did nothing.",
                "我只执行明确的指令，而这句话不是，所以什么都没有做。",
            );
            format!("{}\n\n{why}", understood(reading, language))
        }
        Decision::Denied { reading, part, slot } => {
            let part = markdown::inline(part);
            let why = match language {
                Language::English => format!("I can ask for what is, but not for “{part}”, so I called nothing."),
                Language::Chinese => format!("我只能查询“是什么”，无法查询“{part}”，所以没有执行任何调用。"),
            };
            let instead = slot.map(|slot| instead(&[slot], language)).unwrap_or_default();
            format!("{}\n\n{why}{instead}", named(reading.entry, language))
        }
        Decision::Unread { reading, parts, slots } => {
            let parts = quoted(parts, language);
            let why = match language {
                Language::English => format!(
                    "I do not know how to ask for {parts}, so I called nothing. If it is what to look for, say “search for …”; a day needs its year."
                ),
                Language::Chinese => {
                    format!("我不知道如何按{parts}查询，所以没有执行任何调用。如果要查找这个词，请说“搜索……”；日期请带上年份。")
                }
            };
            let instead = if slots.is_empty() { String::new() } else { instead(slots, language) };
            format!("{}\n\n{why}{instead}", named(reading.entry, language))
        }
        Decision::Several => language
            .choose(
                "These are several requests. I do one at a time, so I called nothing. Please say one of them.",
                "这里有多个请求。我一次只做一个，所以没有执行任何调用。请一次说一个。",
            )
            .to_owned(),
        Decision::OneAtATime { reading, slots } => {
            let needs: Vec<String> = slots.iter().map(|slot| markdown::inline(&slot.name)).collect();
            let why = match (language, needs.is_empty()) {
                (Language::English, true) => {
                    "I can do this to one at a time, so I called nothing. Please say in one sentence to which one.".to_owned()
                }
                (Language::English, false) => format!(
                    "I can do this to one at a time, so I called nothing. Please say in one sentence to which one; I need {}.",
                    needs.join(", ")
                ),
                (Language::Chinese, true) => "我一次只能处理一个，所以没有执行任何调用。请用一句完整的话说明是哪一个。".to_owned(),
                (Language::Chinese, false) => {
                    format!("我一次只能处理一个，所以没有执行任何调用。请用一句完整的话说明是哪一个，需要 {}。", needs.join("、"))
                }
            };
            format!("{}\n\n{why}", understood(reading, language))
        }
        Decision::Which(entries) => {
            let lines: Vec<String> = entries.iter().zip(1..).map(|(entry, n)| format!("{n}. {}", told(entry, language))).collect();
            format!(
                "{}\n\n{}",
                language.choose(
                    "Several functions fit. Which one do you mean? Its number or its name will do.",
                    "有几个函数都符合，您指的是哪一个？回复序号或名称即可。"
                ),
                lines.join("\n")
            )
        }
        Decision::TooLong => language
            .choose("That is too long for me. Please say it in one short sentence.", "这段话太长了，请用一句简短的话来说。")
            .to_owned(),
        Decision::Help => abilities(
            index,
            language.choose("I can call the functions of this API for you, for example:", "我可以为您调用这个 API 的函数，例如："),
            language,
        ),
        Decision::Thanks => {
            language.choose("You are welcome. Just say what you would like next.", "不客气，有需要请随时告诉我。").to_owned()
        }
        Decision::Nothing | Decision::Call { .. } => abilities(
            index,
            language.choose("I found no function for that. I can, for example:", "没有找到合适的函数。我可以做的事例如："),
            language,
        ),
    }
}

/// What came of the calls of a turn.
pub(super) fn results(index: &Index, rounds: &[Round], language: Language) -> String {
    let mut parts: Vec<String> = rounds.iter().filter_map(|round| round.said.clone()).collect();
    for result in rounds.iter().flat_map(|round| &round.results) {
        let heading = heading(index, result, language);
        // That a change is done is all that an empty reply says.
        let said = is_done(index, result) && matches!(&result.outcome, Outcome::Replied(reply) if matches!(reply.body, ReplyBody::Empty));
        parts.push(if said { heading } else { format!("{heading}\n\n{}", markdown::of_outcome(&result.outcome, language)) });
    }
    parts.join("\n\n")
}

/// Beside a read: words that found no place in it.
pub(super) fn unused(parts: &[String], left_out: LeftOut, language: Language) -> String {
    let words = quoted(parts, language);
    let (english, chinese) = match left_out {
        LeftOut::Words => ("", ""),
        LeftOut::Filter => (" The list is not narrowed by it.", "列表没有按此筛选。"),
        LeftOut::Order => (" I cannot sort: this is the list as the API gives it.", "我无法排序：列表为 API 的原有顺序。"),
    };
    match language {
        Language::English => format!("(Offline planner: I did not know how to use {words}.{english})"),
        Language::Chinese => format!("（离线规划器：未能使用{words}。{chinese}）"),
    }
}

/// What is missing of a read whose words were not all used.
#[derive(Debug, Clone, Copy)]
pub(super) enum LeftOut {
    Words,
    /// Something that would have narrowed a list.
    Filter,
    /// The order of a list.
    Order,
}

fn quoted(parts: &[impl AsRef<str>], language: Language) -> String {
    let parts: Vec<String> = parts.iter().map(|part| format!("“{}”", markdown::inline(part.as_ref()))).collect();
    parts.join(language.choose(", ", "、"))
}

pub(super) fn first_page(language: Language) -> String {
    language.choose("This is the first page already.", "已经是第一页了。").to_owned()
}

/// The answer to a refusal: the request that waited for an argument, if there was one, waits no more.
pub(super) fn dropped(name: Option<&str>, language: Language) -> String {
    let name = name.map(markdown::inline);
    match (language, name) {
        (Language::English, Some(name)) => format!("Dropped: {name}. Nothing was called."),
        (Language::English, None) => "All right. No request was waiting, and nothing was called.".to_owned(),
        (Language::Chinese, Some(name)) => format!("已放弃：{name}，没有执行任何调用。"),
        (Language::Chinese, None) => "好的，没有等待中的请求，也没有执行任何调用。".to_owned(),
    }
}

/// The answer to a yes that nothing waits for.
pub(super) fn nothing_to_agree_to(language: Language) -> String {
    language.choose("Nothing is waiting for a yes, and nothing was called.", "没有等待您确认的操作，也没有执行任何调用。").to_owned()
}

/// Who speaks, and why it is not a model.
pub(super) fn who(why: Why, language: Language) -> &'static str {
    match why {
        Why::NoModel => language.choose(
            "_Offline planner: no language model is configured, so I go by the words you use._",
            "_离线规划器：未配置语言模型，我只按字面理解您的话。_",
        ),
        Why::InPlaceOfModel => language.choose(
            "_Offline planner: the language model cannot be reached, so I go by the words you use._",
            "_离线规划器：暂时无法连接语言模型，我只按字面理解您的话。_",
        ),
    }
}

fn understood(reading: &Reading<'_>, language: Language) -> String {
    let arguments = arguments(reading.arguments().iter());
    let with = match (language, arguments.is_empty()) {
        (_, true) => String::new(),
        (Language::English, false) => format!(", with {arguments}"),
        (Language::Chinese, false) => format!("，参数：{arguments}"),
    };
    format!("{}{with}", named(reading.entry, language))
}

/// The function that was understood, whatever it was to be called with.
fn named(entry: &Entry, language: Language) -> String {
    let name = &entry.name;
    let summary = match entry.summary() {
        "" => String::new(),
        summary => format!(" – {}", markdown::inline(summary)),
    };
    format!("{}**{name}**{summary}", language.choose("I understood: ", "我的理解："))
}

fn heading(index: &Index, result: &ToolResult, language: Language) -> String {
    let name = markdown::inline(&result.call.name);
    let given = result.call.arguments.as_ref().map(|given| arguments(given.iter())).unwrap_or_default();
    match (language, is_done(index, result), given.is_empty()) {
        (Language::English, true, true) => format!("Done: **{name}**"),
        (Language::English, true, false) => format!("Done: **{name}** with {given}"),
        (Language::English, false, true) => format!("Result of **{name}**:"),
        (Language::English, false, false) => format!("Result of **{name}** with {given}:"),
        (Language::Chinese, true, true) => format!("已完成：**{name}**"),
        (Language::Chinese, true, false) => format!("已完成：**{name}**（{given}）"),
        (Language::Chinese, false, true) => format!("**{name}** 的结果："),
        (Language::Chinese, false, false) => format!("**{name}**（{given}）的结果："),
    }
}

/// Whether a call that changes something has done so.
fn is_done(index: &Index, result: &ToolResult) -> bool {
    let entry = index.entries.iter().find(|entry| entry.name == result.call.name);
    entry.is_some_and(|entry| entry.effect == Effect::Changing) && result.succeeded()
}

fn arguments<'a>(given: impl Iterator<Item = (&'a String, &'a Value)>) -> String {
    given
        .map(|(name, value)| format!("{} = {}", markdown::amid(name), markdown::amid(&markdown::plain(value))))
        .collect::<Vec<_>>()
        .join(", ")
}

/// What can be asked for instead.
fn instead(slots: &[&Slot], language: Language) -> String {
    format!("\n\n{}\n\n{}", language.choose("What I can ask for:", "可以查询："), list(slots))
}

fn list(slots: &[&Slot]) -> String {
    let mut lines: Vec<String> = slots.iter().take(OFFLINE_ASKED_MAX).map(|slot| asked(slot)).collect();
    if slots.len() > OFFLINE_ASKED_MAX {
        lines.push("- …".to_owned());
    }
    lines.join("\n")
}

fn asked(slot: &Slot) -> String {
    let values = match &slot.kind {
        Kind::Choice(choices) => {
            let values: Vec<String> =
                choices.iter().take(OFFLINE_ASKED_MAX).map(|choice| markdown::amid(&markdown::plain(&choice.value))).collect();
            format!(" ({})", values.join(", "))
        }
        _ => String::new(),
    };
    let meaning = match slot.meaning() {
        "" => String::new(),
        meaning => format!(" – {}", markdown::described(meaning)),
    };
    format!("- **{}**{values}{meaning}", markdown::inline(&slot.name))
}

/// A few functions of different things, reads before changes.
fn abilities(index: &Index, lead: &str, language: Language) -> String {
    let order = |entry: &&Entry| match entry.action {
        Some(Action::List | Action::Read) => 0,
        Some(Action::Get) => 1,
        Some(Action::Create) => 2,
        _ => 3,
    };
    let mut entries: Vec<&Entry> = index.entries.iter().collect();
    entries.sort_by_key(order);
    let mut chosen: Vec<&Entry> = Vec::new();
    for entry in &entries {
        let alike = chosen.iter().filter(|known| known.objects == entry.objects).count();
        let verbs = chosen.iter().filter(|known| known.action == entry.action).count();
        if chosen.len() < OFFLINE_EXAMPLES_MAX && alike < 2 && verbs < 3 {
            chosen.push(entry);
        }
    }
    let lines: Vec<String> = chosen.iter().map(|entry| line(entry, language)).collect();
    if lines.is_empty() {
        return language.choose("There is no function that I could call.", "没有可以调用的函数。").to_owned();
    }
    format!("{lead}\n\n{}", lines.join("\n"))
}

fn line(entry: &Entry, language: Language) -> String {
    format!("- {}", told(entry, language))
}

/// A function with what it is for and what it needs.
fn told(entry: &Entry, language: Language) -> String {
    let summary = markdown::inline(entry.summary());
    let needs: Vec<String> = entry.slots.iter().filter(|slot| slot.required).map(|slot| markdown::inline(&slot.name)).collect();
    let needs = match (language, needs.is_empty()) {
        (_, true) => String::new(),
        (Language::English, false) => format!(", needs {}", needs.join(", ")),
        (Language::Chinese, false) => format!("，需要 {}", needs.join("、")),
    };
    let spoken = words_of_name(&entry.name).join(" ");
    let summary = if summary.is_empty() { spoken } else { summary };
    format!("**{}** – {summary}{needs}", markdown::inline(&entry.name))
}

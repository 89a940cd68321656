//! Runs that come to no end of their own, as turns of the conversation: nothing said or sent is lost in silence.

use crate::{
    agent::{self, Begun},
    domain::{
        language::Language,
        session::{Round, Turn, waiting},
        tool::{Outcome, ToolResult},
        turn::{CallStage, Ending, JournalEntry, Stop},
    },
    markdown,
    store::contract::Ended,
};

use super::journal::{self, Input};

/// That calls were not sent which waited for a yes, because something else was said. Nothing is told of a function that this turn called after all,
/// as it may where it needs no yes any more, nor beside another question, which takes the place of the one before.
pub(super) fn dropped(asked: &[ToolResult], rounds: &[Round], language: Language) -> Option<String> {
    if waiting(rounds).next().is_some() {
        return None;
    }
    let called = |name: &str| {
        let results = rounds.iter().flat_map(|round| &round.results);
        results.filter(|result| !matches!(result.outcome, Outcome::Refused(_))).any(|result| result.call.name == name)
    };
    let names = asked.iter().map(|result| result.call.name.as_str()).filter(|name| !called(name));
    let names: Vec<String> = names.map(|name| format!("**{}**", markdown::inline(name))).collect();
    (!names.is_empty()).then(|| match language {
        Language::English => format!("_What waited for your yes was not sent: {}._", names.join(", ")),
        Language::Chinese => format!("_等待您确认的请求没有发送：{}。_", names.join("、")),
    })
}

/// What a call says that was planned and never sent.
const NOT_SENT: &str = "the request was not sent: the replica that ran the turn stopped before";

/// Why a run is told instead of gone on with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Its holder died, and it cannot be gone on with.
    Died,
    /// Too many have died with it.
    DiedOften,
    Stopped(Stop),
}

impl Why {
    pub fn sentence(self, language: Language) -> &'static str {
        match self {
            Self::Died => language.choose("This request was interrupted before it was finished.", "此请求在完成之前被中断。"),
            Self::DiedOften => language.choose(
                "This request was given up: every replica that worked on it stopped before it was finished.",
                "此请求已放弃：处理它的副本均在完成之前停止。",
            ),
            Self::Stopped(Stop::Cancelled) => language.choose("This request was cancelled.", "此请求已取消。"),
            Self::Stopped(Stop::Interrupted) => {
                language.choose("This request was interrupted by your next one.", "此请求被您的下一个请求中断。")
            }
            Self::Stopped(Stop::Administrator) => {
                language.choose("This request was stopped by an administrator.", "此请求已被管理员停止。")
            }
            Self::Stopped(Stop::Revoked) => language.choose(
                "This request was stopped: the login or the API key that it was begun with is not good any more.",
                "此请求已停止：发起它的登录或 API 密钥已失效。",
            ),
        }
    }

    /// How such a run ends, and more of it for programs.
    pub fn ending(self) -> (Ending, &'static str) {
        match self {
            Self::Died => (Ending::Failed, "interrupted"),
            Self::DiedOften => (Ending::Failed, "crashed"),
            Self::Stopped(Stop::Cancelled) => (Ending::Cancelled, ""),
            Self::Stopped(Stop::Interrupted) => (Ending::Cancelled, "interrupted"),
            Self::Stopped(Stop::Revoked) => (Ending::Killed, "revoked"),
            Self::Stopped(Stop::Administrator) => (Ending::Cancelled, "administrator"),
        }
    }
}

/// How a run ends whose turn has these rounds: what is not known of a call comes before all else.
pub(super) fn ended_as(ending: Ending, rounds: &[Round]) -> Ending {
    if rounds.iter().flat_map(|round| &round.results).any(ToolResult::is_unknown) { Ending::UnknownOutcome } else { ending }
}

/// One turn for each run in the journal but `except`, in the order in which they were asked.
pub(super) fn turns(journal: &[JournalEntry], except: &str, now_ms: u64) -> Vec<Turn> {
    let mut runs: Vec<&str> = journal.iter().map(|entry| entry.run.as_str()).filter(|run| *run != except).collect();
    runs.sort_unstable();
    runs.dedup();
    let mut turns: Vec<Turn> = runs.into_iter().map(|run| turn(run, journal, Why::Died, now_ms)).collect();
    turns.sort_by_key(|turn| turn.asked_ms);
    turns
}

/// The turn that a run would have been.
pub(super) fn turn(run: &str, journal: &[JournalEntry], why: Why, now_ms: u64) -> Turn {
    let input = Input::of_run(run, journal);
    let direct = input.as_ref().and_then(Input::direct);
    let (message, asked_ms) = input.map_or_else(|| (String::new(), now_ms), |input| (input.message, input.at));
    let calls = journal::calls(run, journal).into_iter().map(|Begun { result, stage, .. }| match stage {
        CallStage::Planned => ToolResult { outcome: Outcome::Failed(NOT_SENT.to_owned()), ..result },
        CallStage::Dispatched | CallStage::Settled => result,
    });
    let results: Vec<ToolResult> = calls.chain(direct).collect();
    turn_with(run, message, asked_ms, results, why, now_ms)
}

/// The turn of a direct call whose replica died, with what came of it.
pub(super) fn turn_of_call(run: &str, input: &Input, result: ToolResult, now_ms: u64) -> Turn {
    turn_with(run, input.message.clone(), input.at, vec![result], Why::Died, now_ms)
}

fn turn_with(run: &str, message: String, asked_ms: u64, results: Vec<ToolResult>, why: Why, now_ms: u64) -> Turn {
    let language = Language::of_text(&message);
    let answer = listed(why.sentence(language), &results, language);
    let rounds = if results.is_empty() { Vec::new() } else { vec![Round { said: None, results }] };
    Turn { run: run.to_owned(), asked_ms, message, rounds, answered_ms: now_ms, answer, usage: None, served: None }
}

/// A sentence, and a line for each call.
fn listed(sentence: &str, results: &[ToolResult], language: Language) -> String {
    let mut text = sentence.to_owned();
    for result in results {
        let sent = result.request.as_ref().map_or_else(String::new, |r| format!(" `{} {}`", r.method, r.url));
        let line = match (&result.outcome, language) {
            (Outcome::Replied(reply), Language::English) => format!("- {}{sent}: was sent, status {}", result.call.name, reply.status),
            (Outcome::Replied(reply), Language::Chinese) => format!("- {}{sent}：已发送，状态 {}", result.call.name, reply.status),
            (Outcome::Unknown(_), Language::English) => {
                format!("- {}{sent}: **outcome unknown**. It is not sent again.", result.call.name)
            }
            (Outcome::Unknown(_), Language::Chinese) => format!("- {}{sent}：**结果未知**，不会重复发送。", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::English) => format!("- {}{sent}: was not sent", result.call.name),
            (Outcome::Refused(_) | Outcome::Failed(_), Language::Chinese) => format!("- {}{sent}：未发送", result.call.name),
        };
        text.push('\n');
        text.push_str(&line);
    }
    text
}

/// What is said when a turn ends without the planner's own answer: a sentence, and what was done until then.
pub(super) fn stopped(rounds: &[Round], language: Language, sentence: &str) -> String {
    let results: Vec<String> = rounds.iter().flat_map(|round| &round.results).map(|result| shown(result, language)).collect();
    if results.is_empty() {
        return sentence.to_owned();
    }
    let far = language.choose("What was done until then:", "到此为止的结果：");
    format!("{sentence} {far}\n\n{}", results.join("\n\n"))
}

/// What is told of a turn whose session was lost to another in the middle.
pub(super) fn session_lost(rounds: &[Round], language: Language) -> String {
    stopped(rounds, language, language.choose("The session was lost in the middle.", "会话在处理中途丢失。"))
}

/// Changing calls that were not sent here may have been sent by another: it had the run afterwards, and nothing is left that tells what it did.
/// Returns what is to be said of them, if there are any.
pub(super) fn doubt(rounds: &mut [Round], language: Language) -> Option<&'static str> {
    let results = rounds.iter_mut().flat_map(|round| &mut round.results);
    let unsent = results.filter(|result| matches!(result.outcome, Outcome::Failed(_)) && !result.is_reading());
    let doubted = unsent.map(|result| result.outcome = Outcome::Unknown("another replica may have sent it".to_owned())).count();
    (doubted > 0).then_some(language.choose(
        "Another replica went on with this turn: what was not sent here may have been sent by it.",
        "另一个副本继续处理了本轮：此处未发送的请求可能已由它发送。",
    ))
}

/// One call with what came of it, for whoever did not see it being planned.
fn shown(result: &ToolResult, language: Language) -> String {
    let request = result.request.as_ref().map_or_else(String::new, |r| format!(" `{} {}`", r.method, r.url));
    format!("**{}**{request}\n\n{}", markdown::inline(&result.call.name), agent::shown(result, language))
}

/// The turn of a run that left none in the conversation, or not any more.
pub(super) fn turn_of(ended: &Ended) -> Turn {
    Turn {
        run: ended.run.clone(),
        asked_ms: ended.accepted_ms,
        message: String::new(),
        rounds: Vec::new(),
        answered_ms: ended.ended_ms,
        answer: String::new(),
        usage: None,
        served: None,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::journal::tests::{call, done, entry},
        *,
    };

    fn said(run: &str, message: &str) -> JournalEntry {
        let input = Input { message: message.into(), at: 5, ..Input::default() };
        JournalEntry { run: run.into(), field: "in".into(), value: input.to_bytes() }
    }

    #[test]
    fn every_call_is_told_as_what_it_is() {
        let round = Round { said: None, results: vec![call("a"), call("b"), call("c")] };
        let journal = vec![
            said("r", "create three users"),
            entry("r", journal::plan(0, &round)),
            entry("r", journal::intent(0, 0, &call("a"))),
            entry("r", journal::result(0, 0, &done("a"))),
            entry("r", journal::intent(0, 1, &call("b"))),
        ];
        let turn = turn("r", &journal, Why::Died, 9);
        assert_eq!((turn.message.as_str(), turn.asked_ms), ("create three users", 5));
        let ids: Vec<_> = turn.rounds[0].results.iter().map(|r| r.call.id.as_str()).collect();
        assert_eq!(ids, ["a", "b", "c"]);
        let lines: Vec<_> = turn.answer.lines().skip(1).collect();
        let expected = ["was sent, status 201", "**outcome unknown**. It is not sent again.", "was not sent"];
        assert_eq!(lines, expected.map(|came| format!("- createUser `POST http://up/users`: {came}")));
        assert_eq!(ended_as(Why::Died.ending().0, &turn.rounds), Ending::UnknownOutcome);
    }

    #[test]
    fn a_run_that_only_asked_leaves_its_question() {
        let [turn] = turns(&[said("r", "查询用户"), said("own", "hi")], "own", 9).try_into().unwrap();
        assert_eq!(turn.message, "查询用户");
        assert!(turn.rounds.is_empty() && turn.answer.contains("中断"));
        assert_eq!(Why::Stopped(Stop::Cancelled).ending(), (Ending::Cancelled, ""));
    }
}

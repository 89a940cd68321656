//! The file read back. Nothing in it is believed: it may have been written by hand.

use std::collections::HashSet;

use bytes::Bytes;
use serde_json::{Map, Value, value::RawValue};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Conversation,
    form::{BodyForm, CallForm, FORMAT, OutcomeForm, ReadFile, RoundForm, TurnForm, UsageForm, VERSION},
};
use crate::domain::{
    credential::MissingCredentials,
    json::{RawJson, depth, values},
    limits::{
        ANSWER_KEPT_BYTES_MAX, ARGUMENTS_BYTES_MAX, CALL_NAME_BYTES_MAX, JSON_DEPTH_MAX, MESSAGE_CHARS_MAX, PROBLEMS_MAX,
        SESSION_FILE_PARTS_MAX, SESSION_FILE_TURN_BYTES_MAX, SESSION_FILE_VALUES_MAX, SESSION_METADATA_BYTES_MAX,
    },
    session::{Label, Round, Turn, Usage, title_problem},
    tool::{Outcome, Refusal, ReplyBody, SentRequest, ToolCall, ToolResult, UpstreamReply},
};

/// What is passed on of what a reader says, in characters.
const SAID_CHARS_MAX: usize = 200;
/// The longest method and fingerprint, in bytes.
const WORD_BYTES_MAX: usize = 64;

/// The conversation in a file that may have so many turns, or all that is wrong with it, one sentence each; of more than [`PROBLEMS_MAX`]
/// the last says how many.
///
/// # Errors
/// It is no such file, is of a newer version, or has something that no conversation has.
pub fn read(text: &[u8], turns_max: usize) -> Result<Conversation, Vec<String>> {
    let mut problems = Problems::default();
    let parts = values(&String::from_utf8_lossy(text));
    if parts > SESSION_FILE_PARTS_MAX {
        return Err(vec![format!("it has {parts} values; {SESSION_FILE_PARTS_MAX} are allowed")]);
    }
    let file: ReadFile<'_> = match serde_json::from_slice(text) {
        Ok(file) => file,
        Err(error) => return Err(vec![unread(text, &error)]),
    };
    if let Some(problem) = not_ours(&file.format, file.version) {
        return Err(vec![problem]);
    }
    let label = label_of(&file, &mut problems);
    if file.turns.len() > turns_max {
        problems.add(format!("turns has {}; a session keeps {turns_max} (sessions.turns_max)", file.turns.len()));
        // What is more than anybody may bring is not read any further.
        return problems.none_or(Conversation { label, turns: Vec::new() });
    }
    let turns = file.turns.iter().enumerate().filter_map(|(at, turn)| turn_of(&format!("turns[{at}]"), turn, &mut problems)).collect();
    problems.none_or(Conversation { label, turns })
}

#[derive(Default)]
struct Problems {
    told: Vec<String>,
    more: usize,
    /// Values in the arguments that were read so far.
    values: usize,
}

impl Problems {
    fn add(&mut self, problem: String) {
        if self.told.len() < PROBLEMS_MAX {
            self.told.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// The value if there is none.
    fn none_or<T>(mut self, value: T) -> Result<T, Vec<String>> {
        if self.told.is_empty() {
            return Ok(value);
        }
        if self.more > 0 {
            self.told.push(format!("and {} more", self.more));
        }
        Err(self.told)
    }
}

/// Why a text is not even the outside of such a file. One that says another format or version is told that first: its other fields need not
/// be known here.
fn unread(text: &[u8], error: &serde_json::Error) -> String {
    #[derive(serde::Deserialize)]
    struct Head {
        format: String,
        version: u64,
    }
    let other = serde_json::from_slice::<Head>(text).ok().and_then(|head| not_ours(&head.format, head.version));
    other.unwrap_or_else(|| format!("it is no file of a session: {}", plain(&error.to_string())))
}

fn not_ours(format: &str, version: u64) -> Option<String> {
    if format != FORMAT {
        return Some(format!("format is {:?}; {FORMAT:?} is needed", shortened(format)));
    }
    if version > VERSION {
        return Some(format!("version is {version}; this release reads {VERSION}: a newer release wrote the file"));
    }
    (version != VERSION).then(|| format!("version is {version}; {VERSION} is needed"))
}

/// What a reader says of a file quotes it: not without a bound, and nothing that a terminal would do.
fn plain(text: &str) -> String {
    let shown = text.chars().take(SAID_CHARS_MAX).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] });
    let cut = if text.chars().nth(SAID_CHARS_MAX).is_some() { "…" } else { "" };
    shown.chain(cut.chars()).collect()
}

fn shortened(text: &str) -> String {
    text.chars().take(WORD_BYTES_MAX).collect()
}

fn label_of(file: &ReadFile<'_>, problems: &mut Problems) -> Label {
    if let Some(problem) = file.title.as_deref().and_then(title_problem) {
        problems.add(format!("title {problem}"));
    }
    let metadata = file.metadata.and_then(|raw| noted(raw, problems));
    Label { title: file.title.clone(), pinned: file.pinned, metadata }
}

/// Metadata, if they are no more than may be: that is looked at before they are taken apart.
fn noted(raw: &RawValue, problems: &mut Problems) -> Option<String> {
    let compact = RawJson::read(raw.get().as_bytes())?;
    if compact.get() == "null" {
        return None;
    }
    if compact.get().len() > SESSION_METADATA_BYTES_MAX {
        problems.add(format!("metadata has more than {SESSION_METADATA_BYTES_MAX} bytes as JSON"));
        return None;
    }
    if depth(compact.get()) > JSON_DEPTH_MAX {
        problems.add(format!("metadata nests deeper than {JSON_DEPTH_MAX} levels"));
        return None;
    }
    match compact.value() {
        Some(Value::Object(object)) => Some(Value::Object(object).to_string()),
        Some(_) | None => {
            problems.add("metadata is no object".to_owned());
            None
        }
    }
}

fn turn_of(at: &str, raw: &RawValue, problems: &mut Problems) -> Option<Turn> {
    if raw.get().len() > SESSION_FILE_TURN_BYTES_MAX {
        problems.add(format!("{at} has {} bytes; {SESSION_FILE_TURN_BYTES_MAX} are allowed", raw.get().len()));
        return None;
    }
    let turn: TurnForm<&RawValue> = match serde_json::from_str(raw.get()) {
        Ok(turn) => turn,
        Err(error) => {
            problems.add(format!("{at}: {}", told(&error)));
            return None;
        }
    };
    let asked_ms = time_of(&format!("{at}.asked_at"), &turn.asked_at, problems);
    let answered_ms = time_of(&format!("{at}.answered_at"), &turn.answered_at, problems);
    // A turn of here has no more, give or take what stands for secrets in it.
    for (name, text, most) in [("message", &turn.message, MESSAGE_CHARS_MAX * 4), ("answer", &turn.answer, ANSWER_KEPT_BYTES_MAX * 2)] {
        if text.len() > most {
            problems.add(format!("{at}.{name} has {} bytes; {most} are allowed", text.len()));
        }
    }
    if turn.served.as_ref().is_some_and(|served| served.len() > WORD_BYTES_MAX) {
        problems.add(format!("{at}.served has more than {WORD_BYTES_MAX} bytes"));
    }
    let rounds = turn.rounds.iter().enumerate().map(|(n, round)| round_of(&format!("{at}.rounds[{n}]"), round, problems)).collect();
    Some(Turn {
        run: String::new(),
        asked_ms: asked_ms?,
        message: turn.message,
        rounds,
        answered_ms: answered_ms?,
        answer: turn.answer,
        usage: turn.usage.map(|usage| {
            let UsageForm { prompt_tokens, completion_tokens, total_tokens, estimated } = usage;
            Usage { prompt_tokens, completion_tokens, total_tokens, estimated }
        }),
        served: turn.served,
    })
}

/// What serde says, without where: a line and a column of a part say nothing to whoever has the whole.
fn told(error: &serde_json::Error) -> String {
    let text = error.to_string();
    plain(text.rsplit_once(" at line ").map_or(text.as_str(), |(what, _)| what))
}

fn time_of(at: &str, text: &str, problems: &mut Problems) -> Option<u64> {
    let since_1970 = OffsetDateTime::parse(text, &Rfc3339).ok().map(|moment| moment.unix_timestamp_nanos() / 1_000_000);
    let ms = since_1970.and_then(|ms| u64::try_from(ms).ok());
    if ms.is_none() {
        problems.add(format!("{at} is {:?}; a moment since 1970 is needed, as 2026-01-31T12:00:00.000Z", shortened(text)));
    }
    ms
}

fn round_of(at: &str, round: &RoundForm<&RawValue>, problems: &mut Problems) -> Round {
    let mut ids = HashSet::new();
    let mut results = Vec::new();
    for (n, raw) in round.calls.iter().enumerate() {
        let at = format!("{at}.calls[{n}]");
        let call: CallForm<&RawValue> = match serde_json::from_str(raw.get()) {
            Ok(call) => call,
            Err(error) => {
                let orphan = if error.to_string().contains("missing field `outcome`") { ": a call needs what came of it" } else { "" };
                problems.add(format!("{at}: {}{orphan}", told(&error)));
                continue;
            }
        };
        if !ids.insert(call.id.clone()) {
            problems.add(format!("{at}.id is that of another call of this round"));
        }
        results.extend(result_of(&at, call, problems));
    }
    Round { said: round.said.clone(), results }
}

fn result_of(at: &str, call: CallForm<&RawValue>, problems: &mut Problems) -> Option<ToolResult> {
    for (name, text) in [("id", &call.id), ("function", &call.function)] {
        if text.is_empty() || text.len() > CALL_NAME_BYTES_MAX {
            problems.add(format!("{at}.{name} has {} bytes; 1 to {CALL_NAME_BYTES_MAX} are needed", text.len()));
        }
    }
    let method = call.request.as_ref().map(|request| request.method.as_str()).filter(|method| !is_method(method));
    if let Some(method) = method {
        problems.add(format!("{at}.request.method is {:?}; a method such as GET is needed", shortened(method)));
    }
    let arguments = match (call.arguments, call.broken_arguments) {
        (Some(arguments), None) => Ok(arguments_of(at, arguments, problems)?),
        (None, Some(text)) => Err(text),
        (None, None) => {
            problems.add(format!("{at}: arguments are missing (or broken_arguments, for a text that was none)"));
            return None;
        }
        (Some(_), Some(_)) => {
            problems.add(format!("{at} has arguments and broken_arguments; one of them is needed"));
            return None;
        }
    };
    let outcome = outcome_of(at, call.outcome, call.request.is_some(), problems);
    Some(ToolResult {
        call: ToolCall { id: call.id, name: call.function, arguments },
        request: call.request.map(|request| SentRequest { method: request.method, url: request.url }),
        outcome,
    })
}

/// Arguments, if they are no more than may be: that is looked at before they are taken apart.
fn arguments_of(at: &str, raw: &RawValue, problems: &mut Problems) -> Option<Map<String, Value>> {
    let text = raw.get();
    problems.values += values(text);
    let problem = if text.len() > ARGUMENTS_BYTES_MAX {
        Some(format!("has {} bytes; {ARGUMENTS_BYTES_MAX} are allowed", text.len()))
    } else if depth(text) > JSON_DEPTH_MAX {
        Some(format!("nests deeper than {JSON_DEPTH_MAX} levels"))
    } else if problems.values > SESSION_FILE_VALUES_MAX {
        Some(format!("is too much: the arguments of all calls have more than {SESSION_FILE_VALUES_MAX} values"))
    } else {
        None
    };
    if let Some(problem) = problem {
        problems.add(format!("{at}.arguments {problem}"));
        return None;
    }
    let read = serde_json::from_str(text);
    if let Err(error) = &read {
        problems.add(format!("{at}.arguments: {}", told(error)));
    }
    read.ok()
}

/// A token (RFC 9110, 9.1 and 5.6.2).
fn is_method(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    (1..=WORD_BYTES_MAX).contains(&text.len()) && text.bytes().all(is_token)
}

fn outcome_of(at: &str, outcome: OutcomeForm, asked: bool, problems: &mut Problems) -> Outcome {
    match outcome {
        OutcomeForm::Replied { status, body } => {
            if !(100..=999).contains(&status) {
                problems.add(format!("{at}.outcome.replied.status is {status}; 100 to 999 is needed"));
            }
            if !asked && !matches!(body, BodyForm::Json(_) | BodyForm::Text(_)) {
                // Functions of our own reply without a request, and always in words.
                problems.add(format!("{at}.request is missing: somebody replied to it"));
            }
            Outcome::Replied(UpstreamReply { status, headers: Vec::new(), body: body_of(body), kept: None })
        }
        OutcomeForm::Failed { why } => Outcome::Failed(why),
        OutcomeForm::Unknown { why } => {
            if !asked {
                problems.add(format!("{at}.request is missing: what may have been sent has one"));
            }
            Outcome::Unknown(why)
        }
        OutcomeForm::UnknownFunction { near } => Outcome::Refused(Refusal::UnknownFunction { near }),
        OutcomeForm::InvalidArguments { problems } => Outcome::Refused(Refusal::InvalidArguments(problems)),
        OutcomeForm::OverBudget => Outcome::Refused(Refusal::OverBudget),
        OutcomeForm::CredentialMissing { api, alternatives } => {
            Outcome::Refused(Refusal::CredentialMissing(MissingCredentials { api, alternatives }))
        }
        OutcomeForm::CredentialUnusable { scheme, reason } => Outcome::Refused(Refusal::CredentialUnusable { scheme, reason }),
        OutcomeForm::Declined => Outcome::Refused(Refusal::Declined),
        OutcomeForm::NotConfirmed => Outcome::Refused(Refusal::Outdated),
    }
}

fn body_of(body: BodyForm) -> ReplyBody {
    match body {
        BodyForm::Empty => ReplyBody::Empty,
        // Without the white space that somebody may have put in: replies are kept without.
        BodyForm::Json(raw) => RawJson::read(raw.get().as_bytes()).map_or(ReplyBody::Empty, ReplyBody::Json),
        BodyForm::Text(text) => ReplyBody::Text(text),
        BodyForm::Binary { content_type, bytes } => ReplyBody::Binary { content_type, bytes, content: Bytes::new() },
    }
}

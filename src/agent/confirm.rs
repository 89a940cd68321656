//! Calls that wait for the user's yes: kept back, asked about with the exact request, and built again when the yes comes.

use std::collections::HashSet;

use super::{Agent, Apis, Batch, Prepared, Progress, Ready};
use crate::{
    domain::{
        language::Language,
        limits::CONFIRMATION_MS_MAX,
        policy::{Confirm, ConfirmedBy, Policy},
        tool::{Effect, Outcome, Refusal, ToolResult},
        user::Role,
    },
    markdown,
    openapi::UpstreamRequest,
    secrets::digest,
};

/// The functions whose calls wait when they are planned in a conversation of somebody of one role, by their names.
#[derive(Debug, Default)]
pub struct Asking {
    /// What holds for all of which no rule says otherwise.
    mode: Confirm,
    /// Those that always wait.
    always: HashSet<String>,
    /// Those that wait as soon as something that an API said was read.
    after_reply: HashSet<String>,
}

impl Asking {
    /// As the policy has it for this role. `after_reply`: changes that are planned after something was read wait, unless a rule says that they
    /// never do.
    pub fn of(policy: &Policy, role: Role, after_reply: bool, apis: &Apis) -> Self {
        let (mut always, mut reading) = (HashSet::new(), HashSet::new());
        for (operation, spec) in apis.operations() {
            let confirms = policy.confirms(role, &operation.asked_as(&spec.name), operation.confirm());
            if confirms.mode.asks(spec.effect) {
                always.insert(spec.name.clone());
            }
            let is_exempt = confirms.mode == Confirm::Never && matches!(confirms.by, ConfirmedBy::Rule { .. });
            if after_reply && spec.effect == Effect::Changing && !is_exempt {
                reading.insert(spec.name.clone());
            }
        }
        Self { mode: policy.confirm, always, after_reply: reading }
    }

    /// Whether a planned call of this function waits, whatever was read before it.
    pub fn asks(&self, function: &str) -> bool {
        self.always.contains(function)
    }

    /// What a planner is told of it.
    pub fn planners_part(&self) -> &'static str {
        match (self.always.is_empty(), self.after_reply.is_empty(), self.mode) {
            (true, true, _) => "",
            (true, false, _) => PLANNERS_PART_AFTER_REPLY,
            (false, _, Confirm::Never) => PLANNERS_PART_OF_SOME,
            (false, _, Confirm::Changing) => PLANNERS_PART,
            (false, _, Confirm::Always) => PLANNERS_PART_OF_ALL,
        }
    }
}

/// What a planner is told when changes wait for the user's yes: it would ask a second time otherwise.
const PLANNERS_PART: &str = "\nBefore a call that changes something is sent, the user is shown it and must agree. \
                                 That is done for you: make the call, and do not ask for a confirmation yourself.";

/// The same where only those wait that are planned after a reply was read.
const PLANNERS_PART_AFTER_REPLY: &str = "\nOnce a function has returned something, the user is shown a call that changes something \
                                         before it is sent, and must agree. That is done for you: make the call, and do not ask for a \
                                         confirmation yourself.";

/// The same where every call waits.
const PLANNERS_PART_OF_ALL: &str = "\nBefore any call is sent, also one that only reads, the user is shown it and must agree. \
                                    That is done for you: make the call, and do not ask for a confirmation yourself.";

/// The same where calls of some functions wait.
const PLANNERS_PART_OF_SOME: &str = "\nBefore calls of some functions are sent, the user is shown them and must agree. \
                                     That is done for you: make the call, and do not ask for a confirmation yourself.";

impl Progress {
    /// Whether the planner has read something in this turn that an API said: a reply, or a part of one that was kept.
    fn has_read(&self, reader: &str) -> bool {
        let replied = |result: &ToolResult| matches!(result.outcome, Outcome::Replied(_));
        // What was looked up among the functions is no API's word, and has no request.
        let of_an_api = |result: &ToolResult| result.request.is_some() || result.call.name == reader;
        self.rounds.iter().flat_map(|round| &round.results).any(|result| replied(result) && of_an_api(result))
    }
}

impl Batch {
    /// Keeps back all from the first call on that waits or changes something, if there is one that waits: so whatever the plan changes is
    /// asked about and sent as one, in its order, and a no leaves nothing half done.
    fn keep_back(self, waits: impl Fn(&Ready) -> bool) -> Self {
        let any = self.calls.iter().any(|prepared| matches!(prepared, Prepared::Ready(ready) if waits(ready)));
        if !any {
            return self;
        }
        let is_asked = |ready: &Ready| ready.effect == Effect::Changing || waits(ready);
        let mut behind = false;
        let kept = self.calls.into_iter().map(|prepared| match prepared {
            Prepared::Ready(ready) if is_asked(&ready) => {
                behind = true;
                Prepared::Waiting(ready)
            }
            Prepared::Ready(ready) if behind => Prepared::Behind(ready),
            other => other,
        });
        let calls = kept.collect();
        Self { said: self.said, calls }
    }

    /// The calls that are kept back as they are told after the user was asked, with their places.
    pub fn waiting(&self) -> Vec<(usize, ToolResult)> {
        let waiting = |(at, prepared): (usize, &Prepared)| match prepared {
            Prepared::Waiting(ready) => {
                let digest = digest_of(&ready.request);
                Some((at, ready.with(Outcome::Refused(Refusal::NeedsConfirmation { digest }))))
            }
            Prepared::Behind(ready) => {
                let why = "the request was not sent: a call before it waits for the user's confirmation";
                Some((at, ready.with(Outcome::Failed(why.to_owned()))))
            }
            Prepared::Ready(_) | Prepared::Reading(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
        };
        self.calls.iter().enumerate().filter_map(waiting).collect()
    }

    /// What the user is asked, if there are calls that wait: Markdown that shows each request as it will be sent. `after_reply`: they were
    /// planned after something was read that may have misled the planner, which the user is told.
    pub fn question(&self, language: Language, after_reply: bool) -> Option<String> {
        let waiting: Vec<&Ready> = self
            .calls
            .iter()
            .filter_map(|prepared| match prepared {
                Prepared::Waiting(ready) => Some(&**ready),
                Prepared::Ready(_) | Prepared::Behind(_) | Prepared::Reading(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
            })
            .collect();
        if waiting.is_empty() {
            return None;
        }
        let changes = waiting.iter().any(|ready| ready.effect == Effect::Changing);
        let asks = match (language, changes) {
            (Language::English, true) => "This changes something, so nothing was sent yet. This is what will be sent:",
            (Language::Chinese, true) => "此操作会更改数据，因此尚未发送。将要发送的请求：",
            (Language::English, false) => "This only reads, but needs your yes, so nothing was sent yet. This is what will be sent:",
            (Language::Chinese, false) => "此操作只读取数据，但需要您确认，因此尚未发送。将要发送的请求：",
        };
        let asks = match (language, after_reply) {
            (_, false) => asks.to_owned(),
            (Language::English, true) => format!(
                "I planned this after I had read what the API returned, and what is written there may mislead me: agree only if it is what you \
                 want. {asks}"
            ),
            (Language::Chinese, true) => {
                format!("这一步是我读取 API 返回的内容之后才计划的，其中的文字可能误导我：确实是您想要的操作时才请确认。{asks}")
            }
        };
        let said = self.said.as_deref().map(str::trim).filter(|said| !said.is_empty()).map(str::to_owned);
        let requests = waiting.iter().map(|ready| {
            let UpstreamRequest { method, url, headers, body } = &ready.request;
            let request = markdown::of_request(method, url, headers, body.as_deref(), language);
            format!("**{}**\n\n{request}", markdown::inline(&ready.call.name))
        });
        // What a planner would have mended is told as well: this turn does not go back to it.
        let impossible = self.calls.iter().filter_map(|prepared| match prepared {
            Prepared::Refused(call, refusal) => {
                let why = markdown::of_outcome(&Outcome::Refused(refusal.clone()), language);
                Some(format!("**{}**\n\n{why}", markdown::inline(&call.name)))
            }
            Prepared::Ready(_) | Prepared::Waiting(_) | Prepared::Behind(_) | Prepared::Reading(_) | Prepared::Answered(_) => None,
        });
        Some(
            said.into_iter()
                .chain([asks])
                .chain(requests)
                .chain([how_to_answer(language)])
                .chain(impossible)
                .collect::<Vec<_>>()
                .join("\n\n"),
        )
    }
}

impl Agent<'_> {
    /// What was planned, with the calls kept back that wait for the user's yes.
    pub(super) fn keep_back(&self, batch: Batch, progress: &Progress) -> Batch {
        let Some(asking) = self.asking else { return batch };
        let warned = self.is_warned(progress);
        batch.keep_back(|ready| asking.asks(&ready.call.name) || warned && asking.after_reply.contains(&ready.call.name))
    }

    /// Whether changes that are planned now wait because of what was read, or a question about such was not agreed to.
    pub fn is_warned(&self, progress: &Progress) -> bool {
        let counts = self.asking.is_some_and(|asking| !asking.after_reply.is_empty());
        counts && (progress.behind_question || progress.has_read(self.apis.tools().reader()))
    }

    /// Whether the user has said no to this very request in this turn. What was declined is built again, so that whoever goes on with the
    /// turn knows it too.
    pub(super) fn is_declined(&self, ready: &Ready, progress: &Progress) -> bool {
        let declined = |result: &&ToolResult| matches!(result.outcome, Outcome::Refused(Refusal::Declined));
        let mut declined = progress.rounds.iter().flat_map(|round| &round.results).filter(declined);
        declined.any(|result| self.built_again(result).is_some_and(|no| digest_of(&no.request) == digest_of(&ready.request)))
    }

    /// The calls that a user was asked about, after the yes: all of them as they were shown, or none if one of them would now be another
    /// request.
    pub fn agreed(&self, asked: &[ToolResult], progress: &mut Progress) -> Batch {
        let again = |result: &ToolResult| {
            let Outcome::Refused(Refusal::NeedsConfirmation { digest }) = &result.outcome else { return None };
            let ready = self.built_again(result)?;
            (digest_of(&ready.request) == *digest).then(|| Prepared::Ready(Box::new(ready)))
        };
        progress.calls = progress.calls.saturating_add(u32::try_from(asked.len()).unwrap_or(u32::MAX));
        match asked.iter().map(again).collect::<Option<Vec<Prepared>>>() {
            Some(calls) => Batch { said: None, calls },
            None => refused(asked, &Refusal::Outdated),
        }
    }

    /// The same calls after the no.
    pub fn declined(&self, asked: &[ToolResult]) -> Batch {
        refused(asked, &Refusal::Declined)
    }
}

fn refused(asked: &[ToolResult], refusal: &Refusal) -> Batch {
    Batch { said: None, calls: asked.iter().map(|result| Prepared::Refused(result.call.clone(), refusal.clone())).collect() }
}

/// What a question tells people who have nothing but the next message to answer with.
fn how_to_answer(language: Language) -> String {
    let minutes = CONFIRMATION_MS_MAX / 60_000;
    match language {
        Language::English => {
            format!(
                "Answer **yes** to send this, **no** not to. With any other answer it is not sent, and after {minutes} minutes it no longer can be."
            )
        }
        Language::Chinese => format!("回答 **确认** 即发送，回答 **取消** 则不发送。其他回答一律不发送，{minutes} 分钟后失效。"),
    }
}

/// A question without what it tells of how to answer: for clients that have buttons. The requests stand before that, so what one of them says
/// in the same words stays.
pub fn without_how(question: &str) -> String {
    let told = [Language::English, Language::Chinese].map(|language| format!("\n\n{}", how_to_answer(language)));
    let place = told.iter().filter_map(|how| Some((question.rfind(how.as_str())?, how.len()))).max();
    match place {
        Some((from, long)) => [question.get(..from), question.get(from + long..)].into_iter().flatten().collect(),
        None => question.to_owned(),
    }
}

/// Tells this very request from any other. Credentials are not part of it: they may be renewed between the question and the yes.
fn digest_of(request: &UpstreamRequest) -> String {
    let UpstreamRequest { method, url, headers, body } = request;
    let count = headers.len().to_be_bytes();
    let mut parts: Vec<&[u8]> = vec![method.as_bytes(), url.as_bytes(), &count];
    parts.extend(headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]));
    parts.extend(body.as_deref());
    digest::of(&parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_says_stays_also_if_it_says_how_to_answer() {
        for (language, other) in [(Language::English, Language::Chinese), (Language::Chinese, Language::English)] {
            let how = how_to_answer(language);
            let asked =
                |behind: &str| format!("This will be sent:\n\n```\n{how}\n\n{how}\n```\n\n{}\n\n{how}{behind}", how_to_answer(other));
            let shown = format!("This will be sent:\n\n```\n{how}\n\n{how}\n```\n\n{}", how_to_answer(other));
            assert_eq!(without_how(&asked("")), shown);
            assert_eq!(without_how(&asked("\n\n**deleteUser**\n\nno")), format!("{shown}\n\n**deleteUser**\n\nno"));
        }
        assert_eq!(without_how("Which one?"), "Which one?");
    }

    #[test]
    fn the_digest_is_of_every_part_of_the_request() {
        let request = |method: &str, url: &str, headers: &[(&str, &str)], body: Option<&str>| {
            let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            digest_of(&UpstreamRequest { method: method.into(), url: url.into(), headers, body: body.map(|body| body.as_bytes().to_vec()) })
        };
        let same = || request("POST", "http://up/a", &[("x", "1")], Some("{}"));
        assert_eq!(same(), same());
        let others = [
            request("PUT", "http://up/a", &[("x", "1")], Some("{}")),
            request("POST", "http://up/b", &[("x", "1")], Some("{}")),
            request("POST", "http://up/a", &[("x", "2")], Some("{}")),
            request("POST", "http://up/a", &[], Some("{}")),
            request("POST", "http://up/a", &[("x", "1")], Some("{ }")),
            request("POST", "http://up/a", &[("x", "1")], None),
            request("POST", "http://up/a", &[("x", "1"), ("{}", "")], None),
        ];
        assert!(others.iter().all(|other| *other != same()));
    }
}

//! Changes that wait for the user's yes: kept back, asked about with the exact request, and built again when the yes comes.

use super::{Agent, Batch, Prepared, Progress, Ready};
use crate::{
    domain::{
        language::Language,
        limits::CONFIRMATION_MS_MAX,
        tool::{Effect, Outcome, Refusal, ToolResult},
    },
    markdown,
    openapi::UpstreamRequest,
    secrets::digest,
};

/// What a planner is told when changes wait for the user's yes: it would ask a second time otherwise.
const PLANNERS_PART: &str = "\nBefore a call that changes something is sent, the user is shown it and must agree. \
                                 That is done for you: make the call, and do not ask for a confirmation yourself.";

/// The same where only those wait that are planned after a reply was read.
const PLANNERS_PART_AFTER_REPLY: &str = "\nOnce a function has returned something, the user is shown a call that changes something \
                                         before it is sent, and must agree. That is done for you: make the call, and do not ask for a \
                                         confirmation yourself.";

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
    /// Keeps back every call from the first changing one on.
    pub(super) fn keep_back(self) -> Self {
        let first = self.changing().map(|(at, _)| at).next().unwrap_or(self.calls.len());
        let kept = |(at, prepared)| match prepared {
            Prepared::Ready(ready) if at >= first => Prepared::Waiting(ready),
            other => other,
        };
        Self { said: self.said, calls: self.calls.into_iter().enumerate().map(kept).collect() }
    }

    /// The calls that are kept back as they are told after the user was asked, with their places.
    pub fn waiting(&self) -> Vec<(usize, ToolResult)> {
        let waiting = |(at, prepared): (usize, &Prepared)| match prepared {
            Prepared::Waiting(ready) if ready.effect == Effect::Changing => {
                let digest = digest_of(&ready.request);
                Some((at, ready.with(Outcome::Refused(Refusal::NeedsConfirmation { digest }))))
            }
            Prepared::Waiting(ready) => {
                let why = "the request was not sent: a call before it waits for the user's confirmation";
                Some((at, ready.with(Outcome::Failed(why.to_owned()))))
            }
            Prepared::Ready(_) | Prepared::Reading(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
        };
        self.calls.iter().enumerate().filter_map(waiting).collect()
    }

    /// What the user is asked, if there are changes that wait: Markdown that shows each request as it will be sent. `after_reply`: they wait
    /// because of what was read before, which the user is told.
    pub fn question(&self, language: Language, after_reply: bool) -> Option<String> {
        let waiting: Vec<&Ready> = self
            .calls
            .iter()
            .filter_map(|prepared| match prepared {
                Prepared::Waiting(ready) if ready.effect == Effect::Changing => Some(&**ready),
                Prepared::Waiting(_) | Prepared::Ready(_) | Prepared::Reading(_) | Prepared::Answered(_) | Prepared::Refused(..) => None,
            })
            .collect();
        if waiting.is_empty() {
            return None;
        }
        let minutes = CONFIRMATION_MS_MAX / 60_000;
        let (asks, how) = match language {
            Language::English => (
                "This changes something, so nothing was sent yet. This is what will be sent:".to_owned(),
                format!(
                    "Answer **yes** to send this, **no** not to. With any other answer it is not sent, and after {minutes} minutes it no longer can be."
                ),
            ),
            Language::Chinese => (
                "此操作会更改数据，因此尚未发送。将要发送的请求：".to_owned(),
                format!("回答 **确认** 即发送，回答 **取消** 则不发送。其他回答一律不发送，{minutes} 分钟后失效。"),
            ),
        };
        let asks = match (language, after_reply) {
            (_, false) => asks,
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
            Prepared::Ready(_) | Prepared::Waiting(_) | Prepared::Reading(_) | Prepared::Answered(_) => None,
        });
        Some(said.into_iter().chain([asks]).chain(requests).chain([how]).chain(impossible).collect::<Vec<_>>().join("\n\n"))
    }
}

impl Agent<'_> {
    /// Whether changes that are planned now wait for the user's yes.
    pub(super) fn must_ask(&self, progress: &Progress) -> bool {
        self.confirm || self.confirm_after_reply && progress.has_read(self.apis.tools().reader())
    }

    /// What a planner is told of that.
    pub fn planners_part(&self) -> &'static str {
        match (self.confirm, self.confirm_after_reply) {
            (true, _) => PLANNERS_PART,
            (false, true) => PLANNERS_PART_AFTER_REPLY,
            (false, false) => "",
        }
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

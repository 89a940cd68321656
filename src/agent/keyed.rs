//! Calls that the API knows again by a key, and calls that may have been sent before.

use super::Ready;
use crate::domain::tool::{Effect, Outcome, ToolResult};

impl Ready {
    /// Puts a key on the request by which the API knows the call again, if the operation takes one. The same call must have the same key
    /// whenever it is sent.
    pub fn keyed_by(&mut self, key: &str) {
        let Some(name) = &self.key_header else { return };
        let headers = &mut self.request.headers;
        headers.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
        headers.push((name.clone(), key.to_owned()));
        self.keyed = true;
    }

    /// Whether sending it twice does no more than sending it once: it only reads, or the API knows it again by the key that it was sent with
    /// the first time, in this header.
    pub fn may_be_repeated(&self, sent_with: Option<&str>) -> bool {
        self.effect == Effect::Safe
            || crate::fault::ablated("blind_retry")
            || (sent_with.is_some() && self.key_header.as_deref() == sent_with)
    }

    /// Notes that it may have been sent before: then nothing but an answer to it tells what became of it.
    pub fn sent_before(mut self) -> Self {
        self.again = self.effect == Effect::Changing;
        self
    }

    /// This call, which is not sent now.
    pub fn unsent(&self, why: &str) -> ToolResult {
        self.with(if self.again {
            Outcome::Unknown(format!("it may have been sent before, and was not sent again: {why}"))
        } else {
            Outcome::Failed(format!("the request was not sent: {why}"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        agent::apis::tests::{DOCUMENT, api},
        domain::tool::ToolCall,
        openapi::UpstreamRequest,
    };

    fn ready(effect: Effect, key_header: Option<&str>) -> Ready {
        let call = ToolCall { id: "a".into(), name: "addThing".into(), arguments: Ok(serde_json::Map::new()) };
        let request = UpstreamRequest { method: "POST".into(), url: "http://up/a".into(), headers: Vec::new(), body: None };
        Ready::of(call, api("", DOCUMENT), request, effect, None, key_header.map(str::to_owned))
    }

    #[test]
    fn a_key_goes_where_the_operation_takes_one_and_once() {
        let mut none = ready(Effect::Changing, None);
        none.keyed_by("k1");
        assert!(none.request.headers.is_empty() && !none.keyed);
        let mut one = ready(Effect::Changing, Some("Idempotency-Key"));
        one.request.headers.push(("idempotency-key".to_owned(), "the caller's".to_owned()));
        one.keyed_by("k1");
        one.keyed_by("k1");
        assert_eq!(one.request.headers, [("Idempotency-Key".to_owned(), "k1".to_owned())]);
    }

    #[test]
    fn a_change_is_repeated_only_with_the_key_that_it_was_sent_with() {
        assert!(ready(Effect::Safe, None).may_be_repeated(None));
        assert!(!ready(Effect::Changing, None).may_be_repeated(None));
        let keyed = ready(Effect::Changing, Some("X-Once"));
        assert!(keyed.may_be_repeated(Some("X-Once")));
        assert!(!keyed.may_be_repeated(None), "it was sent without: the API does not know it");
        assert!(!keyed.may_be_repeated(Some("X-Other")));
        assert!(!ready(Effect::Changing, None).may_be_repeated(Some("X-Once")));
    }

    #[test]
    fn what_may_have_been_sent_before_is_never_told_as_not_sent() {
        let unsent = |ready: &Ready| ready.unsent("it was too late").outcome;
        assert!(
            matches!(unsent(&ready(Effect::Changing, Some("A"))), Outcome::Failed(why) if why.contains("was not sent: it was too late"))
        );
        assert!(matches!(unsent(&ready(Effect::Changing, Some("A")).sent_before()), Outcome::Unknown(_)));
        assert!(matches!(unsent(&ready(Effect::Safe, None).sent_before()), Outcome::Failed(_)), "a reading one changed nothing");
    }
}

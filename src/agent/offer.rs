//! Which functions a planner is given, when there are more than it can be given at once.

use super::{Agent, Apis, Ask, Progress};
use crate::{
    domain::{
        limits::{FUNCTIONS_OF_OURS, FUNCTIONS_PER_REMARK},
        session::Round,
        tool::{Outcome, Refusal},
    },
    llm::{Planner, ToolSet},
    openapi::retrieve::Query,
};

/// What the operator says of it.
#[derive(Debug, Clone, Copy)]
pub struct Offering<'a> {
    /// Functions that a planner is given at once, ours included.
    pub max: usize,
    /// Names of functions that it is always given, the most wanted first.
    pub pinned: &'a [String],
}

/// A message that speaks of fewer things, or that has one of these words, is read together with the one before it.
const THINGS_ENOUGH: usize = 3;
const REFERRING: [&str; 14] =
    ["it", "its", "them", "they", "that", "those", "this", "these", "same", "again", "one", "ones", "also", "else"];
const REFERRING_CHINESE: [&str; 16] =
    ["它", "他", "她", "这", "那", "其中", "刚才", "刚刚", "上面", "前面", "继续", "再", "同样", "也", "该", "还有"];
/// How much the message before counts.
const BEFORE_WEIGHT: f32 = 0.5;

/// Whether a planner is given some functions only: all are more than `max`, or too long.
pub fn gives_some(apis: &Apis, planner: &Planner, max: usize) -> bool {
    let too_long = || apis.tools().tokens() > planner.tools_tokens_max();
    planner.is_told_functions() && (apis.functions().len() > max || too_long())
}

impl Agent<'_> {
    /// The functions for the next move. What was given in this turn stays given: a conversation with calls of functions that are not there
    /// is refused by some servers.
    pub(super) async fn offer(&self, ask: &Ask<'_>, progress: &mut Progress) {
        if !gives_some(self.apis, self.planner, self.offering.max) {
            return;
        }
        if progress.offered.is_none() {
            progress.offered = Some(self.first_offer(ask, &progress.rounds).await);
        }
        let Progress { rounds, offered, found, .. } = progress;
        let Some(tools) = offered else { return };
        found.drain(..).for_each(|place| self.add(tools, place, self.functions_max()));
        if let Some(round) = rounds.last() {
            self.add_after(round, tools);
        }
    }

    /// Functions that a planner is given at once, ours not included.
    pub(super) fn functions_max(&self) -> usize {
        self.offering.max.saturating_sub(FUNCTIONS_OF_OURS).max(1)
    }

    /// The pinned ones, those that were called already, and those that fit what is asked, with room for what comes up later.
    async fn first_offer(&self, ask: &Ask<'_>, rounds: &[Round]) -> ToolSet {
        let mut tools = self.apis.tools().offering_none();
        let most = self.functions_max();
        let first = most - most / 4;
        let pinned = self.offering.pinned.iter().filter_map(|name| self.apis.place(name));
        pinned.for_each(|place| self.add(&mut tools, place, most));
        // What was done before is likely to be asked about, but must not crowd out what is asked now.
        let before = tools.count() + first.saturating_sub(tools.count()) / 2;
        let recent = ask.history.iter().rev().flat_map(|turn| &turn.rounds);
        for place in rounds.iter().chain(recent).flat_map(|round| &round.results).filter_map(|result| self.apis.place(&result.call.name)) {
            self.add(&mut tools, place, before);
        }
        // Those that are there already are found again.
        let (wish, before) = wish(ask);
        let meant = self.meant(ask.message, before.map(|before| (before, BEFORE_WEIGHT))).await;
        for place in self.nearest(&wish, meant.as_ref(), first) {
            self.add(&mut tools, place, first);
        }
        tools
    }

    /// What a round makes likely: what was called, what may have been meant by a name that there is not, what the planner speaks of.
    fn add_after(&self, round: &Round, tools: &mut ToolSet) {
        let most = self.functions_max();
        for result in &round.results {
            match &result.outcome {
                Outcome::Refused(Refusal::UnknownFunction { near }) => {
                    let near = near.iter().filter_map(|name| self.apis.place(name));
                    near.for_each(|place| self.add(tools, place, most));
                    let meant = self.apis.index().nearest(&Query::of(&result.call.name), FUNCTIONS_PER_REMARK);
                    meant.into_iter().for_each(|place| self.add(tools, place, most));
                }
                _ => self.apis.place(&result.call.name).into_iter().for_each(|place| self.add(tools, place, most)),
            }
        }
        let said = round.said.as_deref().map(Query::of).filter(|said| said.things() > 0);
        let spoken_of = said.map(|said| self.apis.index().nearest(&said, FUNCTIONS_PER_REMARK)).unwrap_or_default();
        spoken_of.into_iter().for_each(|place| self.add(tools, place, most));
    }

    fn add(&self, tools: &mut ToolSet, place: usize, most: usize) {
        if tools.count() < most && self.has_room(tools, &[place]) {
            tools.offer(place);
        }
    }

    /// Whether these functions can be given as well, as far as it is a matter of their length.
    pub(super) fn has_room(&self, tools: &ToolSet, places: &[usize]) -> bool {
        let more = places.iter().map(|place| tools.tokens_of(*place)).fold(0, u64::saturating_add);
        tools.tokens().saturating_add(more) <= self.planner.tools_tokens_max()
    }
}

/// What functions are looked for by, and the message before if it is read with this one.
fn wish<'a>(ask: &Ask<'a>) -> (Query, Option<&'a str>) {
    let wish = Query::of(ask.message);
    match ask.history.last() {
        Some(before) if wish.things() < THINGS_ENOUGH || refers_back(ask.message) => {
            (wish.and(&before.message, BEFORE_WEIGHT), Some(&before.message))
        }
        Some(_) | None => (wish, None),
    }
}

fn refers_back(message: &str) -> bool {
    let mut words = message.split(|c: char| !c.is_alphanumeric());
    words.any(|word| REFERRING.iter().any(|own| own.eq_ignore_ascii_case(word)))
        || REFERRING_CHINESE.iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_says_little_is_read_with_the_one_before() {
        for message in ["delete it", "And those of Ann?", "再删掉第二个", "它的评论呢"] {
            assert!(refers_back(message), "{message}");
        }
        assert!(!refers_back("list the open invoices of customer 5") && !refers_back("列出订单 5 的商品"));
    }
}

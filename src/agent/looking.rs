//! Calls by which a planner looks for functions that it was not given: answered here, nothing is sent.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Agent, Progress};
use crate::{
    domain::{
        limits::FUNCTION_SUMMARY_CHARS_MAX,
        tool::{FunctionSpec, Outcome, Refusal, ReplyBody, ToolCall, ToolResult, UpstreamReply},
        vector::Vector,
    },
    llm::{Lookup, told_description},
    openapi::retrieve::Query,
};

impl Agent<'_> {
    /// What came of a call that looks for functions; `None`: it is another call. `meant` is what searches mean, as far as it is known. What
    /// was found is given to the planner from the next round on, as long as there is room.
    pub(super) fn looked_up(&self, call: &ToolCall, meant: &HashMap<String, Vector>, progress: &mut Progress) -> Option<ToolResult> {
        let lookup = progress.offered.as_ref()?.lookup(call)?;
        let outcome = match lookup {
            Err(problems) => Outcome::Refused(Refusal::InvalidArguments(problems)),
            Ok(Lookup::Search { query, limit }) => replied(self.search(&query, meant.get(&query), limit, progress)),
            Ok(Lookup::Describe { name }) => match self.apis.place(&name) {
                Some(place) => replied(self.describe(place, progress)),
                None => Outcome::Refused(Refusal::InvalidArguments(vec![self.unknown(&name)])),
            },
        };
        Some(ToolResult { call: call.clone(), request: None, outcome })
    }

    fn search(&self, query: &str, meant: Option<&Vector>, limit: usize, progress: &mut Progress) -> Value {
        let places = self.nearest(&Query::of(query), meant, limit);
        let given = places.iter().filter(|place| self.will_be_given(**place, progress)).count();
        let found: Vec<Value> = places
            .iter()
            .filter_map(|place| self.apis.functions().get(*place))
            .map(|function| json!({"name": function.name, "description": summary(function)}))
            .collect();
        let note = match () {
            () if found.is_empty() => "nothing fits; say it in other words, or tell the user that there is no function for it",
            () if given == places.len() => "these functions can be called from now on",
            () => {
                "there is no room to give you more functions in this turn: describe_function tells the arguments, and each can be called by its name"
            }
        };
        json!({"functions": found, "note": note})
    }

    fn describe(&self, place: usize, progress: &mut Progress) -> Value {
        self.will_be_given(place, progress);
        let function = self.apis.functions().get(place);
        function.map_or(Value::Null, |FunctionSpec { name, description, parameters, .. }| {
            json!({"name": name, "description": told_description(description), "parameters": **parameters})
        })
    }

    /// Notes that a function was found; whether there is room for it.
    fn will_be_given(&self, place: usize, progress: &mut Progress) -> bool {
        let Progress { offered, found, .. } = progress;
        let Some(tools) = offered else { return true };
        if tools.offers(place) || found.contains(&place) {
            return true;
        }
        found.push(place);
        let room = tools.count() + found.len() <= self.functions_max() && self.has_room(tools, found);
        if !room {
            found.pop();
        }
        room
    }

    fn unknown(&self, name: &str) -> String {
        match self.apis.near(name) {
            near if near.is_empty() => format!("there is no function {name:?}"),
            near => format!("there is no function {name:?}; close names: {}", near.join(", ")),
        }
    }
}

/// The first line of a function's description.
fn summary(function: &FunctionSpec) -> String {
    let line = function.description.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    match line.char_indices().nth(FUNCTION_SUMMARY_CHARS_MAX) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line.to_owned(),
    }
}

fn replied(body: Value) -> Outcome {
    Outcome::Replied(UpstreamReply { status: 200, headers: Vec::new(), body: ReplyBody::Json(body.into()), kept: None })
}

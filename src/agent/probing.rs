//! Looking what became of a change whose answer was lost, where the operator says how.

use tracing::info;

use super::{Agent, Api, Batch, Prepared, Ready};
use crate::{
    domain::{
        probe::{Probe, Seen, Sign},
        selection::Asked,
        tool::{Effect, Outcome, ToolResult},
    },
    openapi::Operation,
};

impl Agent<'_> {
    /// A call, and if what became of it is not known, what a look afterwards told of it. It stays unknown to whoever decides: that nothing is
    /// to be seen yet does not show that nothing will come, and the answer itself is lost.
    pub async fn looked_after(&self, result: ToolResult) -> ToolResult {
        let Outcome::Unknown(why) = &result.outcome else { return result };
        let Some((look, sign)) = self.look_after(&result) else { return result };
        let by = look.call.name.clone();
        let seen = seen(sign, &self.send(look, None).await);
        info!(function = result.call.name, by, ?seen, "looked what became of {} with {by}", result.call.name);
        let told = match seen {
            Seen::TookEffect => format!("a look with {by} shows that it took effect"),
            Seen::NotYet => format!("a look with {by} showed no effect of it, but it may still be under way"),
            Seen::Nothing => format!("a look with {by} told nothing"),
        };
        ToolResult { outcome: Outcome::Unknown(format!("{why}; {told}")), ..result }
    }

    /// What is left of a round that another replica began, with what looks told of its changes whose outcome is not known.
    pub async fn looked_after_rest(&self, mut rest: Batch) -> Batch {
        for call in &mut rest.calls {
            if let Prepared::Answered(result) = call {
                **result = self.looked_after((**result).clone()).await;
            }
        }
        rest
    }

    /// The reading call that the operator wants made after this change, and what shows that it took effect.
    pub fn look_after(&self, change: &ToolResult) -> Option<(Ready, Sign)> {
        let (api, operation) = self.apis.operation(&change.call.name)?;
        let probe = api.probes.iter().find(|probe| fits(probe, operation))?;
        let arguments = probe.arguments_after(change.call.arguments.as_ref().ok()?)?;
        let look = api.catalogue.operation(&probe.call)?;
        let ready = Self::ready_of(api, look, change.call.id.clone(), &probe.call, &arguments).ok()?;
        (ready.effect == Effect::Safe).then_some((ready, probe.took_effect))
    }
}

/// What the reply to a look tells.
pub fn seen(sign: Sign, look: &ToolResult) -> Seen {
    match &look.outcome {
        Outcome::Replied(reply) => sign.judge(reply.status),
        Outcome::Refused(_) | Outcome::Failed(_) | Outcome::Unknown(_) => Seen::Nothing,
    }
}

fn fits(probe: &Probe, operation: &Operation) -> bool {
    probe.operation.fits(&Asked {
        method: operation.method(),
        path: operation.path(),
        tags: operation.tags(),
        operation_id: operation.operation_id(),
        function: operation.name(),
    })
}

impl Api {
    /// Probes that can never be made, one sentence each.
    pub fn useless_probes(&self) -> Vec<String> {
        let useless = |probe: &Probe| {
            let Probe { operation, call, .. } = probe;
            let changing = |one: &&Operation| one.spec().effect == Effect::Changing && fits(probe, one);
            match self.catalogue.operation(call) {
                None => Some(format!("the probe of {operation} calls {call}, which is no function of the document")),
                Some(look) if look.spec().effect == Effect::Changing => {
                    Some(format!("the probe of {operation} calls {call}, which does not only read"))
                }
                Some(_) if !self.catalogue.operations().iter().any(|one| changing(&one)) => {
                    Some(format!("the probe of {operation} fits no operation that changes something"))
                }
                Some(_) => None,
            }
        };
        self.probes.iter().filter_map(useless).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{
        agent::apis::tests::{DOCUMENT, api},
        domain::selection::Rule,
    };

    fn probe(operation: &str, call: &str) -> Probe {
        let (operation, arguments) = (Rule::parse(operation).unwrap(), serde_json::Map::new());
        Probe { operation, call: call.to_owned(), arguments, took_effect: Sign::Found }
    }

    #[test]
    fn probes_that_can_never_be_made_are_told() {
        let mut api = api("", DOCUMENT);
        let probes =
            [("id:addThing", "listThings"), ("method:post", "getThing"), ("id:addThing", "addThing"), ("method:get", "listThings")];
        Arc::get_mut(&mut api).unwrap().probes = probes.map(|(operation, call)| probe(operation, call)).into();
        let told = [
            "the probe of method:POST calls getThing, which is no function of the document",
            "the probe of id:addThing calls addThing, which does not only read",
            "the probe of method:GET fits no operation that changes something",
        ];
        assert_eq!(api.useless_probes(), told);
    }
}

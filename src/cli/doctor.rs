//! `doctor`: looks at everything that the service needs, as the settings say it, and says of each thing whether it is well and what to do.
//!
//! It changes nothing: an embedded store that is not there is not made, and of an API nothing but its root is asked for.

mod apis;
mod certificates;
mod model;
mod store;

use std::process::ExitCode;

use serde_json::json;
use swagger_api_agent::{
    probe, secrets,
    settings::{Settings, Sources},
};

use super::say;

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Ok,
    /// The service works, but something is not as it should be.
    Warn,
    /// The service does not start, or cannot do its work.
    Fail,
}

/// What was found of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    state: State,
    /// The thing, as the settings name it where they do.
    what: String,
    told: String,
    /// What to do; nothing where all is well.
    advice: Option<String>,
}

impl Finding {
    fn ok(what: &str, told: impl Into<String>) -> Self {
        Self { state: State::Ok, what: what.to_owned(), told: told.into(), advice: None }
    }

    fn warn(what: &str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Warn, what: what.to_owned(), told: told.into(), advice: Some(advice.into()) }
    }

    fn fail(what: &str, told: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { state: State::Fail, what: what.to_owned(), told: told.into(), advice: Some(advice.into()) }
    }
}

/// Exits with 1 if anything failed.
pub fn run(sources: Sources, as_json: bool) -> ExitCode {
    let settings = match Settings::load_for_serving(sources) {
        Ok(settings) => settings,
        Err(problems) => {
            let of_one = |problem: &swagger_api_agent::settings::Problem| {
                Finding::fail(&problem.key, problem.sentence.clone(), format!("mend it here: {}", problem.place))
            };
            return told(&problems.iter().map(of_one).collect::<Vec<_>>(), as_json);
        }
    };
    let mut found = vec![Finding::ok("settings", "all can be used; `config check` shows them")];
    let looked = super::block_on(async {
        secrets::install_crypto();
        let (store, model, apis, issuers) =
            tokio::join!(store::look(&settings), model::look(&settings), apis::look(&settings), certificates::of_issuers(&settings));
        found.extend(store.into_iter().chain(model).chain(apis).chain(issuers));
        Ok(())
    });
    found.push(server(&settings));
    if looked == ExitCode::SUCCESS { told(&found, as_json) } else { looked }
}

/// The server of these settings on this machine, if one runs.
fn server(settings: &Settings) -> Finding {
    let (host, port) = (settings.server.host.as_str(), settings.server.port);
    match probe::is_ready(host, port) {
        Ok(true) => Finding::ok("server", format!("one runs at {host}:{port} and is ready")),
        Ok(false) => Finding::warn(
            "server",
            format!("one runs at {host}:{port} and is not ready"),
            "GET /health/ready says why: it goes down, or its store is away; if it is another program, choose another server.port",
        ),
        Err(_) => Finding::ok("server", format!("none runs at {host}:{port} yet")),
    }
}

fn told(found: &[Finding], as_json: bool) -> ExitCode {
    let healthy = found.iter().all(|one| one.state != State::Fail);
    if as_json {
        let checks: Vec<_> = found
            .iter()
            .map(|one| json!({"state": word(one.state).trim_end(), "check": one.what, "message": one.told, "advice": one.advice}))
            .collect();
        say(&json!({"healthy": healthy, "checks": checks}).to_string());
    } else {
        lines(found).iter().for_each(|line| say(line));
    }
    if healthy { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn word(state: State) -> &'static str {
    match state {
        State::Ok => "ok  ",
        State::Warn => "warn",
        State::Fail => "fail",
    }
}

/// A line for each finding, and one more with what to do.
fn lines(found: &[Finding]) -> Vec<String> {
    let wide = found.iter().map(|one| one.what.chars().count()).max().unwrap_or(0);
    let of_one = |one: &Finding| {
        let Finding { state, what, told, advice } = one;
        let first = format!("{}  {what:wide$}  {told}", word(*state));
        std::iter::once(first).chain(advice.iter().map(|advice| format!("      {:wide$}  → {advice}", ""))).collect::<Vec<_>>()
    };
    found.iter().flat_map(of_one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_a_line_and_what_to_do_another() {
        let found = [Finding::ok("settings", "fine"), Finding::fail("store", "away", "start it")];
        assert_eq!(lines(&found), ["ok    settings  fine", "fail  store     away", "                → start it"]);
    }
}

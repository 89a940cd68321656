//! `health`: is the server on this machine ready; what a container's health check runs.

use std::process::ExitCode;

use swagger_api_agent::{
    probe,
    settings::{Settings, Sources},
};

use super::{complain, settings_of};

pub fn run(sources: Sources) -> ExitCode {
    let settings = match settings_of(Settings::load(sources)) {
        Ok(settings) => settings,
        Err(code) => return code,
    };
    let (host, port) = (settings.server.host, settings.server.port);
    match probe::is_ready(&host, port) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            complain(&format!("the server at {host}:{port} is not ready"));
            ExitCode::FAILURE
        }
        Err(error) => {
            complain(&format!("the server at {host}:{port} does not answer: {error}"));
            ExitCode::FAILURE
        }
    }
}

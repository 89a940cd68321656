//! The fault lab: three replicas of the service behind haproxy on real Redis, killed, stopped, cut off and failed over under load, and a
//! checker that reads what everybody wrote down and says whether the promises held.

mod ablations;
mod arguments;
mod check;
mod clients;
mod document;
mod epoch;
mod faults;
mod figures;
mod http;
mod journal;
mod left;
mod model;
mod plan;
mod proxy;
mod records;
mod report;
mod resp;
mod rig;
mod soak;
mod upstream;

use std::process::ExitCode;

use arguments::Task;

#[tokio::main]
async fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments::read(&words) {
        Ok(Task::Upstream(port, dedup, log)) => upstream::serve(port, dedup, &log).await.map(|()| true),
        Ok(Task::Model(port, log)) => model::serve(port, &log).await.map(|()| true),
        Ok(Task::Check(dir)) => soak::check_again(&dir),
        Ok(Task::Soak(wanted)) => {
            tokio::select! {
                done = task(&wanted) => done,
                // Everything that was started ends with what holds it.
                _ = tokio::signal::ctrl_c() => Ok(false),
                () = told_to_end() => Ok(false),
            }
        }
        Err(problem) => {
            eprintln!("{problem}");
            return ExitCode::from(2);
        }
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the lab itself failed: {error}");
            ExitCode::from(3)
        }
    }
}

/// Comes with SIGTERM.
async fn told_to_end() {
    match tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

async fn task(wanted: &arguments::Soak) -> std::io::Result<bool> {
    match &wanted.ablations {
        Some(program) => ablations::run(wanted, program).await,
        None => soak::run(wanted).await,
    }
}

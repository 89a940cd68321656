//! One replica of the service, and who watches over it: it is started again as soon as it ends, as a supervisor would.

use std::{io, path::PathBuf, process::ExitStatus, time::Duration};

use fastrand::Rng;
use rustix::process::Signal;
use tokio::{process::Child, sync::mpsc, time::sleep};

use super::process::{signal, start};
use crate::{faults::log::FaultLog, journal::now_us};

/// An unending series of failed starts is no test.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_millis(200);

/// How a replica ends that could not start: once it listens, it ends with another code or by a signal. How long it tries depends on the store.
const NOT_STARTED: i32 = 1;

/// How a replica ends that is asked to end while it is ending.
const ASKED_TWICE: i32 = 130;

/// What is done to a replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Kill,
    /// Stopped for so long, then let go on.
    Pause(Duration),
    /// Asked to end.
    Terminate,
    /// Killed for good.
    End,
}

/// How a replica is started.
#[derive(Clone)]
pub struct Setup {
    pub name: String,
    pub program: PathBuf,
    pub environment: Vec<(String, String)>,
    pub log: PathBuf,
    /// Arms a kill point at every start: the points and a seed.
    pub points: Option<(Vec<&'static str>, u64)>,
}

/// A replica that is watched over.
#[derive(Clone)]
pub struct Replica(mpsc::UnboundedSender<Order>);

impl Replica {
    /// Starts it, and again whenever it ends.
    pub fn start(setup: Setup, faults: FaultLog) -> Self {
        let (sender, orders) = mpsc::unbounded_channel();
        tokio::spawn(watch(setup, faults, orders));
        Self(sender)
    }

    pub fn order(&self, order: Order) {
        // A replica that was ended takes no orders.
        let _ = self.0.send(order);
    }
}

async fn watch(setup: Setup, faults: FaultLog, mut orders: mpsc::UnboundedReceiver<Order>) {
    let mut rng = Rng::with_seed(setup.points.as_ref().map_or(0, |(_, seed)| *seed));
    loop {
        let mut environment = setup.environment.clone();
        let point = setup.points.as_ref().map(|(points, _)| {
            let (recovering, point) = (if rng.u8(..) < 50 { "R:" } else { "" }, points[rng.usize(..points.len())]);
            let passes = if recovering.is_empty() { rng.u32(1..=12) } else { 1 };
            format!("{recovering}{point}:{passes}")
        });
        environment.extend(point.iter().map(|point| ("SAA_KILL_AT".to_owned(), point.clone())));
        let child = match start(&setup.program, &[], &environment, &setup.log) {
            Ok(child) => child,
            Err(error) => panic!("{} cannot be started: {error}", setup.name),
        };
        let began = now_us();
        match live(child, &mut orders, &faults, &setup.name).await {
            Ok(None) => return,
            Ok(Some(status)) => {
                let aborted = std::os::unix::process::ExitStatusExt::signal(&status) == Some(Signal::ABORT.as_raw());
                if let Some(point) = point.filter(|_| aborted) {
                    faults.point("killpoint", &format!("{}@{point}", setup.name)).await;
                } else if status.code() == Some(NOT_STARTED) {
                    // Without a store it does not start, and says so.
                    faults.point("start refused", &setup.name).await;
                } else if aborted || status.code().is_some_and(|code| code != 0 && code != ASKED_TWICE) {
                    // It ended by itself: that is no fault of ours.
                    faults.point("crashed", &format!("{}: {status}", setup.name)).await;
                }
                if now_us() - began < 100_000 {
                    sleep(PAUSE_AFTER_FAILURE).await;
                }
            }
            Err(error) => panic!("{} cannot be waited for: {error}", setup.name),
        }
    }
}

/// Until the process ends. `None`: it is not to be started again.
async fn live(
    mut child: Child,
    orders: &mut mpsc::UnboundedReceiver<Order>,
    faults: &FaultLog,
    name: &str,
) -> io::Result<Option<ExitStatus>> {
    loop {
        let order = tokio::select! {
            ended = child.wait() => return ended.map(Some),
            order = orders.recv() => order.unwrap_or(Order::End),
        };
        match order {
            Order::Kill => {
                faults.point("kill", name).await;
                signal(&child, Signal::KILL);
            }
            Order::Pause(time) => {
                let from = now_us();
                signal(&child, Signal::STOP);
                sleep(time).await;
                // Known before what it does next.
                faults.span("pause", name, from, now_us()).await;
                signal(&child, Signal::CONT);
            }
            Order::Terminate => {
                faults.point("terminate", name).await;
                signal(&child, Signal::TERM);
            }
            Order::End => {
                signal(&child, Signal::KILL);
                child.wait().await?;
                return Ok(None);
            }
        }
    }
}

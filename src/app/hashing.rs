//! Hashing passwords, off the runtime: a few at a time, on threads that give way to all others, so that logins cannot starve turns.

use std::{thread, time::Duration};

use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::{App, AppError};

/// How long a login waits for its turn to be hashed before it is told to come again.
const HASHING_WAIT: Duration = Duration::from_secs(2);
/// What is added to the niceness of a thread that hashes (nice(2)): beside a thread of the runtime that has work it gets a tenth of a
/// processor, and all of one that is idle.
#[cfg(target_os = "linux")]
const HASHING_NICENESS: i32 = 10;

impl App {
    /// Leave to hash one password.
    pub(super) async fn hand(&self) -> Result<OwnedSemaphorePermit, AppError> {
        match tokio::time::timeout(HASHING_WAIT, self.hands().acquire_owned()).await {
            Ok(Ok(hand)) => Ok(hand),
            _ => Err(AppError::LoginsBusy),
        }
    }
}

/// Runs the slow part, and gives the leave back when it ends, also if nobody waits for it any more. The thread is made for it, because one
/// that gives way cannot be made to take precedence again; that is a thousandth of what a hash costs.
pub(super) async fn hashing<T: Send + 'static>(
    hand: OwnedSemaphorePermit,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, AppError> {
    let (done, doing) = oneshot::channel();
    let started = thread::Builder::new().name("hashing".to_owned()).spawn(move || {
        give_way();
        let result = work();
        drop(hand);
        // Nobody waits any more for a login whose client went away.
        let _ = done.send(result);
    });
    started.map_err(|_| AppError::LoginsBusy)?;
    doing.await.map_err(|_| AppError::Broken)
}

/// On Linux niceness is the calling thread's alone. Where it may not be changed passwords are hashed all the same, and the log says so once.
#[cfg(target_os = "linux")]
fn give_way() {
    static NOT_ALLOWED: std::sync::Once = std::sync::Once::new();
    if let Err(error) = rustix::process::nice(HASHING_NICENESS) {
        NOT_ALLOWED.call_once(
            || tracing::warn!(%error, "threads that hash passwords cannot give way to others (setpriority): logins compete with turns"),
        );
    }
}

#[cfg(not(target_os = "linux"))]
fn give_way() {}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    /// The niceness of the thread that asks (proc(5), field 19 of stat).
    fn niceness() -> i32 {
        let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
        stat.rsplit(')').next().unwrap().split_whitespace().nth(16).unwrap().parse().unwrap()
    }

    #[tokio::test]
    async fn a_thread_that_hashes_gives_way_and_the_others_do_not() {
        let before = niceness();
        let hand = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let hashed_at = hashing(hand, niceness).await.unwrap();
        assert_eq!((hashed_at, niceness()), ((before + HASHING_NICENESS).min(19), before));
    }

    #[tokio::test]
    async fn a_hash_that_breaks_gives_its_leave_back() {
        let hands = Arc::new(Semaphore::new(1));
        let broken = hashing(hands.clone().try_acquire_owned().unwrap(), || panic!("no memory")).await;
        assert_eq!((broken, hands.available_permits()), (Err::<(), _>(AppError::Broken), 1));
    }
}

//! What the fault lab needs inside the service: places where it lets the process die, and safeties that it takes out to see whether its checker
//! notices. Without the features `kill-points` and `ablations`, which no release is built with, there is nothing of either.

/// Passes a named place; the process ends here if `SAA_KILL_AT` says so: `K8:3` at the third pass of `K8`, `R:K8:1` at the first one
/// within a run that was taken from a dead replica.
#[inline]
#[cfg_attr(not(feature = "kill-points"), expect(clippy::missing_const_for_fn, reason = "with the feature it does something"))]
pub fn point(name: &'static str) {
    #[cfg(feature = "kill-points")]
    armed::pass(name);
    #[cfg(not(feature = "kill-points"))]
    let _ = name;
}

#[cfg(feature = "ablations")]
mod taken_out {
    use std::sync::LazyLock;

    #[expect(clippy::disallowed_methods, reason = "it is no setting: only the fault lab knows of it")]
    pub static NAME: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("SAA_ABLATE").ok());
}

#[cfg(feature = "kill-points")]
mod armed {
    use std::sync::{
        LazyLock,
        atomic::{AtomicU64, Ordering},
    };

    tokio::task_local! {
        /// Set within a run that was taken from a dead replica.
        pub static RECOVERING: ();
    }

    struct Armed {
        recovering: bool,
        name: String,
        passes_left: AtomicU64,
    }

    #[expect(clippy::disallowed_methods, reason = "it is no setting: only the fault lab knows of it")]
    static ARMED: LazyLock<Option<Armed>> = LazyLock::new(|| {
        let text = std::env::var("SAA_KILL_AT").ok()?;
        let (recovering, text) = text.strip_prefix("R:").map_or((false, text.as_str()), |rest| (true, rest));
        let (name, passes) = text.split_once(':').unwrap_or((text, "1"));
        Some(Armed { recovering, name: name.to_owned(), passes_left: AtomicU64::new(passes.parse().ok()?) })
    });

    pub fn pass(name: &str) {
        let Some(armed) = ARMED.as_ref().filter(|armed| armed.name == name) else { return };
        if armed.recovering && RECOVERING.try_with(|()| ()).is_err() {
            return;
        }
        if armed.passes_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            std::process::abort();
        }
    }
}

/// Does something that crosses a wire, and passes the named place while it is on its way: when it has taken so many milliseconds.
/// A macro, so that there is nothing of it in a release.
#[cfg(not(feature = "kill-points"))]
macro_rules! during {
    ($name:literal, $after_ms:literal, $work:expr) => {
        $work
    };
}
#[cfg(feature = "kill-points")]
macro_rules! during {
    ($name:literal, $after_ms:literal, $work:expr) => {
        $crate::fault::passing($name, $after_ms, $work)
    };
}
pub(crate) use during;

#[cfg(feature = "kill-points")]
pub(crate) async fn passing<T>(name: &'static str, after_ms: u64, work: impl Future<Output = T>) -> T {
    let passing = async {
        tokio::time::sleep(std::time::Duration::from_millis(after_ms)).await;
        point(name);
        std::future::pending().await
    };
    tokio::select! {
        biased;
        done = work => done,
        never = passing => never,
    }
}

/// Whether a safety is taken out: `SAA_ABLATE` names it.
///
/// | name | what is missing then |
/// |---|---|
/// | `fence` | a write does not prove the token of its claim, and a worker does not stop when its lease is over |
/// | `wait` | nobody waits for replicas of the store, whatever `store.durability` says |
/// | `marker` | a changing call is sent without being written down before |
/// | `blind_retry` | a call with an unknown outcome is sent again |
/// | `idempotency` | the key of a request is not looked at |
/// | `plan` | whoever goes on with a run asks the planner again, whatever was planned |
#[inline]
pub fn ablated(name: &'static str) -> bool {
    #[cfg(feature = "ablations")]
    return taken_out::NAME.as_deref() == Some(name);
    #[cfg(not(feature = "ablations"))]
    {
        let _ = name;
        false
    }
}

/// Runs what is done for a run that was taken from a dead replica.
pub async fn recovering<T>(work: impl Future<Output = T>) -> T {
    #[cfg(feature = "kill-points")]
    return armed::RECOVERING.scope((), work).await;
    #[cfg(not(feature = "kill-points"))]
    work.await
}

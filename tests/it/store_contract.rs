//! What every store must do, run on every store: each check below appears twice in the list of tests.

mod accounts;
mod administrators;
mod bed;
mod callers;
mod corrupt;
mod credentials;
mod embedded_only;
mod journals;
mod keyspace;
mod leases;
mod model;
mod pages;
mod redis_only;
mod releases;
mod requests;
mod restarts;
mod results;

/// Runs each check on a bed of either store.
macro_rules! on_both_stores {
    ($($check:ident),* $(,)?) => {
        mod redis {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(crate::store_contract::bed::Bed::on_redis().await).await;
                }
            )*
        }
        mod embedded {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(crate::store_contract::bed::Bed::embedded().await).await;
                }
            )*
        }
    };
}
use on_both_stores;

//! What every store must do, run on every store: each check below appears twice in the list of tests, and is run once more in the one test
//! that runs them all on a Cluster.

mod accounts;
mod administrators;
mod ask;
mod attempts;
mod audit;
mod bed;
mod budgets;
mod callers;
mod corrupt;
mod credentials;
mod embedded_only;
mod events;
mod journals;
mod keys;
mod keyspace;
mod leases;
mod logins;
mod model;
mod overview;
mod pages;
mod redis_only;
mod releases;
mod requests;
mod restarts;
mod results;
mod sessions;
mod several;
mod spoil;
mod summaries;
mod vectors;
mod waiting;

/// Runs each check on a bed of either store, and makes a function that runs all of them on a Cluster, one after the other: a Cluster for
/// each would take longer to start than the check.
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
        pub(super) async fn on_a_cluster(cluster: &std::sync::Arc<std::sync::Mutex<crate::harness::cluster::Cluster>>) -> usize {
            let mut checks = 0;
            $(
                println!("on a cluster: {}", stringify!($check));
                $check(crate::store_contract::bed::Bed::on_cluster(cluster.clone()).await).await;
                checks += 1;
            )*
            checks
        }
    };
}
use on_both_stores;

/// All checks on three primaries. Redis itself refuses a script, a transaction or a command whose keys have several slots (CROSSSLOT), and
/// a check fails at any such refusal.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_check_holds_on_a_cluster() {
    let cluster = std::sync::Arc::new(std::sync::Mutex::new(crate::harness::cluster::Cluster::start()));
    let checks = [
        accounts::on_a_cluster(&cluster).await,
        administrators::on_a_cluster(&cluster).await,
        attempts::on_a_cluster(&cluster).await,
        audit::on_a_cluster(&cluster).await,
        budgets::on_a_cluster(&cluster).await,
        callers::on_a_cluster(&cluster).await,
        corrupt::on_a_cluster(&cluster).await,
        credentials::on_a_cluster(&cluster).await,
        events::on_a_cluster(&cluster).await,
        journals::on_a_cluster(&cluster).await,
        keys::on_a_cluster(&cluster).await,
        keyspace::on_a_cluster(&cluster).await,
        leases::on_a_cluster(&cluster).await,
        logins::on_a_cluster(&cluster).await,
        overview::on_a_cluster(&cluster).await,
        pages::on_a_cluster(&cluster).await,
        releases::on_a_cluster(&cluster).await,
        requests::on_a_cluster(&cluster).await,
        restarts::on_a_cluster(&cluster).await,
        results::on_a_cluster(&cluster).await,
        sessions::on_a_cluster(&cluster).await,
        several::on_a_cluster(&cluster).await,
        summaries::on_a_cluster(&cluster).await,
        vectors::on_a_cluster(&cluster).await,
        waiting::on_a_cluster(&cluster).await,
    ];
    assert!(checks.iter().all(|count| *count > 0), "{checks:?}");
    let nodes = &cluster.lock().unwrap().nodes;
    for node in nodes {
        let errors: String = node.command("INFO", &["errorstats"]);
        assert!(!errors.contains("CROSSSLOT"), "{errors}");
    }
}

/// As [`on_both_stores`], and once more on each with everything sealed: for checks of what content comes back.
macro_rules! on_both_stores_sealed_too {
    ($($check:ident),* $(,)?) => {
        super::on_both_stores!($($check),*);
        mod redis_sealed {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(crate::store_contract::bed::Bed::on_redis().await.sealed()).await;
                }
            )*
        }
        mod embedded_sealed {
            $(
                #[tokio::test]
                async fn $check() {
                    super::$check(crate::store_contract::bed::Bed::embedded().await.sealed()).await;
                }
            )*
        }
    };
}
use on_both_stores_sealed_too;

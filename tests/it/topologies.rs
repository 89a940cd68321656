//! Redis as operators run it: Sentinels, a Cluster, encryption and access lists; what fails over, moves, or is taken away.

mod checks;
mod cluster;
mod durable;
mod load;
mod outages;
pub mod sealed;
mod sentinels;

use secrecy::SecretString;
use swagger_api_agent::settings::Settings;

use crate::harness::bed::{Bed, On};

/// Replicas of the service that find their Redis by this URL.
async fn replicas(url: &str, count: usize, adjust: impl FnOnce(&mut Settings)) -> Bed {
    let adjusted = |settings: &mut Settings| {
        settings.store.redis_url = Some(SecretString::from(url));
        (settings.limits.requests_per_minute, settings.limits.turns_per_minute) = (1_000_000, 1_000_000);
        adjust(settings);
    };
    // The bed starts no Redis of its own.
    Bed::replicas(On::Embedded, count, adjusted).await
}

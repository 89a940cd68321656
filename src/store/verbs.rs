//! What a store does, said once for both: each verb goes to whichever store there is; its time is measured, and what it did not do is counted.
//! What is sealed is closed on the way in and opened on the way back (`edge`).

mod beside;
mod operators;
mod people;
mod runs;
mod sessions;

use super::contract::StoreError;
use crate::metrics::{StoreFault, metrics};

/// The same verb on whichever store there is.
macro_rules! either {
    ($self:ident.$verb:ident($($argument:expr),*)) => {{
        static TIME: std::sync::LazyLock<$crate::metrics::StoreTime> =
            std::sync::LazyLock::new(|| $crate::metrics::metrics().store_verb(stringify!($verb)));
        let began = std::time::Instant::now();
        let answer = match $self {
            $crate::store::Store::Redis(store) => store.$verb($($argument),*).await,
            $crate::store::Store::Embedded(store) => store.$verb($($argument),*).await,
        };
        TIME.took(began.elapsed());
        answer.inspect_err($crate::store::verbs::count)
    }};
}
pub(super) use either;

/// What the store did not do is counted.
pub(super) fn count(error: &StoreError) {
    metrics().store_fault(match error {
        StoreError::Unavailable => StoreFault::Unavailable,
        StoreError::NotDurable => StoreFault::NotDurable,
        StoreError::Unreadable => StoreFault::Unreadable,
        StoreError::Newer => StoreFault::Newer,
    });
}

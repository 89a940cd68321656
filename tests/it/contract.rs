//! The HTTP contract, row by row, on both stores: same paths, same fields, same types as clients have always relied on.

mod admin;
mod calls;
mod idempotency;
mod open;
mod portable;
mod process;
mod rates;
mod session;
mod sessions;
mod start;
mod texts;
mod tokens;

/// The same tests on both stores: `redis::…` and `embedded::…`.
macro_rules! on_both_stores {
    ($($test:ident)+) => {
        mod redis {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::harness::bed::On::Redis).await;
            })+
        }
        mod embedded {
            $(#[tokio::test]
            async fn $test() {
                super::$test(crate::harness::bed::On::Embedded).await;
            })+
        }
    };
}
pub(crate) use on_both_stores;

//! The schema of what is stored, and who may bring it up to date.

use swagger_api_agent::store::migrate::{Keyspace, MIGRATIONS, Migrated, SCHEMA};

use super::{
    bed::{Bed, Ground, at_once},
    on_both_stores,
};

on_both_stores!(a_migrated_keyspace_is_current, migrating_again_runs_nothing, migrations_at_once_do_not_meet);

async fn a_migrated_keyspace_is_current(bed: Bed) {
    assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Current));
    assert_eq!(SCHEMA as usize, MIGRATIONS.len());
    assert!(bed.store().ping().await.is_ok());
}

async fn migrating_again_runs_nothing(bed: Bed) {
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "one").await;
    assert_eq!(bed.store().migrate("again").await, Ok(Migrated::Ran(Vec::new())));
    assert_eq!(bed.said(&ann).await, ["one"]);
}

async fn migrations_at_once_do_not_meet(bed: Bed) {
    let kept_by_redis = matches!(bed.ground, Ground::Redis(_) | Ground::Cluster(_));
    if kept_by_redis {
        bed.empty();
        assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Empty));
    }
    let store = bed.store().clone();
    let ran = at_once(5, move |i| {
        let store = store.clone();
        async move { store.migrate(&format!("replica {i}")).await.expect("the store answers") }
    })
    .await;
    let worked = ran.iter().filter(|m| matches!(m, Migrated::Ran(steps) if !steps.is_empty())).count();
    let expected = usize::from(kept_by_redis);
    assert_eq!(worked, expected, "{ran:?}");
    assert!(ran.iter().all(|m| matches!(m, Migrated::Ran(_) | Migrated::Held)), "{ran:?}");
    assert_eq!(bed.store().keyspace().await, Ok(Keyspace::Current));
}

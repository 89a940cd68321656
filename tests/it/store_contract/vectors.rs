//! What functions mean, kept for a while.

use swagger_api_agent::domain::vector::Vector;

use super::{bed::Bed, on_both_stores};

on_both_stores!(
    what_is_kept_comes_back_in_its_order_and_to_every_replica,
    it_goes_when_nobody_reads_it,
    it_stays_while_somebody_does,
    the_later_one_counts,
    what_is_claimed_can_be_claimed_when_it_is_given_back,
);

const HOUR_MS: u64 = 3_600_000;

fn name(number: usize) -> String {
    format!("{number:064x}")
}

fn vector(number: usize) -> Vector {
    Vector::of(&[1.0, number as f32 / 100.0, -0.5]).expect("a direction")
}

async fn kept(bed: &Bed, numbers: std::ops::Range<usize>, ttl_ms: u64) {
    let vectors: Vec<_> = numbers.map(|number| (name(number), vector(number))).collect();
    bed.store().keep_vectors(&vectors, ttl_ms).await.expect("the store answers");
}

async fn found(bed: &Bed, numbers: &[usize], ttl_ms: u64) -> Vec<Option<Vector>> {
    let names: Vec<String> = numbers.iter().map(|number| name(*number)).collect();
    bed.another().kept_vectors(&names, ttl_ms).await.expect("the store answers")
}

async fn what_is_kept_comes_back_in_its_order_and_to_every_replica(bed: Bed) {
    kept(&bed, 0..300, HOUR_MS).await;
    assert_eq!(found(&bed, &[7, 999, 299, 0], HOUR_MS).await, [Some(vector(7)), None, Some(vector(299)), Some(vector(0))]);
    assert_eq!(found(&bed, &[], HOUR_MS).await, []);
    kept(&bed, 0..0, HOUR_MS).await;
}

async fn it_goes_when_nobody_reads_it(bed: Bed) {
    kept(&bed, 0..2, 100).await;
    kept(&bed, 2..3, HOUR_MS).await;
    bed.pass(150).await;
    assert_eq!(found(&bed, &[0, 1, 2], HOUR_MS).await, [None, None, Some(vector(2))]);
    bed.store().sweep().await.unwrap();
    assert_eq!(found(&bed, &[0, 2], HOUR_MS).await, [None, Some(vector(2))]);
}

async fn it_stays_while_somebody_does(bed: Bed) {
    kept(&bed, 0..2, 1000).await;
    for _ in 0..3 {
        bed.pass(600).await;
        assert_eq!(found(&bed, &[0], 1000).await, [Some(vector(0))]);
    }
    assert_eq!(found(&bed, &[0, 1], 1000).await, [Some(vector(0)), None]);
}

async fn the_later_one_counts(bed: Bed) {
    kept(&bed, 0..1, 100).await;
    let other = Vector::of(&[1.0; 4]).unwrap();
    bed.store().keep_vectors(&[(name(0), other.clone())], HOUR_MS).await.unwrap();
    bed.pass(150).await;
    bed.store().sweep().await.unwrap();
    assert_eq!(found(&bed, &[0], HOUR_MS).await, [Some(other)]);
}

async fn what_is_claimed_can_be_claimed_when_it_is_given_back(bed: Bed) {
    let claimed = async |by: &str| bed.another().claim_vectors(&name(1), by, HOUR_MS).await.expect("the store answers");
    assert!(claimed("a").await);
    // The file has nobody else who could claim anything.
    assert_eq!(claimed("b").await, matches!(bed.store(), swagger_api_agent::store::Store::Embedded(_)));
    bed.store().unclaim_vectors(&name(1)).await.unwrap();
    assert!(claimed("b").await);
}

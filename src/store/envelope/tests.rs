//! What an envelope keeps, and what it refuses.

use proptest::prelude::*;

use super::*;
use crate::secrets::seal::KEY_BYTES;

fn keys(ids: &[&str]) -> RecordKeys {
    let given: Vec<(&str, [u8; KEY_BYTES])> = ids.iter().map(|id| (*id, [id.as_bytes()[0]; KEY_BYTES])).collect();
    RecordKeys::new(given.iter().map(|(id, key)| (*id, key)))
}

/// What an operator may have set: keys, whether they seal, from which size on is compressed.
fn envelopes(ids: &[&str], seals: bool, compress_over_bytes: usize) -> Envelopes {
    Envelopes::new(keys(ids), seals, compress_over_bytes)
}

fn name(user: &str) -> UserName {
    UserName::new(user).unwrap()
}

fn opened(by: &Envelopes, place: &Place<'_>, stored: &[u8]) -> Result<Vec<u8>, StoreError> {
    by.open(place, stored).map(Cow::into_owned)
}

#[test]
fn a_plain_record_is_stored_as_the_release_before_stores_it() {
    let (plain, ann) = (envelopes(&["a"], false, 0), name("ann"));
    let place = Place::journal(&ann, "r", "in");
    for record in [&b"{\"message\":\"hi\"}"[..], b"10{\"run\":\"r\"}", b"1japplication/json\n{}", b"", b"\xff\0", b"1"] {
        assert_eq!(plain.close(&place, record).unwrap(), record);
        assert_eq!(opened(&plain, &place, record), Ok(record.to_vec()));
    }
    for record in [&b"2"[..], b"20", b"22\x01a", b"3", b"9 lives"] {
        assert_eq!(plain.close(&place, record).unwrap(), [b"20", record].concat(), "it would be taken for another form");
        assert_eq!(opened(&plain, &place, &[b"20", record].concat()), Ok(record.to_vec()));
    }
}

#[test]
fn a_record_of_a_newer_release_is_told_as_that() {
    let (own, ann) = (envelopes(&["a"], true, 10), name("ann"));
    for stored in [&b"30{}"[..], b"9", b"28{}", b"26{}", b"2j{}", b"2\0{}"] {
        assert_eq!(opened(&own, &Place::answer(&ann, "d"), stored), Err(StoreError::Newer), "{stored:?}");
    }
    for stored in [&b"2"[..], b"21", b"21\xff\xff\xff\xff", b"21\x02\0\0\0{}", b"22", b"22\x01a", b"24", b"25{}"] {
        assert_eq!(opened(&own, &Place::answer(&ann, "d"), stored), Err(StoreError::Unreadable), "{stored:?}");
    }
}

#[test]
fn a_sealed_record_opens_in_its_place_only() {
    let (own, ann, bob) = (envelopes(&["a"], true, 0), name("ann"), name("bob"));
    let place = Place::journal(&ann, "r1", "c000.000i");
    let stored = own.close(&place, &b"{\"canary\":1}"[..]).unwrap();
    assert!(stored.starts_with(b"22\x01a") && !stored.windows(6).any(|window| window == b"canary"));
    assert_eq!(opened(&own, &place, &stored), Ok(b"{\"canary\":1}".to_vec()));
    for other in [
        Place::journal(&bob, "r1", "c000.000i"),
        Place::journal(&ann, "r2", "c000.000i"),
        Place::journal(&ann, "r1", "c000.000r"),
        Place::of("queue", &ann, "r1", "c000.000i"),
        Place::journal(&ann, "r1c000.", "000i"),
    ] {
        assert_eq!(opened(&own, &other, &stored), Err(StoreError::Unreadable), "{other:?}");
    }
}

#[test]
fn sealing_is_switched_on_and_off_and_keys_are_rotated() {
    let (ann, record) = (name("ann"), b"{\"canary\":1}");
    let place = Place::result(&ann, "5e");
    let plain = envelopes(&[], false, 0).close(&place, &record[..]).unwrap();
    let old = envelopes(&["a"], true, 0).close(&place, &record[..]).unwrap();
    let new = envelopes(&["b", "a"], true, 0).close(&place, &record[..]).unwrap();
    for (ids, seals, expected) in [
        (&["a"][..], true, [true, true, false]),
        (&["b", "a"], true, [true, true, true]),
        (&["a", "b"], false, [true, true, true]),
        (&["b"], true, [true, false, true]),
        (&[], false, [true, false, false]),
    ] {
        let own = envelopes(ids, seals, 0);
        assert_eq!([&plain, &old, &new].map(|stored| own.open(&place, &**stored).is_ok()), expected, "{ids:?}");
    }
    assert_eq!(envelopes(&[], true, 0).close(&place, &record[..]), Err(StoreError::Unavailable), "never open instead");
}

#[test]
fn what_is_large_is_compressed_if_that_saves_something() {
    let (ann, long) = (name("ann"), "[1,2,3],".repeat(1000).into_bytes());
    let place = Place::result(&ann, "5e");
    for seals in [false, true] {
        let own = envelopes(&["a"], seals, 100);
        let stored = own.close(&place, long.clone()).unwrap();
        assert!(stored.len() < 200, "{}", stored.len());
        assert_eq!(own.open(&place, &*stored).unwrap(), long);
        assert_eq!(envelopes(&["a"], false, 0).open(&place, &*stored).unwrap(), long, "also by who compresses nothing");
        let mut random = vec![0; 1000];
        incompressible(&mut random);
        assert!(own.close(&place, random.clone()).unwrap().len() >= random.len());
    }
    let own = envelopes(&[], false, 100);
    assert_eq!(own.close(&place, long[..100].to_vec()).unwrap(), &long[..100], "it is not larger than the limit");
    let mut bomb = own.close(&place, long).unwrap().into_owned();
    bomb[2..6].copy_from_slice(&[16, 0, 0, 0]);
    assert_eq!(opened(&own, &place, &bomb), Err(StoreError::Unreadable), "it is larger than it says");
}

/// Bytes that no compressor makes smaller.
fn incompressible(bytes: &mut [u8]) {
    let text = crate::secrets::random::hex_of(bytes.len());
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    }
}

proptest! {
    #[test]
    fn what_was_closed_is_opened_whatever_it_is(
        record in prop::collection::vec(any::<u8>(), 0..3000),
        repeated in 1usize..4,
        seals: bool,
        compress_over_bytes in 0usize..2000,
        user in "[a-z:|]{1,8}",
        within in ".{0,8}",
        at in ".{0,8}",
    ) {
        let (own, user) = (envelopes(&["a", "b"], seals, compress_over_bytes), name(&user));
        let (place, record) = (Place::of("queue", &user, &within, at.as_str()), record.repeat(repeated));
        let stored = own.close(&place, &record[..]).unwrap().into_owned();
        prop_assert_eq!(opened(&own, &place, &stored), Ok(record));
    }
}

#[test]
fn a_changed_record_is_never_told() {
    let ann = name("ann");
    let place = Place::answer(&ann, "digest");
    let record = "canary ".repeat(20).into_bytes();
    for compress_over_bytes in [0, 1] {
        let own = envelopes(&["a"], true, compress_over_bytes);
        let stored = own.close(&place, &record[..]).unwrap().into_owned();
        for bit in 0..stored.len() * 8 {
            let mut changed = stored.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            // With its head changed it may pass for a record that is not sealed; what it then tells is the bytes that stand there.
            if let Ok(told) = opened(&own, &place, &changed) {
                assert!(bit < 16 && changed.ends_with(&told), "bit {bit}");
                assert!(!told.windows(6).any(|seen| seen == b"canary"), "bit {bit}");
            }
        }
    }
}

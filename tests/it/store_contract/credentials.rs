//! Users' own credentials, and tokens that all replicas share. The store sees bytes.

use swagger_api_agent::{
    domain::limits::CREDENTIALS_PER_USER_MAX,
    store::contract::{
        AccountChange, AdminAnswer, Refused,
        credentials::{Admitted, CredentialPut, FetchedToken, OwnCredential, UpstreamToken},
    },
};

use super::{
    bed::{Bed, Token, at_once, name},
    on_both_stores,
};

on_both_stores!(
    a_credential_is_kept_and_replaced_and_removed,
    a_user_has_only_their_own,
    whoever_is_not_let_in_changes_nothing,
    a_user_has_so_many_and_no_more,
    credentials_outlive_restarts_and_sessions,
    one_of_many_fetches_a_token_and_the_others_wait,
    a_token_is_gone_when_its_time_is_over,
    a_claim_that_is_given_back_or_lapses_is_anothers,
    a_refused_token_is_dropped_unless_it_was_replaced,
    tokens_of_two_places_do_not_meet,
);

async fn put(bed: &Bed, token: &Token, place: &str, sealed: &[u8]) -> Admitted<CredentialPut> {
    bed.store().put_credential(token.caller(), place, "value", sealed).await.expect("the store answers")
}

async fn own(bed: &Bed, token: &Token) -> Vec<OwnCredential> {
    match bed.store().own_credentials(token.caller()).await {
        Ok(Admitted::In(own)) => own,
        other => panic!("not let in: {other:?}"),
    }
}

async fn a_credential_is_kept_and_replaced_and_removed(bed: Bed) {
    let ann = bed.user("ann").await;
    assert_eq!(own(&bed, &ann).await, []);
    let odd = b"\0\xff|:\r\n|".as_slice();
    let Admitted::In(CredentialPut::Done { set_ms }) = put(&bed, &ann, "shop/密 钥|%", odd).await else { panic!("not kept") };
    let kept = OwnCredential { place: "shop/密 钥|%".to_owned(), kind: "value".to_owned(), sealed: odd.to_vec(), set_ms };
    assert_eq!(own(&bed, &ann).await, std::slice::from_ref(&kept));
    assert_eq!(bed.store().credentials_of(&name("ann")).await, Ok(vec![kept]));
    bed.pass(5).await;
    let Admitted::In(CredentialPut::Done { set_ms: later }) = put(&bed, &ann, "shop/密 钥|%", b"2").await else { panic!("not kept") };
    assert!(later > set_ms);
    put(&bed, &ann, "/a", b"3").await;
    let all: Vec<_> = own(&bed, &ann).await.into_iter().map(|one| (one.place, one.sealed)).collect();
    assert_eq!(all, [("/a".to_owned(), b"3".to_vec()), ("shop/密 钥|%".to_owned(), b"2".to_vec())], "by their places");
    assert_eq!(bed.store().remove_credential(ann.caller(), "/a").await, Ok(Admitted::In(true)));
    assert_eq!(bed.store().remove_credential(ann.caller(), "/a").await, Ok(Admitted::In(false)));
    assert_eq!(own(&bed, &ann).await.len(), 1);
}

async fn a_user_has_only_their_own(bed: Bed) {
    let (ann, anna) = (bed.user("ann").await, bed.user("anna").await);
    put(&bed, &ann, "/k", b"ann's").await;
    assert_eq!(own(&bed, &anna).await, []);
    assert_eq!(bed.store().remove_credential(anna.caller(), "/k").await, Ok(Admitted::In(false)));
    assert_eq!(own(&bed, &ann).await.len(), 1);
    let admin = bed.admin("root").await;
    for (user, count) in [("ann", 1), ("anna", 0)] {
        let Ok(AdminAnswer::Granted(keys)) = bed.store().keys(admin.caller(), &name(user)).await else { panic!("not granted") };
        assert_eq!(keys.len(), count, "{user}: {keys:?}");
        assert!(keys.iter().all(|key| key.ttl_ms.is_none() && key.bytes > 0), "{keys:?}");
    }
}

async fn whoever_is_not_let_in_changes_nothing(bed: Bed) {
    let bed = bed.rated(3, 60);
    let ann = bed.user("ann").await;
    for _ in 0..3 {
        put(&bed, &ann, "/k", b"1").await;
    }
    assert!(matches!(put(&bed, &ann, "/k", b"2").await, Admitted::Refused(Refused::Limited { .. })));
    assert!(matches!(bed.store().remove_credential(ann.caller(), "/k").await, Ok(Admitted::Refused(Refused::Limited { .. }))));
    assert!(matches!(bed.store().own_credentials(ann.caller()).await, Ok(Admitted::Refused(Refused::Limited { .. }))));
    assert_eq!(bed.store().credentials_of(&name("ann")).await.unwrap()[0].sealed, b"1", "nothing is counted for a call");
    let bob = bed.user("bob").await;
    bed.pass(5).await;
    bed.store().change_account(&name("bob"), AccountChange::Disabled(true)).await.unwrap();
    assert_eq!(put(&bed, &bob, "/k", b"1").await, Admitted::Refused(Refused::Revoked));
    assert_eq!(bed.store().remove_credential(bob.caller(), "/k").await, Ok(Admitted::Refused(Refused::Revoked)));
    assert_eq!(bed.store().own_credentials(bob.caller()).await, Ok(Admitted::Refused(Refused::Revoked)));
}

async fn a_user_has_so_many_and_no_more(bed: Bed) {
    let ann = bed.user("ann").await;
    for i in 0..CREDENTIALS_PER_USER_MAX {
        assert!(matches!(put(&bed, &ann, &format!("/{i}"), b"x").await, Admitted::In(CredentialPut::Done { .. })), "{i}");
    }
    assert_eq!(put(&bed, &ann, "/more", b"x").await, Admitted::In(CredentialPut::TooMany));
    assert!(matches!(put(&bed, &ann, "/0", b"y").await, Admitted::In(CredentialPut::Done { .. })), "one that is there is replaced");
    assert_eq!(own(&bed, &ann).await.len(), CREDENTIALS_PER_USER_MAX);
}

async fn credentials_outlive_restarts_and_sessions(bed: Bed) {
    let mut bed = bed.lasting(100, 200);
    let ann = bed.user("ann").await;
    bed.takes_turn(&ann, "hello").await;
    put(&bed, &ann, "/k", b"1").await;
    bed.store().reset(ann.caller(), None).await.unwrap();
    bed.pass(300).await;
    bed.store().sweep().await.unwrap();
    bed.restart();
    assert_eq!(bed.store().credentials_of(&name("ann")).await.unwrap().len(), 1);
}

const PLACE: &str = "0123abcd";

async fn asked(bed: &Bed, by: &str, claim_ms: u64) -> UpstreamToken {
    bed.store().upstream_token(PLACE, by, claim_ms).await.expect("the store answers")
}

async fn keep(bed: &Bed, by: &str, sealed: &[u8], lasts_ms: u64) {
    bed.store().keep_upstream_token(PLACE, by, Some(FetchedToken { sealed, lasts_ms })).await.expect("the store answers");
}

async fn one_of_many_fetches_a_token_and_the_others_wait(bed: Bed) {
    let store = bed.store().clone();
    let told = at_once(20, move |i| {
        let store = store.clone();
        async move { store.upstream_token(PLACE, &format!("call {i}"), 60_000).await.expect("the store answers") }
    })
    .await;
    let claimed = told.iter().filter(|token| **token == UpstreamToken::Claimed).count();
    let waiting = told.iter().filter(|token| matches!(token, UpstreamToken::Awaited { left_ms: 1..=60_000 })).count();
    assert_eq!((claimed, waiting), (1, 19), "{told:?}");
    keep(&bed, "whoever", b"\0sealed\xff", 60_000).await;
    assert_eq!(asked(&bed, "a", 1000).await, UpstreamToken::Kept(b"\0sealed\xff".to_vec()));
    let another = bed.another();
    assert_eq!(another.upstream_token(PLACE, "b", 1000).await, Ok(UpstreamToken::Kept(b"\0sealed\xff".to_vec())));
}

async fn a_token_is_gone_when_its_time_is_over(bed: Bed) {
    assert_eq!(asked(&bed, "a", 60_000).await, UpstreamToken::Claimed);
    assert_eq!(asked(&bed, "a", 60_000).await, UpstreamToken::Claimed, "repeating it is safe");
    keep(&bed, "a", b"one", 100).await;
    keep(&bed, "a", b"one", 100).await;
    assert_eq!(asked(&bed, "b", 60_000).await, UpstreamToken::Kept(b"one".to_vec()));
    bed.pass(150).await;
    assert_eq!(asked(&bed, "b", 60_000).await, UpstreamToken::Claimed);
    assert!(matches!(asked(&bed, "c", 60_000).await, UpstreamToken::Awaited { .. }));
}

async fn a_claim_that_is_given_back_or_lapses_is_anothers(bed: Bed) {
    assert_eq!(asked(&bed, "a", 60_000).await, UpstreamToken::Claimed);
    bed.store().keep_upstream_token(PLACE, "b", None).await.unwrap();
    assert!(matches!(asked(&bed, "b", 60_000).await, UpstreamToken::Awaited { .. }), "nobody gives back what another holds");
    bed.store().keep_upstream_token(PLACE, "a", None).await.unwrap();
    assert_eq!(asked(&bed, "b", 100).await, UpstreamToken::Claimed);
    bed.pass(150).await;
    assert_eq!(asked(&bed, "c", 60_000).await, UpstreamToken::Claimed);
    keep(&bed, "b", b"late", 60_000).await;
    assert_eq!(asked(&bed, "d", 60_000).await, UpstreamToken::Kept(b"late".to_vec()), "a token that comes late is a token");
}

async fn a_refused_token_is_dropped_unless_it_was_replaced(bed: Bed) {
    keep(&bed, "a", b"one", 60_000).await;
    keep(&bed, "a", b"two", 60_000).await;
    bed.store().drop_upstream_token(PLACE, b"one").await.unwrap();
    assert_eq!(asked(&bed, "b", 60_000).await, UpstreamToken::Kept(b"two".to_vec()));
    bed.store().drop_upstream_token(PLACE, b"two").await.unwrap();
    bed.store().drop_upstream_token(PLACE, b"two").await.unwrap();
    assert_eq!(asked(&bed, "b", 60_000).await, UpstreamToken::Claimed);
}

async fn tokens_of_two_places_do_not_meet(bed: Bed) {
    keep(&bed, "a", b"one", 60_000).await;
    assert_eq!(bed.store().upstream_token("another", "a", 1000).await, Ok(UpstreamToken::Claimed));
    bed.store().drop_upstream_token("another", b"one").await.unwrap();
    assert_eq!(asked(&bed, "b", 60_000).await, UpstreamToken::Kept(b"one".to_vec()));
}

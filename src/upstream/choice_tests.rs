//! Every way in which alternatives, the user's own credentials and the operator's can meet.

use std::collections::BTreeMap;

use secrecy::SecretString;

use super::{
    choice::{Choice, Means, Service, choose},
    vault::{Own, OwnSecret},
};
use crate::{
    openapi::{Credential, KeyPlace, Need},
    secrets::seal::CannotOpen,
    settings,
};

fn need(scheme: &str) -> Need {
    let credential = match scheme {
        "Key" | "Sid" => Credential::ApiKey { place: KeyPlace::Query, name: "k".to_owned() },
        "KeyAuth" => Credential::ApiKey { place: KeyPlace::Header, name: "authorization".to_owned() },
        "Basic" => Credential::Basic,
        "Bearer" => Credential::Bearer,
        "OAuth" => Credential::OAuth2 { token_url: Some("https://a.test/t".to_owned()) },
        _ => Credential::Unsupported,
    };
    Need { scheme: scheme.to_owned(), credential, scopes: Vec::new() }
}

fn alternatives(schemes: &[&[&str]]) -> Vec<Vec<Need>> {
    schemes.iter().map(|all| all.iter().map(|scheme| need(scheme)).collect()).collect()
}

/// What a user has: a name alone opens, `!name` does not; `Basic` is a name and a password.
fn own(schemes: &[&str]) -> BTreeMap<String, Result<OwnSecret, CannotOpen>> {
    let one = |scheme: &&str| match *scheme {
        "Basic" => ("/Basic".to_owned(), Ok(OwnSecret::Basic { username: "u".to_owned(), password: "p".into() })),
        other => match other.strip_prefix('!') {
            Some(scheme) => (format!("/{scheme}"), Err(CannotOpen)),
            None => (format!("/{other}"), Ok(OwnSecret::Value("own".into()))),
        },
    };
    schemes.iter().map(one).collect()
}

fn service(token: bool, schemes: &[&str]) -> Service {
    let one = |scheme: &&str| {
        let set = match *scheme {
            "Basic" => settings::Credential::Basic { username: "u".to_owned(), password: "p".into() },
            _ => settings::Credential::Secret("service".into()),
        };
        ((*scheme).to_owned(), set)
    };
    Service { token: token.then(|| SecretString::from("t")), credentials: schemes.iter().map(one).collect() }
}

/// What was chosen: `Key=own Basic=service`, `nothing`, `unusable Key`, or `missing Key+Basic|Bearer`.
fn chosen(asked: Option<&[&[&str]]>, user: &[&str], operator: &Service) -> String {
    let (asked, user) = (asked.map(alternatives), own(user));
    match choose(asked.as_deref(), Some(Own { api: "", all: &user }), operator) {
        Choice::Send(met) if met.is_empty() => "nothing".to_owned(),
        Choice::Send(met) => {
            let told = met.iter().map(|met| {
                let from = match met.means {
                    Means::Own(_) => "own",
                    Means::Service(_) => "service",
                    Means::Token(_) => "token",
                };
                format!("{}={from}", met.scheme)
            });
            told.collect::<Vec<_>>().join(" ")
        }
        Choice::Unusable { scheme, .. } => format!("unusable {scheme}"),
        Choice::Missing(ways) => {
            format!("missing {}", ways.iter().map(|all| all.join("+")).collect::<Vec<_>>().join("|"))
        }
    }
}

const BOTH: &[&[&str]] = &[&["Key", "Basic"], &["Bearer"]];
const OPTIONAL: &[&[&str]] = &[&[], &["Bearer"]];

#[test]
fn the_first_alternative_that_can_be_met_whole_is_chosen() {
    assert_eq!(chosen(Some(BOTH), &[], &service(false, &["Key", "Basic", "Bearer"])), "Key=service Basic=service");
    assert_eq!(chosen(Some(BOTH), &[], &service(false, &["Key", "Bearer"])), "Bearer=service");
    assert_eq!(chosen(Some(BOTH), &["Key", "Basic"], &service(false, &[])), "Key=own Basic=own");
}

#[test]
fn the_users_own_go_before_the_operators_and_beside_them() {
    assert_eq!(chosen(Some(BOTH), &["Bearer"], &service(true, &["Key", "Basic", "Bearer"])), "Bearer=own");
    assert_eq!(chosen(Some(BOTH), &["Basic"], &service(false, &["Key", "Basic"])), "Key=service Basic=own");
    assert_eq!(chosen(Some(&[&["Key"], &["Sid"]]), &["Sid"], &service(false, &["Key"])), "Sid=own");
}

#[test]
fn nothing_goes_where_nothing_is_asked_for() {
    let operator = service(true, &["Key", "Bearer"]);
    assert_eq!(chosen(Some(&[]), &["Bearer"], &operator), "nothing", "not even upstream.token");
    assert_eq!(chosen(Some(OPTIONAL), &[], &service(false, &["Key"])), "nothing", "anonymous is allowed");
    assert_eq!(chosen(Some(OPTIONAL), &[], &operator), "Bearer=service");
    assert_eq!(chosen(Some(OPTIONAL), &["Bearer"], &service(false, &[])), "Bearer=own");
}

#[test]
fn the_token_meets_what_bearer_tokens_meet_and_goes_where_the_document_is_silent() {
    assert_eq!(chosen(None, &["Bearer"], &service(true, &["Bearer"])), "=token");
    assert_eq!(chosen(None, &[], &service(false, &["Bearer"])), "nothing");
    assert_eq!(chosen(Some(BOTH), &[], &service(true, &[])), "Bearer=token");
    assert_eq!(chosen(Some(&[&["OAuth"]]), &[], &service(true, &[])), "OAuth=token");
    assert_eq!(chosen(Some(&[&["OAuth"]]), &[], &service(true, &["OAuth"])), "OAuth=service");
    assert_eq!(chosen(Some(&[&["KeyAuth"]]), &[], &service(true, &[])), "KeyAuth=token", "how documents of 2.0 say bearer");
    assert_eq!(chosen(Some(&[&["KeyAuth"]]), &["KeyAuth"], &service(true, &[])), "KeyAuth=own");
    assert_eq!(chosen(Some(&[&["Key"]]), &[], &service(true, &[])), "missing Key");
    assert_eq!(chosen(Some(OPTIONAL), &[], &service(true, &[])), "Bearer=token");
}

#[test]
fn what_cannot_be_met_is_not_sent_and_says_what_is_missing() {
    assert_eq!(chosen(Some(BOTH), &[], &service(false, &["Key"])), "missing Basic|Bearer");
    assert_eq!(chosen(Some(BOTH), &["Sid"], &service(false, &[])), "missing Key+Basic|Bearer");
    assert_eq!(chosen(Some(&[&["mTLS"], &["Key"]]), &[], &service(true, &[])), "missing Key", "nobody can set a certificate");
    assert_eq!(chosen(Some(&[&["mTLS"]]), &[], &service(true, &["mTLS"])), "missing mTLS");
}

#[test]
fn where_nobody_has_set_anything_the_call_goes_out_without() {
    assert_eq!(chosen(Some(BOTH), &[], &service(false, &[])), "nothing");
    let (asked, elsewhere) = (alternatives(BOTH), BTreeMap::from([("other/Key".to_owned(), Ok(OwnSecret::Value("x".into())))]));
    let nothing = Service::default();
    let choice = choose(Some(&asked), Some(Own { api: "", all: &elsewhere }), &nothing);
    assert!(matches!(choice, Choice::Send(met) if met.is_empty()), "a credential for another API is none for this one");
}

#[test]
fn a_call_does_not_go_out_under_another_name_when_the_users_own_cannot_be_used() {
    assert_eq!(chosen(Some(BOTH), &["!Bearer"], &service(true, &["Key", "Basic"])), "unusable Bearer");
    assert_eq!(chosen(Some(BOTH), &["!Bearer", "Key", "Basic"], &service(false, &[])), "Key=own Basic=own");
    assert_eq!(chosen(Some(&[&["Basic"]]), &["!Basic"], &service(false, &["Basic"])), "unusable Basic");
    assert_eq!(chosen(Some(OPTIONAL), &["!Bearer"], &service(false, &[])), "unusable Bearer");
}

#[test]
fn what_is_set_must_be_of_the_schemes_kind() {
    let wrong_kind = Service {
        credentials: BTreeMap::from([("Basic".to_owned(), settings::Credential::Secret("no colon".into()))]),
        ..Service::default()
    };
    assert_eq!(chosen(Some(&[&["Basic"]]), &[], &wrong_kind), "missing Basic");
    let (asked, stored) = (alternatives(&[&["Basic"]]), BTreeMap::from([("/Basic".to_owned(), Ok(OwnSecret::Value("x".into())))]));
    let operator = service(false, &["Basic"]);
    assert!(matches!(choose(Some(&asked), Some(Own { api: "", all: &stored }), &operator), Choice::Unusable { scheme: "Basic", .. }));
}

//! `[[auth.issuers]]`: what is said of an issuer, and everything that can be wrong with it.

use super::{load, load_file, told};

#[test]
fn an_issuer_needs_little_and_its_users_are_kept_apart() {
    let settings = load_file(
        "[[auth.issuers]]\nid = \"shop\"\nissuer = \"https://id.example.org/realms/shop\"\naudience = \"agent\"\n\
         [[auth.issuers]]\nid = \"dev\"\nissuer = \"http://127.0.0.1:8080\"\naudience = \"agent\"\nuser_prefix = \"\"\nuser_claim = \"email\"\n\
         keys_url = \"https://id.example.org/keys\"\nrole_claim = \"roles\"\nadmin_roles = [\"ops\"]",
    )
    .unwrap();
    let read: Vec<_> =
        settings.auth.issuers.iter().map(|one| (one.user_claim.as_str(), one.user_prefix.as_str(), one.admin_roles.len())).collect();
    assert_eq!(read, [("sub", "shop/", 0), ("email", "", 1)]);
}

#[test]
fn everything_that_is_wrong_with_issuers_is_told_at_once() {
    let list = serde_json::json!([
        {"id": "a b", "issuer": "https://a.example", "audience": "x"},
        {"id": "b", "issuer": "http://b.example", "audience": "x"},
        {"id": "c", "issuer": "https://c.example", "audience": "x", "keys_url": "https://me:secret@c.example/keys"},
        {"id": "d", "issuer": "https://c.example", "audience": "x", "admin_roles": ["ops"]},
        {"id": "e", "issuer": "ftp://e.example", "client_id": "x"},
    ]);
    let told = told(&[("SAA_AUTH__ISSUERS", &list.to_string())]);
    for sentence in [
        "auth.issuers[0].id           is \"a b\"; 1 to 32 letters, digits, -, _ or . are needed",
        "auth.issuers[1].issuer       is not safe: an https:// URL without credentials is needed (http:// only to this machine itself)",
        "auth.issuers[2].keys_url     is not safe",
        "auth.issuers[3]              has the id or the issuer of another one; each is listed once",
        "auth.issuers[3].admin_roles  has no effect without role_claim, which says where roles are",
        "auth.issuers[4].client_id    is not a setting",
        "auth.issuers[4].issuer       is \"ftp://e.example\"; a URL that begins with http:// or https:// is needed",
        "auth.issuers[4].audience     is not set",
    ] {
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed(&told).contains(&squeezed(sentence)), "{sentence}\nin\n{told}");
    }
    assert!(!told.contains("secret"), "{told}");
}

#[test]
fn two_issuers_do_not_name_the_same_user_unless_they_are_meant_to() {
    let with = |first: &str, second: &str| {
        let issuer = |id: &str, prefix: &str| serde_json::json!({"id": id, "issuer": format!("https://{id}.example"), "audience": "x", "user_prefix": prefix});
        let list = serde_json::json!([issuer("one", first), issuer("two", second)]).to_string();
        load(&[("SAA_AUTH__ISSUERS", &list)]).map_or_else(|problems| problems.to_string(), |_| String::new())
    };
    for (first, second) in [("shop/", "shop/staff/"), ("shop/staff/", "shop/"), ("s", "shop/")] {
        let told = with(first, second);
        assert!(told.contains("auth.issuers[1].user_prefix") && told.contains("of issuer one begins like it"), "{first} {second}: {told}");
    }
    // The same people behind two issuers, people apart, and one who vouches for anybody.
    for (first, second) in [("shop/", "shop/"), ("shop/", "staff/"), ("", "shop/"), ("shop/", "shops/")] {
        let told = with(first, second);
        assert!(!told.contains("user_prefix"), "{first} {second}: {told}");
    }
}

//! Idempotency keys: which operations take one, and in which header.

use super::{load_file, shown, told_of_file};

#[test]
fn rules_are_read_for_the_one_api_and_for_others() {
    let settings = load_file(
        r#"
[openapi]
file = "main.yaml"
[upstream]
idempotency = [{ operations = ["id:createOrder", "method:post"], header = "Idempotency-Key" }, { operations = ["tag:old"], header = "" }]
[[apis]]
name = "shop"
file = "shop.yaml"
idempotency = [{ operations = ["path:/orders/**"], header = "X-Request-Id" }]
"#,
    )
    .unwrap();
    let of_main = r#"[{"operations":["id:createOrder","method:POST"],"header":"Idempotency-Key"},{"operations":["tag:old"],"header":""}]"#;
    assert_eq!(shown(&settings, "upstream.idempotency").0, of_main);
    let served = settings.served_apis();
    assert_eq!(served[0].idempotency, settings.upstream.idempotency);
    assert_eq!(served[1].idempotency[0].header.as_deref(), Some("X-Request-Id"));
    assert!(shown(&settings, "apis").0.contains(r#""idempotency":[{"operations":["path:/orders/**"],"header":"X-Request-Id"}]"#));
}

#[test]
fn what_is_wrong_with_a_rule_is_told_at_its_place() {
    let told = told_of_file(
        r#"
[upstream]
idempotency = [{ operations = ["post"], header = "A" }, { operations = ["method:post"], header = "Content-Type" },
  { operations = ["method:post"] }, { header = "A" }, { operation = "id:a", operations = ["id:a"], header = "a b" }]
"#,
    );
    let expected = [
        ("upstream.idempotency[0].operations", "has the rule \"post\": tag:…, method:…, path:/… or id:… is needed"),
        ("upstream.idempotency[1].header", "is \"Content-Type\", which no key may travel in"),
        ("upstream.idempotency[2].header", "is not set, and is needed; \"\" says that there is no key"),
        ("upstream.idempotency[3].operations", "is not set, and is needed"),
        ("upstream.idempotency[4].operation", "is not a setting; operations is near"),
        ("upstream.idempotency[4].header", "is \"a b\", which no key may travel in"),
    ];
    assert_eq!(told.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str())).collect::<Vec<_>>(), expected);
}

#[test]
fn probes_are_read_and_what_is_wrong_with_one_is_told_at_its_place() {
    let probe = r#"{"operation":"method:PUT","call":"getThing","arguments":{"id":"{id}","deep":true},"took_effect":"found"}"#;
    let settings = super::load(&[("SAA_UPSTREAM__PROBES", &format!("[{probe}]"))]).unwrap();
    assert_eq!(shown(&settings, "upstream.probes").0, format!("[{probe}]"));
    let told = told_of_file(
        r#"
[upstream]
probes = [{ operation = "put", call = "a", took_effect = "found" }, { operation = "id:a", took_effect = "lost" }]
"#,
    );
    let expected = [
        ("upstream.probes[0].operation", "is \"put\": tag:…, method:…, path:/… or id:… is needed"),
        ("upstream.probes[1].call", "is not set, and is needed"),
        ("upstream.probes[1].took_effect", "is \"lost\"; found or gone is needed"),
    ];
    assert_eq!(told.iter().map(|(key, sentence)| (key.as_str(), sentence.as_str())).collect::<Vec<_>>(), expected);
}

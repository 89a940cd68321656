//! What is left of a big reply, and how the rest is read.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{page::Wanted, *};

fn id() -> ResultId {
    ResultId::parse(&"0f".repeat(16)).unwrap()
}

fn cut(body: &ReplyBody, bytes_max: usize, id: Option<&ResultId>) -> ReplyBody {
    of(body, bytes_max, &Rest { reader: "read_result", id }).unwrap_or_else(|| panic!("it fits: {body:?}"))
}

fn cut_json(value: &Value, bytes_max: usize) -> Value {
    let cut = cut(&ReplyBody::Json(value.into()), bytes_max, Some(&id()));
    let ReplyBody::Json(json) = cut else { panic!("JSON stays JSON: {cut:?}") };
    assert!(json.get().len() <= bytes_max, "{} of {bytes_max}: {}", json.get().len(), json.get());
    json.value().unwrap()
}

fn read(body: &ReplyBody, wanted: &Wanted, bytes_max: usize) -> Result<Value, String> {
    let page = page::of(body, wanted, bytes_max, &Rest { reader: "read_result", id: Some(&id()) })?;
    assert!(page.len() <= bytes_max, "{} of {bytes_max}", page.len());
    Ok(serde_json::from_str(&page).unwrap())
}

fn rows(count: usize) -> Value {
    (0..count).map(|n| json!({"id": n, "name": format!("user {n}"), "note": "n".repeat(50)})).collect()
}

#[test]
fn a_list_loses_whole_elements_and_says_how_to_read_on() {
    let reply = json!({"total": 200, "items": rows(200), "next": null});
    let short = cut_json(&reply, 4000);
    assert_eq!((&short["total"], &short["next"]), (&json!(200), &json!(null)), "what is small stays");
    let items = short["items"].as_array().unwrap();
    let told = items.len() - 1;
    assert!(told > 30, "{told}");
    assert_eq!(items[..told], reply["items"].as_array().unwrap()[..told]);
    let mark =
        format!("items {told}–199 of 200 left out; read_result({{\"id\":\"{}\",\"path\":\"/items\",\"offset\":{told}}}) reads on", id());
    assert_eq!(items[told], json!({ "…": mark }));
    let unkept = cut(&ReplyBody::Json(rows(100).into()), 1000, None);
    let ReplyBody::Json(unkept) = unkept else { panic!("JSON") };
    assert!(unkept.get().contains("of 100 left out; ask for fewer at once"), "{unkept:?}");
}

#[test]
fn an_object_keeps_its_small_members_and_the_beginnings_of_its_big_ones() {
    let reply =
        json!({"id": 7, "text": "word ".repeat(2000), "name": "Ann", "tags": rows(50), "deep": {"a": {"b": rows(50)}}, "last": true});
    let short = cut_json(&reply, 3000);
    for name in ["id", "name", "last"] {
        assert_eq!(short[name], reply[name]);
    }
    let text = short["text"].as_str().unwrap();
    assert!(text.starts_with("word word ") && text.contains("more characters; read_result("), "{text}");
    assert!(short["tags"][0] == reply["tags"][0] && short["deep"]["a"]["b"][0] == reply["deep"]["a"]["b"][0], "{short:#}");
    let wide: Value = (0..1000).map(|n| (format!("member {n}"), json!(n))).collect::<serde_json::Map<_, _>>().into();
    let short = cut_json(&wide, 1000);
    assert!(short["…"].as_str().unwrap().contains("–999 of 1000 left out"), "{short}");
}

#[test]
fn big_elements_are_cut_inside_so_that_some_are_seen() {
    let reply: Value = (0..10).map(|n| json!({"id": n, "html": "<p>x</p>".repeat(1000)})).collect();
    let short = cut_json(&reply, 4000);
    let ids: Vec<&Value> = short.as_array().unwrap().iter().map(|one| &one["id"]).take(3).collect();
    assert_eq!(ids, [0, 1, 2]);
    assert!(short[1]["html"].as_str().unwrap().contains("\"path\":\"/1/html\""), "{short}");
}

#[test]
fn numbers_stay_as_they_came() {
    let numbers = r#"{"n":[18446744073709551616,0.10,1e400,-0],"x":"#.to_owned() + &format!("\"{}\"}}", "y".repeat(500));
    let ReplyBody::Json(short) = cut(&ReplyBody::Json(RawJson::read(numbers.as_bytes()).unwrap()), 200, None) else { panic!("JSON") };
    assert!(short.get().starts_with(r#"{"n":[18446744073709551616,0.10,1e400,-0],"x":"yyy"#), "{short:?}");
}

#[test]
fn what_is_cut_twice_still_counts_from_the_whole() {
    let once = cut_json(&json!({"items": rows(200), "text": "t".repeat(5000)}), 4000);
    let twice = cut_json(&once, 1000);
    let items = twice["items"].as_array().unwrap();
    let told = items.len() - 1;
    assert!(items[told]["…"].as_str().unwrap().starts_with(&format!("items {told}–199 of 200 left out")), "{twice:#}");
    let text = twice["text"].as_str().unwrap();
    let shown = text.chars().take_while(|c| *c == 't').count();
    assert!(text.trim_start_matches('t').starts_with(&format!("…[{} more characters", 5000 - shown)), "{text}");

    let page: String = (0..500).map(|n| format!("line {n}\n")).collect();
    let once = cut(&ReplyBody::Text(page), 3000, Some(&id()));
    let ReplyBody::Text(twice) = cut(&once, 800, Some(&id())) else { panic!("text") };
    let told = twice.lines().count() - 1;
    let mark = format!("…[lines {told}–499 of 500 left out; read_result({{\"id\":\"{}\",\"offset\":{told}}}) reads on]", id());
    assert_eq!(twice.lines().last(), Some(mark.as_str()));
    assert_eq!(twice.lines().nth(told - 1), Some(format!("line {}", told - 1).as_str()));
}

#[test]
fn a_text_without_lines_and_one_of_another_script_are_cut_on_a_character() {
    for bytes_max in 600..620 {
        let ReplyBody::Text(text) = cut(&ReplyBody::Text("你\"".repeat(4000)), bytes_max, None) else { panic!("text") };
        assert!(serde_json::to_string(&text).unwrap().len() <= bytes_max, "{bytes_max}");
    }
    assert_eq!(of(&ReplyBody::Text("短".to_owned()), 100, &Rest { reader: "r", id: None }), None);
    assert_eq!(of(&ReplyBody::Empty, 0, &Rest { reader: "r", id: None }), None);
}

#[test]
fn a_list_is_read_page_by_page_to_its_end() {
    let reply = json!({"items": rows(200)});
    let body = ReplyBody::Json((&reply).into());
    let (mut offset, mut seen) = (0, Vec::new());
    for _ in 0..100 {
        let page = read(&body, &Wanted { path: "items".to_owned(), offset, ..Wanted::default() }, 2000).unwrap();
        assert_eq!((&page["total"], &page["offset"], &page["path"]), (&json!(200), &json!(offset), &json!("/items")));
        seen.extend(page["items"].as_array().unwrap().clone());
        match page.get("next_offset") {
            Some(next) => offset = usize::try_from(next.as_u64().unwrap()).unwrap(),
            None => break,
        }
    }
    assert_eq!(Value::Array(seen), reply["items"]);
    let page = read(&body, &Wanted { path: "/items".to_owned(), offset: 500, ..Wanted::default() }, 2000).unwrap();
    assert_eq!((&page["count"], &page["items"], page.get("next_offset")), (&json!(0), &json!([]), None));
}

#[test]
fn a_search_finds_across_escapes_and_cases() {
    let raw = r#"[{"n":"\u5f20\u4e09"},{"n":"ANN"},{"n":"ann b"},{"n":"bob"}]"#;
    let body = ReplyBody::Json(RawJson::read(raw.as_bytes()).unwrap());
    let search = |text: &str, offset| read(&body, &Wanted { search: Some(text.to_owned()), offset, ..Wanted::default() }, 2000).unwrap();
    assert_eq!(search("张三", 0)["items"], json!([{"index": 0, "item": {"n": "张三"}}]));
    let found = search("Ann", 1);
    assert_eq!((&found["total"], &found["matching"], &found["count"]), (&json!(4), &json!(2), &json!(1)));
    assert_eq!(found["items"], json!([{"index": 2, "item": {"n": "ann b"}}]));
    assert_eq!(search("nobody", 0)["items"], json!([]));
}

#[test]
fn objects_texts_and_single_values_are_read_too() {
    let reply = json!({"a/b": {"~x": [1, 2]}, "text": "one\ntwo\nthree\n", "n": 1.5});
    let body = ReplyBody::Json((&reply).into());
    let at = |path: &str| read(&body, &Wanted { path: path.to_owned(), offset: 1, limit: Some(1), search: None }, 2000);
    assert_eq!(at("/a~1b/~0x").unwrap()["items"], json!([2]));
    assert_eq!(at("").unwrap()["members"], json!({"text": "one\ntwo\nthree\n"}));
    assert_eq!((&at("/text").unwrap()["text"], &at("/text").unwrap()["next_offset"]), (&json!("two\n"), &json!(2)));
    assert_eq!(at("/n").unwrap()["value"], json!(1.5));
    let lost = at("/a~1b/y/z").unwrap_err();
    assert_eq!(lost, r#"there is nothing at "/a~1b/y/z"; at "/a~1b" there is an object with the members "~x""#);
    assert!(at("/text/0").unwrap_err().contains("there is a text"));
    assert!(at(&"/0".repeat(1000)).unwrap_err().contains("more than 64 parts"));
    let text = ReplyBody::Text("one\nTwo\nthree".to_owned());
    let found = read(&text, &Wanted { search: Some("two".to_owned()), ..Wanted::default() }, 2000).unwrap();
    assert_eq!((&found["text"], &found["total"]), (&json!("Two\n"), &json!(3)));
    assert!(read(&text, &Wanted { path: "/a".to_owned(), ..Wanted::default() }, 2000).is_err());
}

#[test]
fn an_element_that_is_too_big_for_a_page_is_read_inside() {
    let body = ReplyBody::Json(json!([{"id": 1, "text": "t".repeat(9000)}, {"id": 2}]).into());
    let page = read(&body, &Wanted::default(), 2000).unwrap();
    assert_eq!((&page["count"], &page["items"][0]["id"], &page["items"][1]["id"]), (&json!(2), &json!(1), &json!(2)));
    assert!(page["items"][0]["text"].as_str().unwrap().contains("\"path\":\"/0/text\""), "{page:#}");
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i64>().prop_map(Value::from),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        ".{0,200}".prop_map(Value::from),
        "[a-z\n\"…]{0,400}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 400, 30, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..30).prop_map(Value::from),
            proptest::collection::vec((".{0,12}", inner), 0..15).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn whatever_is_cut_is_json_and_fits(value in values(), bytes_max in 64..3000_usize, kept in any::<bool>()) {
        let (body, id) = (ReplyBody::Json((&value).into()), id());
        let rest = Rest { reader: "read_result", id: kept.then_some(&id) };
        if let Some(short) = of(&body, bytes_max, &rest) {
            let ReplyBody::Json(json) = short else { panic!("JSON stays JSON: {short:?}") };
            prop_assert!(json.get().len() <= bytes_max, "{} of {}: {}", json.get().len(), bytes_max, json.get());
            prop_assert!(json.value().is_some());
        }
        let page = page::of(&body, &Wanted::default(), bytes_max + 600, &rest).unwrap();
        prop_assert!(serde_json::from_str::<Value>(&page).is_ok() && page.len() <= bytes_max + 600, "{}", page);
    }
}

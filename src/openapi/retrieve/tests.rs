//! What is found by which words, in both languages, and that it is found quickly.

use std::time::Instant;

use serde_json::json;

use super::*;

fn entry<'a>(name: &'a str, method: &'a str, path: &'a str, summary: &'a str, parameters: &'a serde_json::Value) -> Entry<'a> {
    Entry { name, method, path, tags: &[], summary, description: summary, parameters, deprecated: false }
}

fn shop() -> (Index, Vec<&'static str>) {
    let none = json!({"type": "object", "properties": {}});
    let functions = [
        ("listOrders", "GET", "/orders", "All orders"),
        ("getOrder", "GET", "/orders/{id}", "One order"),
        ("createOrder", "POST", "/orders", "Place an order"),
        ("deleteOrder", "DELETE", "/orders/{id}", "Remove an order"),
        ("listUsers", "GET", "/users", "All users"),
        ("createUser", "POST", "/users", "Register a user"),
        ("listFollowers", "GET", "/users/{id}/followers", "Who follows a user"),
        ("查询天气", "GET", "/weather", "某个城市的天气预报"),
        ("uploadPhoto", "PUT", "/photos/{id}", "Store a photo"),
    ];
    let index = Index::of(functions.iter().map(|(name, method, path, summary)| entry(name, method, path, summary, &none)));
    (index, functions.iter().map(|function| function.0).collect())
}

fn first(sentence: &str) -> &'static str {
    let (index, names) = shop();
    index.nearest(&Query::of(sentence), 1).first().map_or("", |place| names[*place])
}

#[test]
fn a_sentence_finds_its_function_in_both_languages() {
    for (sentence, function) in [
        ("show me all my orders", "listOrders"),
        ("查询所有订单", "listOrders"),
        ("delete order 5", "deleteOrder"),
        ("把 5 号订单删掉", "deleteOrder"),
        ("注册一个新用户", "createUser"),
        ("who are the followers of ann?", "listFollowers"),
        ("what is the weather in Rome", "查询天气"),
        ("上海天气怎么样", "查询天气"),
        ("上传照片", "uploadPhoto"),
        ("qwertz", ""),
        ("", ""),
    ] {
        assert_eq!(first(sentence), function, "{sentence}");
    }
}

#[test]
fn what_fits_alike_comes_in_the_order_of_the_functions() {
    let none = json!({});
    let index = Index::of((0..50).map(|_| entry("listOrders", "GET", "/orders", "", &none)));
    assert_eq!(index.nearest(&Query::of("list orders"), 5), [0, 1, 2, 3, 4]);
    assert_eq!(index.nearest(&Query::of("list orders"), 0), Vec::<usize>::new());
    assert_eq!(index.nearest(&Query::of("list orders"), 500).len(), 50);
    assert!(Index::default().nearest(&Query::of("list orders"), 5).is_empty());
}

#[test]
fn a_second_sentence_helps_where_the_first_says_little() {
    let (index, names) = shop();
    let query = Query::of("and delete it").and("show me order 5", 0.5);
    assert_eq!(names[index.nearest(&query, 1)[0]], "deleteOrder");
    assert_eq!(Query::of("order order orders").things(), 1);
}

#[test]
fn what_a_function_is_called_and_does_is_told_and_said_once() {
    let none = json!({});
    let tags = ["Sales".to_owned()];
    let function = Entry { tags: &tags, ..entry("listOpenOrders", "GET", "/orders/open", "All open orders", &none) };
    assert_eq!(function.told(), "list open orders\nAll open orders\nGET /orders/open\nSales");
    let function = Entry { description: "Newest first", ..function };
    assert_eq!(function.told(), "list open orders\nAll open orders\nNewest first\nGET /orders/open\nSales");
}

/// A message of the greatest size over ten thousand functions, every word of it in thousands of them.
#[test]
fn neither_long_messages_nor_large_documents_take_long() {
    let nouns = ["order", "user", "product", "invoice", "report", "team", "branch", "comment", "label", "file"];
    let none = json!({"properties": {"id": {}, "page": {}, "limit": {}}});
    let names: Vec<String> = (0..10_000).map(|at| format!("{}{}Part{at}", ["list", "get", "create"][at % 3], nouns[at / 3 % 10])).collect();
    let summary = "Works with the orders, users, products, invoices and reports of a company";
    let index = Index::of(names.iter().map(|name| entry(name, "GET", "/orders", summary, &none)));
    assert!(index.bytes() < 10_000 * 400, "{} bytes", index.bytes());
    let message = "列出订单 list every order user product invoice report ".repeat(300);
    let began = Instant::now();
    assert_eq!(index.nearest(&Query::of(&message), 64).len(), 64);
    let took = began.elapsed();
    // Debug builds are some thirty times slower than what is served.
    assert!(took.as_millis() < 1500, "{took:?}");
}

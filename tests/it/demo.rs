//! The demo API answers as its document says: every operation, every documented status, every body against its schema.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use swagger_api_agent::demo;

/// Operation, method, path template, path and query as sent, body, status that must come.
type Case = (&'static str, &'static str, &'static str, &'static str, Option<Value>, u16);

/// In this order against one demo: later cases see what earlier ones did.
fn cases() -> Vec<Case> {
    let some = |value: Value| Some(value);
    vec![
        ("listUsers", "get", "/users", "/users?page=2", None, 200),
        ("listUsers", "get", "/users", "/users?role=admin&city=berlin&search=web&limit=5", None, 200),
        ("listUsers", "get", "/users", "/users?page=0&limit=101&role=king&x=1", None, 400),
        ("createUser", "post", "/users", "/users", some(json!({"name": "Ann", "email": "ann@example.com"})), 201),
        ("createUser", "post", "/users", "/users", some(json!({"name": "Ann", "email": "ANN@example.com"})), 409),
        ("createUser", "post", "/users", "/users", some(json!({"email": "nobody", "age": 7})), 422),
        ("createUser", "post", "/users", "/users", None, 400),
        ("getUser", "get", "/users/{user_id}", "/users/25", None, 200),
        ("getUser", "get", "/users/{user_id}", "/users/26", None, 404),
        ("getUser", "get", "/users/{user_id}", "/users/ann", None, 400),
        ("updateUser", "patch", "/users/{user_id}", "/users/25", some(json!({"role": "admin", "city": "Bern"})), 200),
        ("updateUser", "patch", "/users/{user_id}", "/users/25", some(json!({"email": "bob.novak@example.org"})), 409),
        ("updateUser", "patch", "/users/{user_id}", "/users/25", some(json!({})), 422),
        ("updateUser", "patch", "/users/{user_id}", "/users/0", some(json!({"role": "admin"})), 400),
        ("updateUser", "patch", "/users/{user_id}", "/users/99", some(json!({"role": "admin"})), 404),
        ("deleteUser", "delete", "/users/{user_id}", "/users/3", None, 204),
        ("deleteUser", "delete", "/users/{user_id}", "/users/3", None, 404),
        ("deleteUser", "delete", "/users/{user_id}", "/users/%20", None, 400),
        ("listProducts", "get", "/products", "/products?max_price=50&in_stock=true&category=home&limit=2", None, 200),
        ("listProducts", "get", "/products", "/products?max_price=cheap&min_price=-1&in_stock=maybe", None, 400),
        ("createProduct", "post", "/products", "/products", some(json!({"name": "Cup", "category": "home", "price": 7.5})), 201),
        ("createProduct", "post", "/products", "/products", some(json!({"name": " ", "category": "cups", "price": "7"})), 422),
        ("createProduct", "post", "/products", "/products", None, 400),
        ("getProduct", "get", "/products/{product_id}", "/products/21", None, 200),
        ("getProduct", "get", "/products/{product_id}", "/products/22", None, 404),
        ("getProduct", "get", "/products/{product_id}", "/products/1.5", None, 400),
        ("updateProduct", "patch", "/products/{product_id}", "/products/21", some(json!({"stock": 3})), 200),
        ("updateProduct", "patch", "/products/{product_id}", "/products/21", some(json!({"stock": -3})), 422),
        ("updateProduct", "patch", "/products/{product_id}", "/products/22", some(json!({"stock": 3})), 404),
        ("updateProduct", "patch", "/products/{product_id}", "/products/x", some(json!({"stock": 3})), 400),
        ("listOrders", "get", "/orders", "/orders?user_id=4&product_id=6&status=delivered", None, 200),
        ("listOrders", "get", "/orders", "/orders?created_from=2026-03-10&created_to=2026-03-20", None, 200),
        ("listOrders", "get", "/orders", "/orders?created_from=2026-02-30&page=1&page=2", None, 400),
        ("createOrder", "post", "/orders", "/orders", some(json!({"user_id": 1, "product_id": 21, "quantity": 3})), 201),
        ("createOrder", "post", "/orders", "/orders", some(json!({"user_id": 1, "product_id": 21})), 409),
        ("createOrder", "post", "/orders", "/orders", some(json!({"user_id": 999, "product_id": 999})), 422),
        ("createOrder", "post", "/orders", "/orders", None, 400),
        ("getOrder", "get", "/orders/{order_id}", "/orders/19", None, 200),
        ("getOrder", "get", "/orders/{order_id}", "/orders/20", None, 404),
        ("getOrder", "get", "/orders/{order_id}", "/orders/-1", None, 400),
        ("updateOrder", "patch", "/orders/{order_id}", "/orders/19", some(json!({"status": "paid", "note": "early"})), 200),
        ("updateOrder", "patch", "/orders/{order_id}", "/orders/19", some(json!({"status": "lost"})), 422),
        ("updateOrder", "patch", "/orders/{order_id}", "/orders/20", some(json!({"status": "paid"})), 404),
        ("updateOrder", "patch", "/orders/{order_id}", "/orders/x", some(json!({"status": "paid"})), 400),
        ("deleteOrder", "delete", "/orders/{order_id}", "/orders/19", None, 204),
        ("deleteOrder", "delete", "/orders/{order_id}", "/orders/19", None, 404),
        ("deleteOrder", "delete", "/orders/{order_id}", "/orders/x", None, 400),
        ("deleteProduct", "delete", "/products/{product_id}", "/products/21", None, 204),
        ("deleteProduct", "delete", "/products/{product_id}", "/products/21", None, 404),
        ("deleteProduct", "delete", "/products/{product_id}", "/products/x", None, 400),
    ]
}

#[tokio::test]
async fn every_operation_answers_as_documented() {
    let document: Value = serde_saphyr::from_str(demo::DOCUMENT).expect("the document is YAML");
    let site = Site::start().await;
    let mut seen = BTreeSet::new();
    for (operation_id, method, template, target, body, expected) in cases() {
        let described = &document["paths"][template][method];
        assert_eq!(described["operationId"], operation_id, "{method} {template}");
        let reply = site.send(method, target, body).await;
        assert_eq!(reply.status, expected, "{method} {target}: {:?}", reply.body);
        let response = resolved(&document, &described["responses"][expected.to_string()]);
        assert!(response.is_object(), "{operation_id}: {expected} is not documented");
        seen.insert((operation_id.to_owned(), expected.to_string()));

        assert_eq!(reply.location.is_some(), response["headers"]["Location"].is_object(), "{operation_id} {expected}");
        match response["content"]["application/json"].get("schema") {
            None => assert_eq!(reply.body, Value::Null, "{operation_id} {expected} has no body"),
            Some(schema) => must_match(&document, schema, &reply.body, &format!("{operation_id} {expected}")),
        }
    }
    assert_eq!(seen, documented(&document), "a documented answer was not tried");
}

#[tokio::test]
async fn lists_page_and_filter() {
    let site = Site::start().await;
    let second = site.send("get", "/users?page=2", None).await.body;
    assert_eq!((second["total"].as_u64(), second["users"].as_array().map(Vec::len)), (Some(24), Some(4)));
    assert_eq!(second["users"][0]["id"], 21);
    let beyond = site.send("get", "/users?page=4294967295&limit=100", None).await.body;
    assert_eq!(beyond["users"], json!([]));
    let cheap = site.send("get", "/products?max_price=20", None).await.body;
    assert!(cheap["products"].as_array().unwrap().iter().all(|product| product["price"].as_f64().unwrap() <= 20.0));
    assert_eq!(cheap["total"], 4);
    let berlin = site.send("get", "/users?city=BERLIN", None).await.body;
    assert_eq!(berlin["total"], 2);
    let days = site.send("get", "/orders?created_from=2026-03-02&created_to=2026-03-04", None).await.body;
    assert_eq!(days["total"], 3);
}

#[tokio::test]
async fn everything_wrong_is_named_at_once() {
    let site = Site::start().await;
    let reply = site.send("post", "/users", Some(json!({"name": "", "role": "king", "age": 7}))).await;
    let sentence = reply.body["error"].as_str().unwrap().to_owned();
    for field in ["email: is required", "name: ", "role: must be one of admin, member, guest", "age: is not known here"] {
        assert!(sentence.contains(field), "{field} in {sentence}");
    }
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_json() {
    let site = Site::start().await;
    for (method, target, status) in [("get", "/carts", 404), ("put", "/users/3", 405), ("delete", "/orders", 405)] {
        let reply = site.send(method, target, None).await;
        assert_eq!(reply.status, status, "{method} {target}");
        assert!(reply.body["error"].is_string(), "{method} {target}: {}", reply.body);
    }
}

#[tokio::test]
async fn a_full_table_takes_no_more() {
    let site = Site::start().await;
    let cup = || Some(json!({"name": "Cup", "category": "home", "price": 7.5}));
    let mut last = 201;
    for _ in 0..1001 {
        last = site.send("post", "/products", cup()).await.status;
        if last != 201 {
            break;
        }
    }
    assert_eq!(last, 409);
    assert_eq!(site.send("get", "/products", None).await.body["total"], 1000);
}

#[tokio::test]
async fn a_dropped_demo_closes_its_port() {
    let demo = demo::start().await.expect("a loopback port");
    let address = demo.address;
    drop(demo);
    for _ in 0..200 {
        if tokio::net::TcpStream::connect(address).await.is_err() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{address} still accepts connections 2 s after the demo was dropped");
}

struct Reply {
    status: u16,
    location: Option<String>,
    /// Null for an empty body.
    body: Value,
}

/// A demo and someone who talks to it.
struct Site {
    demo: demo::Demo,
    client: reqwest::Client,
}

impl Site {
    async fn start() -> Self {
        let demo = demo::start().await.expect("a loopback port");
        Self { demo, client: reqwest::Client::builder().no_proxy().build().expect("a client") }
    }

    async fn send(&self, method: &str, target: &str, body: Option<Value>) -> Reply {
        let method = reqwest::Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("http://{}{target}", self.demo.address));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let reply = request.send().await.expect("the demo answers");
        let status = reply.status().as_u16();
        let location = reply.headers().get("location").map(|value| value.to_str().expect("ASCII").to_owned());
        let bytes = reply.bytes().await.expect("a whole body");
        let body = if bytes.is_empty() { Value::Null } else { serde_json::from_slice(&bytes).expect("JSON") };
        Reply { status, location, body }
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    match value.get("$ref").and_then(Value::as_str) {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("a local reference"),
        None => value,
    }
}

fn must_match(document: &Value, schema: &Value, body: &Value, what: &str) {
    let closed = json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::validator_for(&closed).expect("a schema");
    let problems: Vec<String> = validator.iter_errors(body).map(|problem| problem.to_string()).collect();
    assert!(problems.is_empty(), "{what}: {problems:?} in {body}");
}

fn documented(document: &Value) -> BTreeSet<(String, String)> {
    let items = document["paths"].as_object().expect("paths").values();
    let operations = items.flat_map(|item| item.as_object().expect("a path item").iter()).filter(|(key, _)| *key != "parameters");
    operations
        .flat_map(|(_, operation)| {
            let id = operation["operationId"].as_str().expect("an operationId").to_owned();
            let statuses = operation["responses"].as_object().expect("responses").keys().cloned();
            statuses.map(move |status| (id.clone(), status))
        })
        // 409 of createProduct is the full table: `a_full_table_takes_no_more` tries it.
        .filter(|(id, status)| (id.as_str(), status.as_str()) != ("createProduct", "409"))
        .collect()
}

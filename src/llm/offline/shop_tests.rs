//! Sentences about a shop: users, products and orders with filters, as the demo has them.

use serde_json::json;

use super::*;
use crate::{
    domain::{session::Turn, tool::Effect},
    llm::{Prompt, ToolSet},
};

fn functions() -> Vec<FunctionSpec> {
    let (text, number, price, flag) =
        (json!({"type": "string"}), json!({"type": "integer"}), json!({"type": "number"}), json!({"type": "boolean"}));
    let role = json!({"enum": ["admin", "member", "guest"]});
    let status = json!({"enum": ["pending", "paid", "shipped", "delivered", "cancelled"]});
    let category = json!({"enum": ["books", "home", "toys"]});
    let day = json!({"type": "string", "format": "date"});
    let user = json!({"name": text, "email": {"type": "string", "format": "email"}, "role": role, "city": text, "phone": text});
    let product = json!({"name": text, "category": category, "price": price, "stock": number});
    let with_id = |name: &str, rest: &Value| {
        let mut all = Map::from_iter([(name.to_owned(), number.clone())]);
        all.extend(rest.as_object().cloned().unwrap_or_default());
        Value::Object(all)
    };
    let function = |name: &str, description: &str, properties: Value, required: &[&str]| {
        let effect = if name.starts_with("list") || name.starts_with("get") { Effect::Safe } else { Effect::Changing };
        let parameters = json!({"type": "object", "properties": properties, "required": required}).into();
        FunctionSpec { name: name.to_owned(), description: description.to_owned(), parameters, effect }
    };
    let none = json!({});
    vec![
        function(
            "listUsers",
            "List users (用户列表)",
            json!({"page": number, "limit": number, "role": role, "city": text, "search": text}),
            &[],
        ),
        function("createUser", "Create a user (创建用户)", user.clone(), &["name", "email"]),
        function("getUser", "Get one user by id (查看用户详情)", with_id("user_id", &none), &["user_id"]),
        function("updateUser", "Update a user (修改用户)", with_id("user_id", &user), &["user_id"]),
        function("deleteUser", "Delete a user (删除用户)", with_id("user_id", &none), &["user_id"]),
        function(
            "listProducts",
            "List products (商品列表)",
            json!({
                "page": number, "limit": number, "category": category, "min_price": price, "max_price": price, "in_stock": flag, "search": text
            }),
            &[],
        ),
        function("createProduct", "Create a product (新增商品)", product.clone(), &["name", "category", "price"]),
        function("getProduct", "Get one product by id (查看商品详情)", with_id("product_id", &none), &["product_id"]),
        function("updateProduct", "Update a product (修改商品)", with_id("product_id", &product), &["product_id"]),
        function("deleteProduct", "Delete a product (删除商品)", with_id("product_id", &none), &["product_id"]),
        function(
            "listOrders",
            "List orders (订单列表)",
            json!({
                "page": number, "limit": number, "user_id": number, "product_id": number, "status": status, "created_from": day, "created_to": day
            }),
            &[],
        ),
        function(
            "createOrder",
            "Create an order (创建订单)",
            json!({"user_id": number, "product_id": number, "quantity": number, "note": text}),
            &["user_id", "product_id"],
        ),
        function("getOrder", "Get one order by id (查看订单详情)", with_id("order_id", &none), &["order_id"]),
        function("updateOrder", "Update an order (修改订单)", with_id("order_id", &json!({"status": status, "note": text})), &["order_id"]),
        function("deleteOrder", "Delete an order (删除订单)", with_id("order_id", &none), &["order_id"]),
    ]
}

/// What becomes of the last message of a conversation in which none before it made a call: `name {arguments}`, or what is answered.
fn last_of(messages: &[&str]) -> String {
    let tools = ToolSet::new(functions());
    let Some((message, before)) = messages.split_last() else { return String::new() };
    let history: Vec<Turn> = before.iter().map(|message| turn(message)).collect();
    let prompt = Prompt { history: &history, ..Prompt::of(message, &tools) };
    match Offline::new(&tools.functions).plan(&prompt).next {
        Move::Calls { calls, .. } => {
            calls.iter().map(|call| format!("{} {}", call.name, json!(call.arguments.clone().unwrap_or_default()))).collect()
        }
        Move::Answer(answer) => answer,
    }
}

fn turn(message: &str) -> Turn {
    Turn {
        run: "r".into(),
        asked_ms: 0,
        message: message.to_owned(),
        rounds: Vec::new(),
        answered_ms: 0,
        answer: String::new(),
        usage: None,
        served: None,
    }
}

/// Whether an answer is no call.
fn asks(answer: &str) -> bool {
    !answer.ends_with('}')
}

#[test]
fn what_is_only_thought_of_changes_nothing() {
    for text in [
        "I might want to delete user 18",
        "maybe delete user 18",
        "perhaps we should delete user 18",
        "I am thinking of deleting user 18, delete user 18",
        "I could delete user 18",
        "may I delete user 18?",
        "也许删除用户18",
        "可能要删除用户18",
        "我在考虑删除用户18",
    ] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains("**deleteUser**"), "{text}: {said}");
    }
    assert_eq!(last_of(&["I want to delete user 18"]), r#"deleteUser {"user_id":18}"#);
    assert_eq!(last_of(&["maybe show me user 18"]), r#"getUser {"user_id":18}"#, "a read does no harm");
}

#[test]
fn a_denied_value_is_not_asked_for() {
    for (text, part, values) in [
        ("orders not shipped", "“not shipped”", "pending, paid, shipped"),
        ("orders which have not been paid", "“not been paid”", "pending, paid, shipped"),
        ("orders that haven't been paid", "“haven't been paid”", "pending, paid, shipped"),
        ("all users except admins", "“except admins”", "admin, member"),
        ("products not in the category toys", "“not in the category toys”", "books, home"),
        ("未发货的订单", "“未发货的订单”", "pending, paid, shipped"),
        ("除了管理员以外的用户", "“除了管理员以外的用户”", "admin, member"),
        ("不是管理员的用户", "“不是管理员的用户”", "admin, member"),
    ] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains(part) && said.contains(values), "{text}: {said}");
    }
    for text in ["don't show the shipped orders", "不要显示已发货的订单"] {
        assert!(asks(&last_of(&[text])), "{text}: {}", last_of(&[text]));
    }
    for text in ["products without stock", "products that are not in stock", "没有库存的商品"] {
        assert_eq!(last_of(&[text]), r#"listProducts {"in_stock":false}"#, "{text}");
    }
    assert_eq!(last_of(&["shipped orders"]), r#"listOrders {"status":"shipped"}"#);
}

#[test]
fn a_yes_that_nothing_waits_for_is_told_so() {
    for (yes, said) in [
        ("yes", "Nothing is waiting for a yes, and nothing was called."),
        ("Yes, do it!", "Nothing is waiting for a yes, and nothing was called."),
        ("确认", "没有等待您确认的操作，也没有执行任何调用。"),
        ("是的", "没有等待您确认的操作，也没有执行任何调用。"),
    ] {
        assert_eq!(last_of(&[yes]), said, "{yes}");
        assert!(asks(&last_of(&["delete user", yes])), "{yes}");
    }
}

#[test]
fn a_functions_name_is_a_sentence() {
    for (text, does) in [
        ("listProducts", "listProducts {}"),
        ("getUser user_id=3", r#"getUser {"user_id":3}"#),
        ("call getUser with user_id=3", r#"getUser {"user_id":3}"#),
        ("getUser(3)", r#"getUser {"user_id":3}"#),
        ("`getUser` 3", r#"getUser {"user_id":3}"#),
        ("listProducts category=toys max_price=20", r#"listProducts {"category":"toys","max_price":20}"#),
        (r#"listProducts {"category": "toys", "max_price": 20}"#, r#"listProducts {"category":"toys","max_price":20}"#),
        ("deleteUser user_id=3", r#"deleteUser {"user_id":3}"#),
        ("请调用 deleteUser，user_id=3", r#"deleteUser {"user_id":3}"#),
        ("执行listProducts，类别为toys", r#"listProducts {"category":"toys"}"#),
    ] {
        assert_eq!(last_of(&[text]), does, "{text}");
    }
    assert!(last_of(&["createUser"]).contains("- **name**"));
    for text in [
        "what does deleteUser do?",
        "don't call deleteUser user_id=3",
        "should I call deleteUser user_id=3?",
        "I called deleteUser user_id=3 yesterday",
        "deleteUser user_id=3 tomorrow",
        "deleteUser是做什么的",
        "不要调用deleteUser user_id=3",
    ] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains("**deleteUser**"), "{text}: {said}");
    }
    assert!(asks(&last_of(&["what does deleteUser do?", "3"])));
}

#[test]
fn our_own_question_is_answered_as_people_answer() {
    for (conversation, does) in [
        (&["create order", "user 4", "product 8"][..], r#"createOrder {"user_id":4,"product_id":8}"#),
        (&["create order", "user 4 product 8"], r#"createOrder {"user_id":4,"product_id":8}"#),
        (&["create order", "3", "7"], r#"createOrder {"user_id":3,"product_id":7}"#),
        (&["create order", "product 7, quantity 2", "3"], r#"createOrder {"user_id":3,"product_id":7,"quantity":2}"#),
        (&["delete user", "user 22"], r#"deleteUser {"user_id":22}"#),
        (&["getUser", "user_id 4"], r#"getUser {"user_id":4}"#),
        (&["update order 5", "paid"], r#"updateOrder {"order_id":5,"status":"paid"}"#),
        (&["创建订单", "用户4", "商品8"], r#"createOrder {"user_id":4,"product_id":8}"#),
        (&["创建订单", "3", "7"], r#"createOrder {"user_id":3,"product_id":7}"#),
        (&["删除用户", "用户22"], r#"deleteUser {"user_id":22}"#),
        (&["删除用户", "22号"], r#"deleteUser {"user_id":22}"#),
    ] {
        assert_eq!(last_of(conversation), does, "{conversation:?}");
    }
}

#[test]
fn what_asks_for_something_else_answers_no_question() {
    for (conversation, does) in [
        (&["delete user", "orders of user 3"][..], r#"listOrders {"user_id":3}"#),
        (&["delete user", "order 3"], r#"getOrder {"order_id":3}"#),
        (&["delete user", "show user 3"], r#"getUser {"user_id":3}"#),
        (&["update order 5", "paid orders"], r#"listOrders {"status":"paid"}"#),
        (&["create order", "user 4", "forget it", "product 8"], r#"getProduct {"product_id":8}"#),
        (&["删除用户", "用户3的订单"], r#"listOrders {"user_id":3}"#),
        (&["更新订单5", "已付款的订单"], r#"listOrders {"status":"paid"}"#),
    ] {
        assert_eq!(last_of(conversation), does, "{conversation:?}");
    }
}

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
    for conversation in
        [&["user 3 buys product 7?"][..], &["delete user 18?"], &["delete user", "18?"], &["deleteUser user_id=18?"], &["删除用户18？"]]
    {
        assert!(asks(&last_of(conversation)), "{conversation:?}");
    }
    assert_eq!(last_of(&["could you please delete user 18?"]), r#"deleteUser {"user_id":18}"#);
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

#[test]
fn two_requests_in_one_sentence_are_not_half_done() {
    for text in [
        "show user 3 and order 2",
        "show users 3 and 4",
        "shipped and pending orders",
        "shipped or pending orders",
        "users from Berlin and Paris",
        "list users and list products",
        "list users and products",
        "show user 3, then list products",
        "查询用户3和订单2",
        "查看用户3和4",
        "已发货和待付款的订单",
        "列出用户并列出商品",
    ] {
        let said = last_of(&[text]);
        assert!(said.contains("several requests") || said.contains("多个请求"), "{text}: {said}");
    }
    for (text, does) in [
        ("orders of user 3 and product 7", r#"listOrders {"user_id":3,"product_id":7}"#),
        ("toys between 10 and 40 euro", r#"listProducts {"category":"toys","min_price":10,"max_price":40}"#),
        ("用户3和商品7的订单", r#"listOrders {"user_id":3,"product_id":7}"#),
    ] {
        assert_eq!(last_of(&[text]), does, "{text}");
    }
}

#[test]
fn a_search_is_for_what_is_looked_for_and_not_for_its_kind() {
    for text in [
        "search for products with keyboard",
        "search for product keyboard",
        "search for keyboard products",
        "搜索商品 keyboard",
        "搜索商品keyboard",
    ] {
        assert_eq!(last_of(&[text]), r#"listProducts {"search":"keyboard"}"#, "{text}");
    }
    assert_eq!(last_of(&["search for products"]), "listProducts {}");
}

#[test]
fn a_word_that_is_no_search_is_not_searched_for() {
    for (text, part) in [
        ("sort products by price", "“sort”"),
        ("delet user 9", "“delet”"),
        ("undelete user 18", "“undelete”"),
        ("clear the phone of user 1", "“clear”"),
        ("users with role superadmin", "“role superadmin”"),
        ("恢复用户18", "“恢复”"),
        ("角色为超级的用户", "“角色为超级”"),
    ] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains(part), "{text}: {said}");
    }
    assert_eq!(last_of(&["the most expensive products"]), "listProducts {}");
    assert_eq!(last_of(&["any headphones in stock?"]), r#"listProducts {"in_stock":true,"search":"headphones"}"#);
}

#[test]
fn a_number_goes_to_no_other_property_than_is_said() {
    for (text, part) in [
        ("products with stock above 50", "“stock above 50”"),
        ("orders from march 10", "“march 10”"),
        ("orders since 10 March", "“10 March”"),
        ("库存大于50的商品", "“库存大于50”"),
        ("3月10日的订单", "“3月10日”"),
        ("3月10号的订单", "“3月10号”"),
    ] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains(part), "{text}: {said}");
    }
    for (text, does) in [
        ("products in stock under 50", r#"listProducts {"max_price":50,"in_stock":true}"#),
        ("orders since March 10, 2026", r#"listOrders {"created_from":"2026-03-10"}"#),
        ("价格大于50的商品", r#"listProducts {"min_price":50}"#),
    ] {
        assert_eq!(last_of(&[text]), does, "{text}");
    }
}

#[test]
fn to_order_or_to_buy_a_product_is_no_list_of_orders() {
    for (text, does) in [
        ("order product 7 for user 3", r#"createOrder {"user_id":3,"product_id":7}"#),
        ("please order the product 7 for user 3", r#"createOrder {"user_id":3,"product_id":7}"#),
        ("user 3 buys 2 of product 7", r#"createOrder {"user_id":3,"product_id":7,"quantity":2}"#),
        ("order 7", r#"getOrder {"order_id":7}"#),
        ("orders of product 7", r#"listOrders {"product_id":7}"#),
    ] {
        assert_eq!(last_of(&[text]), does, "{text}");
    }
    for text in ["order product 7", "下单商品7", "购买商品7"] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains("**createOrder**") && said.contains("- **user_id**"), "{text}: {said}");
    }
}

#[test]
fn a_search_among_nothing_asks_among_what() {
    for (text, sought) in [
        ("search for keyboard", "keyboard"),
        ("find keyboard", "keyboard"),
        ("look for a lamp", "lamp"),
        ("搜索 keyboard", "keyboard"),
        ("查找键盘", "键盘"),
    ] {
        let said = last_of(&[text]);
        assert!(said.contains("1. **listUsers**") && said.contains("2. **listProducts**"), "{text}: {said}");
        for answer in ["2", "products", "商品", "listProducts"] {
            assert_eq!(last_of(&[text, answer]), format!(r#"listProducts {{"search":"{sought}"}}"#), "{text}, {answer}");
        }
    }
    for text in ["show me the weather", "don't search for keyboard", "搜索"] {
        assert!(!last_of(&[text]).contains("1. **"), "{text}");
    }
}

#[test]
fn what_could_not_be_used_is_told() {
    let said = last_of(&["create a user named Tom with email not-an-email"]);
    assert!(said.contains("I could not use “not-an-email”.") && said.contains("- **email**"), "{said}");
    for text in ["商品8库存加10", "商品8的价格减5"] {
        let said = last_of(&[text]);
        assert!(asks(&said) && said.contains("**updateProduct**"), "{text}: {said}");
    }
    assert_eq!(last_of(&["把商品8的库存加到10"]), r#"updateProduct {"product_id":8,"stock":10}"#);
    let tools = ToolSet::new(functions());
    let told = |text: &str| match Offline::new(&tools.functions).plan(&Prompt::of(text, &tools)).next {
        Move::Calls { said, .. } => said.unwrap_or_default(),
        Move::Answer(answer) => panic!("{text}: {answer}"),
    };
    assert!(told("show the cheapest products").contains("“cheapest”. I cannot sort"));
    assert!(told("最便宜的商品").contains("我无法排序"));
    assert!(told("orders with a note").contains("“note”. The list is not narrowed by it."));
    assert!(told("有备注的订单").contains("列表没有按此筛选"));
}

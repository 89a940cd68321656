//! The shop's first data, invented: the same at every start.

use super::shop::{Order, Product, Records, Table, User, euro};

type UserRow = (&'static str, &'static str, &'static str, &'static str, &'static str, &'static str);

/// Name, e-mail, role, phone (empty: none), city (empty: none), day of March 2026.
const USERS: [UserRow; 24] = [
    ("Alice Martin", "alice.martin@example.org", "admin", "+33 1 5550 1001", "Paris", "01"),
    ("Bob Novak", "bob.novak@example.org", "member", "+420 555 100 02", "Prague", "01"),
    ("Carol Jensen", "carol.jensen@example.org", "member", "", "Copenhagen", "02"),
    ("陈静", "chen.jing@example.org", "member", "+86 10 5550 1004", "Beijing", "02"),
    ("David Okafor", "david.okafor@example.org", "guest", "", "Lagos", "02"),
    ("Elena Rossi", "elena.rossi@example.org", "member", "+39 06 5550 1006", "Rome", "03"),
    ("Farid Haddad", "farid.haddad@example.org", "member", "", "Berlin", "03"),
    ("Grace Kim", "grace.kim@example.org", "member", "+82 2 5550 1008", "Seoul", "04"),
    ("Hans Weber", "hans.weber@example.org", "admin", "+49 30 5550 1009", "Berlin", "04"),
    ("Ines Costa", "ines.costa@example.org", "guest", "", "Lisbon", "05"),
    ("李娜", "li.na@example.org", "member", "+86 21 5550 1011", "Shanghai", "05"),
    ("Jonas Berg", "jonas.berg@example.org", "member", "", "Oslo", "06"),
    ("Kavya Rao", "kavya.rao@example.org", "member", "+91 80 5550 1013", "Bengaluru", "06"),
    ("Liam O'Connor", "liam.oconnor@example.org", "guest", "", "Dublin", "07"),
    ("Maria Garcia", "maria.garcia@example.org", "member", "+34 91 5550 1015", "Madrid", "08"),
    ("Nadia Petrova", "nadia.petrova@example.org", "member", "", "Sofia", "08"),
    ("Oscar Lindqvist", "oscar.lindqvist@example.org", "member", "+46 8 5550 1017", "Stockholm", "09"),
    ("王伟", "wang.wei@example.org", "admin", "+86 10 5550 1018", "Beijing", "09"),
    ("Priya Shah", "priya.shah@example.org", "member", "", "Mumbai", "10"),
    ("Quentin Dubois", "quentin.dubois@example.org", "guest", "", "Paris", "10"),
    ("Rosa Silva", "rosa.silva@example.org", "member", "+55 11 5550 1021", "", "11"),
    ("Samuel Cohen", "samuel.cohen@example.org", "member", "", "", "11"),
    ("Tomoko Sato", "tomoko.sato@example.org", "member", "+81 3 5550 1023", "Tokyo", "12"),
    ("赵敏", "zhao.min@example.org", "guest", "", "Shanghai", "12"),
];

type ProductRow = (&'static str, &'static str, f64, u32, &'static str);

/// Name, category, price, stock, description.
const PRODUCTS: [ProductRow; 20] = [
    ("Mechanical keyboard", "electronics", 89.0, 34, "Quiet switches, 87 keys"),
    ("Wireless mouse", "electronics", 29.9, 120, "Works for a year on one battery"),
    ("USB-C hub", "electronics", 45.5, 58, "Seven ports in an aluminium case"),
    ("27-inch monitor", "electronics", 249.0, 12, "Sharp enough for small print"),
    ("Noise-cancelling headphones", "electronics", 179.0, 0, "Thirty hours of quiet"),
    ("The Rust Handbook", "books", 42.0, 80, "From ownership to async"),
    ("Cooking for Two", "books", 24.5, 45, "Sixty dinners in half an hour each"),
    ("红楼梦", "books", 36.0, 22, "A classic novel in two volumes"),
    ("Pocket atlas", "books", 12.9, 150, "Every country on one page"),
    ("Linen shirt", "clothing", 54.0, 40, "Light, for warm days"),
    ("Wool socks", "clothing", 14.0, 200, "Two pairs"),
    ("Rain jacket", "clothing", 119.0, 18, "Waterproof, packs small"),
    ("Desk lamp", "home", 39.9, 60, "Dimmable, with a wooden foot"),
    ("Ceramic teapot", "home", 48.0, 25, "Holds one litre"),
    ("Cotton blanket", "home", 65.0, 0, "150 by 200 centimetres"),
    ("Kitchen scale", "home", 22.0, 75, "To the gram, up to five kilograms"),
    ("Wooden train", "toys", 34.5, 33, "Twelve pieces of beech"),
    ("Jigsaw puzzle", "toys", 19.9, 90, "A thousand pieces: a harbour"),
    ("Building blocks", "toys", 49.9, 52, "Two hundred pieces"),
    ("Paper kite", "toys", 9.5, 0, "Flies in a light wind"),
];

type OrderRow = (u32, usize, u32, &'static str, &'static str, &'static str);

/// User, product (as an index from 1), quantity, status, note (empty: none), day of March 2026.
const ORDERS: [OrderRow; 18] = [
    (2, 1, 1, "delivered", "", "02"),
    (4, 6, 2, "delivered", "Gift wrap, please", "03"),
    (2, 13, 1, "delivered", "", "04"),
    (8, 4, 1, "shipped", "", "06"),
    (11, 8, 1, "paid", "请周末送货", "07"),
    (15, 18, 3, "shipped", "", "09"),
    (7, 3, 1, "cancelled", "Ordered twice by mistake", "10"),
    (13, 12, 1, "paid", "", "12"),
    (4, 14, 1, "shipped", "", "13"),
    (18, 2, 5, "paid", "For the office", "15"),
    (6, 10, 2, "pending", "", "16"),
    (9, 4, 2, "delivered", "", "17"),
    (17, 17, 1, "pending", "", "19"),
    (23, 9, 4, "paid", "", "20"),
    (4, 11, 3, "pending", "", "22"),
    (12, 19, 1, "cancelled", "", "24"),
    (2, 16, 1, "shipped", "", "26"),
    (19, 7, 1, "pending", "Ring twice", "28"),
];

pub(super) fn records() -> Records {
    let made_on = |day: &str| format!("2026-03-{day}T09:30:00.000Z");
    let text = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let users = (1..).zip(USERS).map(|(id, (name, email, role, phone, city, day))| User {
        id,
        name: name.to_owned(),
        email: email.to_owned(),
        role,
        phone: text(phone),
        city: text(city),
        created_at: made_on(day),
    });
    let products = (1..).zip(PRODUCTS).map(|(id, (name, category, price, stock, description))| Product {
        id,
        name: name.to_owned(),
        category,
        price,
        stock,
        description: description.to_owned(),
        created_at: made_on("01"),
    });
    let orders = (1..).zip(ORDERS).map(|(id, (user_id, product, quantity, status, note, day))| {
        let price = PRODUCTS.get(product - 1).map_or(0.0, |row| row.2);
        Order {
            id,
            user_id,
            product_id: u32::try_from(product).unwrap_or(u32::MAX),
            quantity,
            total: euro(price * f64::from(quantity)),
            status,
            note: text(note),
            created_at: made_on(day),
        }
    });
    Records { users: Table::of(users), products: Table::of(products), orders: Table::of(orders) }
}

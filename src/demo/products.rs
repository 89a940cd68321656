//! Products: list, create, show, change, remove.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    input::{Failure, InBody, InPath, InQuery, Input},
    shop::{CATEGORIES, Paging, Product, Shop, contains, created},
};

const PRICE_MAX: f64 = 1_000_000.0;
const STOCK_MAX: u32 = 1_000_000;

pub(super) async fn list(State(shop): State<Arc<Shop>>, InQuery(mut query): InQuery) -> Result<Json<Value>, Failure> {
    let paging = Paging::read(&mut query);
    let category = query.choice("category", &CATEGORIES);
    let least = query.number("min_price", 0.0..=f64::MAX);
    let most = query.number("max_price", 0.0..=f64::MAX);
    let in_stock = query.flag("in_stock");
    let search = query.text("search", 1..=120).map(|part| part.to_lowercase());
    query.finish()?;

    let records = shop.records();
    let found = records.products.iter().filter(|product| {
        category.is_none_or(|category| product.category == category)
            && least.is_none_or(|least| product.price >= least)
            && most.is_none_or(|most| product.price <= most)
            && in_stock.is_none_or(|wanted| (product.stock > 0) == wanted)
            && search.as_ref().is_none_or(|part| contains(&product.name, part) || contains(&product.description, part))
    });
    Ok(paging.of("products", found))
}

pub(super) async fn show(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<Json<Product>, Failure> {
    shop.records().products.get(id).cloned().map(Json).ok_or_else(|| Failure::missing("product", id))
}

pub(super) async fn create(State(shop): State<Arc<Shop>>, InBody(mut body): InBody) -> Result<Response, Failure> {
    body.require(&["name", "category", "price"]);
    let fields = Fields::read(&mut body);
    body.finish()?;

    let Fields { name: Some(name), category: Some(category), price: Some(price), stock, description } = fields else {
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "name, category and price: are required"));
    };
    let (stock, description, created_at) = (stock.unwrap_or(0), description.unwrap_or_default(), shop.now());
    let mut records = shop.records();
    let product = records.products.add(|id| Product { id, name, category, price, stock, description, created_at })?;
    Ok(created("/products", product.id, product))
}

pub(super) async fn change(State(shop): State<Arc<Shop>>, InPath(id): InPath, InBody(mut body): InBody) -> Result<Json<Product>, Failure> {
    if body.is_empty() {
        body.wrong("body", "must change at least one field");
    }
    let fields = Fields::read(&mut body);
    body.finish()?;

    let mut records = shop.records();
    let product = records.products.get_mut(id).ok_or_else(|| Failure::missing("product", id))?;
    let Fields { name, category, price, stock, description } = fields;
    product.name = name.unwrap_or_else(|| product.name.clone());
    product.category = category.unwrap_or(product.category);
    product.price = price.unwrap_or(product.price);
    product.stock = stock.unwrap_or(product.stock);
    product.description = description.unwrap_or_else(|| product.description.clone());
    Ok(Json(product.clone()))
}

pub(super) async fn remove(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<StatusCode, Failure> {
    shop.records().products.remove(id).map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Failure::missing("product", id))
}

struct Fields {
    name: Option<String>,
    category: Option<&'static str>,
    price: Option<f64>,
    stock: Option<u32>,
    description: Option<String>,
}

impl Fields {
    fn read(body: &mut Input) -> Self {
        Self {
            name: body.text("name", 1..=80),
            category: body.choice("category", &CATEGORIES),
            price: body.number("price", 0.0..=PRICE_MAX),
            stock: body.integer("stock", 0..=STOCK_MAX),
            description: body.text("description", 0..=500),
        }
    }
}

//! Orders: list, create, show, change, remove.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    input::{Failure, InBody, InPath, InQuery},
    shop::{Id, Order, Paging, STATUSES, Shop, created, euro},
};

pub(super) async fn list(State(shop): State<Arc<Shop>>, InQuery(mut query): InQuery) -> Result<Json<Value>, Failure> {
    let paging = Paging::read(&mut query);
    let user_id = query.integer("user_id", 1..=Id::MAX);
    let product_id = query.integer("product_id", 1..=Id::MAX);
    let status = query.choice("status", &STATUSES);
    let (from, to) = (query.date("created_from"), query.date("created_to"));
    query.finish()?;

    let records = shop.records();
    let found = records.orders.iter().filter(|order| {
        // RFC 3339 in UTC: the first ten characters are the day, and days compare as texts.
        let day = order.created_at.get(..10).unwrap_or_default();
        user_id.is_none_or(|id| order.user_id == id)
            && product_id.is_none_or(|id| order.product_id == id)
            && status.is_none_or(|status| order.status == status)
            && from.as_ref().is_none_or(|from| day >= from.as_str())
            && to.as_ref().is_none_or(|to| day <= to.as_str())
    });
    Ok(paging.of("orders", found))
}

pub(super) async fn show(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<Json<Order>, Failure> {
    shop.records().orders.get(id).cloned().map(Json).ok_or_else(|| Failure::missing("order", id))
}

pub(super) async fn create(State(shop): State<Arc<Shop>>, InBody(mut body): InBody) -> Result<Response, Failure> {
    body.require(&["user_id", "product_id"]);
    let user_id = body.integer("user_id", 1..=Id::MAX);
    let product_id = body.integer("product_id", 1..=Id::MAX);
    let quantity = body.integer("quantity", 1..=1000).unwrap_or(1);
    let note = body.text("note", 0..=500);

    let mut guard = shop.records();
    let records = &mut *guard;
    if let Some(id) = user_id.filter(|id| records.users.get(*id).is_none()) {
        body.wrong("user_id", &format!("user {id} does not exist"));
    }
    if let Some(id) = product_id.filter(|id| records.products.get(*id).is_none()) {
        body.wrong("product_id", &format!("product {id} does not exist"));
    }
    body.finish()?;
    let unnamed = || Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "user_id and product_id: are required");
    let user_id = user_id.ok_or_else(unnamed)?;
    let product = product_id.and_then(|id| records.products.get_mut(id)).ok_or_else(unnamed)?;
    if product.stock < quantity {
        return Err(Failure::conflict(format!("quantity: only {} of product {} are in stock", product.stock, product.id)));
    }
    let (product_id, total, created_at) = (product.id, euro(product.price * f64::from(quantity)), shop.now());
    let make = |id| Order { id, user_id, product_id, quantity, total, status: "pending", note, created_at };
    let order = records.orders.add(make)?;
    product.stock -= quantity;
    Ok(created("/orders", order.id, order))
}

pub(super) async fn change(State(shop): State<Arc<Shop>>, InPath(id): InPath, InBody(mut body): InBody) -> Result<Json<Order>, Failure> {
    if body.is_empty() {
        body.wrong("body", "must change at least one field");
    }
    let status = body.choice("status", &STATUSES);
    let note = body.text("note", 0..=500);
    body.finish()?;

    let mut records = shop.records();
    let order = records.orders.get_mut(id).ok_or_else(|| Failure::missing("order", id))?;
    order.status = status.unwrap_or(order.status);
    order.note = note.or_else(|| order.note.take());
    Ok(Json(order.clone()))
}

pub(super) async fn remove(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<StatusCode, Failure> {
    shop.records().orders.remove(id).map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Failure::missing("order", id))
}

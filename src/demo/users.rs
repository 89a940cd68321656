//! Users: list, create, show, change, remove.

use std::sync::Arc;

use axum::{Json, extract::State, http::StatusCode, response::Response};
use serde_json::Value;

use super::{
    input::{Failure, InBody, InPath, InQuery, Input},
    shop::{Id, Paging, ROLES, Shop, Table, User, contains, created},
};

pub(super) async fn list(State(shop): State<Arc<Shop>>, InQuery(mut query): InQuery) -> Result<Json<Value>, Failure> {
    let paging = Paging::read(&mut query);
    let role = query.choice("role", &ROLES);
    let city = query.text("city", 1..=60).map(|city| city.to_lowercase());
    let search = query.text("search", 1..=120).map(|part| part.to_lowercase());
    query.finish()?;

    let records = shop.records();
    let found = records.users.iter().filter(|user| {
        role.is_none_or(|role| user.role == role)
            && city.as_ref().is_none_or(|city| user.city.as_ref().is_some_and(|of| of.to_lowercase() == *city))
            && search.as_ref().is_none_or(|part| contains(&user.name, part) || contains(&user.email, part))
    });
    Ok(paging.of("users", found))
}

pub(super) async fn show(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<Json<User>, Failure> {
    shop.records().users.get(id).cloned().map(Json).ok_or_else(|| Failure::missing("user", id))
}

pub(super) async fn create(State(shop): State<Arc<Shop>>, InBody(mut body): InBody) -> Result<Response, Failure> {
    body.require(&["name", "email"]);
    let fields = Fields::read(&mut body);
    body.finish()?;

    let mut records = shop.records();
    let Fields { name: Some(name), email: Some(email), role, phone, city } = fields else {
        return Err(Failure::new(StatusCode::UNPROCESSABLE_ENTITY, "name and email: are required"));
    };
    must_be_free(&records.users, &email, None)?;
    let created_at = shop.now();
    let role = role.unwrap_or("member");
    let user = records.users.add(|id| User { id, name, email, role, phone, city, created_at })?;
    Ok(created("/users", user.id, user))
}

pub(super) async fn change(State(shop): State<Arc<Shop>>, InPath(id): InPath, InBody(mut body): InBody) -> Result<Json<User>, Failure> {
    if body.is_empty() {
        body.wrong("body", "must change at least one field");
    }
    let fields = Fields::read(&mut body);
    body.finish()?;

    let mut records = shop.records();
    if records.users.get(id).is_none() {
        return Err(Failure::missing("user", id));
    }
    if let Some(email) = &fields.email {
        must_be_free(&records.users, email, Some(id))?;
    }
    let user = records.users.get_mut(id).ok_or_else(|| Failure::missing("user", id))?;
    let Fields { name, email, role, phone, city } = fields;
    user.name = name.unwrap_or_else(|| user.name.clone());
    user.email = email.unwrap_or_else(|| user.email.clone());
    user.role = role.unwrap_or(user.role);
    user.phone = phone.or_else(|| user.phone.take());
    user.city = city.or_else(|| user.city.take());
    Ok(Json(user.clone()))
}

pub(super) async fn remove(State(shop): State<Arc<Shop>>, InPath(id): InPath) -> Result<StatusCode, Failure> {
    shop.records().users.remove(id).map(|_| StatusCode::NO_CONTENT).ok_or_else(|| Failure::missing("user", id))
}

struct Fields {
    name: Option<String>,
    email: Option<String>,
    role: Option<&'static str>,
    phone: Option<String>,
    city: Option<String>,
}

impl Fields {
    fn read(body: &mut Input) -> Self {
        Self {
            name: body.text("name", 1..=80),
            email: body.email("email"),
            role: body.choice("role", &ROLES),
            phone: body.text("phone", 1..=30),
            city: body.text("city", 1..=60),
        }
    }
}

/// 409 if another user than `own` has this address, in any letter case.
fn must_be_free(users: &Table<User>, email: &str, own: Option<Id>) -> Result<(), Failure> {
    let taken = users.iter().any(|user| Some(user.id) != own && user.email.to_lowercase() == email.to_lowercase());
    if taken { Err(Failure::conflict(format!("email: {email} is already in use"))) } else { Ok(()) }
}

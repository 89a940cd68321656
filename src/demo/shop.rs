//! The shop's records and the pages they are listed in.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json,
    http::{StatusCode, header::LOCATION},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    input::{Failure, Input},
    seed,
};
use crate::{
    clock::{Clock, rfc3339},
    domain::limits::{DEMO_PAGE_DEFAULT, DEMO_PAGE_MAX, DEMO_RECORDS_MAX},
};

/// Numbers records from 1, each kind for itself; an id is never given twice.
pub(super) type Id = u32;

pub(super) const ROLES: [&str; 3] = ["admin", "member", "guest"];
pub(super) const CATEGORIES: [&str; 5] = ["electronics", "books", "clothing", "home", "toys"];
pub(super) const STATUSES: [&str; 5] = ["pending", "paid", "shipped", "delivered", "cancelled"];

#[derive(Debug, Clone, Serialize)]
pub(super) struct User {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) email: String,
    pub(super) role: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) phone: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) city: Option<String>,
    pub(super) created_at: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Product {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) category: &'static str,
    /// Euro.
    pub(super) price: f64,
    pub(super) stock: u32,
    pub(super) description: String,
    pub(super) created_at: String,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Order {
    pub(super) id: Id,
    pub(super) user_id: Id,
    pub(super) product_id: Id,
    pub(super) quantity: u32,
    /// Euro, at the price of the day it was made.
    pub(super) total: f64,
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    pub(super) created_at: String,
}

/// Records of one kind by id.
#[derive(Debug)]
pub(super) struct Table<T> {
    rows: BTreeMap<Id, T>,
    next: Id,
}

impl<T> Table<T> {
    /// The records with ids from 1 in the order they come.
    pub(super) fn of(records: impl Iterator<Item = T>) -> Self {
        let rows: BTreeMap<Id, T> = (1..).zip(records).collect();
        let next = rows.keys().next_back().map_or(1, |last| last + 1);
        Self { rows, next }
    }

    pub(super) fn get(&self, id: Id) -> Option<&T> {
        self.rows.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: Id) -> Option<&mut T> {
        self.rows.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.rows.values()
    }

    /// Adds what `make` makes of a fresh id; 409 when the table is full.
    pub(super) fn add(&mut self, make: impl FnOnce(Id) -> T) -> Result<&T, Failure> {
        if self.rows.len() >= DEMO_RECORDS_MAX {
            return Err(Failure::conflict(format!("the demo keeps at most {DEMO_RECORDS_MAX} records of a kind")));
        }
        let id = self.next;
        self.next += 1;
        Ok(self.rows.entry(id).or_insert(make(id)))
    }

    pub(super) fn remove(&mut self, id: Id) -> Option<T> {
        self.rows.remove(&id)
    }
}

/// Everything the shop knows.
#[derive(Debug)]
pub(super) struct Records {
    pub(super) users: Table<User>,
    pub(super) products: Table<Product>,
    pub(super) orders: Table<Order>,
}

/// The shop: its records behind one lock, and the time.
#[derive(Debug)]
pub(super) struct Shop {
    records: Mutex<Records>,
    clock: Clock,
}

impl Shop {
    /// The shop as it is at every start.
    pub(super) fn seeded() -> Self {
        Self { records: Mutex::new(seed::records()), clock: Clock::System }
    }

    /// The records, for as long as the guard lives. No request waits while it holds them.
    pub(super) fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Now, as records carry it.
    pub(super) fn now(&self) -> String {
        rfc3339(self.clock.now_ms())
    }
}

/// Which page of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paging {
    page: u32,
    limit: u32,
}

impl Paging {
    pub(super) fn read(query: &mut Input) -> Self {
        let page = query.integer("page", 1..=u32::MAX).unwrap_or(1);
        let limit = query.integer("limit", 1..=DEMO_PAGE_MAX).unwrap_or(DEMO_PAGE_DEFAULT);
        Self { page, limit }
    }

    /// `{"<name>": […], "total", "page", "limit"}`; beyond the last page the list is empty.
    pub(super) fn of<'a, T: Serialize + 'a>(self, name: &str, found: impl Iterator<Item = &'a T>) -> Json<Value> {
        let found: Vec<&T> = found.collect();
        let skip = usize::try_from(u64::from(self.page - 1) * u64::from(self.limit)).unwrap_or(usize::MAX);
        let page: Vec<&&T> = found.iter().skip(skip).take(self.limit as usize).collect();
        Json(json!({ name: page, "total": found.len(), "page": self.page, "limit": self.limit }))
    }
}

/// 201 with the record and where it is.
pub(super) fn created<T: Serialize>(path: &str, id: Id, record: &T) -> Response {
    (StatusCode::CREATED, [(LOCATION, format!("{path}/{id}"))], Json(record)).into_response()
}

/// Whether `text` contains `part`, which is already in lower case.
pub(super) fn contains(text: &str, part: &str) -> bool {
    text.to_lowercase().contains(part)
}

/// Rounded to cents.
pub(super) fn euro(amount: f64) -> f64 {
    (amount * 100.0).round() / 100.0
}

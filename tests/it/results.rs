//! What becomes of replies: odd ones, big ones, and those that are read in parts.

mod api;
mod kept;
mod reading;
mod replies;

pub(crate) use crate::contract::on_both_stores;

//! Turns that are followed while they happen: what is told and when, from every replica, and taken up again where it broke off.

mod bounds;
mod follow;
mod resume;
mod told;

//! Turns from outside: what the model hears, what the API sees, and what is left when something in the middle goes away.

mod confirmation;
mod crashes;
mod ends;
mod lost;
mod memory;
mod rounds;

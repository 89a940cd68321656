//! Credentials for the API, seen from the wire: which go with a call, whose they are, where they never go.

mod choosing;
mod clients;
mod leaks;
mod own;

//! What administrators see of the whole service, and do about it: turns that run, replicas, sessions by the thousand, what changes while they
//! look, and the same at the command line.

mod command_line;
mod events;
mod listing;
mod replicas;
mod stats;
mod turns;

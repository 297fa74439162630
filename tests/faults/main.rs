//! The running binary under fault: its database killed or away, its clients slow, its Shopify at its worst, itself
//! stopped or shot. All on loopback and bounded; `CARTWRIGHT_FAULTS=long` runs the storms for longer.

mod support;

mod ambient;
mod crowds;
mod database_away;
mod dump;
mod egress;
mod hostile;
mod memory;
mod postgres_killed;
mod rotation;
mod server_killed;
mod slow_clients;
mod stopping;
mod storm;

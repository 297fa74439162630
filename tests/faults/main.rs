//! Fault injection against the compiled binary: database killed or unreachable, slow clients, hostile Shopify
//! responses, shutdown and SIGKILL. Uses loopback only and bounds every wait; `CARTWRIGHT_FAULTS=long` runs the long
//! variants.

mod support;

mod ambient;
mod clock;
mod core_dumps;
mod crowds;
mod database_away;
mod descriptors;
mod disk_full;
mod dump;
mod egress;
mod hostile;
mod log_gone;
mod memory;
mod nginx;
mod one_renewal;
mod postgres_killed;
mod quiet_database;
mod reload;
mod replicas;
mod rotation;
mod server_killed;
mod sign_ins;
mod slow_clients;
mod soak;
mod starting;
mod stopping;
mod storm;
mod workers;

//! The SQL of carts, one statement per function. Functions take a connection, so that callers can combine them in one
//! transaction.

pub(super) mod bulk;
pub(super) mod cart_refs;
pub(super) mod carts;
pub(super) mod changes;
pub(super) mod connection_tests;
pub(super) mod counts;
pub(super) mod credentials;
pub(super) mod draft_secrets;
pub(super) mod generations;
pub(super) mod health;
pub(super) mod history;
pub(super) mod integration;
pub(super) mod leases;
pub(super) mod listing;
pub(super) mod locations;
pub(super) mod outcomes;
pub(super) mod rotation;
pub(super) mod settings;
pub(super) mod shared_problems;
pub(super) mod summaries;
pub(super) mod token_issue;
pub(super) mod token_refresh;
pub(super) mod token_uses;

//! The SQL of carts, one statement per function. Functions take a connection, so that callers can combine them in one
//! transaction.

mod bulk;
mod cart_refs;
mod carts;
mod connection_tests;
mod counts;
mod credentials;
mod health;
mod history;
mod integration;
mod leases;
mod listing;
mod locations;
mod outcomes;
mod rotation;
mod settings;
mod shared;
mod token_refresh;

pub(super) use bulk::*;
pub(super) use cart_refs::*;
pub(super) use carts::*;
pub(super) use connection_tests::*;
pub(super) use counts::*;
pub(super) use credentials::*;
pub(super) use health::*;
pub(super) use history::*;
pub(super) use integration::*;
pub(super) use leases::*;
pub(super) use listing::*;
pub(super) use locations::*;
pub(super) use outcomes::*;
pub(super) use rotation::*;
pub(super) use settings::*;
pub(super) use shared::*;
pub(super) use token_refresh::*;

//! The SQL of carts, one statement a function. Functions take a connection, so that verbs compose them in one transaction.

mod bulk;
mod carts;
mod health;
mod history;
mod integration;
mod listing;
mod locations;
mod minting;
mod outcomes;
mod rotation;
mod settings;
mod tests;

pub(super) use bulk::*;
pub(super) use carts::*;
pub(super) use health::*;
pub(super) use history::*;
pub(super) use integration::*;
pub(super) use listing::*;
pub(super) use locations::*;
pub(super) use minting::*;
pub(super) use outcomes::*;
pub(super) use rotation::*;
pub(super) use settings::*;
pub(super) use tests::*;

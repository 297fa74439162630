//! The SQL of carts, one statement a function. Functions take a connection, so that verbs compose them in one transaction.

mod carts;
mod health;
mod history;
mod integration;
mod listing;
mod minting;
mod tests;

pub(super) use carts::*;
pub(super) use health::*;
pub(super) use history::*;
pub(super) use integration::*;
pub(super) use listing::*;
pub(super) use minting::*;
pub(super) use tests::*;

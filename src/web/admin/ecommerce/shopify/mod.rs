//! The ECommerce Integration Editor for Shopify.

pub mod connection_test;
pub mod deletion;
pub mod disconnection;
pub mod general;

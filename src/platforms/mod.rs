//! The e-commerce platforms, one folder each.

pub mod shopify;

//! The domain proper: carts, their credentials, and whether they work.

pub mod shopify;
pub mod title;
pub mod verdict;

//! Admin → Ecommerce Integration.

pub mod add;
pub mod carts;
pub mod shopify;
pub mod switch;

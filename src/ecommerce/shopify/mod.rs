//! All that only Shopify asks of us. Facts from shopify.dev, checked November 2026.

pub mod address;
pub mod answer;
pub mod client;
pub mod connection_test;
pub mod credential;
pub mod guide;
pub mod resolver;
pub mod scopes;

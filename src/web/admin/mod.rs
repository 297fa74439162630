//! Pages behind the sign-in.

pub mod account;
pub mod alerts;
pub mod ecommerce;
pub mod home;

//! Pages behind the sign-in.

pub mod ecommerce;
pub mod home;

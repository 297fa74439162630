//! Pages that require sign-in.

pub mod account;
pub mod activity;
pub mod alerts;
pub mod ecommerce;
pub mod home;
pub mod users;

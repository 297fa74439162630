//! Cartwright connects online stores to an order system. Modules are listed in reading order: domain logic is outside
//! [`web`], presentation inside it. Data flows one way.

pub mod app;
pub mod browser_name;
pub mod cli;
pub mod clock;
pub mod config;
pub mod direction;
pub mod network;
pub mod pasted;
pub mod proxies;
pub mod supervisor;
pub mod telemetry;
pub mod urls;

pub mod accounts;
pub mod alerts;
pub mod api_keys;
pub mod audit;
pub mod carts;
pub mod causes;
pub mod database;
pub mod keys;
pub mod outbound;
pub mod platforms;
pub mod vault;

#[cfg(feature = "practice")]
pub mod practice;
pub mod web;
pub mod worker;

//! Support for tests of the compiled binary: process, data folder, and a browser that speaks only HTTP and HTML forms.
//! Uses no code under test except the vault in `keys` and the practice store, which simulates Shopify.

#![allow(dead_code, reason = "no test binary uses all of it")]

pub mod balancer;
pub mod browser;
pub mod cluster;
pub mod http;
pub mod https;
pub mod keys;
pub mod nginx;
pub mod page;
pub mod process;
pub mod relay;
pub mod world;

use std::time::{Duration, Instant};

/// Polls every 20 ms until the condition holds; fails after `bound`. Returns the time it took.
pub async fn until<F: Future<Output = bool>>(bound: Duration, what: &str, mut is_true: impl FnMut() -> F) -> Duration {
    let begun = Instant::now();
    while !is_true().await {
        assert!(begun.elapsed() < bound, "{what}: not within {bound:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// Generates a well-formed access token, so that secret scanners find none in the sources.
pub fn token() -> String {
    format!("shpat_{}", uuid::Uuid::new_v4().simple())
}

/// Whether `CARTWRIGHT_FAULTS=long` selects the long runs.
pub fn is_long() -> bool {
    std::env::var("CARTWRIGHT_FAULTS").is_ok_and(|wish| wish == "long")
}

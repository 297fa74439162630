//! What tests of the running binary share: its process, its data folder, a browser that knows nothing but HTTP and forms.
//! Refuses to know the code under test; only the practice store, which plays Shopify, comes from there.

#![allow(dead_code, reason = "each test binary uses its own part")]

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

use std::{
    io::Write,
    time::{Duration, Instant},
};

/// Looks every 20 ms whether something has become true; a bounded wait, never a pause that hopes.
pub async fn until<F: Future<Output = bool>>(bound: Duration, what: &str, mut is_true: impl FnMut() -> F) -> Duration {
    let begun = Instant::now();
    while !is_true().await {
        assert!(begun.elapsed() < bound, "{what}: not within {bound:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// Says that this test, or the rest of it, could not look at what it is named for, and why. Not captured, unlike `println!`:
/// `scripts/test` counts these lines and repeats them at its end.
pub fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "\nSKIPPED {test}: {reason}").expect("standard error");
}

/// An access token that looks real and is made here, so that no scanner finds one in this file.
pub fn token() -> String {
    format!("shpat_{}", uuid::Uuid::new_v4().simple())
}

/// Whether the long runs are asked for: `CARTWRIGHT_FAULTS=long`.
pub fn is_long() -> bool {
    std::env::var("CARTWRIGHT_FAULTS").is_ok_and(|wish| wish == "long")
}

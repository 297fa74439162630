//! Support for tests of the compiled binary: process, data folder, and a browser that speaks only HTTP and HTML forms.
//! Uses no code under test except the vault in `keys` and the practice store, which simulates Shopify.

#![allow(dead_code, reason = "no test binary uses all of it")]

pub mod balancer;
pub mod browser;
pub mod cluster;
pub mod https;
pub mod keys;
#[path = "../../kit/mod.rs"]
pub mod kit;
pub mod nginx;
pub mod page;
pub mod relay;
pub mod world;

pub use kit::{http, program as process};

use std::{
    io::Write,
    time::{Duration, Instant},
};

/// Polls every 20 ms until the condition holds; fails after `bound`. Returns the time it took.
pub async fn until<F: Future<Output = bool>>(bound: Duration, what: &str, mut is_true: impl FnMut() -> F) -> Duration {
    let begun = Instant::now();
    while !is_true().await {
        assert!(begun.elapsed() < bound, "{what}: not within {bound:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    begun.elapsed()
}

/// Reports that this test, or the rest of it, could not check what its name says, and why. Not captured, unlike
/// `println!`: `scripts/test` counts these lines and repeats them at its end.
pub fn skip(reason: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    writeln!(std::io::stderr(), "\nSKIPPED {test}: {reason}").expect("standard error");
}

/// Returns an access token that looks real. It is generated, so that no secret scanner finds one in this file.
pub fn token() -> String {
    format!("shpat_{}", uuid::Uuid::new_v4().simple())
}

/// Whether `CARTWRIGHT_FAULTS=long` selects the long runs.
pub fn is_long() -> bool {
    std::env::var("CARTWRIGHT_FAULTS").is_ok_and(|wish| wish == "long")
}

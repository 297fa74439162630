//! All that only Shopify asks of us: addresses, credentials, calls, answers and the words for permissions.
//! Knows no database and no page. Facts from shopify.dev, checked November 2026.

pub mod address;
pub mod answer;
pub mod client;
pub mod connection_test;
pub mod credential;
pub mod diagnostics;
pub mod locations;
pub mod scopes;
mod sql;
mod text;
pub mod unsaved;

pub use crate::pasted::blot_tokens;
pub use text::{blot, tame};
use time::OffsetDateTime;
use time::macros::datetime;

/// The Admin API version that every request names. Raise it together with [`API_VERSION_ENDS_AT`] and the `.graphql` files.
pub const API_VERSION: &str = "2026-10";

/// When Shopify may stop serving [`API_VERSION`] and silently answer from the next one. Its pages name two dates: the release
/// notes this one, the table of versions the 16th.
/// Source: shopify.dev, *Release notes* and *API versioning*, checked November 2026.
pub const API_VERSION_ENDS_AT: OffsetDateTime = datetime!(2027-10-01 15:00 UTC);

/// How long before its end an operator hears about it: 120 days.
pub const API_VERSION_WARNING: time::Duration = time::Duration::days(120);

/// Notes in the metrics how long our version lasts; whether its end is near. Shopify tells nobody: it answers from another version.
pub fn note_version_left(now: OffsetDateTime) -> bool {
    let left = API_VERSION_ENDS_AT - now;
    metrics::gauge!("cartwright_api_version_seconds_left", "version" => API_VERSION).set(left.as_seconds_f64());
    left <= API_VERSION_WARNING
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_our_version_is_near_from_120_days_before() {
        assert!(!note_version_left(API_VERSION_ENDS_AT - time::Duration::days(121)));
        assert!(note_version_left(API_VERSION_ENDS_AT - time::Duration::days(120)));
        assert!(note_version_left(API_VERSION_ENDS_AT));
    }
}

//! Everything specific to Shopify: addresses, credentials, calls, responses and the names of permissions. Knows no
//! page and no database. Facts from shopify.dev, checked November 2026.

pub mod address;
pub mod answer;
pub mod client;
pub mod connection_test;
pub mod credential;
pub mod locations;
pub mod scopes;
mod text;

use super::{Platform, StoreRef};
pub use crate::pasted::redact_tokens;
pub use text::{redact_secrets, sanitize_foreign_text};
use time::OffsetDateTime;
use time::macros::datetime;

impl address::StoreAddress {
    pub fn store_ref(&self) -> StoreRef {
        StoreRef { platform: Platform::Shopify, key: self.handle().to_owned(), host: self.host() }
    }
}

/// The Admin API version of every request. Raise it together with [`API_VERSION_ENDS_AT`] and the `.graphql` files.
pub const API_VERSION: &str = "2026-10";

/// When Shopify may stop serving [`API_VERSION`] and silently answer with the next version. Its documentation names two
/// dates: the release notes this one, the table of versions the 16th. Source: shopify.dev, *Release notes* and *API
/// versioning*, checked November 2026.
pub const API_VERSION_ENDS_AT: OffsetDateTime = datetime!(2027-10-01 15:00 UTC);

/// How long before [`API_VERSION_ENDS_AT`] the operator is warned.
pub const API_VERSION_WARNING: time::Duration = time::Duration::days(120);

/// Records in the metrics how long our API version lasts, and returns whether its end is near. Shopify sends no
/// warning: it answers from another version.
pub fn record_version_left(now: OffsetDateTime) -> bool {
    let left = API_VERSION_ENDS_AT - now;
    metrics::gauge!("cartwright_api_version_seconds_left", "version" => API_VERSION).set(left.as_seconds_f64());
    left <= API_VERSION_WARNING
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Saved secrets are sealed for exactly this.
    #[test]
    fn store_is_known_by_its_handle_and_called_at_its_host() {
        let store = address::StoreAddress::from_handle("northwind-tea").expect("a handle").store_ref();
        let known = ("shopify", "northwind-tea", "northwind-tea.myshopify.com");
        assert_eq!((store.platform.as_str(), &store.key[..], &store.host[..]), known);
    }

    #[test]
    fn api_version_warning_starts_120_days_before_its_end() {
        assert!(!record_version_left(API_VERSION_ENDS_AT - time::Duration::days(121)));
        assert!(record_version_left(API_VERSION_ENDS_AT - time::Duration::days(120)));
        assert!(record_version_left(API_VERSION_ENDS_AT));
    }
}

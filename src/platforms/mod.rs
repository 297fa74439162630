//! The e-commerce platforms, one folder each, and what is the same for all of them: which platforms there are, and how a
//! store is identified.

pub mod shopify;

// With one platform, the types of every cart are its own. A second one makes each an enum over [`Platform`] here, and those
// who use it stay as they are.
pub use shopify::{
    address::{ParsedAddress, StoreAddress},
    credential::{ClientId, Credential, CredentialKind},
    locations::{Location, Locations},
    redact_secrets, sanitize_foreign_text,
};

/// A platform that carts can be of. A closed set: the compiler names every place that a new one must be added to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Platform {
    Shopify,
}

impl Platform {
    pub const ALL: [Self; 1] = [Self::Shopify];

    /// The name in the database, in URLs and in the associated data of secrets; it never changes.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Shopify => "shopify",
        }
    }

    /// The name on screen.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Shopify => "Shopify",
        }
    }

    pub fn from_stored(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == name)
    }
}

/// Identifies a store, and names the host that its secret may be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct StoreRef {
    pub platform: Platform,
    /// What is unique among the stores of the platform. For Shopify the handle, although a store can get a new one: the ID of
    /// the shop is unknown before the first test.
    pub key: String,
    /// The only host that receives the store's secret.
    pub host: String,
}

impl StoreRef {
    /// The store of a row.
    pub fn from_stored(platform: &str, key: String, host: String) -> Self {
        let platform = Platform::from_stored(platform).expect("a constraint allows only these platforms");
        Self { platform, key, host }
    }
}

/// Redacts what looks like a secret of any platform, in text that is shown again or kept in a page.
pub fn redact(typed: &str) -> String {
    Platform::ALL.into_iter().fold(typed.to_owned(), |text, platform| match platform {
        Platform::Shopify => shopify::redact_secrets(&text),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_names_differ_and_lead_back_to_their_platform() {
        for platform in Platform::ALL {
            assert_eq!(Platform::from_stored(platform.as_str()), Some(platform));
        }
        assert_eq!(Platform::from_stored("Shopify"), None, "stored names are exact");
    }
}

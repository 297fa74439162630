//! The outcome of a test and its one precise cause, with the names used by pages, rows and e-mails.

use serde::{Deserialize, Serialize};

use super::CheckKind;

/// The three outcomes of a test, as `data-outcome` names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Connected,
    Limited,
    NotConnected,
}

impl Outcome {
    /// The value of `data-outcome`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Limited => "limited",
            Self::NotConnected => "not-connected",
        }
    }

    /// Whether a cart with exactly this credential may be activated.
    pub const fn passes(self) -> bool {
        !matches!(self, Self::NotConnected)
    }
}

/// The one precise cause, as `data-class` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Class {
    Connected,
    // Limits, in rank order
    ScopesMissing,
    CustomerDetailsHidden,
    Expires,
    ApiVersionOld,
    // The store was not reached
    NetworkDns,
    NetworkUnreachable,
    NetworkTimeout,
    TlsUntrusted,
    NotShopify,
    StoreNotFound,
    StoreMoved,
    StoreFrozen,
    StoreLocked,
    RateLimited,
    RequestRejected,
    ShopifyDown,
    // The credential was not accepted
    TokenRefused,
    TokenStopped,
    TokenKindRefused,
    NotAllowed,
    AddressRefused,
    WrongStore,
    Duplicate,
    CcWrongOrg,
    CcNotInstalled,
    CcRefused,
    // On our side
    OurKey,
    OurBug,
    TestLimit,
}

impl Class {
    /// All classes, in the order of their declaration.
    pub const ALL: [Self; 30] = [
        Self::Connected,
        Self::ScopesMissing,
        Self::CustomerDetailsHidden,
        Self::Expires,
        Self::ApiVersionOld,
        Self::NetworkDns,
        Self::NetworkUnreachable,
        Self::NetworkTimeout,
        Self::TlsUntrusted,
        Self::NotShopify,
        Self::StoreNotFound,
        Self::StoreMoved,
        Self::StoreFrozen,
        Self::StoreLocked,
        Self::RateLimited,
        Self::RequestRejected,
        Self::ShopifyDown,
        Self::TokenRefused,
        Self::TokenStopped,
        Self::TokenKindRefused,
        Self::NotAllowed,
        Self::AddressRefused,
        Self::WrongStore,
        Self::Duplicate,
        Self::CcWrongOrg,
        Self::CcNotInstalled,
        Self::CcRefused,
        Self::OurKey,
        Self::OurBug,
        Self::TestLimit,
    ];

    pub const fn outcome(self) -> Outcome {
        match self {
            Self::Connected => Outcome::Connected,
            Self::ScopesMissing | Self::CustomerDetailsHidden | Self::Expires | Self::ApiVersionOld => Outcome::Limited,
            Self::NetworkDns
            | Self::NetworkUnreachable
            | Self::NetworkTimeout
            | Self::TlsUntrusted
            | Self::NotShopify
            | Self::StoreNotFound
            | Self::StoreMoved
            | Self::StoreFrozen
            | Self::StoreLocked
            | Self::RateLimited
            | Self::RequestRejected
            | Self::ShopifyDown
            | Self::TokenRefused
            | Self::TokenStopped
            | Self::TokenKindRefused
            | Self::NotAllowed
            | Self::AddressRefused
            | Self::WrongStore
            | Self::Duplicate
            | Self::CcWrongOrg
            | Self::CcNotInstalled
            | Self::CcRefused
            | Self::OurKey
            | Self::OurBug
            | Self::TestLimit => Outcome::NotConnected,
        }
    }

    /// The check that this class fails; `None` if no check is to blame, as for a fault on our side.
    pub const fn failed_check(self) -> Option<CheckKind> {
        match self {
            Self::NetworkDns
            | Self::NetworkUnreachable
            | Self::NetworkTimeout
            | Self::TlsUntrusted
            | Self::NotShopify
            | Self::StoreNotFound
            | Self::StoreMoved
            | Self::StoreFrozen
            | Self::StoreLocked
            | Self::RateLimited
            | Self::RequestRejected
            | Self::ShopifyDown
            // The credential may be valid: Shopify rejects any call from our address.
            | Self::AddressRefused => Some(CheckKind::Store),
            Self::TokenRefused
            | Self::TokenStopped
            | Self::TokenKindRefused
            | Self::NotAllowed
            | Self::WrongStore
            | Self::Duplicate
            | Self::CcWrongOrg
            | Self::CcNotInstalled
            | Self::CcRefused => Some(CheckKind::Credential),
            Self::ScopesMissing => Some(CheckKind::Permissions),
            Self::ApiVersionOld => Some(CheckKind::Version),
            Self::CustomerDetailsHidden => Some(CheckKind::Customers),
            Self::Connected | Self::Expires | Self::OurKey | Self::OurBug | Self::TestLimit => None,
        }
    }

    /// The class stored in a row; `None` if we do not know it any more.
    pub fn from_stored(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == text)
    }

    /// The value of `data-class`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "CONNECTED",
            Self::ScopesMissing => "SCOPES_MISSING",
            Self::CustomerDetailsHidden => "CUSTOMER_DETAILS_HIDDEN",
            Self::Expires => "EXPIRES",
            Self::ApiVersionOld => "API_VERSION_OLD",
            Self::NetworkDns => "NETWORK_DNS",
            Self::NetworkUnreachable => "NETWORK_UNREACHABLE",
            Self::NetworkTimeout => "NETWORK_TIMEOUT",
            Self::TlsUntrusted => "TLS_UNTRUSTED",
            Self::NotShopify => "NOT_SHOPIFY",
            Self::StoreNotFound => "STORE_NOT_FOUND",
            Self::StoreMoved => "STORE_MOVED",
            Self::StoreFrozen => "STORE_FROZEN",
            Self::StoreLocked => "STORE_LOCKED",
            Self::RateLimited => "RATE_LIMITED",
            Self::RequestRejected => "REQUEST_REJECTED",
            Self::ShopifyDown => "SHOPIFY_DOWN",
            Self::TokenRefused => "TOKEN_REFUSED",
            Self::TokenStopped => "TOKEN_STOPPED",
            Self::TokenKindRefused => "TOKEN_KIND_REFUSED",
            Self::NotAllowed => "NOT_ALLOWED",
            Self::AddressRefused => "ADDRESS_REFUSED",
            Self::WrongStore => "WRONG_STORE",
            Self::Duplicate => "DUPLICATE",
            Self::CcWrongOrg => "CC_WRONG_ORG",
            Self::CcNotInstalled => "CC_NOT_INSTALLED",
            Self::CcRefused => "CC_REFUSED",
            Self::OurKey => "OUR_KEY",
            Self::OurBug => "OUR_BUG",
            Self::TestLimit => "TEST_LIMIT",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_the_same_in_pages_and_in_json() {
        for (place, class) in Class::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place, "ALL has every class once, in their order");
            assert_eq!(serde_json::to_value(class).unwrap(), class.as_str());
            assert_eq!(Class::from_stored(class.as_str()), Some(class));
        }
        assert_eq!(Class::from_stored("SOMETHING_ELSE"), None);
    }
}

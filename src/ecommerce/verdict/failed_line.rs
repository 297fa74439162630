//! The line of a check that fails, one for each class.

use super::Class;

impl Class {
    /// The text of the failed check: for *Store* the whole line, for *Credential* what follows the credential's noun,
    /// and empty if no such line fails. `has_answer`: an HTTP response started before the test failed.
    ///
    /// The text says *Store reached* only if Shopify answered for the store.
    pub const fn failed_line(self, has_answer: bool) -> &'static str {
        match self {
            Self::NetworkDns | Self::TlsUntrusted => "Store not reached",
            Self::NetworkUnreachable | Self::NetworkTimeout if !has_answer => "Store not reached",
            Self::NetworkUnreachable => "Store reached: its answer broke off",
            Self::NetworkTimeout => "Store reached: its answer did not end in time",
            Self::NotShopify => "Store not reached: something else answered",
            Self::RequestRejected => "Store not reached: the request was turned away",
            Self::StoreNotFound => "Shopify reached: it has no store at this address",
            Self::StoreMoved => "Store reached: it has another address now",
            Self::StoreFrozen => "Store reached: it is paused",
            Self::StoreLocked => "Store reached: it is locked",
            Self::RateLimited => "Store reached: it asked us to slow down",
            Self::ShopifyDown => "Store reached: Shopify has a problem",
            Self::AddressRefused => "Store reached: it does not accept calls from our address",
            Self::TokenRefused | Self::TokenStopped | Self::TokenKindRefused | Self::CcRefused => "not accepted",
            Self::CcWrongOrg => "not accepted: the app belongs to another organization",
            Self::CcNotInstalled => "not accepted: the app is not installed",
            Self::NotAllowed => "known, but not allowed to read the store",
            Self::WrongStore => "accepted, but it opens another store",
            Self::Duplicate => "accepted, but another cart has this store",
            Self::Connected
            | Self::ScopesMissing
            | Self::CustomerDetailsHidden
            | Self::Expires
            | Self::ApiVersionOld
            | Self::OurKey
            | Self::OurBug
            | Self::TestLimit => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ecommerce::verdict::CheckKind;

    #[test]
    fn store_line_says_reached_only_if_shopify_answered() {
        use Class::{
            AddressRefused, NetworkDns, NetworkTimeout, NetworkUnreachable, NotShopify, RateLimited, RequestRejected,
            ShopifyDown, StoreFrozen, StoreLocked, StoreMoved, StoreNotFound, TlsUntrusted,
        };
        let unanswered = [NetworkDns, NetworkUnreachable, NetworkTimeout, TlsUntrusted, NotShopify, RequestRejected];
        let answered = [StoreMoved, StoreFrozen, StoreLocked, RateLimited, ShopifyDown, AddressRefused];
        for class in Class::ALL.into_iter().filter(|class| class.failed_check() == Some(CheckKind::Store)) {
            let line = class.failed_line(false);
            assert_eq!(line.starts_with("Store not reached"), unanswered.contains(&class), "{class:?}: {line}");
            assert_eq!(line.starts_with("Store reached: "), answered.contains(&class), "{class:?}: {line}");
            assert_eq!(line.starts_with("Shopify reached: "), class == StoreNotFound, "{class:?}: {line}");
        }
    }

    #[test]
    fn every_failed_store_or_credential_line_has_text() {
        for class in Class::ALL {
            let has_line = matches!(class.failed_check(), Some(CheckKind::Store | CheckKind::Credential));
            assert_eq!(!class.failed_line(true).is_empty(), has_line, "{class:?}");
        }
    }
}

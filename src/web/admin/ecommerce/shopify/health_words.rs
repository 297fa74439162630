//! The first step out of trouble and the button beside it, a class each; the whole way out stands in the verdict's template.

use super::Kind;
use crate::ecommerce::verdict::Class;

/// What a person can press next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Opens an empty secret field in the editor.
    Replace,
    /// To the tab General.
    General(&'static str),
    /// To somebody else's page, in a new tab.
    Out { href: String, text: &'static str },
}

/// The first thing to do about a class, for a cart of this handle and kind of credential.
pub fn first_step(class: Class, kind: Kind, handle: &str) -> (String, Action) {
    let out = |href: &str, text| Action::Out { href: href.to_owned(), text };
    let dashboard = || out("https://dev.shopify.com/dashboard", "Open the Dev Dashboard");
    let admin = |path: &str, text| out(&format!("https://admin.shopify.com/store/{handle}/{path}"), text);
    let (step, action) = match class {
        Class::TokenRefused | Class::TokenStopped if kind.is_token() => {
            ("Check that the app is still installed, and copy its current token.", Action::Replace)
        }
        Class::TokenRefused | Class::TokenStopped => {
            ("Check that the app is still installed, and copy its Client secret again.", Action::Replace)
        }
        Class::TokenKindRefused => {
            ("Make an app of your own in the Dev Dashboard, and choose Client ID and Client secret here.", dashboard())
        }
        Class::NotAllowed => (
            "Open the app, then Configuration, check the 17 permissions and select Save.",
            admin("settings/apps/development", "Open your app"),
        ),
        Class::StoreNotFound => (
            "Open your store in Shopify, look at the address, and compare it with API URL.",
            out("https://admin.shopify.com", "Open Shopify admin"),
        ),
        Class::StoreMoved => {
            ("Enter the store's new address, then its credential again, and test.", Action::General("Open General"))
        }
        Class::StoreFrozen => (
            "Ask the store owner to sign in to Shopify and settle the bill.",
            admin("settings/billing", "Open Shopify billing"),
        ),
        Class::StoreLocked => {
            ("Ask the store owner to contact Shopify Support.", out("https://help.shopify.com", "Shopify Help Center"))
        }
        Class::WrongStore | Class::Duplicate => {
            ("Enter the address and the credential of this cart's own store.", Action::General("Open General"))
        }
        Class::CcWrongOrg => {
            ("Make the app in the store's own organization, and use its Client ID and Client secret.", dashboard())
        }
        Class::CcNotInstalled => ("In the Dev Dashboard open the app, and install it on this store.", dashboard()),
        Class::CcRefused => ("Copy both again from the app's Settings page.", Action::Replace),
        Class::OurKey => ("Enter it again, or ask support to restore the key.", Action::Replace),
        Class::NetworkDns
        | Class::NetworkUnreachable
        | Class::NetworkTimeout
        | Class::TlsUntrusted
        | Class::NotShopify => (
            "This is nearly always a network problem on our side.",
            out("https://www.shopifystatus.com", "Check Shopify's status"),
        ),
        Class::RateLimited | Class::RequestRejected | Class::ShopifyDown => (
            "Nothing is known to be wrong with your settings.",
            out("https://www.shopifystatus.com", "Check Shopify's status"),
        ),
        Class::Connected
        | Class::ScopesMissing
        | Class::CustomerDetailsHidden
        | Class::Expires
        | Class::ApiVersionOld
        | Class::OurBug
        | Class::TestLimit => ("Test the connection to see what is missing.", Action::General("Open General")),
    };
    (step.to_owned(), action)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_credential_leads_to_its_own_button() {
        for class in [Class::TokenStopped, Class::CcRefused, Class::OurKey] {
            assert_eq!(first_step(class, Kind::AccessToken, "tea").1, Action::Replace);
        }
        let (step, _) = first_step(Class::TokenStopped, Kind::ClientCredentials, "tea");
        assert!(step.contains("Client secret"), "{step}");
    }

    #[test]
    fn a_paused_store_leads_to_its_own_bill() {
        let (_, action) = first_step(Class::StoreFrozen, Kind::AccessToken, "tea");
        let href = "https://admin.shopify.com/store/tea/settings/billing".to_owned();
        assert_eq!(action, Action::Out { href, text: "Open Shopify billing" });
    }
}

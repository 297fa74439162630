//! The practice stores that a new user finds: one for each result of a connection test, with a plain label. Results
//! that no store can cause are missing, such as a name that cannot be resolved (behind a proxy, the proxy resolves it)
//! or a problem with our encryption key.

use std::time::Duration;

use super::{
    canned::Canned,
    certificates::Flaw,
    exchange_error::ExchangeError,
    scenario::Scenario::{
        self, AlsoCalled, AnsweredAs, Certificate, CloseMidBody, ConnectRefused, CustomersHidden, Delayed, Development,
        Exchange, Hang, HostileNames, NoOrders, OtherShop, Plus, Redirect, Says, ScopesExtra, ScopesMissing, Well,
    },
};

/// The credential that a user enters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CaseCredential {
    AccessToken,
    /// Client ID and Client secret.
    ClientCredentials,
}

/// One practice store, and at the same time one choice of "Let practice-tea now be …".
#[derive(Debug)]
pub struct Case {
    /// Shown to users, without a full stop.
    pub label: &'static str,
    /// Starts with `practice-`.
    pub handle: &'static str,
    pub kind: CaseCredential,
    pub scenario: Scenario,
}

/// Number of cases shown first, on the editor itself; the others are collapsed.
pub const FIRST: usize = 3;

const fn token(label: &'static str, handle: &'static str, scenario: Scenario) -> Case {
    Case { label, handle, kind: CaseCredential::AccessToken, scenario }
}

const fn pair(label: &'static str, handle: &'static str, scenario: Scenario) -> Case {
    Case { label, handle, kind: CaseCredential::ClientCredentials, scenario }
}

pub(super) const CASES: &[Case] = &[
    token("All is well", "practice-tea", Well),
    token("2 permissions missing", "practice-permissions", ScopesMissing(&["write_inventory", "read_payment_terms"])),
    token("Paused by Shopify", "practice-paused", Says(Canned::Frozen)),
    pair("All is well, with a Client ID and Client secret", "practice-client", Well),
    // Connected, with a warning
    token("Customer names hidden", "practice-customers-hidden", CustomersHidden),
    token("Answered as an older API version", "practice-old-version", AnsweredAs("2026-07")),
    token(
        "4 nice-to-have permissions missing",
        "practice-nice-to-have",
        ScopesMissing(&[
            "read_gdpr_data_request",
            "write_product_listings",
            "read_channels",
            "write_custom_fulfillment_services",
        ]),
    ),
    token("More permissions than needed", "practice-generous", ScopesExtra),
    token("No orders yet", "practice-no-orders", NoOrders),
    token("Shopify has another name for it", "practice-alias", AlsoCalled("practice-tea")),
    token("A development store", "practice-development", Development),
    token("A Plus store", "practice-plus", Plus),
    token("Answers after three seconds", "practice-patience", Delayed(Duration::from_secs(3))),
    token("Names full of tricks", "practice-tricks", HostileNames(super::scenario::Hostile::Markup)),
    // Unreachable
    token("Cannot be reached", "practice-unreachable", ConnectRefused),
    token("Breaks off in the middle", "practice-broken", CloseMidBody),
    token("Never answers", "practice-slow", Hang),
    token("Wrong certificate", "practice-certificate", Certificate(Flaw::WrongName)),
    token("A sign-in page instead of Shopify", "practice-portal", Says(Canned::Portal)),
    token("A company proxy that asks for a sign-in", "practice-proxy", Says(Canned::ProxySignIn)),
    token("A firewall that wants to see a browser", "practice-challenge", Says(Canned::Challenge)),
    token("Sent to its password page", "practice-password", Redirect(302, Some("/password"))),
    token("No such store", "practice-gone", Says(Canned::NoStore)),
    token("Moved to practice-tea", "practice-moved", Redirect(301, Some("https://practice-tea.myshopify.com/admin"))),
    token("Sent to a foreign address", "practice-astray", Redirect(302, Some("https://evil.example/"))),
    token("Locked", "practice-locked", Says(Canned::Locked)),
    token("Asks us to slow down", "practice-throttled", Says(Canned::Throttled)),
    token("Turns the request away", "practice-rejected", Says(Canned::Rejected)),
    token("Shopify is down", "practice-down", Says(Canned::Unavailable)),
    // Rejected
    token("Our address is not on the app's IP allowlist", "practice-address", Says(Canned::Forbidden)),
    token("Access token refused", "practice-refused", Says(Canned::Unauthorized)),
    token("Kind of token no longer accepted", "practice-kind-refused", Says(Canned::KindRefused)),
    token("App has no permission to read the store", "practice-not-allowed", Says(Canned::AccessDenied)),
    token("Has become a different store", "practice-other", OtherShop(5_483_800_090)),
    pair("App of another organization", "practice-organization", Exchange(ExchangeError::WrongOrganization)),
    pair("App not installed", "practice-not-installed", Exchange(ExchangeError::NotInstalled)),
    pair("Client ID or Client secret refused", "practice-pair-refused", Exchange(ExchangeError::WrongSecret)),
    pair("Client ID unknown", "practice-unknown-client", Exchange(ExchangeError::UnknownClient)),
    pair("App not installed, or the pair is wrong", "practice-unclear-pair", Exchange(ExchangeError::InvalidRequest)),
    pair("Refused for a new reason", "practice-new-reason", Exchange(ExchangeError::UnlistedName)),
    // Our own mistakes
    token("Request rejected as malformed", "practice-mistake", Says(Canned::UndefinedField)),
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn handles_and_labels_are_unique() {
        let handles: HashSet<_> = CASES.iter().map(|case| case.handle).collect();
        let labels: HashSet<_> = CASES.iter().map(|case| case.label).collect();
        assert_eq!((handles.len(), labels.len()), (CASES.len(), CASES.len()));
        for case in CASES {
            assert!(case.handle.starts_with("practice-") && case.handle.len() <= 63, "{}", case.handle);
            assert!(!case.label.ends_with('.'), "{}", case.label);
        }
    }

    #[test]
    fn every_class_that_a_store_can_cause_has_a_case() {
        let classes: HashSet<_> = CASES.iter().filter_map(|case| case.scenario.class()).collect();
        for class in [
            "CONNECTED",
            "SCOPES_MISSING",
            "CUSTOMER_DETAILS_HIDDEN",
            "API_VERSION_OLD",
            "NETWORK_UNREACHABLE",
            "NETWORK_TIMEOUT",
            "TLS_UNTRUSTED",
            "NOT_SHOPIFY",
            "STORE_NOT_FOUND",
            "STORE_MOVED",
            "STORE_FROZEN",
            "STORE_LOCKED",
            "RATE_LIMITED",
            "REQUEST_REJECTED",
            "SHOPIFY_DOWN",
            "TOKEN_REFUSED",
            "TOKEN_KIND_REFUSED",
            "NOT_ALLOWED",
            "ADDRESS_REFUSED",
            "WRONG_STORE",
            "CC_WRONG_ORG",
            "CC_NOT_INSTALLED",
            "CC_REFUSED",
            "OUR_BUG",
        ] {
            assert!(classes.contains(class), "{class}");
        }
    }
}

//! Shopify rejects any call from our address; the credential may be valid.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, SharedCause, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "ADDRESS_REFUSED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: it does not accept calls from our address")),
    severity: Severity::Refused,
    retry: Retry::Hourly,
    shared: Some(SharedCause::Address),
    token: TokenRule::Withhold,
    title: |_, _| "Shopify does not accept calls from our address".into(),
    next_step: NextStep::new(
        "In the Dev Dashboard open the app, then Settings, then IP allowlist, and add our addresses.",
        Remedy::Visit { url: "https://dev.shopify.com/dashboard", text: "Open the Dev Dashboard" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify turned us away because of the address that we call from. The {credential} is not the cause: the app in Shopify most likely has an IP allowlist without our addresses.",
        todo: &[
            "In the Dev Dashboard open the app, then Settings, then IP allowlist.",
            "Add {egress_addresses}.",
            "Open the cart and select Test Connection.",
        ],
    },
};

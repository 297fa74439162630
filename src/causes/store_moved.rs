//! Shopify redirected to another store.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "STORE_MOVED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: it has another address now")),
    severity: Severity::Refused,
    retry: Retry::Hourly,
    shared: None,
    token: TokenRule::Withhold,
    title: |verdict, _| {
        let host = verdict.moved_to.as_deref().unwrap_or_default();
        format!("This store is now called {}", host.strip_suffix(".myshopify.com").unwrap_or(host))
    },
    next_step: NextStep::new(
        "Enter the store's new address, then its credential again, and test.",
        Remedy::OpenGeneral,
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify pointed us from {host} to another store's address. We did not send the {credential} there.",
        todo: &["Open the cart, enter the new address and the {credential}, and select Test Connection."],
    },
};

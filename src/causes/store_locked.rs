//! Shopify locked the store.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "STORE_LOCKED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: it is locked")),
    severity: Severity::Refused,
    retry: Retry::Hourly,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "This store is locked".into(),
    next_step: NextStep::new(
        "Ask the store owner to contact Shopify Support.",
        Remedy::Visit { url: "https://help.shopify.com", text: "Shopify Help Center" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify locks a store after too many unexpected requests, or for a security reason.",
        todo: &["Ask the store owner to contact Shopify Support."],
    },
};

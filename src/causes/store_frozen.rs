//! Shopify paused the store: a bill is unpaid, or the store is closed.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "STORE_FROZEN",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: it is paused")),
    severity: Severity::Refused,
    retry: Retry::Hourly,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "This store is paused by Shopify".into(),
    next_step: NextStep::new(
        "Ask the store owner to sign in to Shopify and settle the bill.",
        Remedy::Visit {
            url: "https://admin.shopify.com/store/{handle}/settings/billing",
            text: "Open Shopify billing",
        },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify says there is an unpaid bill, or the store is closed.",
        todo: &[
            "Ask the store owner to sign in to Shopify and settle the bill. You do not need to change anything here.",
        ],
    },
};

//! A guard in front of Shopify rejected the request as possibly malicious, before it reached the store.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "REQUEST_REJECTED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store not reached: the request was turned away")),
    severity: Severity::Transient,
    retry: Retry::Hourly,
    shared: None,
    token: TokenRule::HandOut,
    title: |_, _| "Shopify turned this request away".into(),
    next_step: NextStep::WAIT,
    alert: |_| AlertWords {
        partly: None,
        happened: "A guard in front of Shopify turned our requests away before they reached the store.",
        todo: &[
            "If it lasts for more than an hour, send the technical details of the cart's last test to our support.",
        ],
    },
};

//! Shopify answered with a fault of its own.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CHECK_STATUS: &str =
    "Check Shopify's status: shopifystatus.com. You do not need to change anything here.";

pub(super) const CAUSE: Cause = Cause {
    id: "SHOPIFY_DOWN",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: Shopify has a problem")),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: None,
    token: TokenRule::HandOut,
    title: |_, _| "Shopify has a problem at the moment".into(),
    next_step: NextStep::WAIT,
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify answered with a fault of its own.",
        todo: &[CHECK_STATUS],
    },
};

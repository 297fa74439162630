//! Shopify does not accept the access token, and it has never worked here.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "TOKEN_REFUSED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("not accepted")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, context| format!("Shopify did not accept the {}", context.credential),
    next_step: NextStep {
        with_token: "Check that the app is still installed, and copy its current token.",
        with_secret: "Check that the app is still installed, and copy its Client secret again.",
        remedy: Remedy::Replace,
    },
    alert: |_| AlertWords {
        partly: None,
        happened: "Shopify no longer accepts the {credential}.",
        todo: &[
            "Check that the app is still installed in Shopify.",
            "Copy its current {credential}.",
            "Open the cart, select {replace} and paste it.",
        ],
    },
};

//! The app is not installed on the store, so no token is issued.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "CC_NOT_INSTALLED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("not accepted: the app is not installed")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "The app is not installed on this store".into(),
    next_step: NextStep::new(
        "In the Dev Dashboard open the app, and install it on this store.",
        Remedy::Visit { url: "https://dev.shopify.com/dashboard", text: "Open the Dev Dashboard" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "The app is no longer installed on {host}, or its Client ID and Client secret do not belong together.",
        todo: &[
            "In the Dev Dashboard open the app, select Install app and choose the store.",
            "If it is installed, copy Client ID and Client secret from its Settings page, open the cart and paste both.",
        ],
    },
};

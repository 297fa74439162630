//! The app and the store belong to different organizations, so no token is issued.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "CC_WRONG_ORG",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("not accepted: the app belongs to another organization")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "This app and this store belong to different Shopify organizations".into(),
    next_step: NextStep::new(
        "Make the app in the store's own organization, and use its Client ID and Client secret.",
        Remedy::Visit { url: "https://dev.shopify.com/dashboard", text: "Open the Dev Dashboard" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "The app and the store belong to different Shopify organizations.",
        todo: &[
            "Sign in to the Dev Dashboard as the store's own organization, make the app there, and use its Client ID and Client secret.",
        ],
    },
};

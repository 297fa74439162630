//! Shopify knows the app, but it has no permission to read the store.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "NOT_ALLOWED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("known, but not allowed to read the store")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "Shopify knows this app but will not let it in".into(),
    next_step: NextStep::new(
        "Open the app, then Configuration, check the 17 permissions and select Save.",
        Remedy::Visit {
            url: "https://admin.shopify.com/store/{handle}/settings/apps/development",
            text: "Open your app",
        },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "The app is installed, but it has no permission to read this store.",
        todo: &[
            "Open the app in Shopify, then Configuration.",
            "Check the 17 permissions and select Save.",
            "Install or update the app.",
            "Open the cart and select Test Connection.",
        ],
    },
};

//! Shopify no longer accepts tokens of public apps that do not expire.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "TOKEN_KIND_REFUSED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("not accepted")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |_, _| "Shopify no longer accepts this kind of token".into(),
    next_step: NextStep::new(
        "Make an app of your own in the Dev Dashboard, and choose Client ID and Client secret here.",
        Remedy::Visit { url: "https://dev.shopify.com/dashboard", text: "Open the Dev Dashboard" },
    ),
    alert: |_| AlertWords {
        partly: None,
        happened: "The token comes from a public app that still uses tokens without an end, and Shopify no longer accepts those. From 1 January 2027 that holds for every public app.",
        todo: &[
            "Make an app of your own in the Dev Dashboard.",
            "Open the cart, choose Client ID and Client secret, and paste both.",
        ],
    },
};

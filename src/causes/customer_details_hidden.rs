//! Shopify hides the names and addresses of customers from this app.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "CUSTOMER_DETAILS_HIDDEN",
    outcome: Outcome::Limited,
    fails: Some(FailedCheck::Customers),
    severity: Severity::Limited,
    retry: Retry::Interval,
    shared: None,
    token: TokenRule::HandOut,
    title: |_, _| "Connected, but customer names and addresses are hidden".into(),
    next_step: NextStep::TEST,
    alert: |_| AlertWords {
        partly: Some("orders arrive without customer names and addresses"),
        happened: "Shopify hides them from apps made in the store's admin on some plans.",
        todo: &["Ask Shopify which plan you need, or make the app in the Dev Dashboard."],
    },
};

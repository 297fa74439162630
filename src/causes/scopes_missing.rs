//! Permissions that are needed were not granted.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "SCOPES_MISSING",
    outcome: Outcome::Limited,
    fails: Some(FailedCheck::Permissions),
    severity: Severity::Limited,
    retry: Retry::Interval,
    shared: None,
    token: TokenRule::HandOut,
    title: |verdict, _| match verdict.missing_scopes().len() {
        1 => "Connected, but 1 permission is missing".into(),
        n => format!("Connected, but {n} permissions are missing"),
    },
    next_step: NextStep::TEST,
    alert: |_| AlertWords {
        partly: Some("some of it does not work"),
        happened: "The app in Shopify does not have every permission that {product} needs.",
        todo: &[
            "Open the app in Shopify, then Configuration (Dev Dashboard: Versions).",
            "Add {permissions} and select Save (Release). If Shopify asks to update the app, say yes.",
            "Open the cart and select Test Connection.",
        ],
    },
};

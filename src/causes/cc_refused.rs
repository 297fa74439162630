//! Shopify issues no token for this Client ID and Client secret.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Remedy, Retry, Severity, TokenRule};

/// [`Verdict::error_name`](super::Verdict::error_name) for a Client ID that Shopify does not know.
pub const UNKNOWN_CLIENT_ID: &str = "application_cannot_be_found";

pub(super) const CAUSE: Cause = Cause {
    id: "CC_REFUSED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Credential("not accepted")),
    severity: Severity::Refused,
    retry: Retry::HourlyThenDaily,
    shared: None,
    token: TokenRule::Withhold,
    title: |verdict, _| match verdict.error_name.as_deref() {
        Some(UNKNOWN_CLIENT_ID) => "Shopify knows no app with this Client ID".into(),
        Some("invalid_client") => "Shopify did not accept the Client secret".into(),
        Some("unauthorized_client") => "Shopify does not let this app use a Client secret".into(),
        Some(name) => format!("Shopify did not accept the Client ID or Client secret ({name})"),
        None => "Shopify did not accept the Client ID or Client secret".into(),
    },
    next_step: NextStep::new("Copy both again from the app's Settings page.", Remedy::Replace),
    alert: |_| AlertWords {
        partly: None,
        happened: "{title}. Someone may have rotated the secret, or deleted the app.",
        todo: &["Copy both from the app's Settings page.", "Open the cart, select Replace Client secret and paste it."],
    },
};

//! Shopify accepted the credential and nothing is missing.

use super::{AlertWords, Cause, NextStep, Outcome, Retry, Severity, TokenRule};
use crate::direction::bidi_isolate;

pub(super) const CAUSE: Cause = Cause {
    id: "CONNECTED",
    outcome: Outcome::Connected,
    fails: None,
    severity: Severity::Well,
    retry: Retry::Interval,
    shared: None,
    token: TokenRule::HandOut,
    title: |verdict, context| format!("Connected to {}", bidi_isolate(verdict.store_name(context.host))),
    next_step: NextStep::TEST,
    alert: AlertWords::title_only,
};

//! Shopify answered from another API version than was asked for, without an error.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "API_VERSION_OLD",
    outcome: Outcome::Limited,
    fails: Some(FailedCheck::Version),
    severity: Severity::Well,
    retry: Retry::Interval,
    shared: None,
    token: TokenRule::HandOut,
    title: |_, _| "Connected, but Shopify used a different version".into(),
    next_step: NextStep::TEST,
    alert: AlertWords::title_only,
};

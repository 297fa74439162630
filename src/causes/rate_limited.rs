//! The store's allowance of requests is used up.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "RATE_LIMITED",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store reached: it asked us to slow down")),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: None,
    token: TokenRule::HandOut,
    title: |_, _| "Shopify asked us to slow down".into(),
    next_step: NextStep::WAIT,
    alert: |_| AlertWords {
        partly: None,
        happened: "Other apps, or another sync, use up what the store allows at the moment.",
        todo: &["Find out which other app asks so much. You do not need to change anything here."],
    },
};

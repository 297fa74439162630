//! Too many tests in a minute, or another one is still running: no request was sent.

use super::{AlertWords, Cause, NextStep, Outcome, Retry, Severity, TESTS_A_MINUTE, TokenRule};

pub(super) const CAUSE: Cause = Cause {
    id: "TEST_LIMIT",
    outcome: Outcome::NotConnected,
    fails: None,
    severity: Severity::NotACheck,
    retry: Retry::Interval,
    shared: None,
    token: TokenRule::HandOut,
    title: |verdict, _| {
        if verdict.wait_seconds.is_none() {
            return "A test is already running".into();
        }
        format!("You have tested {} times in a minute", verdict.tests_a_minute.unwrap_or(TESTS_A_MINUTE))
    },
    next_step: NextStep::TEST,
    alert: AlertWords::title_only,
};

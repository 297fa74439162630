//! Something other than Shopify's API answered: a proxy, a sign-in page, or a page of the store itself.

use super::{AlertWords, Cause, FailedCheck, NextStep, Outcome, Retry, Severity, SharedCause, TokenRule};

/// [`TechnicalDetails::remark`](super::TechnicalDetails::remark) if a redirect led to the same store's page for visitors
/// or for its staff.
pub const PASSWORD_PAGE: &str = "a redirect to the store's password page";
pub const ADMIN_PAGE: &str = "a redirect to the store's admin pages";

const PASSWORD_PAGE_TITLE: &str = "Shopify sent us to this store's password page";
const ADMIN_PAGE_TITLE: &str = "Shopify sent us to this store's admin pages";

pub(super) const CAUSE: Cause = Cause {
    id: "NOT_SHOPIFY",
    outcome: Outcome::NotConnected,
    fails: Some(FailedCheck::Store("Store not reached: something else answered")),
    severity: Severity::Transient,
    retry: Retry::BackOff,
    shared: Some(SharedCause::Network),
    token: TokenRule::HandOut,
    title: |verdict, _| {
        let title = match verdict.details.remark.as_deref() {
            Some(PASSWORD_PAGE) => PASSWORD_PAGE_TITLE,
            Some(ADMIN_PAGE) => ADMIN_PAGE_TITLE,
            _ => "Something other than Shopify answered",
        };
        title.into()
    },
    next_step: NextStep::NETWORK,
    alert: |title| match title {
        PASSWORD_PAGE_TITLE | ADMIN_PAGE_TITLE => AlertWords {
            partly: None,
            happened: "{title} instead of answering.",
            todo: &[
                "Ask the store owner whether the store is open and its plan is paid.",
                "Open the cart and select Test Connection.",
            ],
        },
        _ => AlertWords {
            partly: None,
            happened: "Something other than Shopify answered, such as a proxy or a sign-in page.",
            todo: &["Send the technical details of the cart's last test to your IT team."],
        },
    },
};

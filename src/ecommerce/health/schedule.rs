//! When a cart is checked next. Pure: the clock and the jitter are the database's.

use std::time::Duration;

use crate::ecommerce::{
    status::{FAILURE_THRESHOLD, Severity},
    verdict::Class,
};

/// How often a cart that is well is checked, a tenth more or less, so that carts saved together drift apart.
pub const INTERVAL: Duration = Duration::from_mins(15);

/// A failure that may pass is looked at again soon, so that three in a row take a quarter of an hour and not three …
const SOON: Duration = Duration::from_mins(5);
/// … and then less and less often, up to this.
const SELDOM: Duration = Duration::from_hours(1);
/// A guard that turned us away is left alone for an hour. Source: shopify.md §6 row 17.
const LEFT_ALONE: Duration = Duration::from_hours(1);
/// A refused credential is tried hourly for a day, then daily, so that Shopify does not lock the store.
const HOURLY: Duration = Duration::from_hours(1);
const DAILY: Duration = Duration::from_hours(24);
/// Longest wait of Shopify's that is honoured.
const LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How long until the next check after one of this class.
///
/// `streak` counts consecutive failures that are not reported at once, this one included; `failing_for` is how long what stands has stood;
/// `wait` is what Shopify asked for.
pub fn pause(class: Class, streak: u32, failing_for: Duration, wait: Option<Duration>) -> Duration {
    let pause = match (class.severity(), class) {
        (_, Class::RequestRejected) => LEFT_ALONE,
        (Severity::Transient, _) => {
            let doublings = streak.saturating_sub(FAILURE_THRESHOLD + 1).min(8);
            (SOON * 2_u32.pow(doublings)).min(SELDOM)
        }
        // These may be lifted any day, and are not about the credential: only that wears out our welcome.
        (
            Severity::Refused,
            Class::StoreFrozen | Class::StoreLocked | Class::StoreMoved | Class::StoreNotFound | Class::AddressRefused,
        ) => HOURLY,
        (Severity::Refused, _) if failing_for >= DAILY => DAILY,
        (Severity::Refused, _) => HOURLY,
        (Severity::Well | Severity::Limited | Severity::Ours | Severity::NotACheck, _) => INTERVAL,
    };
    pause.max(wait.unwrap_or_default().min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    fn minutes(class: Class, streak: u32, failing_for: Duration) -> u64 {
        pause(class, streak, failing_for, None).as_secs() / 60
    }

    #[test]
    fn a_cart_that_answers_is_checked_at_the_usual_interval() {
        for class in [Class::Connected, Class::ApiVersionOld, Class::ScopesMissing, Class::OurKey, Class::OurBug] {
            assert_eq!(minutes(class, 0, NONE), 15, "{class:?}");
        }
    }

    #[test]
    fn what_may_pass_is_asked_soon_and_then_less_and_less_often() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(|streak| minutes(Class::NetworkTimeout, streak, NONE));
        assert_eq!(pauses, [5, 5, 5, 5, 10, 20, 40, 60, 60]);
        assert_eq!(minutes(Class::RequestRejected, 1, NONE), 60);
    }

    #[test]
    fn a_refused_credential_is_tried_hourly_for_a_day_and_then_daily() {
        for class in [Class::TokenStopped, Class::CcRefused, Class::NotAllowed, Class::WrongStore] {
            assert_eq!(minutes(class, 0, NONE), 60, "{class:?}");
            assert_eq!(minutes(class, 0, Duration::from_hours(23)), 60, "{class:?}");
            assert_eq!(minutes(class, 0, Duration::from_hours(24)), 24 * 60, "{class:?}");
        }
        assert_eq!(minutes(Class::StoreFrozen, 0, Duration::from_hours(48)), 60, "its owner may pay any day");
        assert_eq!(
            minutes(Class::AddressRefused, 0, Duration::from_hours(48)),
            60,
            "our address may be listed any day"
        );
    }

    #[test]
    fn what_shopify_asks_for_is_a_minimum_of_at_most_a_minute() {
        let wait = |seconds| pause(Class::RateLimited, 1, NONE, Some(Duration::from_secs(seconds)));
        assert_eq!(wait(60), SOON, "our own pause is longer");
        assert_eq!(wait(86_400), SOON, "and nobody makes us wait for a day");
    }
}

//! Decides when a cart is checked next. Pure functions: the clock and the jitter are the database's.

use std::time::Duration;

use crate::carts::status::FAILURE_THRESHOLD;
use crate::causes::{Class, Retry};

/// Check interval of a healthy cart; the database adds ±10 %, so that carts saved together drift apart.
pub const CHECK_INTERVAL: Duration = Duration::from_mins(15);

/// First pause after a transient failure: three consecutive failures take 15 minutes instead of 45.
const RETRY_MIN: Duration = Duration::from_mins(5);
/// Longest pause after transient failures; the pause doubles up to this.
const RETRY_MAX: Duration = Duration::from_hours(1);
const HOURLY: Duration = Duration::from_hours(1);
const DAILY: Duration = Duration::from_hours(24);
/// Longest wait requested by Shopify that is honoured.
const RETRY_AFTER_MAX: Duration = Duration::from_mins(1);

/// Returns the pause until the next check, after a check of this class.
///
/// `streak` counts consecutive failures that are not reported at once, this one included; `failing_for` is how long the
/// current failure has lasted; `wait` is what Shopify asked for.
pub fn pause(class: Class, streak: u32, failing_for: Duration, wait: Option<Duration>) -> Duration {
    let pause = match class.cause().retry {
        Retry::Interval => CHECK_INTERVAL,
        Retry::BackOff => {
            let doublings = streak.saturating_sub(FAILURE_THRESHOLD + 1).min(8);
            (RETRY_MIN * 2_u32.pow(doublings)).min(RETRY_MAX)
        }
        Retry::HourlyThenDaily if failing_for >= DAILY => DAILY,
        Retry::Hourly | Retry::HourlyThenDaily => HOURLY,
    };
    pause.max(wait.unwrap_or_default().min(RETRY_AFTER_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Duration = Duration::ZERO;

    fn minutes(class: Class, streak: u32, failing_for: Duration) -> u64 {
        pause(class, streak, failing_for, None).as_secs() / 60
    }

    #[test]
    fn checks_without_a_store_failure_use_the_normal_interval() {
        for class in [Class::Connected, Class::ApiVersionOld, Class::ScopesMissing, Class::OurKey, Class::OurBug] {
            assert_eq!(minutes(class, 0, NONE), 15, "{class:?}");
        }
    }

    #[test]
    fn transient_failures_back_off_to_one_hour() {
        let pauses = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(|streak| minutes(Class::NetworkTimeout, streak, NONE));
        assert_eq!(pauses, [5, 5, 5, 5, 10, 20, 40, 60, 60]);
        assert_eq!(minutes(Class::RequestRejected, 1, NONE), 60);
    }

    #[test]
    fn refused_credential_is_retried_hourly_for_a_day_then_daily() {
        for class in [Class::TokenStopped, Class::CcRefused, Class::NotAllowed, Class::WrongStore] {
            assert_eq!(minutes(class, 0, NONE), 60, "{class:?}");
            assert_eq!(minutes(class, 0, Duration::from_hours(23)), 60, "{class:?}");
            assert_eq!(minutes(class, 0, Duration::from_hours(24)), 24 * 60, "{class:?}");
        }
        assert_eq!(minutes(Class::StoreFrozen, 0, Duration::from_hours(48)), 60, "its owner may pay any day");
        assert_eq!(
            minutes(Class::AddressRefused, 0, Duration::from_hours(48)),
            60,
            "our address may be allowed any day"
        );
    }

    #[test]
    fn requested_wait_is_a_minimum_capped_at_one_minute() {
        let wait = |seconds| pause(Class::RateLimited, 1, NONE, Some(Duration::from_secs(seconds)));
        assert_eq!(wait(60), RETRY_MIN, "our own pause is longer");
        assert_eq!(wait(86_400), RETRY_MIN, "a longer wait is capped");
    }
}

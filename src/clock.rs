//! The clock for displayed times: the system's or a fixed one. Sessions, throttles and leases use the database clock,
//! because it is the only one that replicas share.

use time::{OffsetDateTime, format_description::BorrowedFormatItem, macros::format_description};

/// Format of timestamps for programs: UTC, to the second: "2026-11-21T08:15:02Z".
const SECONDS: &[BorrowedFormatItem<'_>] = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");

/// Source of the current time.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Fixed(OffsetDateTime),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the only place that reads the system clock")]
    pub fn now(self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Fixed(at) => at,
        }
    }
}

/// Formats a time for programs, in webhooks and in the API: UTC, to the second, such as "2026-11-21T08:15:02Z".
pub fn utc_text(at: OffsetDateTime) -> String {
    at.to_offset(time::UtcOffset::UTC).format(SECONDS).expect("a moment of this millennium")
}

/// Formats a duration for pages and e-mails: "40 minutes", "3 hours", "2 days".
pub fn lasted(time: time::Duration) -> String {
    let counted = |n: i64, unit: &str| if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") };
    match time.whole_minutes() {
        ..1 => "less than a minute".into(),
        minutes @ 1..120 => counted(minutes, "minute"),
        minutes @ 120..2_880 => counted(minutes / 60, "hour"),
        minutes => counted(minutes / 1_440, "day"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_is_shown_in_one_unit() {
        assert_eq!(lasted(time::Duration::seconds(59)), "less than a minute");
        assert_eq!(lasted(time::Duration::minutes(1)), "1 minute");
        assert_eq!(lasted(time::Duration::minutes(40)), "40 minutes");
        assert_eq!(lasted(time::Duration::hours(3)), "3 hours");
        assert_eq!(lasted(time::Duration::days(3)), "3 days");
    }
}

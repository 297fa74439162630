//! Moments and durations as a letter writes them: UTC, since nobody knows where it is read.

use time::{OffsetDateTime, UtcOffset};

/// "21 November 2026 at 08:14 UTC".
pub(super) fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {} {} at {}", at.day(), at.month(), at.year(), clock(at))
}

fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}

/// "at 07:59 UTC" on the same day, else with its date.
pub(super) fn near(at: OffsetDateTime, beside: OffsetDateTime) -> String {
    let is_same_day = at.to_offset(UtcOffset::UTC).date() == beside.to_offset(UtcOffset::UTC).date();
    if is_same_day { format!("at {}", clock(at)) } else { format!("on {}", moment(at)) }
}

/// "40 minutes", "3 hours", "2 days".
pub(super) fn duration(lasted: time::Duration) -> String {
    let counted = |n: i64, unit: &str| if n == 1 { format!("1 {unit}") } else { format!("{n} {unit}s") };
    match lasted.whole_minutes() {
        ..1 => "less than a minute".into(),
        minutes @ 1..120 => counted(minutes, "minute"),
        minutes @ 120..2_880 => counted(minutes / 60, "hour"),
        minutes => counted(minutes / 1_440, "day"),
    }
}

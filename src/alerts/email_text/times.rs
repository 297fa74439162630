//! Formats times in an e-mail: in UTC, because the reader's time zone is unknown.

use time::{OffsetDateTime, UtcOffset};

/// Formats a time as "21 November 2026 at 08:14 UTC".
pub(super) fn moment(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {} {} at {}", at.day(), at.month(), at.year(), clock(at))
}

fn clock(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{:02}:{:02} UTC", at.hour(), at.minute())
}

/// Formats a time as "at 07:59 UTC" if it is on the same day as `beside`, otherwise with the date.
pub(super) fn near(at: OffsetDateTime, beside: OffsetDateTime) -> String {
    let is_same_day = at.to_offset(UtcOffset::UTC).date() == beside.to_offset(UtcOffset::UTC).date();
    if is_same_day { format!("at {}", clock(at)) } else { format!("on {}", moment(at)) }
}

//! History of past checks: the last 30 one by one, 90 days as daily totals, and every problem. Its size is bounded per
//! cart, not by time; docs/performance.md lists the bytes.

use time::{Date, OffsetDateTime};

use super::finding::StoreFacts;
use crate::causes::Class;

/// Number of checks kept one by one.
pub const RECENT: usize = 30;
/// Number of days kept.
pub const DAYS: i64 = 90;
/// Bytes of a packed check: seconds since 1970 (4), class (1), milliseconds (3).
const PACKED: usize = 8;
/// Stored for a check without a response time. The longest time that fits is 4.6 hours; a check takes at most 15 s.
const NO_TIME: u32 = 0xff_ffff;

/// One past check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PastCheck {
    pub at: OffsetDateTime,
    pub class: Class,
    /// Time from the start of the call to the end of its response; `None` if there was no response.
    pub took_ms: Option<u32>,
}

/// The checks of one day, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HealthDay {
    pub day: Date,
    pub checks: u32,
    pub failed: u32,
    /// The slowest check that passed.
    pub slowest_ms: Option<u32>,
}

/// A period in which a cart needed attention or was not connected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastProblem {
    pub began_at: OffsetDateTime,
    /// `None` while the problem is open.
    pub ended_at: Option<OffsetDateTime>,
    /// The user whose change ended it; `None` if it ended without a user's change.
    pub ended_by: Option<String>,
    pub class: Class,
    pub title: String,
}

/// The health history of a cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthHistory {
    /// Oldest first, at most [`RECENT`].
    pub recent: Vec<PastCheck>,
    /// Oldest first, at most [`DAYS`]; days without a check are left out.
    pub days: Vec<HealthDay>,
    /// Newest first.
    pub problems: Vec<PastProblem>,
    /// `None` while the cart is not checked.
    pub next_check_at: Option<OffsetDateTime>,
    pub last_checked_at: Option<OffsetDateTime>,
    pub last_good_at: Option<OffsetDateTime>,
    /// The store facts that Shopify reported last.
    pub store: Option<StoreFacts>,
    /// Client ID and Client secret only: when the token was issued, and when it expires.
    pub minted_at: Option<OffsetDateTime>,
    pub minted_ends_at: Option<OffsetDateTime>,
}

impl PastCheck {
    pub fn passed(&self) -> bool {
        self.class.outcome().passes()
    }

    /// Encodes the check for `cart_health.recent`.
    pub fn pack(&self) -> [u8; PACKED] {
        let seconds = u32::try_from(self.at.unix_timestamp()).unwrap_or(u32::MAX);
        let took = self.took_ms.map_or(NO_TIME, |ms| ms.min(NO_TIME - 1));
        let packed = u64::from(seconds) << 32 | u64::from(self.class.code()) << 24 | u64::from(took);
        packed.to_be_bytes()
    }

    /// Decodes `cart_health.recent`; skips checks with a class from a newer version.
    pub fn unpack(bytes: &[u8]) -> Vec<Self> {
        let one = |packed: &[u8]| {
            let packed = u64::from_be_bytes(packed.try_into().ok()?);
            let [class, ..] = u32::try_from(packed & 0xffff_ffff).ok()?.to_be_bytes();
            let took = u32::try_from(packed & u64::from(NO_TIME)).ok()?;
            Some(Self {
                at: OffsetDateTime::from_unix_timestamp(i64::try_from(packed >> 32).ok()?).ok()?,
                class: Class::from_code(class)?,
                took_ms: (took != NO_TIME).then_some(took),
            })
        };
        bytes.chunks_exact(PACKED).filter_map(one).collect()
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn packed_checks_round_trip() {
        let at = datetime!(2026-11-21 08:14:40 UTC);
        let checks: Vec<PastCheck> = Class::ALL
            .into_iter()
            .enumerate()
            .map(|(n, class)| PastCheck { at, class, took_ms: (n % 2 == 0).then_some(u32::try_from(n).unwrap() * 500) })
            .collect();
        let bytes: Vec<u8> = checks.iter().flat_map(PastCheck::pack).collect();
        assert_eq!(PastCheck::unpack(&bytes), checks);
    }

    #[test]
    fn unknown_classes_are_skipped() {
        let known = PastCheck { at: datetime!(2026-11-21 08:14:40 UTC), class: Class::Connected, took_ms: Some(212) };
        let unknown = [0, 0, 0, 0, 200, 0, 0, 0];
        assert_eq!(PastCheck::unpack(&[known.pack(), unknown].concat()), [known]);
    }

    #[test]
    fn duration_over_three_bytes_saturates() {
        let at = datetime!(2026-11-21 08:14:40 UTC);
        let check = PastCheck { at, class: Class::Connected, took_ms: Some(u32::MAX) };
        assert_eq!(PastCheck::unpack(&check.pack())[0].took_ms, Some(NO_TIME - 1));
    }
}

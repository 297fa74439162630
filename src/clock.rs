//! The time for what people read, the system's or a fixed one. Sessions, throttles and leases use the database's instead,
//! because replicas share only that.

use time::OffsetDateTime;

/// Where "now" comes from.
#[derive(Clone, Copy, Debug, Default)]
pub enum Clock {
    #[default]
    System,
    Fixed(OffsetDateTime),
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "the one place that asks the system")]
    pub fn now(self) -> OffsetDateTime {
        match self {
            Self::System => OffsetDateTime::now_utc(),
            Self::Fixed(at) => at,
        }
    }
}

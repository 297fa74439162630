//! The status of a cart, as a pure function of facts; and the effect of one more check on its health state, as another.

use time::{Duration, OffsetDateTime};

use crate::causes::{Class, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Saved; the saved credential has never passed a test.
    Draft,
    Connected,
    NeedsAttention,
    NotConnected,
    Inactive,
}

impl Status {
    /// The value in the database and in scripts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Connected => "connected",
            Self::NeedsAttention => "needs-attention",
            Self::NotConnected => "not-connected",
            Self::Inactive => "inactive",
        }
    }

    /// The word on screen.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Connected => "Connected",
            Self::NeedsAttention => "Needs attention",
            Self::NotConnected => "Not connected",
            Self::Inactive => "Inactive",
        }
    }

    pub const ALL: [Self; 5] = [Self::Draft, Self::Connected, Self::NeedsAttention, Self::NotConnected, Self::Inactive];

    /// The status with this value in scripts.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }

    pub(super) fn from_stored(text: &str) -> Self {
        Self::parse(text).expect("the constraint carts_status allows only these words")
    }

    /// Stock pauses while no chosen location exists: a connected cart then needs attention.
    #[must_use]
    pub const fn with_locations(self, are_gone: bool) -> Self {
        match self {
            Self::Connected if are_gone => Self::NeedsAttention,
            other => other,
        }
    }
}

/// The facts that decide the status.
#[derive(Clone, Copy, Debug)]
pub struct Facts {
    /// Whether exactly the saved credential and address have ever passed.
    pub has_passed: bool,
    pub is_active: bool,
    /// [`HealthState::class`] of the saved credential.
    pub last: Option<Class>,
}

impl Facts {
    pub fn status(self) -> Status {
        match (self.has_passed, self.is_active, self.last.map(Class::severity)) {
            (false, _, _) => Status::Draft,
            (true, false, _) => Status::Inactive,
            (true, true, None | Some(Severity::Well | Severity::NotACheck)) => Status::Connected,
            (true, true, Some(Severity::Limited | Severity::Transient | Severity::Ours)) => Status::NeedsAttention,
            (true, true, Some(Severity::Refused)) => Status::NotConnected,
        }
    }
}

impl Severity {
    /// Whether a single failure is not reported.
    const fn needs_repetition(self) -> bool {
        matches!(self, Self::Transient | Self::Ours)
    }

    /// Consecutive failures before a failure of this severity is reported.
    const fn threshold(self) -> u32 {
        match self {
            Self::Transient => FAILURE_THRESHOLD,
            Self::Ours => ANY_FAILURE_THRESHOLD,
            Self::Well | Self::Limited | Self::Refused | Self::NotACheck => 1,
        }
    }
}

/// Consecutive failures before a transient one makes a cart need attention.
pub const FAILURE_THRESHOLD: u32 = 3;
/// Consecutive failures of any class, our faults included, before a cart needs attention.
pub const ANY_FAILURE_THRESHOLD: u32 = 4;
/// Minimum time that those failures span.
pub const FAILURE_WINDOW: Duration = Duration::minutes(15);

/// A cart's health after its checks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HealthState {
    /// The class that decides the status.
    pub class: Option<Class>,
    /// When the class, or its severity, began; `None` for a healthy cart.
    pub since: Option<OffsetDateTime>,
    /// Consecutive failures that are not reported at once.
    pub streak: u32,
    pub streak_since: Option<OffsetDateTime>,
}

impl HealthState {
    /// The health of a cart that has never passed: its last test decides, without repetition.
    pub const fn of_draft(class: Class) -> Self {
        Self { class: Some(class), since: None, streak: 0, streak_since: None }
    }

    /// The health after one more check.
    #[must_use]
    pub fn after(self, class: Class, at: OffsetDateTime) -> Self {
        let before = self.class.map(Class::severity);
        match class.severity() {
            Severity::NotACheck => self,
            Severity::Well => Self { class: Some(class), since: None, streak: 0, streak_since: None },
            severity @ (Severity::Limited | Severity::Refused) => {
                let since = self.since.filter(|_| before == Some(severity)).unwrap_or(at);
                Self { class: Some(class), since: Some(since), streak: 0, streak_since: None }
            }
            severity @ (Severity::Transient | Severity::Ours) => {
                let (streak, began) = (self.streak + 1, self.streak_since.unwrap_or(at));
                let counted = Self { streak, streak_since: Some(began), ..self };
                let lasts = streak >= severity.threshold() && at - began >= FAILURE_WINDOW;
                // A refused credential stays refused while the network is down as well.
                if !lasts || before == Some(Severity::Refused) {
                    return counted;
                }
                let since = self.since.filter(|_| before.is_some_and(Severity::needs_repetition)).unwrap_or(began);
                Self { class: Some(class), since: Some(since), ..counted }
            }
        }
    }
}

impl Class {
    /// Whether two classes are one problem: the same class, or two that are reported only after repetition.
    pub fn is_same_problem(self, other: Self) -> bool {
        self == other || (self.severity().needs_repetition() && other.severity().needs_repetition())
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const EIGHT: OffsetDateTime = datetime!(2026-11-21 08:00 UTC);

    fn minute(n: i64) -> OffsetDateTime {
        EIGHT + Duration::minutes(n)
    }

    #[test]
    fn statuses_follow_from_facts() {
        let table = [
            (false, false, None, Status::Draft),
            (false, true, Some(Class::Connected), Status::Draft),
            (true, false, Some(Class::TokenRefused), Status::Inactive),
            (true, true, None, Status::Connected),
            (true, true, Some(Class::Connected), Status::Connected),
            (true, true, Some(Class::ApiVersionOld), Status::Connected),
            (true, true, Some(Class::ScopesMissing), Status::NeedsAttention),
            (true, true, Some(Class::OurKey), Status::NeedsAttention),
            (true, true, Some(Class::TokenStopped), Status::NotConnected),
            (true, true, Some(Class::StoreFrozen), Status::NotConnected),
            (true, true, Some(Class::NetworkTimeout), Status::NeedsAttention),
        ];
        for (has_passed, is_active, last, status) in table {
            assert_eq!(Facts { has_passed, is_active, last }.status(), status, "{has_passed} {is_active} {last:?}");
        }
    }

    /// Minute and class of each check, then the status and the minute since when it has lasted.
    #[test]
    fn every_transition_of_an_active_cart_follows_from_its_checks() {
        use Class::{
            Connected as Ok, NetworkTimeout as Net, OurBug as Bug, OurKey as Key, ScopesMissing as Scopes,
            ShopifyDown as Down, StoreFrozen as Frozen, TestLimit as Limit, TokenStopped as Token,
        };
        use Status::{Connected, NeedsAttention, NotConnected};
        type Row<'a> = (&'a [(i64, Class)], Status, Option<i64>);
        let table: &[Row<'_>] = &[
            (&[(0, Ok)], Connected, None),
            // A refusal by Shopify counts at once, and ends with the next pass.
            (&[(0, Ok), (15, Token)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Token)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Frozen)], NotConnected, Some(15)),
            (&[(0, Ok), (15, Token), (75, Ok)], Connected, None),
            // So does a limit.
            (&[(0, Scopes)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Scopes)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Key)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Token)], NotConnected, Some(15)),
            (&[(0, Token), (60, Scopes)], NeedsAttention, Some(60)),
            // A transient failure needs three in a row.
            (&[(0, Ok), (15, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (60, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (20, Down), (25, Net)], Connected, None),
            (&[(0, Ok), (15, Net), (20, Down), (25, Net), (30, Net)], NeedsAttention, Some(15)),
            (&[(0, Ok), (15, Net), (20, Ok), (25, Net), (30, Net), (35, Ok)], Connected, None),
            (&[(0, Net), (5, Net), (10, Ok), (15, Net), (20, Net)], Connected, None),
            (&[(0, Net), (15, Net), (30, Net), (45, Down)], NeedsAttention, Some(0)),
            (&[(0, Net), (15, Net), (30, Net), (45, Token)], NotConnected, Some(45)),
            (&[(0, Net), (15, Net), (30, Net), (45, Ok)], Connected, None),
            // A transient failure does not change an earlier problem.
            (&[(0, Scopes), (15, Net)], NeedsAttention, Some(0)),
            (&[(0, Token), (60, Net), (70, Net), (80, Net)], NotConnected, Some(0)),
            // Three internal errors say nothing about the store; but a store that cannot be checked does not stay
            // connected.
            (&[(0, Ok), (15, Bug), (30, Bug), (45, Bug)], Connected, None),
            (&[(0, Ok), (15, Bug), (30, Bug), (45, Bug), (60, Bug)], NeedsAttention, Some(15)),
            (&[(0, Ok), (15, Bug), (18, Bug), (21, Bug), (24, Bug)], Connected, None),
            (&[(0, Ok), (15, Bug), (30, Bug), (45, Ok), (60, Bug), (75, Bug)], Connected, None),
            (&[(0, Ok), (15, Bug), (30, Bug), (45, Bug), (60, Bug), (75, Ok)], Connected, None),
            (&[(0, Bug), (15, Net), (30, Bug), (45, Down)], NeedsAttention, Some(0)),
            (&[(0, Net), (15, Bug), (30, Net), (45, Bug)], NeedsAttention, Some(0)),
            (&[(0, Scopes), (15, Bug), (30, Bug), (45, Bug), (60, Bug)], NeedsAttention, Some(15)),
            (&[(0, Token), (15, Bug)], NotConnected, Some(0)),
            (&[(0, Token), (15, Bug), (30, Bug), (45, Bug), (60, Bug)], NotConnected, Some(0)),
            (&[(0, Net), (8, Bug), (9, Net), (16, Net)], NeedsAttention, Some(0)),
            // A test that was never sent is not a check.
            (&[(0, Ok), (5, Limit), (10, Limit), (20, Limit), (30, Limit)], Connected, None),
            (&[(0, Net), (5, Limit), (10, Net), (20, Net)], NeedsAttention, Some(0)),
        ];
        for (checks, status, since) in table {
            let stands =
                checks.iter().fold(HealthState::default(), |stood, (at, class)| stood.after(*class, minute(*at)));
            let facts = Facts { has_passed: true, is_active: true, last: stands.class };
            assert_eq!((facts.status(), stands.since), (*status, since.map(minute)), "{checks:?}");
        }
    }

    #[test]
    fn repeated_failures_of_any_class_end_the_connected_status() {
        let failures =
            Class::ALL.into_iter().filter(|class| !matches!(class.severity(), Severity::Well | Severity::NotACheck));
        for class in failures {
            let connected = HealthState::default().after(Class::Connected, minute(0));
            let health = (1..=4).fold(connected, |health, n| health.after(class, minute(n * 15)));
            let status = Facts { has_passed: true, is_active: true, last: health.class }.status();
            assert!(matches!(status, Status::NeedsAttention | Status::NotConnected), "{class:?}: {status:?}");
            assert_eq!((health.class, health.since), (Some(class), Some(minute(15))), "{class:?}");
        }
    }

    #[test]
    fn missing_locations_need_attention_unless_the_status_is_worse() {
        assert_eq!(Status::Connected.with_locations(true), Status::NeedsAttention);
        assert_eq!(Status::Connected.with_locations(false), Status::Connected);
        for other in [Status::Draft, Status::Inactive, Status::NotConnected] {
            assert_eq!(other.with_locations(true), other);
        }
    }
}

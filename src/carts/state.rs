//! The state of a cart, as a pure function of facts. The list, the badge, the banner, the Health tab and the result of
//! a test all use it, so that no view contradicts another or promises a check that is not scheduled.

use time::{Duration, OffsetDateTime};

use super::{Cart, CartRow, Status};

/// The facts that decide the state of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct CartFacts {
    /// The stored status: [`super::status::Facts::status`], adjusted for the locations.
    pub status: Status,
    pub is_active: bool,
    pub has_credential: bool,
    pub is_practice: bool,
    /// The switch of the whole integration.
    pub integration_is_on: bool,
    /// Whether this server answers for practice stores.
    pub practice_is_on: bool,
    /// When the next check is due; `None` if none is scheduled.
    pub next_check_at: Option<OffsetDateTime>,
    /// Time of the newest check; `None` before the first.
    pub last_checked_at: Option<OffsetDateTime>,
    pub now: OffsetDateTime,
}

/// The current state of a cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CartState {
    pub status: Status,
    pub checks: Checks,
}

/// Whether the cart is checked in the background.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checks {
    Scheduled,
    /// A check is scheduled but was not made: no background worker runs. Holds the time of the newest check.
    Overdue(Option<OffsetDateTime>),
    Unscheduled(Unscheduled),
}

/// Why no check is scheduled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unscheduled {
    /// A cart of the practice store, which is off.
    PracticeIsOff,
    /// No credential is saved that could be checked.
    NoCredential,
    /// The saved credential has never passed a test.
    Draft,
    IntegrationIsOff,
    Inactive,
}

impl CartFacts {
    pub const fn of_cart(cart: &Cart, integration_is_on: bool, practice_is_on: bool, now: OffsetDateTime) -> Self {
        Self {
            status: cart.status,
            is_active: cart.is_active,
            has_credential: cart.credential.is_some(),
            is_practice: cart.is_practice,
            integration_is_on,
            practice_is_on,
            next_check_at: cart.next_check_at,
            last_checked_at: cart.last_checked_at,
            now,
        }
    }

    /// Collects the facts of a list row. A row does not include the credential, and only a Draft can lack one.
    pub const fn of_row(row: &CartRow, integration_is_on: bool, practice_is_on: bool, now: OffsetDateTime) -> Self {
        Self {
            status: row.status,
            is_active: row.is_active,
            has_credential: !row.is_disconnected,
            is_practice: row.is_practice,
            integration_is_on,
            practice_is_on,
            next_check_at: row.next_check_at,
            last_checked_at: row.last_checked_at,
            now,
        }
    }

    /// Returns the state of the cart. A check is scheduled under exactly the conditions under which a sweep leases the
    /// cart.
    pub fn state(self) -> CartState {
        let why = if self.is_practice && !self.practice_is_on {
            Unscheduled::PracticeIsOff
        } else if !self.has_credential {
            Unscheduled::NoCredential
        } else if matches!(self.status, Status::Draft) {
            Unscheduled::Draft
        } else if !self.integration_is_on {
            Unscheduled::IntegrationIsOff
        } else if !self.is_active {
            Unscheduled::Inactive
        } else {
            let is_overdue = self.next_check_at.is_some_and(|next| self.now - next > OVERDUE_AFTER);
            let checks = if is_overdue { Checks::Overdue(self.last_checked_at) } else { Checks::Scheduled };
            return CartState { status: self.status, checks };
        };
        let status = match why {
            Unscheduled::PracticeIsOff | Unscheduled::NoCredential | Unscheduled::Draft => Status::Draft,
            Unscheduled::IntegrationIsOff | Unscheduled::Inactive => Status::Inactive,
        };
        CartState { status, checks: Checks::Unscheduled(why) }
    }
}

/// How long after its due time a check counts as overdue: a running worker would have made it by then.
pub const OVERDUE_AFTER: Duration = Duration::minutes(30);

impl Checks {
    /// Whether the cart is checked in the background, even if the check is overdue.
    pub const fn are_on(self) -> bool {
        matches!(self, Self::Scheduled | Self::Overdue(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONNECTED: CartFacts = CartFacts {
        status: Status::Connected,
        is_active: true,
        has_credential: true,
        is_practice: false,
        integration_is_on: true,
        practice_is_on: false,
        next_check_at: Some(NOW),
        last_checked_at: Some(LAST),
        now: NOW,
    };
    const NOW: OffsetDateTime = time::macros::datetime!(2026-11-21 08:00 UTC);
    const LAST: OffsetDateTime = time::macros::datetime!(2026-11-21 07:15 UTC);

    #[test]
    fn checks_are_scheduled_only_for_active_passed_carts_while_the_integration_is_on() {
        use Unscheduled::{Draft, Inactive, IntegrationIsOff, NoCredential, PracticeIsOff};
        let off = |why| Checks::Unscheduled(why);
        let inactive = CartFacts { status: Status::Inactive, is_active: false, ..CONNECTED };
        let draft = CartFacts { status: Status::Draft, is_active: false, ..CONNECTED };
        let table = [
            (CONNECTED, Status::Connected, Checks::Scheduled),
            (CartFacts { status: Status::NeedsAttention, ..CONNECTED }, Status::NeedsAttention, Checks::Scheduled),
            (CartFacts { status: Status::NotConnected, ..CONNECTED }, Status::NotConnected, Checks::Scheduled),
            (inactive, Status::Inactive, off(Inactive)),
            (CartFacts { integration_is_on: false, ..inactive }, Status::Inactive, off(IntegrationIsOff)),
            (CartFacts { integration_is_on: false, ..CONNECTED }, Status::Inactive, off(IntegrationIsOff)),
            (draft, Status::Draft, off(Draft)),
            (CartFacts { integration_is_on: false, ..draft }, Status::Draft, off(Draft)),
            (CartFacts { has_credential: false, ..draft }, Status::Draft, off(NoCredential)),
            (CartFacts { is_practice: true, ..CONNECTED }, Status::Draft, off(PracticeIsOff)),
            (CartFacts { is_practice: true, practice_is_on: true, ..CONNECTED }, Status::Connected, Checks::Scheduled),
        ];
        for (facts, status, checks) in table {
            assert_eq!(facts.state(), CartState { status, checks }, "{facts:?}");
        }
    }

    #[test]
    fn only_a_scheduled_check_can_be_overdue() {
        let due_before = |minutes| CartFacts { next_check_at: Some(NOW - Duration::minutes(minutes)), ..CONNECTED };
        let overdue = Checks::Overdue(Some(LAST));
        assert_eq!(due_before(31).state(), CartState { status: Status::Connected, checks: overdue });
        assert_eq!(due_before(30).state().checks, Checks::Scheduled);
        assert_eq!(CartFacts { next_check_at: None, ..CONNECTED }.state().checks, Checks::Scheduled);
        let failing = CartFacts { status: Status::NotConnected, ..due_before(31) };
        assert_eq!(failing.state(), CartState { status: Status::NotConnected, checks: overdue });
        let never = CartFacts { last_checked_at: None, ..due_before(31) };
        assert_eq!(never.state().checks, Checks::Overdue(None));
        let inactive = CartFacts { is_active: false, ..due_before(31) };
        assert_eq!(inactive.state().checks, Checks::Unscheduled(Unscheduled::Inactive));
        assert!(overdue.are_on() && Checks::Scheduled.are_on() && !inactive.state().checks.are_on());
    }
}

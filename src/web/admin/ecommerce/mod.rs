//! Admin → Ecommerce Integration.

pub mod add;
pub mod bulk;
pub mod carts;
pub mod shopify;
pub mod switch;

use time::OffsetDateTime;

use super::filters::Moment;
use crate::carts::{
    Cart, Status,
    state::{CartFacts, CartState, Checks, Unscheduled},
};
use crate::causes::{Class, Severity};
use crate::direction::bidi_isolate;
use shopify::health::words::clock;

/// The facts that determine the badge and its lines.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusFacts<'a> {
    pub cart: CartFacts,
    pub class: Option<Class>,
    pub title: Option<&'a str>,
    pub missing: i32,
    pub since: Option<OffsetDateTime>,
    pub retired_by: Option<&'a str>,
    pub is_disconnected: bool,
    /// None of the chosen locations exists any more.
    pub locations_gone: bool,
}

impl<'a> StatusFacts<'a> {
    pub(crate) fn of(cart: &'a Cart, integration_is_on: bool, practice_is_on: bool, now: OffsetDateTime) -> Self {
        Self {
            cart: CartFacts::of_cart(cart, integration_is_on, practice_is_on, now),
            class: cart.last_class,
            title: cart.last_title.as_deref(),
            missing: cart.missing_count,
            since: cart.failing_since,
            retired_by: cart.retired_by.as_deref(),
            is_disconnected: cart.is_disconnected,
            locations_gone: cart.locations_gone,
        }
    }

    /// The badge and its lines.
    pub(crate) fn view(&self) -> StatusView {
        let (state, now) = (self.cart.state(), self.cart.now);
        let line = match (self.reason(), self.since) {
            (Some(reason), Some(since)) if self.has_duration(state.status) => {
                Some(with_start(&reason, Moment::new(since, now)))
            }
            (reason, _) => reason,
        };
        let unchecked = match state.checks {
            Checks::Overdue(last) => Some(not_checked(last, now)),
            Checks::Scheduled | Checks::Unscheduled(_) => None,
        };
        StatusView { status: state.status, line, unchecked, is_practice: self.cart.is_practice }
    }

    /// Why the cart has its status, in the words of the list, the badge and the tab Health; `None` if there is nothing
    /// to say.
    pub(crate) fn reason(&self) -> Option<String> {
        let CartState { status, checks } = self.cart.state();
        match (status, checks) {
            (_, Checks::Unscheduled(Unscheduled::PracticeIsOff)) => Some("It belongs to the practice store".to_owned()),
            (Status::Draft, _) if self.is_disconnected => {
                self.retired_by.map(|name| format!("Disconnected by {}", bidi_isolate(name)))
            }
            (Status::Draft, _) => Some(match (self.class, self.title) {
                (Some(class), _) if class.outcome().passes() => self.passed_too_early(),
                (_, Some(title)) => format!("Test failed: {title}"),
                (_, None) => "Not tested yet".into(),
            }),
            (Status::Inactive, Checks::Unscheduled(Unscheduled::IntegrationIsOff)) => {
                Some("Ecommerce Integration is off".into())
            }
            (Status::Inactive, _) => self.retired_by.map(|name| format!("Turned off by {}", bidi_isolate(name))),
            (Status::Connected, _) => None,
            (Status::NeedsAttention, _) if self.class == Some(Class::ScopesMissing) => Some(match self.missing {
                1 => "1 permission missing".into(),
                n => format!("{n} permissions missing"),
            }),
            (Status::NeedsAttention, _) if self.class == Some(Class::OurKey) => {
                self.title.map(|title| format!("{title}. Open the cart and enter it again."))
            }
            // A limited connection is worse and has its own text.
            (Status::NeedsAttention, _) if self.locations_gone && self.is_well() => {
                Some("None of the chosen locations exists any more".into())
            }
            (Status::NeedsAttention | Status::NotConnected, _) => self.title.map(str::to_owned),
        }
    }

    /// The line of a draft whose test passed too long before it was saved to count.
    fn passed_too_early(&self) -> String {
        let at = self.cart.last_checked_at.map(|at| format!(" {}", clock(at, self.cart.now)));
        format!("Tested{}, too long before it was saved. Test it again.", at.unwrap_or_default())
    }

    /// Whether the last check found nothing that needs attention.
    fn is_well(&self) -> bool {
        self.class.is_none_or(|class| class.severity() == Severity::Well)
    }

    /// Whether the line says when the problem started.
    fn has_duration(&self, status: Status) -> bool {
        let says_how_many = matches!(self.class, Some(Class::ScopesMissing | Class::OurKey));
        let is_about_locations = status == Status::NeedsAttention && self.locations_gone && self.is_well();
        matches!(status, Status::NeedsAttention | Status::NotConnected) && !says_how_many && !is_about_locations
    }
}

/// A problem and when it started: "The access token stopped working 3 hours ago", "This store is locked. Started just
/// now".
fn with_start(title: &str, at: Moment) -> String {
    let on = if at.is_relative() { "" } else { "on " };
    let link = if title.ends_with("stopped working") { "" } else { ". Started" };
    format!("{title}{link} {on}{}", at.words())
}

/// "Not checked since 08:14 UTC": a check was due, and no background worker ran it.
fn not_checked(last: Option<OffsetDateTime>, now: OffsetDateTime) -> String {
    match last {
        Some(last) => {
            let at = clock(last, now);
            format!("Not checked since {}", at.trim_start_matches("at ").trim_start_matches("on "))
        }
        None => "Not checked yet, although a check was due".to_owned(),
    }
}

/// A cart's status as a user reads it: icon and word, never colour alone, and short lines below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    pub status: Status,
    /// Such as "2 permissions missing" or "Turned off by Sam Lee".
    pub line: Option<String>,
    /// Such as "Not checked since 08:14 UTC", where a check is overdue.
    pub unchecked: Option<String>,
    /// Whether to show that the cart belongs to the practice store.
    pub is_practice: bool,
}

/// How the five statuses are shown; their names belong to the domain.
impl Status {
    /// What the status means, for the help page.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Draft => "What is saved has not passed a test, or the pass was too old when it was saved.",
            Self::Connected => "The last check passed, and every permission that is needed is there.",
            Self::NeedsAttention => {
                "Connected with limits, or the last checks failed for a reason that may pass, or we cannot check the store."
            }
            Self::NotConnected => "The credential is refused, the store is closed, or the app is gone.",
            Self::Inactive => "Turned off by a person. Nothing syncs and nothing is checked.",
        }
    }

    pub(crate) const fn icon(self) -> &'static str {
        match self {
            Self::Draft | Self::Inactive => "minus",
            Self::Connected => "check",
            Self::NeedsAttention => "warn",
            Self::NotConnected => "x",
        }
    }

    pub(crate) const fn tone(self) -> &'static str {
        match self {
            Self::Draft | Self::Inactive => "idle",
            Self::Connected => "ok",
            Self::NeedsAttention => "warn",
            Self::NotConnected => "bad",
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::{Moment, with_start};

    #[test]
    fn line_says_when_a_problem_started_in_plain_words() {
        let now = datetime!(2026-11-23 19:31:00 UTC);
        let hours = |n| Moment::new(now - time::Duration::hours(n), now);
        assert_eq!(
            with_start("The access token stopped working", hours(3)),
            "The access token stopped working 3 hours ago"
        );
        let long_ago = "The access token stopped working on 21 November 2026, 17:31 UTC";
        assert_eq!(with_start("The access token stopped working", hours(50)), long_ago);
        assert_eq!(with_start("This store is locked", hours(0)), "This store is locked. Started just now");
        assert_eq!(
            with_start("This store is locked", hours(50)),
            "This store is locked. Started on 21 November 2026, 17:31 UTC"
        );
    }
}

//! Admin → Ecommerce Integration.

pub mod add;
pub mod bulk;
pub mod carts;
pub mod shopify;
pub mod switch;

use time::OffsetDateTime;

use crate::direction::isolated;
use crate::ecommerce::{Status, status::Bearing, verdict::Class};
use crate::web::filters::Moment;

/// What the line under a badge follows from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StatusFacts<'a> {
    pub status: Status,
    /// The switch of the whole integration.
    pub is_on: bool,
    pub class: Option<Class>,
    pub title: Option<&'a str>,
    pub missing: i32,
    pub since: Option<OffsetDateTime>,
    pub retired_by: Option<&'a str>,
    pub is_disconnected: bool,
    /// None of the chosen locations exists any more.
    pub locations_gone: bool,
}

impl StatusFacts<'_> {
    /// The badge and its line. A practice cart is a Draft where practice is off.
    pub(crate) fn view(&self, is_practice: bool, practices: bool, now: OffsetDateTime) -> StatusView {
        let strayed = is_practice && !practices;
        let status = if strayed { Status::Draft } else { self.status.under(self.is_on) };
        let line = if strayed { Some("It belongs to the practice store".to_owned()) } else { self.line(status, now) };
        StatusView { status, line, is_practice }
    }

    /// Whether the last check found nothing that needs attention.
    fn is_well(&self) -> bool {
        self.class.is_none_or(|class| class.bearing() == Bearing::Well)
    }

    fn line(&self, status: Status, now: OffsetDateTime) -> Option<String> {
        let since = |title: &str| match self.since {
            Some(since) => format!("{title}, since {}", Moment::new(since, now).words()),
            None => title.to_owned(),
        };
        match status {
            Status::Draft if self.is_disconnected => {
                self.retired_by.map(|name| format!("Disconnected by {}", isolated(name)))
            }
            Status::Draft => Some(match self.title {
                Some(title) => format!("Test failed: {title}"),
                None => "Not tested yet".into(),
            }),
            Status::Connected => None,
            Status::NeedsAttention if self.class == Some(Class::ScopesMissing) => Some(match self.missing {
                1 => "1 permission missing".into(),
                n => format!("{n} permissions missing"),
            }),
            Status::NeedsAttention if self.class == Some(Class::OurKey) => {
                Some("We cannot read the saved access token. Open the cart and enter it again.".into())
            }
            // Nothing worse: a limit of the connection has its own words.
            Status::NeedsAttention if self.locations_gone && self.is_well() => {
                Some("None of the chosen locations exists any more".into())
            }
            Status::NeedsAttention | Status::NotConnected => self.title.map(since),
            Status::Inactive if !self.is_on => Some("Ecommerce Integration is off".into()),
            Status::Inactive => self.retired_by.map(|name| format!("Turned off by {}", isolated(name))),
        }
    }
}

/// A cart's status as a person reads it: icon and word, never colour alone, and at most one line below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    pub status: Status,
    /// Such as "2 permissions missing" or "Turned off by Sam Lee".
    pub line: Option<String>,
    /// A cart of the practice store says so.
    pub is_practice: bool,
}

/// How the five words are shown; the words themselves are the domain's.
impl Status {
    /// Every word, in the order in which the help page tells them.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Connected, Self::NeedsAttention, Self::NotConnected, Self::Inactive];

    /// What the word means, for the help page.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Draft => "Saved, but what is saved has never passed a test.",
            Self::Connected => "The last check passed, and every permission that is needed is there.",
            Self::NeedsAttention => "Connected with limits, or the last checks failed for a reason that may pass.",
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

//! Admin → Ecommerce Integration.

pub mod add;
pub mod carts;
pub mod shopify;
pub mod switch;

/// A cart's status as a person reads it: icon and word, never colour alone, and at most one line below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusView {
    pub status: StatusWord,
    /// Such as "2 permissions missing" or "Turned off by Sam Lee".
    pub line: Option<String>,
    /// A cart of the practice store says so.
    pub is_practice: bool,
}

/// The five words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusWord {
    Draft,
    Connected,
    NeedsAttention,
    NotConnected,
    Inactive,
}

impl StatusWord {
    /// Every word, in the order in which the help page tells them.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Connected, Self::NeedsAttention, Self::NotConnected, Self::Inactive];

    /// The word itself.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Draft => "Draft",
            Self::Connected => "Connected",
            Self::NeedsAttention => "Needs attention",
            Self::NotConnected => "Not connected",
            Self::Inactive => "Inactive",
        }
    }

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

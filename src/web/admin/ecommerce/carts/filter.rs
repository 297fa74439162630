//! The filters of the list and their texts.

use crate::carts::CartFilter;

/// A filter of the list, shown as a tab.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CartTab {
    #[default]
    All,
    Active,
    NeedsAttention,
    Inactive,
}

impl CartTab {
    /// In page order.
    pub const ALL: [Self; 4] = [Self::All, Self::Active, Self::NeedsAttention, Self::Inactive];

    /// The value of `show` in the URL; empty for All.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Active => "active",
            Self::NeedsAttention => "needs-attention",
            Self::Inactive => "inactive",
        }
    }

    /// The filter of this name; an unknown name means All.
    pub(in super::super) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|filter| filter.as_str() == name).unwrap_or_default()
    }

    pub(in super::super) const fn of_domain(self) -> CartFilter {
        match self {
            Self::All => CartFilter::All,
            Self::Active => CartFilter::Active,
            Self::NeedsAttention => CartFilter::Attention,
            Self::Inactive => CartFilter::Inactive,
        }
    }

    /// The label of *all* in the list's form.
    pub(super) const fn everything(self) -> &'static str {
        match self {
            Self::All => "All carts",
            Self::Active => "All that are active",
            Self::NeedsAttention => "All that need attention",
            Self::Inactive => "All that are inactive",
        }
    }

    pub(super) const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Active => "Active",
            Self::NeedsAttention => "Needs attention",
            Self::Inactive => "Inactive",
        }
    }

    pub(super) const fn nothing(self) -> &'static str {
        match self {
            Self::All => "No carts yet.",
            Self::Active => "No carts are active.",
            Self::NeedsAttention => "No carts need attention.",
            Self::Inactive => "No carts are inactive.",
        }
    }
}

//! The list of carts: a page of rows, filters with counts, search, and what to say when there is nothing.

use askama::Template;

use super::StatusView;
use crate::web::filters::{self, Moment};
use crate::web::shell::Shell;

/// The list. The switch posts `csrf`, `active` (`on` or absent) to `/admin/ecommerce/switch`;
/// search and filters are GET with `show` (absent for All) and `q`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/carts.html")]
pub struct Carts {
    pub shell: Shell,
    /// Whether the integration as a whole is on.
    pub active: bool,
    pub rows: Vec<CartRow>,
    pub filter: Filter,
    pub counts: Counts,
    /// The text searched for; empty for none.
    pub search: String,
    /// There is no cart at all, whatever the filter.
    pub is_empty: bool,
    /// Addresses of the keyset's neighbours.
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// A cart as a row.
#[derive(Clone, Debug)]
pub struct CartRow {
    pub id: String,
    pub name: String,
    /// Such as `northwind-tea.myshopify.com`.
    pub host: String,
    /// Such as `Shopify`.
    pub platform: &'static str,
    pub status: StatusView,
    /// `None`: never.
    pub last_checked: Option<Moment>,
    pub active: bool,
}

/// Counts beside the filters; past 99 they read "99+".
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub active: u64,
    pub needs_attention: u64,
    pub inactive: u64,
}

/// What the list shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Filter {
    #[default]
    All,
    Active,
    NeedsAttention,
    Inactive,
}

impl Filter {
    /// In the order of the page.
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

    const fn label(self) -> &'static str {
        match self {
            Self::All => "All",
            Self::Active => "Active",
            Self::NeedsAttention => "Needs attention",
            Self::Inactive => "Inactive",
        }
    }

    const fn nothing(self) -> &'static str {
        match self {
            Self::All => "No carts yet.",
            Self::Active => "No carts are active.",
            Self::NeedsAttention => "No carts need attention.",
            Self::Inactive => "No carts are inactive.",
        }
    }
}

impl Carts {
    fn filters(&self) -> [(Filter, Option<u64>); 4] {
        let Counts { active, needs_attention, inactive } = self.counts;
        let [all, on, attention, off] = Filter::ALL;
        [(all, None), (on, Some(active)), (attention, Some(needs_attention)), (off, Some(inactive))]
    }

    /// The list with this filter and the same search.
    fn href(&self, filter: Filter) -> String {
        list_href(filter, &self.search)
    }

    fn without_search(&self) -> String {
        list_href(self.filter, "")
    }

    fn needs_pages(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

/// The list's address with a filter and a search.
pub fn list_href(filter: Filter, search: &str) -> String {
    let pairs = [("show", filter.as_str()), ("q", search)];
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    if query.is_empty() { "/admin/ecommerce".into() } else { format!("/admin/ecommerce?{query}") }
}

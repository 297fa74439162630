//! The list of carts: a page of rows, filters with counts, search, and what to say when there is nothing.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StatusFacts, StatusView};
use crate::app::App;
use crate::ecommerce::{CartFilter, CartRow as Listed, Cursor, ListQuery};
use crate::web::charts::Line;
use crate::web::error::Error;
use crate::web::filters::{self, Moment};
use crate::web::form::Query;
use crate::web::page::Page;
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
    /// Its last checks; `None`: never checked.
    pub sparkline: Option<Line>,
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

/// What the address of the list may say. The cursor is a name and an id, `after` or `before` it.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CartsQuery {
    #[serde(default)]
    show: String,
    #[serde(default)]
    q: String,
    after: Option<String>,
    before: Option<String>,
    id: Option<Uuid>,
}

/// GET `/admin/ecommerce`.
pub async fn list(State(app): State<App>, shell: Shell, Query(query): Query<CartsQuery>) -> Result<Page<Carts>, Error> {
    let filter = Filter::ALL.into_iter().find(|filter| filter.as_str() == query.show).unwrap_or_default();
    let search: String = query.q.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    let cursor = |name: Option<String>| name.zip(query.id).map(|(name, id)| Cursor { name, id });
    let asked = ListQuery {
        filter: match filter {
            Filter::All => CartFilter::All,
            Filter::Active => CartFilter::Active,
            Filter::NeedsAttention => CartFilter::Attention,
            Filter::Inactive => CartFilter::Inactive,
        },
        search: Some(search.clone()).filter(|search| !search.is_empty()),
        after: cursor(query.after),
        before: cursor(query.before),
    };
    let page = app.ecommerce.list(&asked).await?;
    let now = app.clock.now();
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let neighbour =
        |way: &str, cursor: Option<Cursor>| cursor.map(|cursor| neighbour_href(filter, &search, way, &cursor));
    Ok(Page::ok(Carts {
        shell,
        active: page.integration_is_on,
        rows: page.rows.iter().map(|row| CartRow::of(&app, row, page.integration_is_on, now)).collect(),
        filter,
        counts: Counts {
            active: count(page.counts.active),
            needs_attention: count(page.counts.attention),
            inactive: count(page.counts.inactive),
        },
        is_empty: page.counts.all == 0,
        previous: neighbour("before", page.previous),
        next: neighbour("after", page.next),
        search,
    }))
}

fn neighbour_href(filter: Filter, search: &str, way: &str, cursor: &Cursor) -> String {
    let id = cursor.id.to_string();
    let pairs = [("show", filter.as_str()), ("q", search), (way, cursor.name.as_str()), ("id", id.as_str())];
    let pairs: Vec<_> = pairs.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    format!("/admin/ecommerce?{}", serde_urlencoded::to_string(pairs).unwrap_or_default())
}

impl CartRow {
    fn of(app: &App, row: &Listed, is_on: bool, now: OffsetDateTime) -> Self {
        let facts = StatusFacts {
            status: row.status,
            is_on,
            class: row.last_class,
            title: row.last_title.as_deref(),
            missing: row.missing_count,
            since: row.failing_since,
            retired_by: row.retired_by.as_deref(),
            is_disconnected: row.is_disconnected,
            locations_gone: row.locations_gone,
        };
        Self {
            id: row.id.to_string(),
            name: row.website_name.clone(),
            host: row.store_host.clone(),
            platform: "Shopify",
            status: facts.view(row.is_practice, app.site.practices(), now),
            sparkline: Line::of(&row.recent, 24),
            last_checked: row.last_checked_at.map(|at| Moment::new(at, now)),
            active: row.is_active && is_on,
        }
    }
}

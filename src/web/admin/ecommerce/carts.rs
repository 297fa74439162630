//! The list of carts: a page of rows, filters with counts, search, and what to say when there is nothing.

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{StatusFacts, StatusView};
use crate::app::App;
use crate::ecommerce::{CartFilter, CartRow as Listed, Cursor, ListQuery, Sort, SortBy};
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
    pub sort: Sort,
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

    /// The filter of this name; one that is none is All.
    pub(super) fn parse(name: &str) -> Self {
        Self::ALL.into_iter().find(|filter| filter.as_str() == name).unwrap_or_default()
    }

    pub(super) const fn of_domain(self) -> CartFilter {
        match self {
            Self::All => CartFilter::All,
            Self::Active => CartFilter::Active,
            Self::NeedsAttention => CartFilter::Attention,
            Self::Inactive => CartFilter::Inactive,
        }
    }

    /// What *all* means in the list's form.
    const fn everything(self) -> &'static str {
        match self {
            Self::All => "All carts",
            Self::Active => "All that are active",
            Self::NeedsAttention => "All that need attention",
            Self::Inactive => "All that are inactive",
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

    /// The list with this filter, the same search and the same order.
    fn href(&self, filter: Filter) -> String {
        list_href(filter, &self.search, self.sort, &[])
    }

    fn without_search(&self) -> String {
        list_href(self.filter, "", self.sort, &[])
    }

    /// The list ordered by a column; by the one it is ordered by already, the other way round.
    fn sort_href(&self, by: SortBy) -> String {
        let is_descending = self.sort.by == by && !self.sort.is_descending;
        list_href(self.filter, &self.search, Sort { by, is_descending }, &[])
    }

    /// The value of `aria-sort`, where the list is ordered by this column.
    fn sorted(&self, by: SortBy) -> Option<&'static str> {
        let word = if self.sort.is_descending { "descending" } else { "ascending" };
        (self.sort.by == by).then_some(word)
    }

    fn sort_name(&self) -> String {
        sort_name(self.sort)
    }

    fn needs_pages(&self) -> bool {
        self.previous.is_some() || self.next.is_some()
    }
}

/// The value of `sort` in the URL; empty for the names from A on.
fn sort_name(sort: Sort) -> String {
    let word = match sort.by {
        SortBy::Name => "name",
        SortBy::Status => "status",
        SortBy::Checked => "checked",
    };
    match sort {
        Sort { by: SortBy::Name, is_descending: false } => String::new(),
        Sort { is_descending, .. } => format!("{}{word}", if is_descending { "-" } else { "" }),
    }
}

fn parse_sort(text: &str) -> Sort {
    let all = [SortBy::Name, SortBy::Status, SortBy::Checked];
    let both = all.into_iter().flat_map(|by| [false, true].map(|is_descending| Sort { by, is_descending }));
    both.into_iter().find(|sort| sort_name(*sort) == text).unwrap_or_default()
}

/// The list's address with a filter, a search, an order, and what else stands in it.
fn list_href(filter: Filter, search: &str, sort: Sort, more: &[(&str, &str)]) -> String {
    let sort = sort_name(sort);
    let pairs = [("show", filter.as_str()), ("q", search), ("sort", sort.as_str())];
    let pairs: Vec<_> = pairs.iter().chain(more).filter(|(_, value)| !value.is_empty()).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    if query.is_empty() { "/admin/ecommerce".into() } else { format!("/admin/ecommerce?{query}") }
}

/// What the address of the list may say. The cursor is what the list is ordered by and an id: `after` or `before` hold the name,
/// `at` the rank of a status or the second of a check.
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
    #[serde(default)]
    sort: String,
    at: Option<String>,
}

/// GET `/admin/ecommerce`.
pub async fn list(State(app): State<App>, shell: Shell, Query(query): Query<CartsQuery>) -> Result<Page<Carts>, Error> {
    let filter = Filter::parse(&query.show);
    let search: String = query.q.trim().chars().filter(|c| !c.is_control()).take(100).collect();
    let sort = parse_sort(&query.sort);
    let at = query.at.unwrap_or_default();
    let cursor = |name: Option<String>| {
        let (name, id) = name.zip(query.id)?;
        let checked_at = at.parse().ok().and_then(|micros: i64| from_micros(micros));
        Some(Cursor { name, id, rank: at.parse().unwrap_or_default(), checked_at })
    };
    let asked = ListQuery {
        filter: filter.of_domain(),
        sort,
        search: Some(search.clone()).filter(|search| !search.is_empty()),
        after: cursor(query.after),
        before: cursor(query.before),
    };
    let page = app.ecommerce.list(&asked).await?;
    let now = app.clock.now();
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let neighbour =
        |way: &str, cursor: Option<Cursor>| cursor.map(|cursor| neighbour_href(filter, &search, sort, way, &cursor));
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
        sort,
        is_empty: page.counts.all == 0,
        previous: neighbour("before", page.previous),
        next: neighbour("after", page.next),
        search,
    }))
}

fn neighbour_href(filter: Filter, search: &str, sort: Sort, way: &str, cursor: &Cursor) -> String {
    let id = cursor.id.to_string();
    let at = match sort.by {
        SortBy::Name => String::new(),
        SortBy::Status => cursor.rank.to_string(),
        SortBy::Checked => {
            cursor.checked_at.map(|at| (at.unix_timestamp_nanos() / 1_000).to_string()).unwrap_or_default()
        }
    };
    list_href(filter, search, sort, &[(way, cursor.name.as_str()), ("id", id.as_str()), ("at", at.as_str())])
}

fn from_micros(micros: i64) -> Option<OffsetDateTime> {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()
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

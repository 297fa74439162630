//! The list of carts: a page of rows, filters with counts, search, and the texts for an empty list.

mod filter;
mod query;

use askama::Template;
use axum::extract::State;
use time::OffsetDateTime;

pub use filter::CartTab;
pub use query::CartsQuery;
pub(super) use query::searched;
use query::{list_href, neighbour_href, sort_name};

use super::{StatusFacts, StatusView};
use crate::app::App;
use crate::carts::state::CartFacts;
use crate::carts::{CartRow as Listed, Cursor, Sort, SortBy, is_short_search};
use crate::web::admin::charts::LineChart;
use crate::web::admin::error::Error;
use crate::web::admin::filters::{self, Moment};
use crate::web::admin::form::Query;
use crate::web::admin::handler_connection::HandlerConnection;
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;

/// The list. The switch posts `csrf`, `active` (`on` or absent) to `/admin/ecommerce/switch`;
/// search and filters are GET with `show` (absent for All) and `q`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/carts.html")]
pub struct CartList {
    pub shell: Shell,
    /// Whether the integration as a whole is on.
    pub active: bool,
    pub rows: Vec<CartRowView>,
    pub filter: CartTab,
    pub counts: CartCountsView,
    pub sort: Sort,
    /// The search text; empty for none.
    pub search: String,
    /// Whether there is no cart at all, whatever the filter.
    pub is_empty: bool,
    /// Addresses of the previous and the next page, by keyset.
    pub previous: Option<String>,
    pub next: Option<String>,
}

/// A cart as a row.
#[derive(Clone, Debug)]
pub struct CartRowView {
    pub id: String,
    pub name: String,
    /// Such as `northwind-tea.myshopify.com`.
    pub host: String,
    /// Such as `Shopify`.
    pub platform: &'static str,
    pub status: StatusView,
    /// The last checks; `None` if never checked.
    pub sparkline: Option<LineChart>,
    /// `None` if never checked.
    pub last_checked: Option<Moment>,
    pub active: bool,
}

/// Counts next to the filters; above 99 they read "99+".
#[derive(Clone, Copy, Debug, Default)]
pub struct CartCountsView {
    pub active: u64,
    pub needs_attention: u64,
    pub inactive: u64,
}

impl CartList {
    fn filters(&self) -> [(CartTab, Option<u64>); 4] {
        let CartCountsView { active, needs_attention, inactive } = self.counts;
        let [all, on, attention, off] = CartTab::ALL;
        [(all, None), (on, Some(active)), (attention, Some(needs_attention)), (off, Some(inactive))]
    }

    /// The list with this filter, keeping search and order.
    fn href(&self, filter: CartTab) -> String {
        list_href(filter, &self.search, self.sort, &[])
    }

    fn without_search(&self) -> String {
        list_href(self.filter, "", self.sort, &[])
    }

    /// Whether the search text is so short that it is matched only at the beginning of names and addresses.
    fn is_short_search(&self) -> bool {
        !self.search.is_empty() && is_short_search(&self.search)
    }

    /// The list sorted by a column; in the opposite order if it is sorted by that column already.
    fn sort_href(&self, by: SortBy) -> String {
        let is_descending = self.sort.by == by && !self.sort.is_descending;
        list_href(self.filter, &self.search, Sort { by, is_descending }, &[])
    }

    /// The value of `aria-sort`, if the list is ordered by this column.
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

/// GET `/admin/ecommerce`.
pub async fn list(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Query(query): Query<CartsQuery>,
    HandlerConnection(mut connection): HandlerConnection,
) -> Result<HtmlPage<CartList>, Error> {
    let filter = query.filter();
    let asked = query.into_list_query();
    let mut turn = None;
    if asked.search.is_some() {
        let person = session.person()?.id;
        turn = app.search_turns.try_take(person);
        if turn.is_none() {
            drop(connection);
            turn = Some(app.search_turns.take(person).await);
            connection = app.pool.acquire().await?;
        }
    }
    let page = app.carts.list(&mut connection, &asked).await?;
    drop((connection, turn));
    let (sort, search) = (asked.sort, asked.search.unwrap_or_default());
    let now = app.clock.now();
    let count = |n: i64| u64::try_from(n).unwrap_or(0);
    let neighbour =
        |way: &str, cursor: Option<Cursor>| cursor.map(|cursor| neighbour_href(filter, &search, sort, way, &cursor));
    Ok(HtmlPage::ok(CartList {
        shell,
        active: page.integration_is_on,
        rows: page
            .rows
            .iter()
            .map(|row| CartRowView::of(row, page.integration_is_on, app.site.practices(), now))
            .collect(),
        filter,
        counts: CartCountsView {
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

impl CartRowView {
    pub(crate) fn of(row: &Listed, is_on: bool, practice_is_on: bool, now: OffsetDateTime) -> Self {
        let facts = StatusFacts {
            cart: CartFacts::of_row(row, is_on, practice_is_on, now),
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
            status: facts.view(),
            sparkline: LineChart::of(&row.recent, 24),
            last_checked: row.last_checked_at.map(|at| Moment::new(at, now)),
            active: facts.cart.state().checks.are_on(),
        }
    }
}

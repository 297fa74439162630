//! The list of carts: filter, search, three orders, keyset pagination in both directions. No query selects a secret, so
//! none can leak.

use std::{borrow::Cow, collections::HashSet};

use crate::database::Connection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartId, Ecommerce, Status, health::PastCheck, sql, verdict::Class};

/// Carts per page.
pub const PAGE: i64 = 50;
/// Counts stop at this number, so that a page costs the same at 100,000 carts.
pub const COUNT_TO: i64 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CartFilter {
    #[default]
    All,
    Active,
    /// Needs attention and Not connected.
    Attention,
    /// Every cart that is not active, Drafts included.
    Inactive,
}

/// The sort key of the list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SortBy {
    #[default]
    Name,
    /// Worst first, then by name.
    Status,
    /// Longest unchecked first; never checked before all others.
    Checked,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sort {
    pub by: SortBy,
    pub is_descending: bool,
}

/// A page boundary: every sort key, and the id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    /// The name in lower case.
    pub name: String,
    /// Position of the status, worst first.
    pub rank: i16,
    pub checked_at: Option<OffsetDateTime>,
    pub id: Uuid,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    pub filter: CartFilter,
    pub sort: Sort,
    /// Text to find anywhere in the name or the store address; a [short](is_short_search) text only at their beginning.
    pub search: Option<String>,
    pub after: Option<Cursor>,
    pub before: Option<Cursor>,
}

impl Cursor {
    /// The sort key of `checked_at`: never checked sorts first.
    pub fn checked_key(&self) -> OffsetDateTime {
        self.checked_at.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl ListQuery {
    pub fn cursor(&self) -> Option<&Cursor> {
        self.before.as_ref().or(self.after.as_ref())
    }

    /// The query for this state of the integration: while it is off, no cart is active. `None` if no cart can match.
    fn under(&self, integration_is_on: bool) -> Option<Cow<'_, Self>> {
        match self.filter {
            _ if integration_is_on => Some(Cow::Borrowed(self)),
            CartFilter::All | CartFilter::Inactive => {
                Some(Cow::Owned(Self { filter: CartFilter::All, ..self.clone() }))
            }
            CartFilter::Active | CartFilter::Attention => None,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
pub struct CartRow {
    pub id: CartId,
    pub cursor: Cursor,
    pub website_name: String,
    pub store_host: String,
    pub is_practice: bool,
    pub is_active: bool,
    pub status: Status,
    pub last_class: Option<Class>,
    pub last_title: Option<String>,
    pub missing_count: i32,
    pub last_checked_at: Option<OffsetDateTime>,
    pub next_check_at: Option<OffsetDateTime>,
    pub failing_since: Option<OffsetDateTime>,
    pub retired_by: Option<String>,
    pub is_disconnected: bool,
    /// None of the locations that stock is limited to exists any more.
    pub locations_gone: bool,
    /// The last checks, oldest first.
    pub recent: Vec<PastCheck>,
}

/// Number of carts per filter, at most 100 each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CartCounts {
    pub all: i64,
    pub active: i64,
    pub attention: i64,
    pub inactive: i64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartPage {
    pub integration_is_on: bool,
    pub rows: Vec<CartRow>,
    pub counts: CartCounts,
    pub previous: Option<Cursor>,
    pub next: Option<Cursor>,
}

impl Ecommerce {
    /// Returns one page of carts in the requested order, on the caller's connection.
    pub async fn list(&self, connection: &mut Connection, query: &ListQuery) -> sqlx::Result<CartPage> {
        let (integration_is_on, counts) = sql::count(connection).await?;
        let mut rows = match query.under(integration_is_on) {
            Some(query) => read_rows(connection, &query).await?,
            None => Vec::new(),
        };
        let more = rows.len() > usize::try_from(PAGE).expect("PAGE fits usize");
        let backwards = query.before.is_some();
        if more {
            rows.pop();
        }
        if backwards {
            rows.reverse();
        }
        let cursor = |row: &CartRow| row.cursor.clone();
        let has_previous = if backwards { more } else { query.after.is_some() };
        let has_next = if backwards { true } else { more };
        Ok(CartPage {
            integration_is_on,
            counts,
            previous: rows.first().filter(|_| has_previous).map(cursor),
            next: rows.last().filter(|_| has_next).map(cursor),
            rows,
        })
    }

    /// Returns which of these carts exist.
    pub async fn existing(&self, carts: &[Uuid]) -> sqlx::Result<HashSet<CartId>> {
        sql::list_existing(&self.pool, carts).await
    }

    /// Returns the counts for the head of the list and the Admin home page.
    pub async fn counts(&self) -> sqlx::Result<CartCounts> {
        let mut connection = self.pool.acquire().await?;
        Ok(sql::count(&mut connection).await?.1)
    }
}

/// Carts from the cursor on that are scanned first: a common word is found among them, in order, without the index.
const FIRST_SCAN_LEN: i64 = 128;
/// Matches that are sorted. With more matches, the list is scanned in growing strides, because the next match is near.
pub(super) const SORTED_MATCHES_MAX: i64 = 1_000;
const STRIDES: [i64; 3] = [4_000, 32_000, i64::MAX];
/// Shortest text that the index can search: it stores trigrams.
const SHORTEST: usize = 3;

/// Whether a text is too short for the index. Such a text is matched only at the beginning of names and addresses,
/// since a match anywhere in them would require reading every cart.
pub fn is_short_search(text: &str) -> bool {
    text.chars().count() < SHORTEST
}

/// The last position in a name or address at which a match may start, counted in characters from 1.
pub(super) fn last_start(text: &str) -> i32 {
    if is_short_search(text) { 1 } else { i32::MAX }
}

/// Reads one row more than a page, to see whether there are more.
async fn read_rows(connection: &mut Connection, query: &ListQuery) -> sqlx::Result<Vec<CartRow>> {
    let Some(text) = query.search.as_deref() else {
        return sql::list(connection, query).await;
    };
    let found = search(connection, query, text).await?;
    if found.is_empty() { Ok(Vec::new()) } else { sql::list_these(connection, &found).await }
}

async fn search(connection: &mut Connection, query: &ListQuery, text: &str) -> sqlx::Result<Vec<Uuid>> {
    if is_short_search(text) {
        let ids = sql::list_beginning(connection, text).await?;
        return sql::search(
            connection,
            query,
            text,
            sql::SearchBounds { nearest: SORTED_MATCHES_MAX, ids: Some(&ids) },
        )
        .await;
    }
    let is_whole = |found: &[Uuid]| found.len() > usize::try_from(PAGE).expect("a page is small");
    let mut found =
        sql::search(connection, query, text, sql::SearchBounds { nearest: FIRST_SCAN_LEN, ids: None }).await?;
    if is_whole(&found) {
        return Ok(found);
    }
    let ids = sql::list_like(connection, text).await?;
    if ids.is_empty() {
        return Ok(ids);
    }
    if ids.len() <= usize::try_from(SORTED_MATCHES_MAX).expect("a thousand is small") {
        return sql::search(
            connection,
            query,
            text,
            sql::SearchBounds { nearest: SORTED_MATCHES_MAX, ids: Some(&ids) },
        )
        .await;
    }
    for nearest in STRIDES {
        found = sql::search(connection, query, text, sql::SearchBounds { nearest, ids: None }).await?;
        if is_whole(&found) {
            break;
        }
    }
    Ok(found)
}

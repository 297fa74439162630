//! The list of carts: filter, search, three orders, keyset pagination in both directions. No query selects a secret, so
//! none can leak.

use std::borrow::Cow;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartId, Status, health::PastCheck};
use crate::causes::Class;

mod page;

pub(super) use page::read_page;

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

/// Matches that are sorted. With more matches, the list is scanned in growing strides, because the next match is near.
pub(super) const SORTED_MATCHES_MAX: i64 = 1_000;
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

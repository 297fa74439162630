//! The list's query string: filter, search, order and cursor, parsed from requests and written into links.

use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::CartTab;
use crate::carts::{Cursor, ListQuery, Sort, SortBy};
use crate::{
    direction::is_mark,
    pasted::{self, redact_tokens},
    platforms::{ParsedAddress, StoreAddress},
    web::urls,
};

/// The query of the list. A cursor is a sort value and an id: `after` or `before` hold the name, `at` the rank of a
/// status or the time of a check in microseconds.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct CartsQuery {
    show: String,
    q: String,
    after: Option<String>,
    before: Option<String>,
    id: String,
    sort: String,
    at: Option<String>,
}

impl CartsQuery {
    pub(super) fn filter(&self) -> CartTab {
        CartTab::parse(&self.show)
    }

    /// Converts the query for the domain.
    pub(super) fn into_list_query(self) -> ListQuery {
        let at = self.at.unwrap_or_default();
        let cursor = |name: Option<String>| {
            let (name, id) = name.zip(Uuid::parse_str(&self.id).ok())?;
            let checked_at = at.parse().ok().and_then(|micros: i64| from_micros(micros));
            Some(Cursor { name, id, rank: at.parse().unwrap_or_default(), checked_at })
        };
        let search = searched(&self.q);
        ListQuery {
            filter: CartTab::parse(&self.show).of_domain(),
            sort: parse_sort(&self.sort),
            search: Some(search).filter(|search| !search.is_empty()),
            after: cursor(self.after),
            before: cursor(self.before),
        }
    }
}

/// The search text. An address in any form that the editor accepts becomes its host, so that no key or password in it
/// is rendered again; a bare word stays as typed, since it may be part of a name.
pub(in super::super) fn searched(typed: &str) -> String {
    let text =
        || pasted::trim(&redact_tokens(typed)).chars().filter(|c| !c.is_control() && !is_mark(*c)).take(100).collect();
    match StoreAddress::parse(typed) {
        Ok(ParsedAddress { address, added_suffix: false, .. }) => address.host(),
        Ok(ParsedAddress { address, .. }) if !typed.trim().eq_ignore_ascii_case(address.handle()) => {
            address.handle().into()
        }
        _ => text(),
    }
}

/// The value of `sort` in the URL; empty for names in ascending order.
pub(super) fn sort_name(sort: Sort) -> String {
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

/// The list's address with filter, search, order and further parameters.
pub(super) fn list_href(filter: CartTab, search: &str, sort: Sort, more: &[(&str, &str)]) -> String {
    let sort = sort_name(sort);
    let pairs = [("show", filter.as_str()), ("q", search), ("sort", sort.as_str())];
    let pairs: Vec<_> = pairs.iter().chain(more).filter(|(_, value)| !value.is_empty()).collect();
    let query = serde_urlencoded::to_string(pairs).unwrap_or_default();
    if query.is_empty() { urls::CARTS.into() } else { format!("{}?{query}", urls::CARTS) }
}

pub(super) fn neighbour_href(filter: CartTab, search: &str, sort: Sort, way: &str, cursor: &Cursor) -> String {
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

fn parse_sort(text: &str) -> Sort {
    let all = [SortBy::Name, SortBy::Status, SortBy::Checked];
    let both = all.into_iter().flat_map(|by| [false, true].map(|is_descending| Sort { by, is_descending }));
    both.into_iter().find(|sort| sort_name(*sort) == text).unwrap_or_default()
}

/// The time of a cursor; `None` before 1970 or after 9998, since the database does not support all of those.
fn from_micros(micros: i64) -> Option<OffsetDateTime> {
    let at = OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1_000).ok()?;
    (1970..=9998).contains(&at.year()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::searched;

    #[test]
    fn address_is_searched_by_its_host() {
        let pair = "https://key:password@northwind-tea.myshopify.com/admin";
        for typed in [
            "https://northwind-tea.myshopify.com/admin",
            "HTTPS://Northwind-Tea.myshopify.com",
            "northwind-tea.myshopify.com/admin/products?page=2",
            " <https://northwind-tea.myshopify.com/>. ",
            "https://admin.shopify.com/store/northwind-tea/orders",
            pair,
        ] {
            assert_eq!(searched(typed), "northwind-tea.myshopify.com", "{typed}");
        }
    }

    #[test]
    fn other_text_is_searched_as_typed() {
        for typed in
            ["Northwind", "tea", "Tea & Co", "myshopify.com", "northwind-tea.", "متجر", "", "no store here/at all"]
        {
            let expected = typed.trim_end_matches('.');
            assert_eq!(searched(typed), expected, "{typed}");
        }
        assert_eq!(searched(&"é".repeat(200)).chars().count(), 100);
    }
}

//! Reads a store's locations, page by page, for the setting that limits stock to some of them. Knows no database; the
//! caller stores the list.
//!
//! Shopify omits deactivated locations, so a chosen location that is not in the list is gone.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use time::OffsetDateTime;

use super::{
    address::StoreAddress,
    answer::{self, FailedAnswer, NOT_OUR_SHAPE},
    client::{CallTimer, ShopifyClient, ShopifyResponse},
    credential::AccessToken,
    text::{NAME_LIMIT, sanitize_foreign_text},
};

const LOCATIONS: &str = include_str!("locations.graphql");
/// Maximum number of pages of 100 that are read; further locations are left out.
const PAGES_MAX: usize = 20;

/// A location as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// The digits of `gid://shopify/Location/{digits}`.
    pub id: String,
    /// Foreign text: at most 255 characters, no control characters.
    pub name: String,
    /// Stock is limited to the chosen locations, this one included.
    pub is_chosen: bool,
    /// Chosen, but not in the latest list of the store.
    pub is_gone: bool,
}

/// The list as it was read last; `read_at` is `None` if it was never read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locations {
    pub all: Vec<Location>,
    pub read_at: Option<OffsetDateTime>,
}

impl Locations {
    /// The locations that the store has.
    pub fn there(&self) -> impl Iterator<Item = &Location> {
        self.all.iter().filter(|location| !location.is_gone)
    }

    pub fn gone(&self) -> impl Iterator<Item = &Location> {
        self.all.iter().filter(|location| location.is_gone)
    }

    /// Ids of the locations that stock is limited to.
    pub fn chosen(&self) -> BTreeSet<String> {
        self.all.iter().filter(|location| location.is_chosen).map(|location| location.id.clone()).collect()
    }

    /// The name of a location; its id if the location is unknown.
    pub fn name(&self, id: &str) -> String {
        self.all.iter().find(|location| location.id == id).map_or_else(|| id.to_owned(), |found| found.name.clone())
    }
}

/// Returns ids and names of all active locations, at most 2,000. The caller sets the deadline.
///
/// # Errors
/// The finding that stopped the read; there is no partial list.
pub async fn list(
    client: &ShopifyClient,
    address: &StoreAddress,
    token: &AccessToken,
) -> Result<Vec<(String, String)>, FailedAnswer> {
    let mut found = BTreeMap::new();
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let variables = serde_json::json!({ "after": after });
        let answer = client.graphql_with(address, token, LOCATIONS, &variables, &CallTimer::default()).await?;
        let page = page(address, &answer)?;
        found.extend(page.found);
        match page.next {
            Some(next) if after.as_ref() != Some(&next) => after = Some(next),
            _ => break,
        }
    }
    Ok(found.into_iter().collect())
}

#[derive(Debug)]
struct LocationsPage {
    found: Vec<(String, String)>,
    /// Cursor of the next page.
    next: Option<String>,
}

fn page(asked: &StoreAddress, answer: &ShopifyResponse) -> Result<LocationsPage, FailedAnswer> {
    let data = answer::data(asked, answer)?;
    let LocationsData { locations } = serde_json::from_value(data).map_err(|_| FailedAnswer::foreign(NOT_OUR_SHAPE))?;
    let info = locations.page_info;
    let next = info.end_cursor.filter(|cursor| info.has_next_page && cursor.len() <= 1_000);
    let active = locations.nodes.into_iter().filter(|node| node.is_active);
    let found = active
        .map(|node| {
            let name = sanitize_foreign_text(&node.name.unwrap_or_default(), NAME_LIMIT);
            let name = Some(name).filter(|name| !name.trim().is_empty());
            digits(&node.id).map(|id| (id.clone(), name.unwrap_or(id)))
        })
        .collect::<Option<Vec<_>>>();
    Ok(LocationsPage { found: found.ok_or(FailedAnswer::foreign(NOT_OUR_SHAPE))?, next })
}

fn digits(gid: &str) -> Option<String> {
    let digits = gid.strip_prefix("gid://shopify/Location/")?;
    let is_id = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| digits.to_owned())
}

#[derive(Deserialize)]
struct LocationsData {
    locations: LocationConnection,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LocationConnection {
    nodes: Vec<LocationNode>,
    page_info: PageInfo,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct LocationNode {
    id: String,
    name: Option<String>,
    is_active: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageInfo {
    has_next_page: bool,
    end_cursor: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        causes::Class,
        platforms::shopify::client::{ContentType, ReceivedBody, ResponseHead},
    };

    fn read(body: &serde_json::Value) -> Result<LocationsPage, FailedAnswer> {
        let head = ResponseHead { status: 200, content: ContentType::Json, ..ResponseHead::default() };
        let asked = StoreAddress::from_handle("northwind-tea").expect("a handle");
        page(&asked, &ShopifyResponse { head, body: ReceivedBody::Read(body.to_string().into_bytes()) })
    }

    fn node(id: &str, name: &str, is_active: bool) -> serde_json::Value {
        serde_json::json!({"id": id, "name": name, "isActive": is_active})
    }

    fn answer(nodes: &[serde_json::Value], next: Option<&str>) -> serde_json::Value {
        serde_json::json!({"data": {"locations": {"nodes": nodes, "pageInfo": {"hasNextPage": next.is_some(), "endCursor": next}}}})
    }

    #[test]
    fn active_locations_are_read_and_their_names_sanitized() {
        let nodes = [
            node("gid://shopify/Location/1", "London\u{202e}\n warehouse", true),
            node("gid://shopify/Location/2", "Closed", false),
            node("gid://shopify/Location/3", " ", true),
        ];
        let page = read(&answer(&nodes, Some("abc"))).expect("a page");
        let expected = [("1", "London warehouse"), ("3", "3")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        assert_eq!(page.found, expected);
        assert_eq!(page.next.as_deref(), Some("abc"));
        assert_eq!(read(&answer(&[], None)).expect("a page").next, None);
    }

    #[test]
    fn malformed_list_is_rejected() {
        let class = |body: &serde_json::Value| read(body).err().map(|refusal| refusal.class);
        let odd = [
            serde_json::json!({"data": {}}),
            serde_json::json!({"data": {"locations": null}}),
            answer(&[node("gid://shopify/Shop/1", "x", true)], None),
            answer(&[node("gid://shopify/Location/1'; drop", "x", true)], None),
        ];
        for body in &odd {
            assert_eq!(class(body), Some(Class::NotShopify), "{body}");
        }
        let denied = serde_json::json!({"errors": [{"message": "no", "extensions": {"code": "ACCESS_DENIED"}}]});
        assert_eq!(class(&denied), Some(Class::NotAllowed));
    }
}

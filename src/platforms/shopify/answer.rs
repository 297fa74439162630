//! Interprets Shopify's responses with one table, in the order: origin, status, content type and size, JSON, shape,
//! `errors`, data. Knows nothing about the transport.
//!
//! A web page with status 200 never counts as success. `errors` may be a string, an object or an array. Source:
//! shopify.dev, *Response codes*, checked November 2026.

mod exchange;
mod failed_answer;
mod messages;
mod origin;
mod refusal;
mod shapes;

use serde_json::Value;

use super::address::StoreAddress;
use super::client::{ContentType, ReceivedBody, ShopifyResponse};
use super::text::{NAME_LIMIT, sanitize_foreign_text};
use crate::causes::{Class, Store};

pub use exchange::{IssuedToken, exchanged};
pub use failed_answer::FailedAnswer;
use refusal::{graphql_refusal, refused};
use shapes::{ConnectionData, Customer, OrdersData};

/// What an app can read about a store and about its own installation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub store: Store,
    /// Scope handles as listed by Shopify.
    pub scopes: Vec<String>,
}

/// Whether the customer of one order is visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Customers {
    Visible,
    Hidden,
    /// No order, or none with a customer: proves nothing.
    NoneSeen,
    /// The response says nothing about customers.
    Unknown,
}

/// Reads the response to the connection test.
///
/// # Errors
/// The finding that the response amounts to.
pub fn installed(asked: &StoreAddress, answer: &ShopifyResponse) -> Result<Installed, FailedAnswer> {
    let data = data(asked, answer)?;
    let typed: ConnectionData = serde_json::from_value(data).map_err(|_| FailedAnswer::foreign(NOT_OUR_SHAPE))?;
    let shop_id = shop_id(&typed.shop.id).ok_or(FailedAnswer::foreign(NOT_OUR_SHAPE))?;
    let handles = typed.current_app_installation.access_scopes.iter();
    // Split a handle that contains a list, so that no permission is lost.
    let scopes = handles.flat_map(|scope| scope.handle.split(',')).map(|scope| sanitize_foreign_text(scope, 100));
    let name = |text: Option<String>| sanitize_foreign_text(&text.unwrap_or_default(), NAME_LIMIT);
    let plan = typed.shop.plan.unwrap_or_default();
    Ok(Installed {
        scopes: scopes.filter(|scope| !scope.is_empty()).collect(),
        store: Store {
            shop_id,
            name: Some(name(typed.shop.name)).filter(|name| !name.is_empty()).unwrap_or_else(|| asked.host()),
            myshopify_domain: name(typed.shop.myshopify_domain),
            currency: name(typed.shop.currency_code),
            time_zone: name(typed.shop.iana_timezone),
            plan: name(plan.public_display_name),
            is_plus: plan.shopify_plus.unwrap_or_default(),
            is_development: plan.partner_development.unwrap_or_default(),
            app_title: typed
                .current_app_installation
                .app
                .and_then(|app| app.title)
                .map(|title| sanitize_foreign_text(&title, NAME_LIMIT)),
        },
    })
}

/// Reads the response to the customer check. Anything that is not clear is [`Customers::Unknown`].
pub fn customers(asked: &StoreAddress, answer: &ShopifyResponse) -> Customers {
    match data(asked, answer).map(serde_json::from_value::<OrdersData>) {
        // In the connection test, the same refusal has another meaning.
        Err(refusal) if refusal.class == Class::NotAllowed && answer.head.status == 200 => Customers::Hidden,
        Err(_) | Ok(Err(_)) => Customers::Unknown,
        Ok(Ok(data)) => match data.orders.nodes.into_iter().find_map(|order| order.customer) {
            None => Customers::NoneSeen,
            Some(Customer { display_name: None }) => Customers::Hidden,
            Some(Customer { display_name: Some(_) }) => Customers::Visible,
        },
    }
}

/// The `data` of a GraphQL response that contains no error.
pub(super) fn data(asked: &StoreAddress, answer: &ShopifyResponse) -> Result<Value, FailedAnswer> {
    if let Some(refusal) = refused(asked, answer) {
        return Err(refusal);
    }
    let Value::Object(mut whole) = json(answer)? else { return Err(FailedAnswer::foreign(NOT_OUR_SHAPE)) };
    if let Some(errors) = whole.get("errors").filter(|errors| !is_nothing(errors)) {
        return Err(graphql_refusal(errors, whole.get("extensions"), &answer.head));
    }
    whole.remove("data").ok_or(FailedAnswer::foreign(NOT_OUR_SHAPE))
}

pub(super) const NOT_OUR_SHAPE: &str = "JSON, but not Shopify's";

/// Parses the body as JSON of at most 128 levels; `serde_json` rejects deeper nesting by default.
fn json(answer: &ShopifyResponse) -> Result<Value, FailedAnswer> {
    match &answer.body {
        ReceivedBody::Encoded => Err(FailedAnswer::foreign("a compressed answer, although we asked for none")),
        ReceivedBody::TooLarge => Err(FailedAnswer::foreign("an answer of more than 256 KiB")),
        ReceivedBody::NotNeeded => Err(FailedAnswer::foreign("an answer without a body")),
        ReceivedBody::Read(_) if answer.head.content != ContentType::Json => {
            Err(FailedAnswer::foreign("not JSON, perhaps a web page"))
        }
        ReceivedBody::Read(bytes) => serde_json::from_slice(bytes).map_err(|_| FailedAnswer::foreign("broken JSON")),
    }
}

fn shop_id(gid: &str) -> Option<String> {
    let digits = gid.strip_prefix("gid://shopify/Shop/")?;
    let is_id = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| digits.to_owned())
}

/// Whether `errors` is null or empty, of any type.
fn is_nothing(errors: &Value) -> bool {
    match errors {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

#[cfg(test)]
mod tests;

//! From what Shopify sends to what it means: one table, read in the order status, content type and size, JSON, shape,
//! `errors`, data. Refuses to know how an answer travelled. Stops a web page with status 200 from counting as success.
//! Surprising: `errors` may be a string, an object or an array. Source: shopify.dev, *Response codes*, checked November 2026.

mod exchange;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::address::StoreAddress;
use super::client::{Answer, Body, Failure, Head};
use super::text::{NAME_LIMIT, tame};
use crate::ecommerce::verdict::{Class, Store};

pub use exchange::{Minted, exchanged};

/// Longest and shortest wait that we name, and the one where Shopify names none, in seconds.
const WAIT: std::ops::RangeInclusive<f64> = 1.0..=60.0;
const USUAL_WAIT: f64 = 10.0;

/// What a store lets an app see of it and of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    pub store: Store,
    /// Scope handles as Shopify listed them.
    pub scopes: Vec<String>,
}

/// A finding that is no success.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub class: Class,
    /// A short phrase of ours.
    pub remark: Option<&'static str>,
    /// `STORE_MOVED`: the store that Shopify pointed to.
    pub moved_to: Option<StoreAddress>,
    /// `RATE_LIMITED`: seconds, 1 to 60.
    pub wait_seconds: Option<u32>,
}

/// What one order showed of its customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Customers {
    Visible,
    Hidden,
    /// No order, or none with a customer: nothing is proven.
    NoneSeen,
    /// The answer says nothing about customers.
    Unknown,
}

impl Refusal {
    pub(super) const fn of(class: Class) -> Self {
        Self { class, remark: None, moved_to: None, wait_seconds: None }
    }

    pub(super) fn foreign(remark: &'static str) -> Self {
        Self { remark: Some(remark), ..Self::of(Class::NotShopify) }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { remark: Some(failure.remark), ..Self::of(failure.class) }
    }
}

/// Reads the answer to the connection test.
///
/// # Errors
/// The one finding that the answer amounts to.
pub fn installed(asked: &StoreAddress, answer: &Answer) -> Result<Installed, Refusal> {
    let data = data(asked, answer)?;
    let typed: ConnectionData = serde_json::from_value(data).map_err(|_| Refusal::foreign(NOT_OUR_SHAPE))?;
    let shop_id = shop_id(&typed.shop.id).ok_or(Refusal::foreign(NOT_OUR_SHAPE))?;
    let handles = typed.current_app_installation.access_scopes.iter();
    // One name each; a list within a name costs nobody a permission.
    let scopes = handles.flat_map(|scope| scope.handle.split(',')).map(|scope| tame(scope, 100));
    let name = |text: Option<String>| tame(&text.unwrap_or_default(), NAME_LIMIT);
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
                .map(|title| tame(&title, NAME_LIMIT)),
        },
    })
}

/// Reads the answer to the customer check. Anything but a clear word is [`Customers::Unknown`].
pub fn customers(asked: &StoreAddress, answer: &Answer) -> Customers {
    match data(asked, answer).map(serde_json::from_value::<OrdersData>) {
        // The code decides and never the sentence; on the first request the same code has another meaning.
        Err(refusal) if refusal.class == Class::NotAllowed && answer.head.status == 200 => Customers::Hidden,
        Err(_) | Ok(Err(_)) => Customers::Unknown,
        Ok(Ok(data)) => match data.orders.nodes.into_iter().find_map(|order| order.customer) {
            None => Customers::NoneSeen,
            Some(Customer { display_name: None }) => Customers::Hidden,
            Some(Customer { display_name: Some(_) }) => Customers::Visible,
        },
    }
}

/// What the status alone says; `None` for 200, and for those that a body explains further.
fn refused_by_status(asked: &StoreAddress, head: &Head) -> Option<Refusal> {
    let class = match head.status {
        200 | 403 => return None,
        300..=399 => return Some(redirected(asked, head)),
        401 => Class::TokenRefused,
        402 => Class::StoreFrozen,
        404 if !head.has_shop_id => Class::StoreNotFound,
        400 | 404 | 405 | 406 | 783 => Class::OurBug,
        423 => Class::StoreLocked,
        429 => return Some(slow_down(head, None)),
        430 => Class::RequestRejected,
        500..=599 => Class::ShopifyDown,
        _ => return Some(Refusal::foreign("a status that Shopify does not send")),
    };
    Some(Refusal::of(class))
}

fn redirected(asked: &StoreAddress, head: &Head) -> Refusal {
    let target = head.location.as_deref().and_then(StoreAddress::from_location);
    match target.filter(|target| target != asked) {
        Some(target) => Refusal { moved_to: Some(target), ..Refusal::of(Class::StoreMoved) },
        None => Refusal::foreign("a redirect"),
    }
}

/// What a 403 with `errors` means; two texts say more than no.
fn forbidden(answer: &Answer) -> Option<Class> {
    let body = json(answer).ok()?;
    let errors = texts(body.get("errors")?);
    let begins = |start: &str| errors.iter().any(|text| text.starts_with(start));
    if begins("[API] Non-expiring access tokens are no longer accepted") {
        Some(Class::TokenKindRefused)
    } else if begins("Unavailable Shop") {
        Some(Class::StoreLocked)
    } else {
        Some(Class::NotAllowed)
    }
}

/// The `data` of a GraphQL answer without a single error in it.
pub(super) fn data(asked: &StoreAddress, answer: &Answer) -> Result<Value, Refusal> {
    if let Some(refusal) = refused_by_status(asked, &answer.head) {
        return Err(refusal);
    }
    if answer.head.status == 403 {
        return Err(Refusal::of(forbidden(answer).unwrap_or(Class::NotAllowed)));
    }
    let Value::Object(mut whole) = json(answer)? else { return Err(Refusal::foreign(NOT_OUR_SHAPE)) };
    if let Some(errors) = whole.get("errors").filter(|errors| !is_nothing(errors)) {
        return Err(graphql_refusal(errors, whole.get("extensions"), &answer.head));
    }
    whole.remove("data").ok_or(Refusal::foreign(NOT_OUR_SHAPE))
}

pub(super) const NOT_OUR_SHAPE: &str = "JSON, but not Shopify's";

/// A body as JSON of at most 128 levels; `serde_json` refuses deeper ones by itself.
fn json(answer: &Answer) -> Result<Value, Refusal> {
    match &answer.body {
        Body::Encoded => Err(Refusal::foreign("a compressed answer, although we asked for none")),
        Body::TooLarge => Err(Refusal::foreign("an answer of more than 256 KiB")),
        Body::NotNeeded => Err(Refusal::foreign("an answer without a body")),
        Body::Read(_) if !answer.head.is_json => Err(Refusal::foreign("not JSON, perhaps a web page")),
        Body::Read(bytes) => serde_json::from_slice(bytes).map_err(|_| Refusal::foreign("broken JSON")),
    }
}

/// The codes of GraphQL errors, the most telling first. Any other code, or none, is a request of ours gone wrong.
const CODES: [(&str, Class); 4] = [
    ("THROTTLED", Class::RateLimited),
    ("SHOP_INACTIVE", Class::StoreLocked),
    ("ACCESS_DENIED", Class::NotAllowed),
    ("INTERNAL_SERVER_ERROR", Class::ShopifyDown),
];

fn graphql_refusal(errors: &Value, extensions: Option<&Value>, head: &Head) -> Refusal {
    let code = |error: &Value| error.pointer("/extensions/code").and_then(Value::as_str).map(str::to_owned);
    let codes: Vec<String> = errors.as_array().into_iter().flatten().filter_map(code).collect();
    let class = CODES.into_iter().find(|(name, _)| codes.iter().any(|code| code == name)).map(|(_, class)| class);
    match class {
        Some(Class::RateLimited) => slow_down(head, extensions.and_then(|extensions| extensions.get("cost"))),
        class => Refusal::of(class.unwrap_or(Class::OurBug)),
    }
}

/// How long to wait: as a throttled query's cost says, else `Retry-After` (decimal seconds), else 10 s; 1 to 60.
fn slow_down(head: &Head, cost: Option<&Value>) -> Refusal {
    let number = |pointer: &str| cost.and_then(|cost| cost.pointer(pointer)).and_then(Value::as_f64);
    let from_cost = || {
        let lacking = number("/requestedQueryCost")? - number("/throttleStatus/currentlyAvailable")?;
        Some(lacking / number("/throttleStatus/restoreRate")?)
    };
    let from_header = || head.retry_after.as_deref()?.trim().parse::<f64>().ok();
    let seconds = from_cost().or_else(from_header).filter(|seconds| seconds.is_finite()).unwrap_or(USUAL_WAIT);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 ..= 60 just before")]
    let wait = seconds.clamp(*WAIT.start(), *WAIT.end()).ceil() as u32;
    Refusal { wait_seconds: Some(wait), ..Refusal::of(Class::RateLimited) }
}

/// `errors` that say nothing: null, or empty of whatever kind.
fn is_nothing(errors: &Value) -> bool {
    match errors {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The texts in `errors`, whether it is a string, a list, or an object of either.
fn texts(errors: &Value) -> Vec<&str> {
    match errors {
        Value::String(text) => vec![text],
        Value::Array(list) => list.iter().flat_map(texts).collect(),
        Value::Object(map) => map.values().flat_map(texts).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => Vec::new(),
    }
}

fn shop_id(gid: &str) -> Option<String> {
    let digits = gid.strip_prefix("gid://shopify/Shop/")?;
    let is_id = (1..=20).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| digits.to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConnectionData {
    shop: Shop,
    current_app_installation: Installation,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shop {
    id: String,
    name: Option<String>,
    myshopify_domain: Option<String>,
    currency_code: Option<String>,
    iana_timezone: Option<String>,
    plan: Option<Plan>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Plan {
    public_display_name: Option<String>,
    partner_development: Option<bool>,
    shopify_plus: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Installation {
    access_scopes: Vec<Scope>,
    app: Option<App>,
}

#[derive(Deserialize)]
struct Scope {
    handle: String,
}

#[derive(Deserialize)]
struct App {
    title: Option<String>,
}

#[derive(Deserialize)]
struct OrdersData {
    orders: Orders,
}

#[derive(Deserialize)]
struct Orders {
    nodes: Vec<Order>,
}

#[derive(Deserialize)]
struct Order {
    customer: Option<Customer>,
}

/// The name is compared with null and dropped: not even its text is kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Customer {
    display_name: Option<IgnoredAny>,
}

#[cfg(test)]
mod tests;

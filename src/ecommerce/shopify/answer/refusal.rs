//! What a status, a redirect or `errors` mean where they mean no.

use serde_json::Value;

use super::json;
use crate::ecommerce::shopify::address::StoreAddress;
use crate::ecommerce::shopify::client::{Answer, Failure, Head};
use crate::ecommerce::verdict::Class;

/// Longest and shortest wait that we name, and the one where Shopify names none, in seconds.
const WAIT: std::ops::RangeInclusive<f64> = 1.0..=60.0;

const USUAL_WAIT: f64 = 10.0;

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

impl Refusal {
    pub(in super::super) const fn of(class: Class) -> Self {
        Self { class, remark: None, moved_to: None, wait_seconds: None }
    }

    pub(in super::super) fn foreign(remark: &'static str) -> Self {
        Self { remark: Some(remark), ..Self::of(Class::NotShopify) }
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self { remark: Some(failure.remark), ..Self::of(failure.class) }
    }
}

/// What the status alone says; `None` for 200, and for those that a body explains further.
pub(super) fn refused_by_status(asked: &StoreAddress, head: &Head) -> Option<Refusal> {
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
pub(super) fn forbidden(answer: &Answer) -> Option<Class> {
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

/// The codes of GraphQL errors, the most telling first. Any other code, or none, is a request of ours gone wrong.
const CODES: [(&str, Class); 4] = [
    ("THROTTLED", Class::RateLimited),
    ("SHOP_INACTIVE", Class::StoreLocked),
    ("ACCESS_DENIED", Class::NotAllowed),
    ("INTERNAL_SERVER_ERROR", Class::ShopifyDown),
];

pub(super) fn graphql_refusal(errors: &Value, extensions: Option<&Value>, head: &Head) -> Refusal {
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
pub(super) fn is_nothing(errors: &Value) -> bool {
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

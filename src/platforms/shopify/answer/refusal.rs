//! Maps a status, a redirect or `errors` to the finding of a failed request.

use serde_json::Value;

use super::origin::{has_shopify_header, refused_by_intermediary};
use super::{FailedAnswer, json, messages};
use crate::causes::{ADMIN_PAGE, Class, PASSWORD_PAGE};
use crate::platforms::shopify::address::StoreAddress;
use crate::platforms::shopify::client::{ContentType, ResponseHead, ShopifyResponse};

/// Allowed range of the requested wait, in seconds: up to a day.
const RETRY_AFTER_RANGE: std::ops::RangeInclusive<f64> = 1.0..=86_400.0;

/// The wait if Shopify names none, in seconds.
const RETRY_AFTER_DEFAULT: f64 = 10.0;

/// The finding for a status other than 200; `None` for 200.
pub(super) fn refused(asked: &StoreAddress, answer: &ShopifyResponse) -> Option<FailedAnswer> {
    let head = &answer.head;
    if let Some(refusal) = refused_by_intermediary(answer) {
        return Some(refusal);
    }
    let class = match head.status {
        200 => return None,
        300..=399 => return Some(redirected(asked, head)),
        401 => Class::TokenRefused,
        402 => Class::StoreFrozen,
        403 => forbidden(answer),
        404 if !head.has_shop_id => Class::StoreNotFound,
        404 | 783 => Class::OurBug,
        408 => {
            return Some(FailedAnswer {
                remark: Some("our request took too long"),
                ..FailedAnswer::of(Class::NetworkTimeout)
            });
        }
        423 => Class::StoreLocked,
        429 => return Some(slow_down(head, None)),
        430 => Class::RequestRejected,
        // Every other refusal by Shopify is about our request.
        400..=499 if head.content == ContentType::Json || has_shopify_header(head) => Class::OurBug,
        500..=599 => Class::ShopifyDown,
        _ => return Some(FailedAnswer::foreign("a status that Shopify does not send")),
    };
    Some(FailedAnswer::of(class))
}

fn redirected(asked: &StoreAddress, head: &ResponseHead) -> FailedAnswer {
    let location = head.location.as_deref().unwrap_or_default();
    match StoreAddress::from_location(location).filter(|target| target != asked) {
        Some(target) => FailedAnswer { moved_to: Some(target), ..FailedAnswer::of(Class::StoreMoved) },
        None => FailedAnswer::foreign(own_page(asked, location).unwrap_or("a redirect")),
    }
}

/// The page of the same store that a redirect points to, if it is a page for people.
fn own_page(asked: &StoreAddress, location: &str) -> Option<&'static str> {
    if location.starts_with("https://admin.shopify.com/") {
        return StoreAddress::from_location(location).map(|_| ADMIN_PAGE);
    }
    let path = match location.strip_prefix("https://") {
        Some(rest) => {
            StoreAddress::from_location(location).filter(|target| target == asked)?;
            rest.split_at(rest.find('/')?).1
        }
        None => Some(location).filter(|path| path.starts_with('/') && !path.starts_with("//"))?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    match path {
        "/password" => Some(PASSWORD_PAGE),
        "/admin" => Some(ADMIN_PAGE),
        _ => (path.starts_with("/admin/") && !path.starts_with("/admin/api/")).then_some(ADMIN_PAGE),
    }
}

/// The class of a 403 from Shopify. The query needs no permission, so without a message about permissions the likeliest
/// reason is the app's IP allowlist, whose own message is not documented.
fn forbidden(answer: &ShopifyResponse) -> Class {
    let body = json(answer).unwrap_or_default();
    let errors = body.get("errors").or_else(|| body.get("error")).unwrap_or(&Value::Null);
    code_class(errors).or_else(|| messages::class(errors)).unwrap_or(Class::AddressRefused)
}

/// The codes of GraphQL errors, most specific first.
const CODES: [(&str, Class); 4] = [
    ("THROTTLED", Class::RateLimited),
    ("SHOP_INACTIVE", Class::StoreLocked),
    ("ACCESS_DENIED", Class::NotAllowed),
    ("INTERNAL_SERVER_ERROR", Class::ShopifyDown),
];

fn code_class(errors: &Value) -> Option<Class> {
    let all = match errors {
        Value::Array(list) => list.as_slice(),
        one => std::slice::from_ref(one),
    };
    let codes: Vec<&str> = all.iter().filter_map(|error| error.pointer("/extensions/code")?.as_str()).collect();
    let is_there = |name: &str| codes.iter().any(|code| code.eq_ignore_ascii_case(name));
    CODES.into_iter().find(|(name, _)| is_there(name)).map(|(_, class)| class)
}

/// The finding for `errors` in a response with status 200: by a known code, else by the message, else a bug in our
/// request.
pub(super) fn graphql_refusal(errors: &Value, extensions: Option<&Value>, head: &ResponseHead) -> FailedAnswer {
    let class = code_class(errors).or_else(|| messages::class(errors)).or_else(|| messages::denied(errors));
    match class {
        Some(Class::RateLimited) => slow_down(head, extensions.and_then(|extensions| extensions.get("cost"))),
        class => FailedAnswer::of(class.unwrap_or(Class::OurBug)),
    }
}

/// The wait: from the cost of a throttled query, else `Retry-After`, else 10 s; between 1 s and a day.
fn slow_down(head: &ResponseHead, cost: Option<&Value>) -> FailedAnswer {
    let number = |pointer: &str| cost.and_then(|cost| cost.pointer(pointer)).and_then(Value::as_f64);
    let from_cost = || {
        let lacking = number("/requestedQueryCost")? - number("/throttleStatus/currentlyAvailable")?;
        Some(lacking / number("/throttleStatus/restoreRate")?).filter(|seconds| seconds.is_finite())
    };
    let seconds = from_cost().or(head.retry_after).unwrap_or(RETRY_AFTER_DEFAULT);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 1 ..= 86,400 just before")]
    let wait = seconds.clamp(*RETRY_AFTER_RANGE.start(), *RETRY_AFTER_RANGE.end()).ceil() as u32;
    FailedAnswer { wait_seconds: Some(wait), ..FailedAnswer::of(Class::RateLimited) }
}

#[cfg(test)]
mod tests;

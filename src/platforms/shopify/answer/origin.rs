//! Decides who refused a request: Shopify, or an intermediary such as a firewall, a company's proxy or a captive
//! portal. A refusal by an intermediary never counts against a store or its credential.
//!
//! Shopify's refusals are JSON with `errors` or `error`, or carry its headers; only its 404 is also a web page.

use serde_json::Value;

use super::{FailedAnswer, is_nothing, json};
use crate::causes::Class;
use crate::platforms::shopify::client::{ContentType, Realm, ResponseHead, ShopifyResponse};

/// The finding if an intermediary refused; `None` if Shopify itself may have answered.
pub(super) fn refused_by_intermediary(answer: &ShopifyResponse) -> Option<FailedAnswer> {
    let head = &answer.head;
    if head.is_challenge && !matches!(head.status, 429 | 430) {
        return Some(FailedAnswer {
            remark: Some("a firewall's challenge"),
            ..FailedAnswer::of(Class::RequestRejected)
        });
    }
    let remark = match head.status {
        407 => "a proxy asks for a sign-in",
        511 => "a network asks for a sign-in",
        401..=404 | 423 if !is_from_shopify(answer) => match head.realm {
            Some(_) => "somebody other than Shopify asks for a sign-in",
            None => "a refusal that is not Shopify's",
        },
        _ => return None,
    };
    Some(FailedAnswer::foreign(remark))
}

fn is_from_shopify(answer: &ShopifyResponse) -> bool {
    let is_own_page = answer.head.status == 404
        && answer.head.realm.is_none()
        && matches!(answer.head.content, ContentType::Page | ContentType::Unnamed);
    is_own_page || has_shopify_header(&answer.head) || has_errors(answer)
}

/// Whether a response has a header that only Shopify sends. Many servers send `X-Request-Id`, so it alone does not
/// outweigh a foreign realm.
pub(super) fn has_shopify_header(head: &ResponseHead) -> bool {
    match head.realm {
        _ if head.has_shop_id => true,
        Some(realm) => realm == Realm::Shopify,
        None => head.request_id.is_some(),
    }
}

/// Whether a body is JSON in the form of Shopify's refusals.
fn has_errors(answer: &ShopifyResponse) -> bool {
    let Ok(body) = json(answer) else { return false };
    body.get("errors").is_some_and(|errors| !is_nothing(errors))
        || body.get("error").and_then(Value::as_str).is_some_and(|error| !error.is_empty())
}

#[cfg(test)]
mod tests;

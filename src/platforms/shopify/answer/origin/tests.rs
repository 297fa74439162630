use super::*;
use crate::platforms::shopify::answer::{
    exchanged, installed,
    tests::{answer, asked, page},
};

/// The classes of a response to the connection test and to the token exchange.
fn classes(answer: &ShopifyResponse) -> [Class; 2] {
    let api = installed(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected);
    let exchange = exchanged(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected);
    [api, exchange]
}

fn with(mut answer: ShopifyResponse, change: impl FnOnce(&mut ResponseHead)) -> ShopifyResponse {
    change(&mut answer.head);
    answer
}

#[test]
fn refusal_without_shopify_markers_is_not_shopify() {
    for status in [401, 402, 403, 423] {
        for body in [page(status, "<html>Sign in</html>"), page(status, ""), answer(status, ""), answer(status, "{}")] {
            assert_eq!(classes(&body), [Class::NotShopify; 2], "{body:?}");
        }
        let gateway = answer(status, r#"{"message":"Unauthorized"}"#);
        assert_eq!(classes(&gateway), [Class::NotShopify; 2], "{status}");
    }
    let gateway = answer(404, r#"{"message":"no Route matched with those values"}"#);
    assert_eq!(classes(&gateway), [Class::NotShopify; 2]);
    let text = with(page(404, "404 page not found"), |head| head.content = ContentType::Other);
    assert_eq!(classes(&text), [Class::NotShopify; 2]);
}

#[test]
fn foreign_realm_outweighs_a_request_id() {
    for status in [401, 402, 403, 404, 423] {
        let proxy = with(page(status, "<html>"), |head| {
            head.realm = Some(Realm::SomebodyElse);
            head.request_id = Some("1b355a21".into());
        });
        assert_eq!(classes(&proxy), [Class::NotShopify; 2], "{status}");
    }
}

#[test]
fn each_shopify_marker_identifies_a_shopify_refusal() {
    let signs: [fn(&mut ResponseHead); 3] = [
        |head| head.request_id = Some("1b355a21".into()),
        |head| head.has_shop_id = true,
        |head| head.realm = Some(Realm::Shopify),
    ];
    let expected = [
        (401, [Class::TokenRefused, Class::CcRefused]),
        (402, [Class::StoreFrozen; 2]),
        (403, [Class::AddressRefused; 2]),
        (423, [Class::StoreLocked; 2]),
    ];
    for sign in signs {
        for (status, classes_of) in expected {
            assert_eq!(classes(&with(page(status, "<html>"), sign)), classes_of, "{status}");
        }
    }
}

#[test]
fn shopify_error_json_needs_no_header() {
    for body in [r#"{"errors":"no"}"#, r#"{"errors":{"base":["no"]}}"#, r#"{"errors":[{"message":"no"}]}"#] {
        assert_eq!(classes(&answer(401, body)), [Class::TokenRefused, Class::CcRefused], "{body}");
        assert_eq!(classes(&answer(402, body)), [Class::StoreFrozen; 2], "{body}");
        assert_eq!(classes(&answer(403, body)), [Class::AddressRefused; 2], "{body}");
        assert_eq!(classes(&answer(404, body)), [Class::StoreNotFound; 2], "{body}");
        assert_eq!(classes(&answer(423, body)), [Class::StoreLocked; 2], "{body}");
    }
}

#[test]
fn not_found_may_be_a_page_of_shopify() {
    assert_eq!(classes(&page(404, "<html>")), [Class::StoreNotFound; 2]);
    assert_eq!(classes(&page(404, "")), [Class::StoreNotFound; 2]);
    let unnamed = with(page(404, ""), |head| head.content = ContentType::Unnamed);
    assert_eq!(classes(&unnamed), [Class::StoreNotFound; 2]);
}

#[test]
fn challenge_is_a_rejected_request_at_any_status() {
    for status in [200, 202, 302, 401, 403, 404, 405, 503] {
        let challenge = with(page(status, "<title>Just a moment...</title>"), |head| head.is_challenge = true);
        assert_eq!(classes(&challenge), [Class::RequestRejected; 2], "{status}");
    }
    let slow = with(page(429, ""), |head| head.is_challenge = true);
    assert_eq!(classes(&slow), [Class::RateLimited; 2]);
}

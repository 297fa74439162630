use secrecy::ExposeSecret;
use serde_json::json;

use super::*;
use crate::platforms::shopify::answer::tests::{answer, asked, page};

fn exchange_class(answer: &ShopifyResponse) -> Class {
    exchanged(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected)
}

#[test]
fn each_answer_to_an_exchange_has_its_class() {
    let error = |name: &str| json!({"error": name, "error_description": "x"}).to_string();
    let unknown = |name: &str| {
        let text = "Could not find Shopify API application with api_key abc";
        json!({"error": name, "error_description": text}).to_string()
    };
    let html = |name: &str| format!("<!DOCTYPE html><html><head><title>400 - Oauth error {name}</title></head></html>");
    let rows = [
        (answer(400, &error("app_not_installed")), Class::CcNotInstalled),
        (answer(400, &error("shop_not_permitted")), Class::CcWrongOrg),
        (answer(400, &error("application_cannot_be_found")), Class::CcRefused),
        (answer(400, &error("invalid_request")), Class::CcNotInstalled),
        (answer(400, &unknown("invalid_request")), Class::CcRefused),
        (answer(400, &error("invalid_client")), Class::CcRefused),
        (answer(401, &error("invalid_client")), Class::CcRefused),
        (answer(401, r#"{"errors":"no"}"#), Class::CcRefused),
        (answer(401, "{}"), Class::NotShopify),
        (page(401, ""), Class::NotShopify),
        (answer(400, &error("unsupported_grant_type")), Class::OurBug),
        (answer(400, r#"{"error":7}"#), Class::OurBug),
        (page(400, &html("app_not_installed")), Class::CcNotInstalled),
        (page(400, &html("shop_not_permitted")), Class::CcWrongOrg),
        (page(400, &html("application_cannot_be_found")), Class::CcRefused),
        (page(400, &html("invalid_client").replace("Oauth error", "OAuth Error")), Class::CcRefused),
        (page(400, &html("invalid_request")), Class::CcNotInstalled),
        (page(401, &html("invalid_client")), Class::CcRefused),
        (page(400, &html("something_else")), Class::CcRefused),
        (page(400, "<html><title>Bad request</title>"), Class::NotShopify),
        (page(404, "<html>"), Class::StoreNotFound),
        (page(403, "<html>"), Class::NotShopify),
        (page(402, "<html>"), Class::NotShopify),
        (answer(403, r#"{"errors":"Forbidden"}"#), Class::AddressRefused),
        (answer(403, r#"{"errors":"Unavailable Shop"}"#), Class::StoreLocked),
        (answer(402, r#"{"errors":"Unavailable Shop"}"#), Class::StoreFrozen),
        (answer(423, r#"{"errors":"This shop is unavailable"}"#), Class::StoreLocked),
        (answer(429, "{}"), Class::RateLimited),
        (answer(430, "{}"), Class::RequestRejected),
        (answer(503, "{}"), Class::ShopifyDown),
        (page(302, ""), Class::NotShopify),
        (page(200, "<html>"), Class::NotShopify),
        (answer(200, "{}"), Class::NotShopify),
        (answer(200, r#"{"access_token":""}"#), Class::NotShopify),
        (answer(200, r#"{"access_token":"a b"}"#), Class::NotShopify),
        (answer(200, r#"{"access_token":"a\r\nX: y"}"#), Class::NotShopify),
        (answer(200, r#"{"access_token":["a"]}"#), Class::NotShopify),
        (answer(200, r#"{"access_token":"of any shape"}"#.replace(' ', "-").as_str()), Class::Connected),
    ];
    for (answer, expected) in rows {
        assert_eq!(exchange_class(&answer), expected, "{answer:?} {:?}", answer.body);
    }
}

#[test]
fn known_error_name_decides_and_unknown_one_is_kept() {
    let refused = |status, name: &str| {
        let refusal = exchanged(&asked(), &answer(status, &json!({"error": name}).to_string())).unwrap_err();
        (refusal.class, refusal.error_name)
    };
    for status in [200, 400, 401, 402, 403, 404, 409, 415, 422, 423] {
        for (name, class) in NAMES {
            assert_eq!(refused(status, name), (class, Some(name.to_owned())), "{status} {name}");
        }
        let shouted = (Class::CcRefused, Some("invalid_client".to_owned()));
        assert_eq!(refused(status, " Invalid-Client "), shouted, "{status}");
    }
    for status in [200, 400, 401, 409, 422] {
        let new = (Class::CcRefused, Some("something_new".to_owned()));
        assert_eq!(refused(status, "something_new"), new, "{status}");
    }
    assert_eq!(refused(403, "something_new").0, Class::AddressRefused);
    assert_eq!(refused(404, "Not Found").0, Class::StoreNotFound);
    assert_eq!(refused(503, "invalid_client").0, Class::ShopifyDown);
    assert_eq!(refused(429, "invalid_client").0, Class::RateLimited);
}

#[test]
fn error_name_contains_no_secret_and_no_markup() {
    let digits = "a1".repeat(16);
    for (said, shown) in [
        (format!("bad_secret shpss_{digits}"), Some("bad_secret_shpss")),
        (digits.clone(), None),
        ("<script>alert(1)</script>".to_owned(), Some("script_alert_1_script")),
        ("x".repeat(25), None),
        ("ab_".repeat(40), Some("ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_ab_a")),
    ] {
        let refusal = exchanged(&asked(), &answer(400, &json!({"error": said}).to_string())).unwrap_err();
        assert_eq!((refusal.class, refusal.error_name.as_deref()), (Class::CcRefused, shown), "{said}");
    }
}

#[test]
fn token_lifetime_is_taken_from_shopify_within_limits() {
    for (said, lives) in [
        (json!(86_399), 86_399),
        (json!(999_999), 86_400),
        (json!(0), 3600),
        (json!(-1), 3600),
        (json!("86399"), 3600),
        (Value::Null, 3600),
    ] {
        let body = json!({"access_token": "canary", "scope": "write_orders", "expires_in": said}).to_string();
        let minted = exchanged(&asked(), &answer(200, &body)).unwrap();
        assert_eq!(minted.lives, Duration::from_secs(lives), "{said}");
        assert_eq!(minted.token.secret().expose_secret(), "canary");
        assert!(!format!("{minted:?} {:?}", answer(200, &body)).contains("canary"));
    }
}

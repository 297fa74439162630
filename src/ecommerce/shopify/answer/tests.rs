use std::time::Duration;

use proptest::prelude::*;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::*;
use crate::ecommerce::shopify::client::Head;

const ASKED: &str = "northwind-tea";

fn asked() -> StoreAddress {
    StoreAddress::from_handle(ASKED).unwrap()
}

fn answer(status: u16, body: &str) -> Answer {
    Answer { head: Head { status, is_json: true, ..Head::default() }, body: Body::Read(body.as_bytes().to_vec()) }
}

fn page(status: u16, body: &str) -> Answer {
    let mut answer = answer(status, body);
    answer.head.is_json = false;
    answer
}

fn good() -> Value {
    json!({
        "data": {
            "shop": {
                "id": "gid://shopify/Shop/548380009", "name": "Northwind Tea",
                "myshopifyDomain": "northwind-tea.myshopify.com", "currencyCode": "GBP",
                "ianaTimezone": "Europe/London",
                "plan": {"publicDisplayName": "Basic", "partnerDevelopment": false, "shopifyPlus": false}
            },
            "currentAppInstallation": {
                "id": "gid://shopify/AppInstallation/1",
                "accessScopes": [{"handle": "write_products"}, {"handle": "read_products"}],
                "app": {"id": "gid://shopify/App/1", "title": "Order Time", "handle": "order-time", "apiKey": "k"}
            }
        },
        "extensions": {"cost": {"requestedQueryCost": 3, "actualQueryCost": null}}
    })
}

fn class(answer: &Answer) -> Class {
    installed(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected)
}

fn coded(code: &str) -> String {
    json!({"errors": [{"message": "x", "extensions": {"code": code}}]}).to_string()
}

#[test]
fn a_good_answer_is_read_whole() {
    let found = installed(&asked(), &answer(200, &good().to_string())).unwrap();
    assert_eq!(found.scopes, ["write_products", "read_products"]);
    let Store { shop_id, name, plan, time_zone, app_title, is_plus, .. } = found.store;
    assert_eq!([&shop_id, &name, &plan, &time_zone], ["548380009", "Northwind Tea", "Basic", "Europe/London"]);
    assert_eq!((app_title.as_deref(), is_plus), (Some("Order Time"), false));
}

#[test]
fn unknown_fields_and_lacking_extras_do_no_harm() {
    let mut body = good();
    body["data"]["shop"]["more"] = json!([1, {"x": null}]);
    body["data"]["shop"]["plan"] = Value::Null;
    body["data"]["shop"]["name"] = Value::Null;
    body["data"]["currentAppInstallation"]["app"] = Value::Null;
    body["errors"] = json!([]);
    let found = installed(&asked(), &answer(200, &body.to_string())).unwrap();
    assert_eq!((found.store.name.as_str(), found.store.app_title), ("northwind-tea.myshopify.com", None));
}

#[test]
fn foreign_names_lose_their_teeth() {
    let mut body = good();
    body["data"]["shop"]["name"] = json!(format!("\u{202E}Tea\r\n{}", "x".repeat(400)));
    let found = installed(&asked(), &answer(200, &body.to_string())).unwrap();
    assert!(found.store.name.starts_with("Teax") && found.store.name.len() == 255);
}

#[test]
fn a_store_is_introduced_without_what_shopify_left_out() {
    let introduced = |change: fn(&mut Value)| {
        let mut body = good();
        change(&mut body["data"]);
        installed(&asked(), &answer(200, &body.to_string())).unwrap().store.introduced()
    };
    let whole = "Northwind Tea, shop ID 548380009, Basic plan, GBP, Europe/London";
    let whole = whole.replace("Europe/London", "London, app “Order Time”");
    assert_eq!(introduced(|_| ()), whole);
    assert_eq!(introduced(|data| data["shop"]["plan"]["publicDisplayName"] = json!("Basic plan")), whole);
    let bare = |data: &mut Value| {
        data["shop"] = json!({"id": "gid://shopify/Shop/1", "name": " \u{202E}\u{0} \u{200B} "});
        data["currentAppInstallation"]["app"] = json!({"title": ""});
    };
    assert_eq!(introduced(bare), "northwind-tea.myshopify.com, shop ID 1");
}

#[test]
fn scopes_are_one_name_each_however_they_were_listed() {
    let mut body = good();
    body["data"]["currentAppInstallation"]["accessScopes"] =
        json!([{"handle": "write_orders, read_customers ,,"}, {"handle": ""}, {"handle": " write_products\n"}]);
    let found = installed(&asked(), &answer(200, &body.to_string())).unwrap();
    assert_eq!(found.scopes, ["write_orders", "read_customers", "write_products"]);
}

/// The failure table, row by row, as far as an answer came.
#[test]
fn each_answer_has_its_class() {
    let unauthorized = r#"{"errors":"[API] Invalid API key or access token (unrecognized login or wrong password)"}"#;
    let expiring = r#"{"errors":"[API] Non-expiring access tokens are no longer accepted for the Admin API."}"#;
    let with_shop_id = |status| {
        let mut answer = answer(status, r#"{"errors":"Not Found"}"#);
        answer.head.has_shop_id = true;
        answer
    };
    let rows = [
        ("7", answer(401, unauthorized), Class::TokenRefused),
        ("7", page(401, "<html>"), Class::TokenRefused),
        ("8", answer(402, r#"{"errors":"Unavailable Shop"}"#), Class::StoreFrozen),
        ("8", answer(402, r#"{"errors":"This shop's plan does not have access to this feature"}"#), Class::StoreFrozen),
        (
            "9",
            answer(403, r#"{"errors":"[API] This action requires merchant approval for read_orders scope."}"#),
            Class::NotAllowed,
        ),
        ("9", answer(403, r#"{"errors":"User does not have access"}"#), Class::NotAllowed),
        ("10", answer(403, expiring), Class::TokenKindRefused),
        ("11", answer(403, r#"{"errors":"Unavailable Shop"}"#), Class::StoreLocked),
        ("11", answer(403, r#"{"errors":["Unavailable Shop"]}"#), Class::StoreLocked),
        ("11", answer(403, r#"{"errors":{"base":["Unavailable Shop"]}}"#), Class::StoreLocked),
        ("12", answer(403, "{}"), Class::NotAllowed),
        ("12", page(403, "<html>"), Class::NotAllowed),
        ("13", answer(404, r#"{"errors":"Not Found"}"#), Class::StoreNotFound),
        ("13", page(404, "<html>"), Class::StoreNotFound),
        ("14", with_shop_id(404), Class::OurBug),
        ("14", answer(405, ""), Class::OurBug),
        ("14", answer(406, ""), Class::OurBug),
        ("15", answer(423, r#"{"errors":"This shop is unavailable"}"#), Class::StoreLocked),
        ("16", page(429, "<html>"), Class::RateLimited),
        ("16", answer(200, &coded("THROTTLED")), Class::RateLimited),
        ("17", page(430, ""), Class::RequestRejected),
        ("18", answer(500, "{}"), Class::ShopifyDown),
        ("18", page(502, "<html>"), Class::ShopifyDown),
        ("18", page(503, "down"), Class::ShopifyDown),
        ("18", page(504, ""), Class::ShopifyDown),
        ("18", page(530, ""), Class::ShopifyDown),
        ("18", page(540, ""), Class::ShopifyDown),
        ("19", answer(200, &coded("INTERNAL_SERVER_ERROR")), Class::ShopifyDown),
        ("20", answer(400, r#"{"errors":{"query":"Required parameter missing or invalid"}}"#), Class::OurBug),
        ("20", page(783, ""), Class::OurBug),
        ("21", answer(200, &coded("undefinedField")), Class::OurBug),
        ("21", answer(200, &coded("MAX_COST_EXCEEDED")), Class::OurBug),
        ("21", answer(200, &coded("SOMETHING_NEW")), Class::OurBug),
        ("21", answer(200, r#"{"errors":"Parse error"}"#), Class::OurBug),
        ("21", answer(200, r#"{"errors":{"query":"missing"}}"#), Class::OurBug),
        ("22", answer(200, &coded("SHOP_INACTIVE")), Class::StoreLocked),
        ("23", answer(200, &coded("ACCESS_DENIED")), Class::NotAllowed),
        ("25", page(200, "<html><title>Sign in to WiFi</title>"), Class::NotShopify),
        ("25", page(200, &good().to_string()), Class::NotShopify),
        ("25", answer(200, "<html>"), Class::NotShopify),
        ("25", answer(200, ""), Class::NotShopify),
        ("25", answer(200, "[]"), Class::NotShopify),
        ("25", answer(200, "null"), Class::NotShopify),
        ("25", answer(200, r#"{"status":"ok"}"#), Class::NotShopify),
        ("25", answer(200, r#"{"data":null}"#), Class::NotShopify),
        ("25", answer(200, &good().to_string()[..200]), Class::NotShopify),
        ("25", page(204, ""), Class::NotShopify),
        ("25", page(201, ""), Class::NotShopify),
        ("25", page(418, ""), Class::NotShopify),
        ("success", answer(200, &good().to_string()), Class::Connected),
    ];
    for (row, answer, expected) in rows {
        assert_eq!(class(&answer), expected, "row {row}: {answer:?}");
    }
}

#[test]
fn errors_beside_data_are_never_success() {
    for code in ["ACCESS_DENIED", "INTERNAL_SERVER_ERROR", "SOMETHING_NEW"] {
        let mut body = good();
        body["errors"] = json!([{"message": "x", "extensions": {"code": code}}]);
        assert_ne!(class(&answer(200, &body.to_string())), Class::Connected, "{code}");
    }
    let mut body = good();
    body["errors"] = json!([{"message": "x"}, {"extensions": {"code": "THROTTLED"}}, {"extensions": 7}]);
    assert_eq!(class(&answer(200, &body.to_string())), Class::RateLimited);
}

#[test]
fn what_success_rests_on_must_be_there_in_its_form() {
    let at = |pointer: &str, value: Value| {
        let mut body = good();
        *body.pointer_mut(pointer).unwrap() = value;
        class(&answer(200, &body.to_string()))
    };
    for (pointer, value) in [
        ("/data", json!("x")),
        ("/data/shop", Value::Null),
        ("/data/shop/id", json!("548380009")),
        ("/data/shop/id", json!("gid://shopify/Shop/")),
        ("/data/shop/id", json!("gid://shopify/Shop/1x")),
        ("/data/shop/id", json!("gid://shopify/Product/1")),
        ("/data/shop/id", json!(548_380_009)),
        ("/data/currentAppInstallation", Value::Null),
        ("/data/currentAppInstallation/accessScopes", Value::Null),
        ("/data/currentAppInstallation/accessScopes", json!("write_orders")),
        ("/data/currentAppInstallation/accessScopes/0", json!("write_orders")),
    ] {
        assert_eq!(at(pointer, value.clone()), Class::NotShopify, "{pointer} {value}");
    }
}

#[test]
fn a_body_that_was_not_read_or_is_too_deep_is_not_shopify_s() {
    for body in [Body::Encoded, Body::TooLarge, Body::NotNeeded] {
        let answer = Answer { body, ..answer(200, "") };
        assert_eq!(class(&answer), Class::NotShopify);
    }
    let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(class(&answer(200, &deep)), Class::NotShopify);
    let mut beside = good().to_string();
    beside.insert_str(1, &format!(r#""x":{}{},"#, "[".repeat(200), "]".repeat(200)));
    assert_eq!(class(&answer(200, &beside)), Class::NotShopify);
    assert_eq!(
        class(&Answer { body: Body::Encoded, ..answer(503, "") }),
        Class::ShopifyDown,
        "the status decides first"
    );
}

#[test]
fn a_redirect_names_another_store_or_nothing() {
    let to = |location: Option<&str>| {
        let mut answer = page(301, "");
        answer.head.location = location.map(str::to_owned);
        let refusal = installed(&asked(), &answer).unwrap_err();
        (refusal.class, refusal.moved_to.map(|address| address.handle().to_owned()))
    };
    let moved = (Class::StoreMoved, Some("northwind-tea-co".to_owned()));
    assert_eq!(to(Some("https://northwind-tea-co.myshopify.com/admin/api/2026-10/graphql.json")), moved);
    for elsewhere in [
        None,
        Some("https://northwind-tea.myshopify.com/password"),
        Some("https://NORTHWIND-TEA.myshopify.com:443/"),
        Some("http://northwind-tea-co.myshopify.com/"),
        Some("https://www.northwindtea.com/"),
        Some("https://northwind-tea-co.myshopify.com.evil.example/"),
        Some("/admin"),
        Some(""),
    ] {
        assert_eq!(to(elsewhere), (Class::NotShopify, None), "{elsewhere:?}");
    }
    for status in [300, 302, 303, 304, 307, 308, 399] {
        assert_eq!(class(&page(status, "")), Class::NotShopify, "{status}");
    }
}

#[test]
fn the_wait_is_what_shopify_says_within_a_minute() {
    let header = |retry_after: Option<&str>| {
        let mut answer = page(429, "");
        answer.head.retry_after = retry_after.map(str::to_owned);
        installed(&asked(), &answer).unwrap_err().wait_seconds
    };
    for (said, wait) in [
        (Some("2.0"), 2),
        (Some("2.4"), 3),
        (Some(" 7 "), 7),
        (Some("0"), 1),
        (Some("-5"), 1),
        (Some("3600"), 60),
        (Some("inf"), 10),
        (Some("NaN"), 10),
        (Some("Wed, 21 Oct 2026 07:28:00 GMT"), 10),
        (None, 10),
    ] {
        assert_eq!(header(said), Some(wait), "{said:?}");
    }
    let cost = |requested: f64, available: f64, rate: f64| {
        let body = json!({
            "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "extensions": {"cost": {"requestedQueryCost": requested, "throttleStatus":
                {"maximumAvailable": 1000.0, "currentlyAvailable": available, "restoreRate": rate}}}
        });
        installed(&asked(), &answer(200, &body.to_string())).unwrap_err().wait_seconds
    };
    assert_eq!(cost(202.0, 2.0, 50.0), Some(4));
    assert_eq!(cost(3.0, 2.5, 50.0), Some(1));
    assert_eq!(cost(1000.0, 0.0, 0.0), Some(10));
    assert_eq!(cost(100_000.0, 0.0, 50.0), Some(60));
    assert_eq!(installed(&asked(), &answer(200, &coded("THROTTLED"))).unwrap_err().wait_seconds, Some(10));
}

#[test]
fn one_order_tells_whether_customers_can_be_seen() {
    let orders = |nodes: Value| json!({"data": {"orders": {"nodes": nodes}}}).to_string();
    let customer = |name: Value| orders(json!([{"id": "1", "customer": {"id": "2", "displayName": name}}]));
    for (body, expected) in [
        (customer(json!("Mei Lin")), Customers::Visible),
        (customer(Value::Null), Customers::Hidden),
        (coded("ACCESS_DENIED"), Customers::Hidden),
        (orders(json!([])), Customers::NoneSeen),
        (orders(json!([{"id": "1", "customer": null}])), Customers::NoneSeen),
        (coded("THROTTLED"), Customers::Unknown),
        (coded("undefinedField"), Customers::Unknown),
        ("{}".to_owned(), Customers::Unknown),
        ("<html>".to_owned(), Customers::Unknown),
    ] {
        assert_eq!(customers(&asked(), &answer(200, &body)), expected, "{body}");
    }
    for status in [401, 403, 429, 500, 302] {
        assert_eq!(customers(&asked(), &answer(status, "{}")), Customers::Unknown, "{status}");
    }
}

fn exchange_class(answer: &Answer) -> Class {
    exchanged(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected)
}

#[test]
fn each_answer_to_an_exchange_has_its_class() {
    let error = |name: &str| json!({"error": name, "error_description": "x"}).to_string();
    let html = |name: &str| format!("<!DOCTYPE html><html><head><title>400 - Oauth error {name}</title></head></html>");
    let rows = [
        (answer(400, &error("app_not_installed")), Class::CcNotInstalled),
        (answer(400, &error("shop_not_permitted")), Class::CcWrongOrg),
        (answer(400, &error("application_cannot_be_found")), Class::CcRefused),
        (answer(400, &error("invalid_request")), Class::CcRefused),
        (answer(400, &error("invalid_client")), Class::CcRefused),
        (answer(401, &error("invalid_client")), Class::CcRefused),
        (answer(401, "{}"), Class::CcRefused),
        (page(401, ""), Class::CcRefused),
        (answer(400, &error("unsupported_grant_type")), Class::OurBug),
        (answer(400, r#"{"error":7}"#), Class::OurBug),
        (page(400, &html("app_not_installed")), Class::CcNotInstalled),
        (page(400, &html("shop_not_permitted")), Class::CcWrongOrg),
        (page(400, &html("application_cannot_be_found")), Class::CcRefused),
        (page(400, &html("invalid_client").replace("Oauth error", "OAuth Error")), Class::CcRefused),
        (page(400, &html("something_else")), Class::OurBug),
        (page(400, "<html><title>Bad request</title>"), Class::NotShopify),
        (page(404, "<html>"), Class::StoreNotFound),
        (page(403, "<html>"), Class::OurBug),
        (answer(403, r#"{"errors":"Unavailable Shop"}"#), Class::StoreLocked),
        (answer(402, "{}"), Class::StoreFrozen),
        (answer(423, "{}"), Class::StoreLocked),
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
fn a_minted_token_lives_as_long_as_shopify_says_within_reason() {
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

proptest! {
    #[test]
    fn no_answer_whatever_makes_the_reader_fall(status in 100_u16..1000, is_json: bool, body in any::<Vec<u8>>()) {
        let answer = Answer { head: Head { status, is_json, ..Head::default() }, body: Body::Read(body) };
        prop_assert_ne!(class(&answer), Class::Connected);
        prop_assert_ne!(exchange_class(&answer), Class::Connected);
        prop_assert_ne!(customers(&asked(), &answer), Customers::Visible);
    }

    #[test]
    fn a_truncated_answer_is_never_success(cut in 0_usize..400) {
        let whole = good().to_string();
        prop_assume!(cut < whole.len());
        prop_assert_eq!(class(&answer(200, &whole[..cut])), Class::NotShopify);
    }
}

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::platforms::shopify::client::{ContentType, ResponseHead};

const ASKED: &str = "northwind-tea";

pub(super) fn asked() -> StoreAddress {
    StoreAddress::from_handle(ASKED).unwrap()
}

pub(super) fn answer(status: u16, body: &str) -> ShopifyResponse {
    let head = ResponseHead { status, content: ContentType::Json, ..ResponseHead::default() };
    ShopifyResponse { head, body: ReceivedBody::Read(body.as_bytes().to_vec()) }
}

pub(super) fn page(status: u16, body: &str) -> ShopifyResponse {
    let mut answer = answer(status, body);
    answer.head.content = ContentType::Page;
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

pub(super) fn class(answer: &ShopifyResponse) -> Class {
    installed(&asked(), answer).map_or_else(|refusal| refusal.class, |_| Class::Connected)
}

pub(super) fn coded(code: &str) -> String {
    json!({"errors": [{"message": "x", "extensions": {"code": code}}]}).to_string()
}

#[test]
fn good_answer_is_read_completely() {
    let found = installed(&asked(), &answer(200, &good().to_string())).unwrap();
    assert_eq!(found.scopes, ["write_products", "read_products"]);
    let Store { shop_id, name, plan, time_zone, app_title, is_plus, .. } = found.store;
    assert_eq!([&shop_id, &name, &plan, &time_zone], ["548380009", "Northwind Tea", "Basic", "Europe/London"]);
    assert_eq!((app_title.as_deref(), is_plus), (Some("Order Time"), false));
}

#[test]
fn unknown_and_missing_optional_fields_are_accepted() {
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
fn foreign_names_are_sanitized() {
    let mut body = good();
    body["data"]["shop"]["name"] = json!(format!("\u{202E}Tea\r\n{}", "x".repeat(400)));
    let found = installed(&asked(), &answer(200, &body.to_string())).unwrap();
    assert!(found.store.name.starts_with("Teax") && found.store.name.len() == 255);
}

#[test]
fn store_introduction_omits_missing_fields() {
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
fn scope_lists_are_split_into_single_names() {
    let mut body = good();
    body["data"]["currentAppInstallation"]["accessScopes"] =
        json!([{"handle": "write_orders, read_customers ,,"}, {"handle": ""}, {"handle": " write_products\n"}]);
    let found = installed(&asked(), &answer(200, &body.to_string())).unwrap();
    assert_eq!(found.scopes, ["write_orders", "read_customers", "write_products"]);
}

/// The failure table row by row, for failures with a response.
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
        ("8", answer(402, r#"{"errors":"Unavailable Shop"}"#), Class::StoreFrozen),
        ("8", answer(402, r#"{"errors":"This shop's plan does not have access to this feature"}"#), Class::StoreFrozen),
        (
            "9",
            answer(403, r#"{"errors":"[API] This action requires merchant approval for read_orders scope."}"#),
            Class::NotAllowed,
        ),
        ("9", answer(403, r#"{"errors":"User does not have access"}"#), Class::NotAllowed),
        ("9", answer(403, r#"{"errors":["ACCESS DENIED for shop field."]}"#), Class::NotAllowed),
        ("9", answer(403, &coded("ACCESS_DENIED")), Class::NotAllowed),
        ("10", answer(403, expiring), Class::TokenKindRefused),
        ("11", answer(403, r#"{"errors":"Unavailable Shop"}"#), Class::StoreLocked),
        ("11", answer(403, r#"{"errors":["Unavailable Shop"]}"#), Class::StoreLocked),
        ("11", answer(403, r#"{"errors":{"base":["Unavailable Shop"]}}"#), Class::StoreLocked),
        ("12", answer(403, r#"{"errors":"Forbidden"}"#), Class::AddressRefused),
        ("12", answer(403, r#"{"errors":"Access denied"}"#), Class::AddressRefused),
        ("12", answer(403, r#"{"errors":[{"message":"This IP address is not allowed"}]}"#), Class::AddressRefused),
        ("12", answer(403, r#"{"error":"forbidden"}"#), Class::AddressRefused),
        ("13", answer(404, r#"{"errors":"Not Found"}"#), Class::StoreNotFound),
        ("13", page(404, "<html>"), Class::StoreNotFound),
        ("14", with_shop_id(404), Class::OurBug),
        ("14", answer(405, ""), Class::OurBug),
        ("14", answer(406, ""), Class::OurBug),
        ("14", answer(409, r#"{"errors":"Conflict"}"#), Class::OurBug),
        ("14", answer(413, "{}"), Class::OurBug),
        ("14", answer(414, "{}"), Class::OurBug),
        ("14", answer(415, r#"{"errors":"Unsupported Media Type"}"#), Class::OurBug),
        ("14", answer(422, r#"{"errors":{"base":["no"]}}"#), Class::OurBug),
        ("14", page(400, "<html>"), Class::NotShopify),
        ("14", page(405, "<html>"), Class::NotShopify),
        ("14", page(415, "<html>"), Class::NotShopify),
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
        ("25", page(407, "<html>"), Class::NotShopify),
        ("25", answer(407, r#"{"error":"sign in"}"#), Class::NotShopify),
        ("25", page(511, "<html>"), Class::NotShopify),
        ("25", page(451, "<html>"), Class::NotShopify),
        ("4", page(408, ""), Class::NetworkTimeout),
        ("4", answer(408, "{}"), Class::NetworkTimeout),
        ("success", answer(200, &good().to_string()), Class::Connected),
    ];
    for (row, answer, expected) in rows {
        assert_eq!(class(&answer), expected, "row {row}: {answer:?}");
    }
}

#[test]
fn message_decides_without_a_known_code() {
    let message = |text: &str| json!({"errors": [{"message": text}]}).to_string();
    let rows = [
        (message("Throttled"), Class::RateLimited),
        (message("THROTTLED"), Class::RateLimited),
        (json!({"errors": "Exceeded 2 calls per second for api client."}).to_string(), Class::RateLimited),
        (message("Internal error. Looks like something went wrong on our end."), Class::ShopifyDown),
        (json!({"errors": ["Internal Server Error"]}).to_string(), Class::ShopifyDown),
        (message("Access denied for shop field."), Class::NotAllowed),
        (message("access denied"), Class::NotAllowed),
        (
            json!({"errors": {"base": ["This action requires merchant approval for read_orders scope."]}}).to_string(),
            Class::NotAllowed,
        ),
        (message("This shop is inactive."), Class::StoreLocked),
        (json!({"errors": "Unavailable Shop"}).to_string(), Class::StoreLocked),
        (json!({"errors": {"message": "Shop is currently unavailable"}}).to_string(), Class::StoreLocked),
        (json!({"errors": "[API] Invalid API key or access token"}).to_string(), Class::TokenRefused),
        (message("Field 'plan' doesn't exist on type 'Shop'"), Class::OurBug),
        (json!({"errors": [7, null]}).to_string(), Class::OurBug),
        (coded("throttled"), Class::RateLimited),
        (
            json!({"errors": [{"message": "Throttled", "extensions": {"code": "MAX_COST_EXCEEDED"}}]}).to_string(),
            Class::RateLimited,
        ),
    ];
    for (body, expected) in rows {
        assert_eq!(class(&answer(200, &body)), expected, "{body}");
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
fn success_requires_every_essential_field() {
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
fn unread_or_too_deep_body_is_not_shopify() {
    for body in [ReceivedBody::Encoded, ReceivedBody::TooLarge, ReceivedBody::NotNeeded] {
        let answer = ShopifyResponse { body, ..answer(200, "") };
        assert_eq!(class(&answer), Class::NotShopify);
    }
    let deep = format!(r#"{{"data":{}{}}}"#, "[".repeat(200), "]".repeat(200));
    assert_eq!(class(&answer(200, &deep)), Class::NotShopify);
    let mut beside = good().to_string();
    beside.insert_str(1, &format!(r#""x":{}{},"#, "[".repeat(200), "]".repeat(200)));
    assert_eq!(class(&answer(200, &beside)), Class::NotShopify);
    assert_eq!(
        class(&ShopifyResponse { body: ReceivedBody::Encoded, ..answer(503, "") }),
        Class::ShopifyDown,
        "the status decides first"
    );
}

#[test]
fn one_order_shows_whether_customers_are_visible() {
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

proptest! {
    #[test]
    fn no_answer_panics_the_parser_or_counts_as_success(status in 100_u16..1000, is_json: bool, body in any::<Vec<u8>>()) {
        let content = if is_json { ContentType::Json } else { ContentType::Other };
        let answer = ShopifyResponse { head: ResponseHead { status, content, ..ResponseHead::default() }, body: ReceivedBody::Read(body) };
        prop_assert_ne!(class(&answer), Class::Connected);
        prop_assert!(exchanged(&asked(), &answer).is_err());
        prop_assert_ne!(customers(&asked(), &answer), Customers::Visible);
    }

    #[test]
    fn a_truncated_answer_is_never_success(cut in 0_usize..400) {
        let whole = good().to_string();
        prop_assume!(cut < whole.len());
        prop_assert_eq!(class(&answer(200, &whole[..cut])), Class::NotShopify);
    }
}

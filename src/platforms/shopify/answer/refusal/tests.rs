use serde_json::json;

use crate::causes::{ADMIN_PAGE, Class, PASSWORD_PAGE};
use crate::platforms::shopify::answer::{
    installed,
    tests::{answer, asked, class, coded, page},
};

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
    for to_admin in
        ["https://admin.shopify.com/store/northwind-tea-co", "https://admin.shopify.com/store/Northwind-Tea-Co?x"]
    {
        assert_eq!(to(Some(to_admin)), moved, "{to_admin}");
    }
    for elsewhere in [
        None,
        Some("https://northwind-tea.myshopify.com/password"),
        Some("https://admin.shopify.com/store/northwind-tea"),
        Some("https://admin.shopify.com/store/"),
        Some("https://admin.shopify.com.evil.example/store/northwind-tea-co"),
        Some("https://admin.shopify.com/store/northwind%2Dtea"),
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
fn a_redirect_to_a_page_of_the_same_store_is_named() {
    let remark = |location: &str| {
        let mut answer = page(302, "");
        answer.head.location = Some(location.to_owned());
        installed(&asked(), &answer).unwrap_err().remark
    };
    for location in ["/password", "/password/?x", "https://northwind-tea.myshopify.com/password#y"] {
        assert_eq!(remark(location), Some(PASSWORD_PAGE), "{location}");
    }
    for location in [
        "/admin/auth/login",
        "https://northwind-tea.myshopify.com/admin",
        "https://admin.shopify.com/store/northwind-tea",
    ] {
        assert_eq!(remark(location), Some(ADMIN_PAGE), "{location}");
    }
    for location in ["//northwind-tea/password", "https://evil.example/password", "/passwords", "/admin/api/x", ""] {
        assert_eq!(remark(location), Some("a redirect"), "{location}");
    }
}

#[test]
fn wait_follows_shopify_up_to_one_day() {
    let header = |retry_after: Option<f64>| {
        let mut answer = page(429, "");
        answer.head.retry_after = retry_after;
        installed(&asked(), &answer).unwrap_err().wait_seconds
    };
    for (said, wait) in [
        (Some(2.0), 2),
        (Some(2.4), 3),
        (Some(0.0), 1),
        (Some(-5.0), 1),
        (Some(120.0), 120),
        (Some(3600.0), 3600),
        (Some(1e12), 86_400),
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
    assert_eq!(cost(100_000.0, 0.0, 50.0), Some(2000));
    assert_eq!(installed(&asked(), &answer(200, &coded("THROTTLED"))).unwrap_err().wait_seconds, Some(10));
}

//! The server's egress addresses, in the guide and next to failed tests that need them: with and without
//! `CARTWRIGHT_EGRESS_ADDRESSES`, for administrators, viewers and unauthenticated visitors.

use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use crate::support::{Options, Page, TestApp, cast::VERA};

const LISTED: &str = "8.8.4.4,2606:4700::/48";
const HELP: &str = "#allowlist";
const RESULT: &str = "#connection-test";
const UNLISTED: &str =
    "The addresses that Order Time calls from are not listed on this server. Ask your IT team for them";

async fn start(pool: PgPool, egress_addresses: &'static str) -> TestApp {
    TestApp::start_with(pool, Options { egress_addresses, ..Options::default() }).await
}

/// The pages with the list: reader, selector of the list, page.
async fn pages(app: &TestApp) -> Vec<(&'static str, &'static str, Page)> {
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Forbidden));
    let editor = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_eq!(editor.class(), "ADDRESS_REFUSED", "{editor}");
    let vera = app.sign_in_as(&VERA).await;
    vec![
        ("administrator", HELP, priya.visit("/admin/ecommerce/shopify/new").await),
        ("administrator", HELP, priya.visit("/help").await),
        ("administrator", RESULT, priya.visit(&editor.path).await),
        ("viewer", HELP, vera.visit("/help").await),
        ("viewer", RESULT, vera.visit(&editor.path).await),
    ]
}

#[sqlx::test]
async fn listed_addresses_are_shown_to_every_signed_in_user(pool: PgPool) {
    let app = start(pool, LISTED).await;
    for (reader, place, page) in pages(&app).await {
        let text = page.text(place);
        assert!(text.contains("8.8.4.4") && text.contains("2606:4700::/48"), "{reader}, {}: {text}", page.path);
        let copied = page.attribute(&format!("{place} button[data-copy=\"{LISTED}\"]"), "data-copy");
        assert_eq!(copied.as_deref(), Some(LISTED), "{reader}, {}: {text}", page.path);
        assert!(!text.contains("CARTWRIGHT_EGRESS_ADDRESSES"), "{reader}, {}: {text}", page.path);
    }
}

#[sqlx::test]
async fn unlisted_addresses_are_replaced_by_a_hint(pool: PgPool) {
    let app = start(pool, "").await;
    for (reader, place, page) in pages(&app).await {
        let text = page.text(place);
        assert!(text.contains(UNLISTED), "{reader}, {}: {text}", page.path);
        assert!(text.contains("can list them in CARTWRIGHT_EGRESS_ADDRESSES"), "{reader}, {}: {text}", page.path);
    }
}

#[sqlx::test]
async fn addresses_are_not_shown_before_sign_in(pool: PgPool) {
    let app = start(pool, LISTED).await;
    let stranger = app.browser();
    let help = stranger.visit("/help").await;
    assert!(help.text(HELP).contains("Sign in to see the addresses that Order Time calls from."), "{help}");
    assert!(!help.html.contains("8.8.4.4") && !help.html.contains("2606:4700"), "{help}");
    for path in ["/admin/ecommerce/shopify/new", "/admin/ecommerce"] {
        let page = stranger.visit(path).await;
        assert!(!page.html.contains("8.8.4.4"), "{page}");
    }
}

//! Drafts keep their last test and whether they become active when a test passes.

use super::*;
use crate::support::{cast::VERA, dump::tamper, routes::cart_of};

const PAUSED: &str = "Test failed: This store is paused by Shopify";

/// Saves a new cart whose test failed.
async fn paused(app: &TestApp, priya: &Browser) -> Page {
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Frozen));
    app.connect(priya, "Northwind Tea", "northwind-tea").await
}

async fn wishes(app: &TestApp) -> Vec<(bool, bool, String)> {
    sqlx::query_as("select is_active, activate_on_pass, status from carts order by website_name")
        .fetch_all(&app.pool)
        .await
        .expect("carts")
}

fn state(is_active: bool, waits: bool, status: &str) -> (bool, bool, String) {
    (is_active, waits, status.to_owned())
}

#[sqlx::test]
async fn failed_test_stays_the_last_test_of_the_draft_cart(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = paused(&app, &priya).await;
    assert_eq!(page.class(), "STORE_FROZEN", "{page}");
    assert!(
        page.text("main")
            .contains("settle the bill. You do not need to change anything here. Test again when it is settled.")
    );
    assert!(!page.text("main").contains("We keep checking"), "{page}");
    assert_eq!(page.text("li[data-check=store]").split(" it is ").next(), Some("Store reached:"), "{page}");
    assert_eq!(page.text("p.status .muted"), PAUSED);
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.text("td .under"), PAUSED);
    assert_eq!(list.attribute("svg.spark", "aria-label").as_deref(), Some("Last check: 0 passed, 1 failed"));
    let health = priya.visit(&page.path.replace("/general", "/health")).await;
    let text = health.text("main");
    assert!(text.contains("Not checked before its test has passed.") && !text.contains("No problems in"), "{health}");
    // A later save of another field keeps the test.
    let mut page = page;
    page.fill("Website Name", "Northwind Tea London");
    let page = page.press("Save").await;
    assert_eq!((page.class().as_str(), page.text("p.status .muted").as_str()), ("STORE_FROZEN", PAUSED), "{page}");
}

#[sqlx::test]
async fn refused_tests_do_not_replace_the_last_test(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Frozen));
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    tamper(&app.pool, "update throttle set remaining = 0 where kind = 'person_test'").await;
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "TEST_LIMIT");
    let page = page.press("Save").await;
    assert_eq!((page.class().as_str(), page.text("p.status .muted").as_str()), ("STORE_FROZEN", PAUSED), "{page}");
}

#[sqlx::test]
async fn test_of_another_address_does_not_apply_to_the_draft(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Frozen));
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    app.open_store("northwind-b2b");
    page.fill("API URL", "northwind-b2b");
    let mut page = page.press("Enter a different token").await;
    page.fill("Access Token", expose(&app.practice.stores().find("northwind-b2b").expect("a store").access_token));
    let page = page.press("Save").await;
    assert_eq!(page.text("p.status .muted"), "Not tested yet", "{page}");
    assert!(!page.has("[data-outcome]"), "{page}");
}

#[sqlx::test]
async fn pass_older_than_thirty_minutes_does_not_count(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    page.check("Active");
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    let tests = "update connection_tests set started_at = started_at - $1, finished_at = finished_at - $1";
    tamper(&app.pool, &tests.replace("$1", "interval '31 minutes'")).await;
    let page = page.press("Save").await;
    assert_eq!(page.all("p.status .badge"), ["Draft"], "{page}");
    let line = page.text("p.status .muted");
    let (start, end) = ("Tested at ", " UTC, too long before it was saved. Test it again.");
    assert!(line.starts_with(start) && line.ends_with(end), "{line}");
    assert_eq!(wishes(&app).await, [state(false, true, "draft")], "an old pass does not turn the cart on");
    assert_eq!(priya.visit("/admin/ecommerce").await.text("td .under"), line);
    assert_eq!(priya.visit(&page.path.replace("/general", "/health")).await.text("p.status .muted"), line);
    assert!(page.text("#connection-test").contains("Test again before you turn this cart on."), "{page}");
    page.press("Test Connection").await;
    assert_eq!(wishes(&app).await, [state(true, false, "connected")]);
}

#[sqlx::test]
async fn draft_shows_a_transient_failure_immediately(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    for (scenario, title) in [
        (Canned::Unavailable, "Test failed: Shopify has a problem at the moment"),
        (Canned::BadRequest, "Test failed: A fault on our side stopped this test"),
    ] {
        app.practice.stores().set("northwind-tea", Scenario::Says(scenario));
        page.press("Test Connection").await;
        assert_eq!(priya.visit("/admin/ecommerce").await.text("td .under"), title);
    }
}

#[sqlx::test]
async fn replaced_credential_of_a_draft_shows_its_own_test(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    let mut page = page.press("Replace token").await;
    page.fill("Access Token", &format!("shpat_{}", "77ab".repeat(8)));
    let page = page.press("Test Connection").await.press("Save").await;
    assert_eq!(page.class(), "TOKEN_REFUSED", "{page}");
    assert_eq!(page.text("p.status .muted"), "Test failed: Shopify did not accept the access token");
}

#[sqlx::test]
async fn test_that_ends_after_the_save_counts_for_the_draft(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Held);
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    page.check("Active");
    let test = async {
        let page = page.press("Test Connection").await;
        assert_eq!(page.class(), "CONNECTED", "{page}");
    };
    let save = async {
        app.practice.journal().wait_for_requests(1).await;
        let saved = page.press("Save").await;
        assert_eq!(saved.all("p.status .badge"), ["Draft"], "{saved}");
        app.practice.stores().set("northwind-tea", Scenario::Well);
    };
    tokio::join!(test, save);
    assert_eq!(wishes(&app).await, [state(true, false, "connected")]);
}

#[sqlx::test]
async fn passing_test_turns_on_the_cart_that_waits_for_it(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = paused(&app, &priya).await;
    assert!(page.is_checked("Active"), "{page}");
    assert_eq!(wishes(&app).await, [state(false, true, "draft")]);
    page.press("Test Connection").await;
    assert_eq!(wishes(&app).await, [state(false, true, "draft")], "a failure keeps the cart waiting for a pass");
    app.practice.stores().set("northwind-tea", Scenario::Well);
    let tested = page.press("Test Connection").await;
    assert_eq!(tested.class(), "CONNECTED");
    assert_eq!(wishes(&app).await, [state(true, false, "connected")]);
    let all = events(&app.pool).await;
    assert_eq!(all[all.len() - 2..], ["tested", "cart_turned_on"], "{all:?}");
    // The form that was loaded before does not conflict.
    assert_saved(&tested.press("Save").await, "Northwind Tea is saved.", "Connected");
}

#[sqlx::test]
async fn check_now_and_bulk_test_turn_on_a_waiting_cart(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = paused(&app, &priya).await;
    app.practice.stores().set("northwind-tea", Scenario::Well);
    priya.visit(&page.path.replace("/general", "/health")).await.press("Check now").await;
    assert_eq!(wishes(&app).await, [state(true, false, "connected")]);
    app.open_store("northwind-b2b");
    let mut page = app.fill_new(&priya, "Old store", "northwind-b2b").await;
    page.check("Active");
    page.press("Save").await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check("All carts, on every page");
    list.press("Test the selected carts").await;
    app.app.bulk_actions.drain().await.expect("bulk action runs");
    assert_eq!(wishes(&app).await, [state(true, false, "connected"), state(true, false, "connected")]);
}

#[sqlx::test]
async fn unticking_active_stops_waiting_for_a_pass(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = paused(&app, &priya).await;
    page.uncheck("Active");
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Tea is saved as a draft. Test the connection before you turn it on.", "Draft");
    assert_eq!(wishes(&app).await, [state(false, false, "draft")]);
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("cart_changed"));
    app.practice.stores().set("northwind-tea", Scenario::Well);
    page.press("Test Connection").await;
    assert_eq!(wishes(&app).await, [state(false, false, "inactive")]);
}

#[sqlx::test]
async fn bulk_turn_off_and_disconnect_stop_waiting_for_a_pass(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = paused(&app, &priya).await.path;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check("Select Northwind Tea");
    list.press("Turn off the selected carts").await.press("Turn off").await;
    app.app.bulk_actions.drain().await.expect("bulk action runs");
    assert_eq!(wishes(&app).await, [state(false, false, "draft")]);
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("cart_changed"));
    let mut page = priya.visit(&path).await;
    page.check("Active");
    let page = page.press("Save").await;
    assert_eq!(wishes(&app).await, [state(false, true, "draft")]);
    page.follow("Disconnect").await.press("Disconnect").await;
    assert_eq!(wishes(&app).await, [state(false, false, "draft")]);
}

#[sqlx::test]
async fn integration_that_is_off_keeps_carts_waiting_for_a_pass(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = paused(&app, &priya).await;
    app.app.integration.switch(cartwright::audit::By::operator(), false).await.expect("turned off");
    assert_eq!(wishes(&app).await, [state(false, true, "draft")]);
    app.practice.stores().set("northwind-tea", Scenario::Well);
    let page = page.press("Test Connection").await;
    assert_eq!(wishes(&app).await, [state(true, false, "connected")]);
    let text = page.text("#connection-test");
    assert!(text.contains("Turn on Ecommerce Integration when you are ready to sync."), "{text}");
    let page = priya.visit(&format!("/admin/ecommerce/shopify/{}/general", cart_of(&page.path))).await;
    assert_eq!(page.text("p.status .muted"), "Ecommerce Integration is off");
}

#[sqlx::test]
async fn viewer_reads_that_the_cart_turns_on_when_its_test_passes(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = paused(&app, &priya).await;
    let seen = app.sign_in_as(&VERA).await.visit(&page.path).await;
    assert!(seen.text("main").contains("On when the test passes"), "{seen}");
}

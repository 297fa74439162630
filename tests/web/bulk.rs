//! Bulk actions: started on the list, processed in the background by any replica, summarized at the end.

use axum::http::StatusCode;
use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{PRIYA, VERA},
    dump::{count, events, tamper},
};

/// Three carts: one connected, one with a limit, one inactive whose token is refused.
async fn three(pool: PgPool) -> (TestApp, Browser) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    for (name, handle) in [("Northwind Tea", "northwind-tea"), ("Northwind Wholesale", "northwind-b2b")] {
        app.open_store(handle);
        app.connect(&priya, name, handle).await;
    }
    app.open_store("old-store");
    app.draft(&priya, "Old store", "old-store").await;
    app.practice.stores().set("northwind-b2b", Scenario::ScopesMissing(&["write_inventory"]));
    app.practice.stores().set("old-store", Scenario::Says(Canned::Unauthorized));
    (app, priya)
}

async fn work(app: &TestApp) {
    app.app.bulk_actions.drain().await.expect("bulk action runs");
}

const TEST: &str = "Test the selected carts";
const TURN_OFF: &str = "Turn off the selected carts";
const ALL: &str = "All carts, on every page";

#[sqlx::test]
async fn bulk_test_covers_all_carts_and_summarizes_the_results(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let before = events(&app.pool).await.len();
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check(ALL);
    let page = list.press(TEST).await;
    assert_eq!((page.h1().as_str(), page.text("#so-far").as_str()), ("Testing 3 carts", "0 of 3"), "{page}");
    assert_eq!(page.headers["refresh"], "2", "the page refreshes without script");
    // Another user can watch, and a single test is still possible.
    let vera = app.sign_in_as(&VERA).await.visit(&page.path).await;
    assert!(vera.h1() == "Testing 3 carts" && !vera.has_button("Stop"), "{vera}");
    work(&app).await;
    let page = priya.visit(&page.path).await;
    assert_eq!(page.h1(), "3 carts are tested");
    assert_eq!(page.text("#so-far"), "1 connected, 1 with limits, 1 not connected.");
    assert!(!page.headers.contains_key("refresh") && !page.has("progress"), "{page}");
    let list = page.follow("See all carts").await;
    assert_eq!(list.all("td .badge"), ["Connected", "Needs attention", "Draft"]);
    let all = events(&app.pool).await;
    let of = |event: &str| all[before..].iter().filter(|one| *one == event).count();
    assert_eq!((of("bulk_started"), of("tested")), (1, 3), "{all:?}");
    let person: String =
        sqlx::query_scalar("select actor_name from audit_events where event = 'tested' order by at desc limit 1")
            .fetch_one(&app.pool)
            .await
            .expect("a test");
    assert_eq!(person, "Priya Shah");
}

#[sqlx::test]
async fn bulk_turn_off_affects_selected_carts_after_confirmation(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check("Select Northwind Tea");
    list.check("Select Old store");
    let ask = list.press(TURN_OFF).await;
    assert_eq!(ask.h1(), "Turn off 1 cart?", "one of the two is already off: {ask}");
    assert_eq!(ask.follow("Cancel").await.path, "/admin/ecommerce");
    assert_eq!(count(&app.pool, "jobs").await, 0);
    let page = ask.press("Turn off").await;
    assert_eq!(page.h1(), "Turning off 2 carts", "{page}");
    work(&app).await;
    let page = priya.visit(&page.path).await;
    assert_eq!(page.text("#so-far"), "1 turned off, 1 off already.");
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.all("td .badge"), ["Inactive", "Connected", "Draft"]);
    assert_eq!(list.all("td .under")[0], "Turned off by Priya Shah");
    let last = events(&app.pool).await;
    assert_eq!(last[last.len() - 2..], ["bulk_started", "cart_turned_off"]);
}

#[sqlx::test]
async fn bulk_selection_follows_filter_and_search(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let page = priya.visit("/admin/ecommerce").await.press(TEST).await;
    assert_eq!(page.banner(), "Select at least one cart.", "{page}");
    let mut list = priya.visit("/admin/ecommerce?show=inactive").await;
    list.check("All that are inactive, on every page");
    assert_eq!(list.press(TURN_OFF).await.banner(), "None of these carts is active.");
    let mut list = priya.visit("/admin/ecommerce?show=active&q=tea").await;
    list.check("All that are active with “tea”, on every page");
    assert_eq!(list.press(TEST).await.h1(), "Testing 1 cart");
    assert_eq!(count(&app.pool, "job_items").await, 1);
}

#[sqlx::test]
async fn stopped_bulk_action_leaves_the_remaining_carts(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check(ALL);
    let page = list.press(TEST).await;
    app.practice.journal().clear();
    let stopped = page.press("Stop").await;
    assert_eq!(stopped.h1(), "Stopped after 0 of 3 carts", "{stopped}");
    work(&app).await;
    app.assert_nothing_was_called();
    assert_eq!(priya.visit(&page.path).await.h1(), "Stopped after 0 of 3 carts");
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("bulk_cancelled"));
    // Stopping again changes nothing.
    page.press("Stop").await;
    assert_eq!(count(&app.pool, "audit_events where event = 'bulk_cancelled'").await, 1);
}

#[sqlx::test]
async fn tests_in_bulk_and_by_hand_share_the_limit_of_ten_a_minute(pool: PgPool) {
    let (app, priya) = three(pool).await;
    tamper(&app.pool, "delete from throttle").await;
    let bulk = async || {
        let mut list = priya.visit("/admin/ecommerce").await;
        list.check("Select Northwind Tea");
        let page = list.press(TEST).await;
        work(&app).await;
        priya.visit(&page.path).await
    };
    let cart = priya.visit("/admin/ecommerce").await.follow("Northwind Tea").await;
    app.practice.journal().clear();
    for n in 1..=9 {
        let page = bulk().await;
        assert_eq!((page.h1().as_str(), page.text("#so-far").as_str()), ("1 cart is tested", "1 connected."), "{n}");
    }
    assert_eq!(cart.press("Test Connection").await.class(), "CONNECTED");
    let asked = app.practice.journal().requests().len();
    let page = bulk().await;
    assert_eq!(page.h1(), "0 of 1 cart is tested");
    assert_eq!(page.text("#so-far"), "1 not tested, because a store is tested at most ten times a minute.");
    assert_eq!(cart.press("Test Connection").await.class(), "TEST_LIMIT");
    assert_eq!(app.practice.journal().requests().len(), asked, "neither test reached Shopify");
}

#[sqlx::test]
async fn bulk_action_of_a_disabled_or_demoted_user_changes_nothing(pool: PgPool) {
    let (app, priya) = three(pool).await;
    for (deed, ended) in [
        (TEST, "update users set disabled_at = now() where email = 'priya@northwind.example'"),
        (TURN_OFF, "update users set role = 'viewer' where email = 'priya@northwind.example'"),
    ] {
        let mut list = priya.visit("/admin/ecommerce").await;
        list.check("Select Northwind Tea");
        let mut page = list.press(deed).await;
        if deed == TURN_OFF {
            page = page.press("Turn off").await;
        }
        app.practice.journal().clear();
        tamper(&app.pool, ended).await;
        let before = events(&app.pool).await;
        work(&app).await;
        app.assert_nothing_was_called();
        assert_eq!(events(&app.pool).await, before, "{deed}");
        tamper(&app.pool, "update users set role = 'administrator', disabled_at = null where email like 'priya%'")
            .await;
        let said = priya.visit(&page.path).await.text("#so-far");
        assert_eq!(said, "1 not done, because the person who started this may no longer make changes.", "{deed}");
    }
    // Signing out does not stop an action that was started.
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check("Select Northwind Tea");
    let page = list.press(TEST).await;
    tamper(&app.pool, "delete from sessions").await;
    work(&app).await;
    let page = app.sign_in_as(&PRIYA).await.visit(&page.path).await;
    assert_eq!(page.text("#so-far"), "1 connected.");
}

/// Items leased by a killed replica are processed by another when the lease expires.
#[sqlx::test]
async fn bulk_action_continues_on_another_replica_after_a_kill(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check(ALL);
    let page = list.press(TEST).await;
    tamper(&app.pool, "update job_items set leased_until = now() + interval '1 minute' where position = 2").await;
    work(&app).await;
    let held = priya.visit(&page.path).await;
    assert_eq!((held.h1().as_str(), held.text("#so-far").as_str()), ("Testing 3 carts", "2 of 3"), "{held}");
    tamper(&app.pool, "update job_items set leased_until = now() - interval '1 second' where outcome is null").await;
    work(&app).await;
    assert_eq!(priya.visit(&page.path).await.h1(), "3 carts are tested");
}

#[sqlx::test]
async fn two_replicas_share_a_bulk_action_without_repetition(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check(ALL);
    let page = list.press(TURN_OFF).await.press("Turn off").await;
    tokio::join!(work(&app), work(&app), work(&app));
    let page = priya.visit(&page.path).await;
    assert_eq!(
        (page.status, page.text("#so-far").as_str()),
        (StatusCode::OK, "2 turned off, 1 off already."),
        "{page}"
    );
    assert_eq!(count(&app.pool, "audit_events where event = 'cart_turned_off'").await, 2);
}

#[sqlx::test]
async fn carts_without_a_secret_and_deleted_carts_are_counted_separately(pool: PgPool) {
    let (app, priya) = three(pool).await;
    let path = priya.visit("/admin/ecommerce").await.follow("Old store").await.path;
    priya.visit(&path).await.follow("Disconnect").await.press("Disconnect").await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.check(ALL);
    let page = list.press(TEST).await;
    tamper(&app.pool, "delete from carts where website_name = 'Northwind Wholesale'").await;
    work(&app).await;
    let page: Page = priya.visit(&page.path).await;
    assert_eq!(page.text("#so-far"), "1 connected, 1 without a saved credential, not tested, 1 deleted meanwhile.");
    assert_eq!(
        priya.visit("/admin/ecommerce/bulk/00000000000000000000000000000001").await.status,
        StatusCode::NOT_FOUND
    );
}

//! How long a test result applies: to the same store at another address, to a form changed since, to the cart.

use cartwright::practice::{Canned, PracticeStore, Scenario};
use sqlx::PgPool;

use crate::support::{
    Page, TestApp,
    dump::{count, tamper},
    expose,
    routes::cart_of,
};

/// The line below a verdict that names the fields changed since; empty if none.
fn changed(page: &Page) -> String {
    page.all("[data-changed]:not([hidden])").join(" ")
}

#[sqlx::test]
async fn store_that_a_test_found_in_another_cart_is_not_saved(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let first = app.open_store("northwind-tea");
    let cart = cart_of(&app.connect(&priya, "Northwind Tea", "northwind-tea").await.path);
    let twin = PracticeStore { shop_id: first.shop_id, ..PracticeStore::sample("northwind-twin") };
    app.practice.stores().put("northwind-twin", twin);
    let page = app.fill_new(&priya, "Northwind Twin", "northwind-twin").await.press("Test Connection").await;
    assert_eq!(page.class(), "DUPLICATE");
    let page = page.press("Save").await;
    assert_eq!((page.status.as_u16(), page.complaint_class("API URL").as_str()), (422, "DUPLICATE"), "{page}");
    let (_, sentence) = page.complaint("API URL").expect("field error");
    assert_eq!(
        sentence,
        "Northwind Tea already uses this store. Open it instead of adding it again. Open Northwind Tea"
    );
    assert_eq!(count(&app.pool, "carts").await, 1);
    assert_eq!(page.value("Website Name"), "Northwind Twin", "no input is lost");
    let other = format!("/admin/ecommerce/shopify/{cart}/general");
    assert_eq!(page.follow("Open Northwind Tea").await.path, other);
}

#[sqlx::test]
async fn a_cart_cannot_move_to_the_store_of_another_one(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let first = app.open_store("northwind-tea");
    app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    app.open_store("northwind-b2b");
    // A draft has no known shop yet, so only the other cart's shop id can reveal the duplicate.
    let mut page = app.draft(&priya, "Northwind Wholesale", "northwind-b2b").await;
    let twin = PracticeStore { shop_id: first.shop_id, ..PracticeStore::sample("northwind-twin") };
    let twin = app.practice.stores().put("northwind-twin", twin);
    page.fill("API URL", "northwind-twin");
    page = page.press("Replace token").await;
    page.fill("Access Token", expose(&twin.access_token));
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "DUPLICATE", "{page}");
    let page = page.press("Save").await;
    assert_eq!((page.status.as_u16(), page.complaint_class("API URL").as_str()), (422, "DUPLICATE"), "{page}");
}

#[sqlx::test]
async fn two_concurrent_tests_of_one_store_give_it_to_one_cart(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let sam = app.sign_in_as(&crate::support::cast::SAM).await;
    let first = app.open_store("northwind-tea");
    let twin = PracticeStore { shop_id: first.shop_id, ..PracticeStore::sample("northwind-twin") };
    app.practice.stores().put("northwind-twin", twin);
    let (one, two) = (app.draft(&priya, "One", "northwind-tea").await, app.draft(&sam, "Two", "northwind-twin").await);
    for handle in ["northwind-tea", "northwind-twin"] {
        app.practice.stores().set(handle, Scenario::Held);
    }
    let release = async {
        app.practice.journal().wait_for_requests(2).await;
        for handle in ["northwind-tea", "northwind-twin"] {
            app.practice.stores().set(handle, Scenario::Well);
        }
    };
    let (one, two, ()) = tokio::join!(one.press("Test Connection"), two.press("Test Connection"), release);
    let mut classes = [one.class(), two.class()];
    classes.sort();
    assert_eq!(classes, ["CONNECTED", "DUPLICATE"]);
    assert_eq!(count(&app.pool, "connection_tests where finished_at is null").await, 0, "both are recorded");
    assert_eq!(count(&app.pool, "carts where shop_id is not null").await, 1);
}

#[sqlx::test]
async fn result_names_later_changes_without_script(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.open_store("northwind-b2b");
    let mut tested = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    assert_eq!((tested.class().as_str(), changed(&tested).as_str()), ("CONNECTED", ""));

    // The connection has not changed, so the result applies unchanged.
    tested.fill("Website Name", "");
    let page = tested.press("Save").await;
    assert_eq!(
        (page.status.as_u16(), page.class().as_str(), changed(&page).as_str()),
        (422, "CONNECTED", ""),
        "{page}"
    );

    tested.fill("API URL", "northwind-b2b");
    let page = tested.press("Save").await;
    assert!(!page.has("[data-outcome]"), "another store's result is not shown for this form: {page}");
    tested.fill("API URL", "https://www.northwindtea.com");
    assert!(!tested.press("Save").await.has("[data-outcome]"));

    tested.fill("API URL", "northwind-tea");
    let mut other = tested.press("Enter a different token").await;
    assert_eq!(changed(&other), "You changed the access token after this test. Test again.", "{other}");
    other.fill("Access Token", &format!("shpat_{}", "b2".repeat(16)));
    let page = other.press("Save").await;
    assert_eq!(changed(&page), "You changed the access token after this test. Test again.", "{page}");
    let token = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    let mut again = page.press("Enter a different token").await;
    again.fill("Access Token", &token);
    assert_eq!(changed(&again.press("Save").await), "", "the tested token");

    tested.choose("Client ID and Client secret");
    let page = tested.press("Save").await;
    assert_eq!(changed(&page), "You changed the kind of credential after this test. Test again.", "{page}");
}

#[sqlx::test]
async fn untested_new_secret_hides_the_saved_result(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let mut page = page.press("Replace token").await;
    assert_eq!(
        (page.class().as_str(), changed(&page).as_str()),
        ("CONNECTED", ""),
        "a blank field keeps the saved token"
    );
    page.fill("Access Token", &format!("shpat_{}", "b2".repeat(16)));
    let page = page.press("Save").await;
    assert!(page.banner().contains("still uses the old access token"), "{page}");
    assert_eq!(page.class(), "CONNECTED");
    assert_eq!(changed(&page), "You changed the access token after this test. Test again.", "{page}");
    let page = page.press("Test Connection").await;
    assert_eq!((page.class().as_str(), changed(&page).as_str()), ("TOKEN_REFUSED", ""));
    let page = priya.visit(&format!("/admin/ecommerce/shopify/{}/general", cart_of(&page.path))).await;
    assert_eq!((page.class().as_str(), changed(&page).as_str()), ("TOKEN_REFUSED", ""), "the draft's own result");
}

#[sqlx::test]
async fn disconnected_cart_shows_no_result(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert!(page.has("[data-outcome]"), "{page}");
    let page = page.follow("Disconnect").await.press("Disconnect").await;
    let cart = priya.visit(&format!("/admin/ecommerce/shopify/{}/general", cart_of(&page.path))).await;
    assert!(!cart.has("[data-outcome]"), "{cart}");
}

#[sqlx::test]
async fn one_of_many_concurrent_tests_reaches_shopify(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.practice.stores().put("northwind-tea", PracticeStore::sample("northwind-tea").with(Scenario::Held));
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    let mut presses: tokio::task::JoinSet<Page> = (0..3).map(|_| page.press("Test Connection")).collect();
    // Tests that are refused return at once; the admitted one waits for Shopify.
    for _ in 0..2 {
        let told = tokio::time::timeout(std::time::Duration::from_mins(1), presses.join_next()).await;
        let page = told.expect("only one test is admitted").expect("three submits").expect("a page");
        assert_eq!(page.verdict().2, "A test is already running");
    }
    app.practice.journal().wait_for_requests(1).await;
    assert_eq!(app.practice.journal().requests().len(), 1);
    app.practice.stores().set("northwind-tea", Scenario::Well);
    assert_eq!(presses.join_next().await.expect("the admitted test").expect("a page").class(), "CONNECTED");
}

#[sqlx::test]
async fn limit_of_a_hundred_tests_a_minute_is_named_as_such(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.practice
        .stores()
        .put("northwind-tea", PracticeStore::sample("northwind-tea").with(Scenario::Says(Canned::Unauthorized)));
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    assert_eq!(page.press("Test Connection").await.class(), "TOKEN_REFUSED");
    tamper(&app.pool, "update throttle set remaining = 0 where kind = 'person_test'").await;
    let (_, class, title) = page.press("Test Connection").await.verdict();
    assert_eq!((class.as_str(), title.as_str()), ("TEST_LIMIT", "You have tested 100 times in a minute"));
}

/// The ticked steps of the selected kind's guide, and the number that it shows as done.
fn ticked(page: &Page) -> (usize, String) {
    (page.all(".only-token .step.done").len(), page.text("h2 .only-token [data-count]"))
}

#[sqlx::test]
async fn guide_ticks_tested_steps_without_script(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await;
    page.fill("Website Name", "");
    page = page.press("Save").await;
    assert_eq!(ticked(&page), (0, "0".into()), "an address that was typed shows no app: {page}");
    page.fill("Website Name", "Northwind Tea");
    page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED");
    assert_eq!(ticked(&page), (4, "4".into()), "{page}");
}

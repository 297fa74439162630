//! Saves of existing carts: a working connection keeps working.

use super::*;

#[sqlx::test]
async fn edit_without_connection_changes_keeps_the_connection(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    app.practice.journal().clear();
    page.fill("Website Name", "Northwind Tea London");
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Tea London is saved.", "Connected");
    app.assert_nothing_was_called();
    let change: serde_json::Value = sqlx::query_scalar("select data from audit_events where event = 'cart_changed'")
        .fetch_one(&app.pool)
        .await
        .expect("a change");
    let expected = serde_json::json!({"changes": [{"field": "Website Name", "before": "Northwind Tea", "after": "Northwind Tea London"}]});
    assert_eq!(change, expected);
}

#[sqlx::test]
async fn new_secret_that_passed_is_used_at_once(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let next = format!("shpat_{}", "77ab".repeat(8));
    app.practice.stores().change("northwind-tea", |store| store.access_token = next.clone().into());
    let mut page = page.press("Replace token").await;
    page.fill("Access Token", &next);
    let page = page.press("Test Connection").await.press("Save").await;
    assert_saved(&page, "Northwind Tea is saved. The new access token (ends in 77ab) is in use.", "Connected");
    assert!(page.is_checked("Active"));
}

#[sqlx::test]
async fn new_secret_that_did_not_pass_keeps_the_old_one_in_use(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let mut page = page.press("Replace token").await;
    assert_eq!(page.text("#access_token-h"), "The saved token keeps working until the new one has passed its test.");
    page.fill("Access Token", &format!("shpat_{}", "77ab".repeat(8)));
    page.fill("Website Name", "Northwind Tea London");
    let page = page.press("Save").await;
    let banner =
        "Northwind Tea London is saved, but still uses the old access token. Test the new one, then save again.";
    assert_saved(&page, banner, "Connected");
}

#[sqlx::test]
async fn keeping_the_saved_secret_hides_the_field(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await.press("Replace token").await;
    assert!(page.has_field("Access Token"), "{page}");
    let page = page.press("Keep the saved token").await;
    assert!(!page.has_field("Access Token") && page.has_button("Replace token"), "{page}");
    assert_saved(&page.press("Save").await, "Northwind Tea is saved.", "Connected");
}

#[sqlx::test]
async fn unticking_active_makes_the_cart_inactive_and_keeps_its_data(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.uncheck("Active");
    let mut page = page.press("Save").await;
    let banner =
        "Northwind Tea is inactive. Nothing syncs and nothing is checked. Its settings and access token are kept.";
    assert_saved(&page, banner, "Inactive");
    assert_eq!(page.text("p.status .muted"), "Turned off by Priya Shah");
    app.practice.journal().clear();
    page.check("Active");
    assert_saved(&page.press("Save").await, "Northwind Tea is saved and connected.", "Connected");
    app.assert_nothing_was_called();
    let all = events(&app.pool).await;
    assert_eq!(all[all.len() - 2..], ["cart_turned_off", "cart_turned_on"]);
}

#[sqlx::test]
async fn every_banner_says_that_the_integration_is_off(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let asked = {
        let mut list = priya.visit("/admin/ecommerce").await;
        list.uncheck("Active");
        list.press("Update").await
    };
    assert_eq!(asked.h1(), "Turn off Ecommerce Integration?");
    let sentence =
        "Orders, stock and products stop syncing for 1 cart, and nothing is checked. Your settings are kept.";
    assert_eq!(asked.text("main .lead"), sentence);
    let list = asked.press("Turn off").await;
    assert_eq!(list.all("td .badge"), ["Inactive"], "{list}");
    assert_eq!(list.text("td .under"), "Ecommerce Integration is off");
    page.fill("Website Name", "Northwind Tea London");
    let page = page.press("Save").await;
    assert_eq!(
        page.banner(),
        "Northwind Tea London is saved. Ecommerce Integration is off, so nothing syncs yet. Turn it on",
        "{page}"
    );
    // No cart can be added while the integration is off.
    for path in ["/admin/ecommerce/add", "/admin/ecommerce/shopify/new"] {
        assert_eq!(priya.visit(path).await.h1(), "Turn on Ecommerce Integration to add a cart");
    }
    let gallery = priya.visit("/admin/ecommerce/add").await.press("Turn on and add a cart").await;
    assert_eq!(gallery.h1(), "Add a cart");
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .badge"), ["Connected"]);
}

#[sqlx::test]
async fn cart_never_becomes_another_store(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    app.practice.stores().put(
        "northwind-b2b",
        PracticeStore { name: "Northwind Wholesale".into(), ..PracticeStore::sample("northwind-b2b") },
    );
    let token = expose(&app.practice.stores().find("northwind-b2b").expect("a store").access_token).to_owned();
    let mut page = priya.visit(&path).await;
    page.fill("API URL", "northwind-b2b");
    let mut page = page.press("Replace token").await;
    page.fill("Access Token", &token);
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "WRONG_STORE", "{page}");
    let page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let (class, sentence) = page.complaint("API URL").expect("field error");
    assert_eq!(class, "WRONG_STORE");
    assert_eq!(
        sentence,
        "This cart was set up for Northwind Tea. The address and the secret you entered open Northwind Wholesale. Add it as a new cart"
    );
    let (host, status): (String, String) =
        sqlx::query_as("select store_host, status from carts").fetch_one(&app.pool).await.expect("the cart");
    assert_eq!((host.as_str(), status.as_str()), ("northwind-tea.myshopify.com", "connected"), "nothing was replaced");
    // After a disconnect, the cart still belongs to its store.
    priya.visit(&path).await.follow("Disconnect").await.press("Disconnect").await;
    let mut page = priya.visit(&path).await;
    page.fill("API URL", "northwind-b2b");
    page.fill("Access Token", &token);
    let page = page.press("Test Connection").await.press("Save").await;
    assert_eq!(page.complaint_class("API URL"), "WRONG_STORE", "{page}");
}

//! Change the address, keep the secret: the most dangerous request here. A stored secret is sent only to the host for
//! which it was entered, whatever is tried; the stand-in's journal shows what was really sent.

use axum::http::{Method, StatusCode};
use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use crate::support::{Browser, Page, TestApp, cast::SAM, dump::tamper, expose, routes::cart_of};

/// Every route that takes an address or a secret. Each is attacked below; a new one fails here until it is added.
const TAKES_AN_ADDRESS: [&str; 4] = [
    "/admin/ecommerce/shopify/new",
    "/admin/ecommerce/shopify/new/connection-tests",
    "/admin/ecommerce/shopify/{cart}/general",
    "/admin/ecommerce/shopify/{cart}/connection-tests",
];
/// Every other form of the site: none has a field for a store's address or for a store's secret.
const TAKES_NONE: [&str; 25] = [
    "/set-up",
    "/sign-in",
    "/sign-out",
    "/admin/account",
    "/admin/account/theme",
    "/admin/account/password",
    "/admin/account/sessions",
    "/admin/users/new",
    "/admin/users/{user}",
    "/admin/users/{user}/link",
    "/admin/users/{user}/sessions",
    "/admin/users/{user}/deactivation",
    "/admin/users/{user}/activation",
    "/admin/api-keys/new",
    "/admin/api-keys/{key}/rotation",
    "/admin/api-keys/{key}/revocation",
    "/admin/alerts",
    "/admin/alerts/secret",
    "/admin/alerts/trials",
    "/admin/ecommerce/switch",
    "/admin/ecommerce/bulk",
    "/admin/ecommerce/bulk/{bulk}/cancellation",
    "/admin/ecommerce/shopify/{cart}/disconnection",
    "/admin/ecommerce/shopify/{cart}/deletion",
    "/admin/ecommerce/shopify/{cart}/locations",
];
/// This route takes at most a version and tests the saved credential.
const TESTS_WHAT_IS_SAVED: &str = "/admin/ecommerce/shopify/{cart}/health";

#[test]
fn every_route_that_takes_a_secret_is_listed() {
    let table = cartwright::web::routes::table();
    let mut known: Vec<&str> = TAKES_AN_ADDRESS.into_iter().chain(TAKES_NONE).chain([TESTS_WHAT_IS_SAVED]).collect();
    let mut routes: Vec<&str> =
        table.iter().filter(|route| route.method != Method::GET).map(|route| route.path).collect();
    known.sort_unstable();
    routes.sort_unstable();
    assert_eq!(routes, known, "a new route: test it with a changed address and a blank secret in this file");
}

/// Priya with a connected cart, and a second open store.
async fn connected(pool: PgPool) -> (TestApp, Browser, String) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.open_store("northwind-b2b");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_eq!(page.banner(), "Northwind Tea is saved and connected. See all carts");
    app.practice.journal().clear();
    let path = page.path.clone();
    (app, priya, path)
}

/// The stored secret (ciphertext) and its host.
async fn sealed(app: &TestApp) -> (String, Option<Vec<u8>>) {
    sqlx::query_as("select store_host, secret from carts where website_name like 'Northwind Tea%'")
        .fetch_one(&app.pool)
        .await
        .expect("the cart")
}

#[track_caller]
fn assert_asked_again(page: &Page, class: &str, field: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    assert_eq!(page.complaint_class(field), class, "{page}");
    assert_eq!(page.summary().len(), 1, "{page}");
    assert_eq!(page.value(field), "");
}

#[sqlx::test]
async fn blank_secret_for_another_store_is_refused(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let before = sealed(&app).await;
    for button in ["Test Connection", "Save"] {
        for address in [
            "northwind-b2b",
            "https://northwind-b2b.myshopify.com/admin",
            "https://admin.shopify.com/store/northwind-b2b",
        ] {
            let mut page = priya.visit(&path).await;
            page.fill("API URL", address);
            let page = page.press(button).await;
            assert_asked_again(&page, "STORE_CHANGED", "Access Token");
            assert_eq!(
                page.complaint("Access Token").expect("field error").1,
                "You changed the store. Enter the access token for northwind-b2b. We do not send one store's token to another"
            );
            // Again from the page with the error.
            assert_asked_again(&page.press(button).await, "STORE_CHANGED", "Access Token");
            let partial = {
                let mut page = priya.visit(&path).await;
                page.fill("API URL", address);
                page.knock(button).header("x-partial", "1").send().await
            };
            assert_eq!(partial.status, StatusCode::UNPROCESSABLE_ENTITY);
        }
    }
    assert_eq!(sealed(&app).await, before);
    app.assert_nothing_was_called();
    // Back at its own store, the saved secret is usable.
    let page = priya.visit(&path).await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
}

#[sqlx::test]
async fn new_cart_has_no_saved_secret(pool: PgPool) {
    let (app, priya, _) = connected(pool).await;
    for button in ["Test Connection", "Save"] {
        for store in ["northwind-tea", "northwind-b2b"] {
            let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
            page.fill("Website Name", "Northwind Wholesale");
            page.fill("API URL", store);
            let page = page.press(button).await;
            assert_asked_again(&page, "TOKEN_EMPTY", "Access Token");
            assert_eq!(page.complaint("Access Token").expect("field error").1, "Enter the access token");
        }
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn other_credential_kind_does_not_use_the_saved_secret(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    for button in ["Test Connection", "Save"] {
        let mut page = priya.visit(&path).await;
        page.choose("Client ID and Client secret");
        page.fill("Client ID", &"c1".repeat(16));
        assert_asked_again(&page.press(button).await, "CLIENT_SECRET_EMPTY", "Client secret");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn other_client_id_does_not_use_the_saved_client_secret(pool: PgPool) {
    let (app, priya, _) = connected(pool).await;
    let store = app.practice.stores().find("northwind-b2b").expect("a store");
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", "Northwind Wholesale");
    page.fill("API URL", "northwind-b2b");
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", expose(&store.client_secret));
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    let path = page.press("Save").await.path;
    app.practice.journal().clear();
    for button in ["Test Connection", "Save"] {
        let mut page = priya.visit(&path).await;
        page.fill("Client ID", &"c1".repeat(16));
        assert_asked_again(&page.press(button).await, "CLIENT_SECRET_EMPTY", "Client secret");
        let mut page = priya.visit(&path).await;
        page.fill("API URL", "northwind-tea");
        assert_asked_again(&page.press(button).await, "STORE_CHANGED", "Client secret");
    }
    app.assert_nothing_was_called();
    let page = priya.visit(&path).await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
}

#[sqlx::test]
async fn address_suggested_by_shopify_requires_the_secret_again(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    app.practice
        .stores()
        .set("northwind-tea", Scenario::Redirect(301, Some("https://northwind-b2b.myshopify.com/admin")));
    let page = priya.visit(&path).await.press("Test Connection").await;
    assert_eq!(page.verdict().2, "This store is now called northwind-b2b", "{page}");
    let page = page.press("Use northwind-b2b.myshopify.com").await;
    assert_eq!(page.value("API URL"), "https://northwind-b2b.myshopify.com/admin");
    assert_eq!(page.value("Access Token"), "", "the field is shown again, empty");
    for button in ["Test Connection", "Save"] {
        assert_asked_again(&page.press(button).await, "STORE_CHANGED", "Access Token");
    }
    // The same with a draft secret.
    app.practice.stores().set("northwind-tea", Scenario::AlsoCalled("northwind-b2b"));
    let page = app.fill_new(&priya, "Northwind Wholesale", "northwind-b2b").await;
    let token = app.practice.stores().find("northwind-tea").expect("a store").access_token.clone();
    let mut page = page;
    page.fill("API URL", "northwind-tea");
    page.fill("Access Token", expose(&token));
    let page = page.press("Test Connection").await.press("Use it").await;
    assert_eq!(page.value("API URL"), "https://northwind-b2b.myshopify.com/admin");
    assert_asked_again(&page.press("Test Connection").await, "TOKEN_EMPTY", "Access Token");
    assert_eq!(app.practice.journal().requests_to("northwind-b2b.myshopify.com").len(), 0);
    assert_eq!(app.practice.journal().hosts_that_saw(expose(&token)), ["northwind-tea.myshopify.com"]);
}

#[sqlx::test]
async fn concurrent_store_change_conflicts_without_a_call(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let sam = app.sign_in_as(&SAM).await;
    let mine = priya.visit(&path).await;
    let mut theirs = sam.visit(&path).await;
    theirs.fill("API URL", "northwind-b2b");
    let theirs = theirs.press("Save").await;
    assert_asked_again(&theirs, "STORE_CHANGED", "Access Token");
    let mut theirs = theirs;
    let b2b = app.practice.stores().find("northwind-b2b").expect("a store").access_token.clone();
    theirs.fill("Access Token", expose(&b2b));
    assert_eq!(theirs.press("Save").await.status, StatusCode::OK);
    for button in ["Test Connection", "Save"] {
        let page = mine.press(button).await;
        assert_eq!(
            (page.status, page.h1().as_str()),
            (StatusCode::CONFLICT, "Someone else changed this cart"),
            "{page}"
        );
        // Priya's form still names northwind-tea, for which there is no secret any more.
        let page = page.press("Save my changes instead").await;
        assert_asked_again(&page, "STORE_CHANGED", "Access Token");
    }
    app.assert_nothing_was_called();
    assert_eq!(sealed(&app).await.0, "northwind-b2b.myshopify.com");
}

#[sqlx::test]
async fn host_changed_in_the_database_makes_the_secret_unreadable(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    tamper(&app.pool, "update carts set store_host = 'northwind-b2b.myshopify.com'").await;
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.all("th[scope=row] a"), ["Northwind Tea"], "{list}");
    let page = priya.visit(&path).await.press("Test Connection").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    let verdict = page.verdict();
    assert_eq!(verdict, ("not-connected".into(), "OUR_KEY".into(), "We cannot read the saved access token".into()));
    app.assert_nothing_was_called();
    let list = priya.visit("/admin/ecommerce").await;
    assert!(list.all("td .badge").iter().any(|word| word == "Needs attention"), "{list}");
    let page = priya.visit(&path).await;
    assert!(page.html.contains("We cannot read the saved access token. Enter it again."), "{page}");
}

#[sqlx::test]
async fn secrets_swapped_in_the_database_do_not_open(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let other = app.connect(&priya, "Northwind Wholesale", "northwind-b2b").await.path;
    let (one, two) = (cart_of(&path), cart_of(&other));
    tamper(
        &app.pool,
        &format!("update carts a set secret = b.secret from carts b where a.id <> b.id and a.id in ('{one}', '{two}')"),
    )
    .await;
    app.practice.journal().clear();
    for path in [path, other] {
        let page = priya.visit(&path).await.press("Test Connection").await;
        assert_eq!(page.class(), "OUR_KEY", "{page}");
        let page = priya.visit(&path).await;
        assert!(page.html.contains("We cannot read the saved access token. Enter it again."), "{page}");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn disconnected_cart_has_nothing_to_send(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let page = priya.visit(&path).await.follow("Disconnect").await.press("Disconnect").await;
    assert_eq!(page.path, path);
    assert_eq!(sealed(&app).await.1, None);
    for store in ["northwind-tea", "northwind-b2b"] {
        for button in ["Test Connection", "Save"] {
            let mut page = priya.visit(&path).await;
            page.fill("API URL", store);
            assert_asked_again(&page.press(button).await, "TOKEN_EMPTY", "Access Token");
        }
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn moving_to_another_store_sends_only_the_new_token(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let token = |handle: &str| expose(&app.practice.stores().find(handle).expect("a store").access_token).to_owned();
    let mut page = priya.visit(&path).await.press("Replace token").await;
    page.fill("API URL", "northwind-b2b");
    page.fill("Access Token", &token("northwind-b2b"));
    let page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    page.press("Test Connection").await;
    let journal = app.practice.journal();
    assert_eq!(journal.hosts_that_saw(&token("northwind-b2b")), ["northwind-b2b.myshopify.com"]);
    assert!(journal.hosts_that_saw(&token("northwind-tea")).is_empty());
}

#[sqlx::test]
async fn replacement_is_a_draft_until_its_test_passes(pool: PgPool) {
    let (app, priya, path) = connected(pool).await;
    let before = sealed(&app).await;
    let old = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    let new = format!("shpat_{}", "b7".repeat(16));
    let mut page = priya.visit(&path).await.press("Replace token").await;
    page.fill("Access Token", &new);
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "TOKEN_REFUSED", "{page}");
    let page = page.press("Save").await;
    assert_eq!(
        page.banner(),
        "Northwind Tea is saved, but still uses the old access token. Test the new one, then save again. See all carts"
    );
    assert_eq!(sealed(&app).await, before);
    // Shopify now accepts the new token, which was kept as a draft.
    app.practice.stores().change("northwind-tea", |store| store.access_token = new.clone().into());
    app.practice.journal().clear();
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    assert!(app.practice.journal().hosts_that_saw(&old).is_empty(), "the saved token was tested");
    let page = page.press("Save").await;
    assert_eq!(
        page.banner(),
        "Northwind Tea is saved. The new access token (ends in b7b7) is in use. See all carts",
        "{page}"
    );
    assert_ne!(sealed(&app).await, before);
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    assert_eq!(page.press("Test Connection").await.class(), "TOKEN_STOPPED");
}

//! The Health tab and the list's sparklines, drawn from real checks, with equivalent text alternatives.

use axum::http::StatusCode;
use cartwright::practice::{Canned, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, TestApp,
    cast::VERA,
    dump::{events, tamper},
    routes::cart_of,
};

/// Priya with one active cart; also returns the path of its Health tab.
async fn tea(pool: PgPool) -> (TestApp, Browser, String) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let health = format!("/admin/ecommerce/shopify/{}/health", cart_of(&page.path));
    (app, priya, health)
}

/// Makes a check due and runs it.
async fn sweep(app: &TestApp) {
    tamper(&app.pool, "update cart_health set next_check_at = now() where next_check_at is not null").await;
    assert_eq!(app.app.health.sweep().await.expect("sweep runs").checked, 1);
}

/// Lets five minutes pass.
async fn pass(app: &TestApp) {
    tamper(&app.pool, "update cart_health set streak_since = streak_since - interval '5 minutes'").await;
}

#[sqlx::test]
async fn cart_checked_once_shows_its_facts_and_interval(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    // The test before the save counts as the first check.
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.attribute("svg.spark", "aria-label").as_deref(), Some("Last check: 1 passed"));
    let page = priya.visit(&health).await;
    assert_eq!(page.h1(), "ECommerce Integration Editor: Northwind Tea");
    assert_eq!(page.text("[aria-current=page][href$=health]"), "Health");
    assert!(page.text("main").contains("Checked every 15 minutes."), "{page}");
    assert!(page.text("main").contains("No problems in the last 90 days."), "{page}");
    let facts = page.text(".parts");
    for fact in ["Store Northwind Tea", "Basic plan", "GBP", "London", "17 of 17 permissions"] {
        assert!(facts.contains(fact), "{fact}: {facts}");
    }
    assert!(facts.contains("API version 2026-10, supported until October 2027"), "{facts}");
    assert!(facts.contains("Access token added") && facts.contains("by Priya Shah"), "{facts}");
    app.practice.journal().clear();
    priya.visit(&health).await;
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn overdue_check_is_shown_until_a_check_is_made(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    let general = health.replace("/health", "/general");
    let due = |minutes| {
        format!(
            "update cart_health set next_check_at = now() - interval '{minutes} minutes',
                last_checked_at = '2026-03-02 08:12:00+00'"
        )
    };
    tamper(&app.pool, &due(29)).await;
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .under"), [""; 0]);
    assert!(priya.visit("/admin").await.text("main").contains("1 cart, all connected"));

    tamper(&app.pool, &due(31)).await;
    let line = "Not checked since 2 March 2026 at 08:12 UTC";
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .under"), [line]);
    for path in [&general, &health] {
        let page = priya.visit(path).await;
        assert_eq!(page.all("p.status .badge"), ["Connected"], "{page}");
        assert_eq!(page.text("p.status .muted"), line, "{page}");
        assert!(page.text("main").contains("ackground checks are not running"), "{page}");
    }
    assert!(priya.visit("/admin").await.text("main").contains("1 cart, not checked lately"));

    let page = priya.visit(&health).await.press("Check now").await;
    assert!(page.text("main").contains("Checked every 15 minutes.") && !page.has("p.status .muted"), "{page}");
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .under"), [""; 0]);
}

#[sqlx::test]
async fn check_history_is_shown_as_charts_and_text(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    for _ in 0..2 {
        sweep(&app).await;
    }
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unavailable));
    sweep(&app).await;
    let list = priya.visit("/admin/ecommerce").await;
    let said = "Last 4 checks: 3 passed, 1 failed";
    assert_eq!(list.attribute("svg.spark", "aria-label").as_deref(), Some(said));
    assert_eq!(list.attribute("svg.spark", "role").as_deref(), Some("img"));
    let page = priya.visit(&health).await;
    assert_eq!(page.attribute("svg.times-line", "aria-label").as_deref(), Some(said));
    let strip = page.attribute("svg.strip", "aria-label").expect("a strip");
    assert_eq!(strip, "Last 90 days: 0 days without a failed check, 1 day with failed checks");
    assert!(page.text(".charts").contains("75.0% of checks passed"), "{page}");
    assert!(page.text("main").contains("Last check just now: Shopify has a problem at the moment."), "{page}");
    let results = page.all("details tbody td:nth-child(2) span");
    assert_eq!(results, ["Shopify has a problem at the moment", "Passed", "Passed", "Passed"]);
    assert!(!page.has(".notice"), "one failure is no problem");
}

#[sqlx::test]
async fn problem_shows_start_end_and_cause(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unavailable));
    for _ in 0..4 {
        sweep(&app).await;
        pass(&app).await;
    }
    let page = priya.visit(&health).await;
    assert_eq!(page.text(".status .badge"), "Needs attention");
    let notice = page.text(".notice.warn");
    assert!(notice.starts_with("Shopify has a problem at the moment Since "), "{notice}");
    assert!(notice.contains("We check again in 5 minutes.") || notice.contains("in 4 minutes."), "{notice}");
    assert_eq!(page.all("#problems-h ~ .scroll tbody td")[3], "Not over yet");
    app.practice.stores().set("northwind-tea", Scenario::Well);
    sweep(&app).await;
    let page = priya.visit(&health).await;
    assert_eq!(page.text(".status .badge"), "Connected");
    assert!(!page.has(".notice"), "{page}");
    assert_eq!(page.all("#problems-h ~ .scroll tbody th"), ["Shopify has a problem at the moment"]);
    assert_eq!(page.all("#problems-h ~ .scroll tbody td")[3], "Ended by itself");
    let told: Vec<String> = events(&app.pool).await.into_iter().filter(|event| event.starts_with("cart_")).collect();
    assert_eq!(told, ["cart_added", "cart_needs_attention", "cart_recovered"]);
}

#[sqlx::test]
async fn stopped_token_leads_to_the_field_for_a_new_one(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    sweep(&app).await;
    app.open_store("northwind-tea");
    sweep(&app).await;
    let page = priya.visit(&health).await;
    assert_eq!(page.text(".status .badge"), "Not connected");
    let notice = page.text(".notice.bad");
    assert!(notice.starts_with("Orders stopped coming in at "), "{notice}");
    assert!(notice.contains("The access token stopped working. Check that the app is still installed"), "{notice}");
    let hourly = "We now check once an hour, then once a day, so that Shopify does not lock the store.";
    assert!(notice.contains(hourly), "{notice}");
    let mut editor = page.press("Replace token").await;
    assert_eq!(editor.value("Website Name"), "Northwind Tea");
    let store = app.practice.stores().find("northwind-tea").expect("a store");
    editor.fill("Access Token", crate::support::expose(&store.access_token));
    let saved = editor.press("Test Connection").await.press("Save").await;
    assert_eq!(saved.text(".status .badge"), "Connected");
    let page = priya.visit(&health).await;
    assert!(page.text("main").contains("Ended by a change of Priya Shah's"), "{page}");
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "cart_recovered").count(), 1);
}

#[sqlx::test]
async fn check_now_tests_the_saved_credential_and_counts_as_a_check(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    let page = priya.visit(&health).await.press("Check now").await;
    assert_eq!(page.text(".notice.ok strong"), "Checked just now: Connected to Northwind Tea.");
    assert_eq!(page.attribute("svg.times-line", "aria-label").as_deref(), Some("Last 2 checks: 2 passed"));
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "tested").count(), 2, "audited");
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Frozen));
    let page = priya.visit(&health).await.press("Check now").await;
    assert_eq!(page.text(".status .badge"), "Not connected");
    let told: Vec<_> = events(&app.pool).await.into_iter().filter(|event| event == "cart_not_connected").collect();
    assert_eq!(told.len(), 1, "a user's check reports a change like a sweep");
    // The limit is ten a minute including the test before saving; the next is refused.
    let mut page = page;
    for _ in 0..8 {
        page = page.press("Check now").await;
    }
    let page = page.press("Check now").await;
    assert!(page.all(".notice strong")[0].starts_with("You have tested 10 times in a minute."), "{page}");
}

#[sqlx::test]
async fn viewer_sees_the_health_tab_without_buttons(pool: PgPool) {
    let (app, _, health) = tea(pool).await;
    app.open_store("northwind-tea");
    sweep(&app).await;
    let page = app.sign_in_as(&VERA).await.visit(&health).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.has(".notice.bad") && page.has("svg.strip"), "{page}");
    assert!(!page.has("main button"), "{page}");
}

#[sqlx::test]
async fn unchecked_cart_shows_the_reason(pool: PgPool) {
    let (app, priya, health) = tea(pool).await;
    sweep(&app).await;
    app.app.integration.switch(cartwright::audit::By::operator(), false).await.expect("turned off");
    assert!(priya.visit(&health).await.text("main").contains("Not checked while Ecommerce Integration is off."));
    app.app.integration.switch(cartwright::audit::By::operator(), true).await.expect("turned on");
    let mut page = priya.visit(&health.replace("/health", "/general")).await;
    page.uncheck("Active");
    page.press("Save").await;
    assert!(priya.visit(&health).await.text("main").contains("Not checked while this cart is inactive."));
    assert_eq!(
        priya.visit("/admin/ecommerce/shopify/00000000000000000000000000000000/health").await.status,
        StatusCode::NOT_FOUND
    );
}

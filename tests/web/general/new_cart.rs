//! The first save of a cart: its status follows from its tests.

use super::*;

#[sqlx::test]
async fn new_tested_active_cart_is_connected(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(&page, "Northwind Tea is saved and connected.", "Connected");
    assert_eq!(page.h1(), "ECommerce Integration Editor: Northwind Tea");
    assert!(page.is_checked("Active"));
    let ending = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token)[34..].to_owned();
    let saved = page.text(".only-token .saved");
    assert!(saved.starts_with(&format!("Saved. It ends in {ending} and was added by Priya Shah on ")), "{saved}");
    assert!(saved.ends_with("For security we never show it again."), "{saved}");
    assert_eq!(events(&app.pool).await[3..], ["tested", "cart_added"], "{:?}", events(&app.pool).await);
    // The banner is shown once.
    assert_eq!(priya.visit(&page.path).await.banner(), "");
}

#[sqlx::test]
async fn new_cart_tested_with_limits_needs_attention(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", MISSING);
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(
        &page,
        "Northwind Tea is saved and connected, with limits. See below what is missing.",
        "Needs attention",
    );
    assert_eq!(priya.visit("/admin/ecommerce").await.text("td .under"), "2 permissions missing");
    assert_eq!(page.class(), "SCOPES_MISSING", "the missing permissions are listed:\n{page}");
}

#[sqlx::test]
async fn new_untested_cart_is_a_draft(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(&page, "Northwind Tea is saved as a draft. Test the connection before you turn it on.", "Draft");
    assert_eq!(page.text("p.status .muted"), "Not tested yet");
    app.assert_nothing_was_called();
    app.open_store("northwind-b2b");
    let mut page = app.fill_new(&priya, "Northwind Wholesale", "northwind-b2b").await;
    page.check("Active");
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Wholesale is saved as a draft. It turns on when the test passes.", "Draft");
    assert!(page.is_checked("Active"), "{page}");
    assert_eq!(page.text("#active-h"), "This cart turns on when its test passes.");
}

#[sqlx::test]
async fn new_cart_with_a_failed_test_is_a_draft(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(&page, "Northwind Tea is saved as a draft. It turns on when the test passes.", "Draft");
    assert!(page.is_checked("Active"), "{page}");
}

#[sqlx::test]
async fn pass_of_another_credential_or_too_old_does_not_count(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED");
    page.check("Active");
    crate::support::dump::tamper(&app.pool, "update connection_tests set finished_at = now() - interval '31 minutes'")
        .await;
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Tea is saved as a draft. It turns on when the test passes.", "Draft");
    let line = page.text("p.status .muted");
    assert!(line.ends_with("too long before it was saved. Test it again."), "{line}");
    // A pass followed by a failure does not count either.
    app.open_store("northwind-b2b");
    let page = app.fill_new(&priya, "Northwind Wholesale", "northwind-b2b").await.press("Test Connection").await;
    app.practice.stores().set("northwind-b2b", Scenario::Says(Canned::Unauthorized));
    let mut page = page.press("Test Connection").await;
    page.check("Active");
    assert_eq!(page.press("Save").await.all("p.status .badge"), ["Draft"]);
}

#[sqlx::test]
async fn new_tested_cart_without_active_is_inactive(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    page.uncheck("Active");
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Tea is saved and inactive. Turn on Active when you are ready to sync.", "Inactive");
}

#[sqlx::test]
async fn secret_under_twenty_characters_shows_no_ending(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let short = "shpat_12345".to_owned();
    app.practice.stores().put(
        "northwind-tea",
        PracticeStore { access_token: short.clone().into(), ..PracticeStore::sample("northwind-tea") },
    );
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let saved = page.text(".only-token .saved");
    assert!(saved.starts_with("Saved. It was added by Priya Shah on "), "{saved}");
    assert!(!page.html.contains("2345"), "{page}");
}

//! The other General settings: unavailable ones show a reason, settings that the page did not offer stay unchanged, and
//! locations come from the store and are cached for when it is unavailable.

use axum::http::{Method, StatusCode};
use cartwright::practice::{Canned, Operation, PracticeStore, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::{SAM, VERA},
    dump::{count, events, tamper},
    expose,
};

const SHIPPING: [&str; 3] = [
    "write_assigned_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];
const SWITCHES: [&str; 7] = [
    "Update order status",
    "Update inventory",
    "Calculate items that can be made",
    "Include inventory on Purchase Order",
    "Include Item Vendor Quantity",
    "Import Products",
    "Use Order Time to create new or update existing products in Shopify",
];
const WRITE_PRODUCTS: &str = SWITCHES[6];

/// Priya with a connected cart whose app has every permission.
async fn connected(pool: PgPool) -> (TestApp, Browser, Page) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    (app, priya, page)
}

/// A connected cart whose app lacks these permissions.
async fn without(pool: PgPool, missing: &'static [&'static str]) -> (TestApp, Browser, Page) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.practice.stores().set("northwind-tea", Scenario::ScopesMissing(missing));
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    (app, priya, page)
}

/// Tests the saved credential with changed permissions and opens the cart again.
async fn granted_anew(app: &TestApp, page: &Page, scenario: Scenario) {
    app.practice.stores().set("northwind-tea", scenario);
    page.press("Test Connection").await;
}

/// The text of the reasons that a control references.
fn reason(page: &Page, label: &str) -> String {
    page.descriptions(label).into_iter().filter(|(id, _)| id.ends_with("-r")).map(|(_, text)| text).collect()
}

fn list_requests(app: &TestApp) -> usize {
    let asks = |request: &cartwright::practice::RecordedRequest| request.operation == Some(Operation::Locations);
    app.practice.journal().requests().iter().filter(|request| asks(request)).count()
}

#[sqlx::test]
async fn other_settings_are_absent_on_new_carts_and_explained_on_drafts(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let page = priya.visit("/admin/ecommerce/shopify/new").await;
    assert!(!page.html.contains("Update order status"), "{page}");
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    for label in SWITCHES {
        assert!(page.is_disabled(label), "{label} in {page}");
        assert_eq!(
            reason(&page, label),
            "Test the connection first. Then we know what your Shopify app may do.",
            "{label}"
        );
    }
    assert!(!page.html.contains("Get the list"), "{page}");
    let page = page.press("Save").await;
    assert_eq!((page.status, count(&app.pool, "cart_settings").await), (StatusCode::OK, 0));
}

#[sqlx::test]
async fn ticked_settings_are_saved_and_audited(pool: PgPool) {
    let (app, priya, mut page) = connected(pool).await;
    for label in SWITCHES {
        assert!(!page.is_disabled(label) && !page.is_checked(label), "{label}");
        page.check(label);
    }
    page.fill("Item group", "  Web   store ");
    let page = page.press("Save").await;
    assert_eq!(page.banner(), "Northwind Tea is saved. See all carts", "{page}");
    for label in SWITCHES {
        assert!(page.is_checked(label), "{label} in {page}");
    }
    assert_eq!(page.value("Item group"), "Web store");
    let change: serde_json::Value = sqlx::query_scalar("select data from audit_events where event = 'cart_changed'")
        .fetch_one(&app.pool)
        .await
        .expect("one change");
    let told: Vec<_> = change["changes"]
        .as_array()
        .expect("changes")
        .iter()
        .map(|one| one["field"].as_str().expect("a field"))
        .collect();
    assert_eq!(told.len(), 8, "{change}");
    assert_eq!(
        change["changes"][0],
        serde_json::json!({"field": "Update order status", "before": "Off", "after": "On"})
    );
    assert_eq!(
        change["changes"][6],
        serde_json::json!({"field": "Item group", "before": "None", "after": "Web store"})
    );
    // Unticked settings are off again, and saving without a change writes no event.
    let mut page = page.press("Save").await;
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "cart_changed").count(), 1);
    page.uncheck("Update inventory");
    let page = page.press("Save").await;
    assert!(!page.is_checked("Update inventory") && page.is_checked("Calculate items that can be made"), "{page}");
    // A viewer sees the values.
    let vera = app.sign_in_as(&VERA).await.visit(&page.path).await;
    assert!(
        vera.text("main").contains("Item group") && vera.all("dd").iter().any(|value| value == "Web store"),
        "{vera}"
    );
    // Another cart suggests the group.
    app.open_store("northwind-b2b");
    let other = app.connect(&priya, "Northwind Wholesale", "northwind-b2b").await;
    assert_eq!(other.attribute("datalist option", "value").as_deref(), Some("Web store"));
}

#[sqlx::test]
async fn missing_permission_is_named_at_its_setting(pool: PgPool) {
    let missing = &["write_inventory", "write_locations", "write_products", SHIPPING[0], SHIPPING[1], SHIPPING[2]];
    let (_app, _, page) = without(pool, missing).await;
    let which = ", which your Shopify app does not have.";
    for (label, words) in [
        ("Update inventory", format!("Needs the Inventory permission (write_inventory){which}")),
        ("Include Item Vendor Quantity", format!("Needs the Inventory permission (write_inventory){which}")),
        ("Import Products", format!("Needs the Products permission (read_products){which}")),
        (WRITE_PRODUCTS, format!("Needs the Products permission (write_products){which}")),
        (
            "Update order status",
            "Needs one of these permissions: Assigned fulfillment orders, Merchant-managed fulfillment orders or Third-party \
             fulfillment orders. If you ship yourself, take Merchant-managed fulfillment orders."
                .to_owned(),
        ),
    ] {
        assert!(page.is_disabled(label), "{label} in {page}");
        assert_eq!(reason(&page, label), words, "{label}");
    }
    assert!(page.text("#locations-r").starts_with("Needs the Locations permission (read_locations)"), "{page}");
    let copies: Vec<_> = page.all(".settings button[data-copy]");
    assert_eq!(
        copies,
        [
            "Copy write_merchant_managed_fulfillment_orders for Update order status",
            "Copy write_inventory for Update inventory",
            "Copy read_locations for Location(s)",
            "Copy read_products for Import Products",
            "Copy write_products for Create or update products in Shopify",
        ]
    );
}

#[sqlx::test]
async fn settings_that_were_not_offered_stay_unchanged(pool: PgPool) {
    let (app, _, mut page) = connected(pool).await;
    for label in SWITCHES {
        page.check(label);
    }
    page.fill("Item group", "Web store");
    let page = page.press("Save").await;
    granted_anew(&app, &page, Scenario::ScopesMissing(&["write_inventory", "write_products"])).await;
    tamper(
        &app.pool,
        "update carts set lost_scopes = jsonb_set(lost_scopes, '{write_inventory}', '\"2025-11-21T08:14:00Z\"')",
    )
    .await;
    let page = page.follow("General").await;
    let paused = "On, but paused since 21 November 2025: your Shopify app no longer has the Inventory permission. It starts again by \
                  itself when the permission is back.";
    assert_eq!(reason(&page, "Update inventory"), paused);
    assert!(page.is_disabled("Update inventory") && page.is_checked("Update inventory"), "{page}");
    let (_, _, fields) = page.submission("Save");
    assert!(!fields.iter().any(|(name, _)| name == "update_inventory"), "a disabled control sends nothing");
    // The permission returns meanwhile; the page rendered without it still does not send these settings.
    granted_anew(&app, &page, Scenario::Well).await;
    let page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::OK, "{page}");
    for label in SWITCHES {
        assert!(page.is_checked(label) && !page.is_disabled(label), "{label} in {page}");
    }
}

/// Servers of the previous version run beside this one during an upgrade, and use one column for each switch.
#[sqlx::test]
async fn switches_are_shared_with_the_previous_version(pool: PgPool) {
    let (app, priya, mut page) = connected(pool).await;
    page.check("Update inventory");
    let path = page.press("Save").await.path;
    let columns = async || {
        let columns = "select concat_ws(' ', update_order_status, update_inventory, write_products) from cart_settings";
        sqlx::query_scalar::<_, String>(columns).fetch_one(&app.pool).await.expect("the columns")
    };
    assert_eq!(columns().await, "f t f");
    tamper(&app.pool, "update cart_settings set switches = array_append(switches, 'of_a_newer_version')").await;
    tamper(&app.pool, "update cart_settings set update_inventory = false, write_products = true").await;
    let mut page = priya.visit(&path).await;
    assert!(!page.is_checked("Update inventory") && page.is_checked(WRITE_PRODUCTS), "{page}");
    page.check("Update order status");
    page.press("Save").await;
    assert_eq!(columns().await, "t f t");
    let switches: Vec<String> = sqlx::query_scalar("select unnest(switches) from cart_settings order by 1")
        .fetch_all(&app.pool)
        .await
        .expect("the switches");
    assert_eq!(switches, ["of_a_newer_version", "update_order_status", "write_products"]);
    tamper(&app.pool, "delete from cart_settings").await;
    let insert = "insert into cart_settings (cart_id, update_order_status, update_inventory, calculate_buildable, include_purchase_orders,
            include_vendor_quantity, import_products, item_group, write_products)
         select id, false, true, false, false, false, false, '', false from carts";
    tamper(&app.pool, insert).await;
    assert!(priya.visit(&path).await.is_checked("Update inventory"));
}

#[sqlx::test]
async fn server_checks_availability_itself(pool: PgPool) {
    let (app, priya, page) = without(pool, &["write_inventory"]).await;
    let (_, action, mut fields) = page.submission("Save");
    for field in fields.iter_mut().filter(|(name, _)| name == "offered") {
        field.1.push_str(" update_inventory nonsense");
    }
    fields.push(("update_inventory".to_owned(), "on".to_owned()));
    let answer = priya.knock(Method::POST, &action).form(&fields).send().await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    assert!(!priya.visit(&page.path).await.is_checked("Update inventory"));
    assert_eq!(count(&app.pool, "cart_settings").await, 0);
}

#[sqlx::test]
async fn imported_products_need_an_item_group_only_on_save(pool: PgPool) {
    let (_app, _, mut page) = connected(pool).await;
    page.check("Import Products");
    page.fill("Website Name", "Northwind Tea London");
    let refused = page.press("Save").await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{refused}");
    let (class, sentence) = refused.complaint("Item group").expect("field error");
    assert_eq!((class.as_str(), sentence.as_str()), ("GROUP_EMPTY", "Enter the item group that new items go into"));
    assert_eq!(refused.summary(), ["Enter the item group that new items go into"]);
    assert!(
        refused.is_checked("Import Products") && refused.value("Website Name") == "Northwind Tea London",
        "{refused}"
    );
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
    let token = format!("shpat_{}", "a1".repeat(16));
    page.fill("Item group", &token);
    let refused = page.press("Save").await;
    assert_eq!(refused.complaint_class("Item group"), "IS_TOKEN", "{refused}");
    assert!(!refused.html.contains(&token));
    page.fill("Item group", &"x".repeat(81));
    assert_eq!(page.press("Save").await.complaint_class("Item group"), "GROUP_TOO_LONG");
    page.fill("Item group", "Web");
    assert_eq!(page.press("Save").await.banner(), "Northwind Tea London is saved. See all carts");
}

#[sqlx::test]
async fn locations_are_read_from_the_store_and_kept_for_when_it_is_away(pool: PgPool) {
    let (app, _, page) = connected(pool).await;
    assert!(page.text("#locations").contains("We have not read this store's locations yet. Save first."), "{page}");
    let page = page.press("Get the list").await;
    assert_eq!((page.status, list_requests(&app)), (StatusCode::OK, 1));
    assert_eq!(page.all("#locations .tick"), ["Brighton shop", "London warehouse", "Old depot"]);
    let version: i64 = sqlx::query_scalar("select version from carts").fetch_one(&app.pool).await.expect("a version");
    assert_eq!(
        (version, events(&app.pool).await.last().map(String::as_str)),
        (1, Some("cart_added")),
        "loading the list is no change"
    );
    let mut page = page;
    page.check("London warehouse");
    page.check("Old depot");
    let page = page.press("Save").await;
    assert!(page.is_checked("London warehouse") && !page.is_checked("Brighton shop"), "{page}");
    let after: String =
        sqlx::query_scalar("select data -> 'changes' -> 0 ->> 'after' from audit_events where event = 'cart_changed'")
            .fetch_one(&app.pool)
            .await
            .expect("a change");
    assert_eq!(after, "London warehouse, Old depot");
    // Unavailable: the cached list and the reason.
    app.practice.stores().change("northwind-tea", |store| store.on_locations = Some(Scenario::Says(Canned::Down)));
    tamper(&app.pool, "update carts set locations_read_at = '2025-11-21T08:14:00Z'").await;
    let away = page.press("Get the list again").await;
    assert!(
        away.text("#locations").contains(
            "We could not get the list just now: Shopify has a problem at the moment. This is the list of 21 November 2025."
        ),
        "{away}"
    );
    assert!(away.is_checked("London warehouse"), "{away}");
    // One selected location is deleted, the other stays.
    app.practice.stores().change("northwind-tea", |store| {
        store.on_locations = None;
        store.locations = vec!["London warehouse".into()];
    });
    let gone = away.press("Get the list again").await;
    assert!(
        gone.text("#locations").contains("Old depot is no longer in Shopify. Select another, or none for all."),
        "{gone}"
    );
    assert_eq!(gone.all("p.status .badge"), ["Connected"]);
}

#[sqlx::test]
async fn cart_needs_attention_when_all_selected_locations_are_gone(pool: PgPool) {
    let (app, priya, page) = connected(pool).await;
    let mut page = page.press("Get the list").await;
    page.check("Old depot");
    let page = page.press("Save").await;
    app.practice.stores().change("northwind-tea", |store| store.locations = vec!["Ham".into(), "Kew".into()]);
    // Location ids follow positions, so two new locations reuse two old ids, and the third id is gone.
    let page = page.press("Get the list again").await;
    assert_eq!(page.all("p.status .badge"), ["Needs attention"], "{page}");
    assert_eq!(page.text("p.status .muted"), "None of the chosen locations exists any more");
    let list = priya.visit("/admin/ecommerce").await;
    assert_eq!(list.all(".filters a")[2], "Needs attention 1");
    assert_eq!(list.text("td .under"), "None of the chosen locations exists any more");
    // A passing test does not resolve it.
    page.press("Test Connection").await;
    let mut page = page.follow("General").await;
    assert_eq!(page.all("p.status .badge"), ["Needs attention"], "{page}");
    page.uncheck("Old depot");
    let page = page.press("Save").await;
    assert_eq!(page.all("p.status .badge"), ["Connected"], "{page}");
    assert!(!page.text("#locations").contains("Old depot"), "{page}");
}

#[sqlx::test]
async fn one_location_is_no_choice_and_64_fold(pool: PgPool) {
    let (app, _, page) = connected(pool).await;
    app.practice.stores().change("northwind-tea", |store| store.locations = vec!["London warehouse".into()]);
    let page = page.press("Get the list").await;
    assert!(page.text("#locations").contains("London warehouse is the only location."), "{page}");
    assert!(!page.has("#locations input"), "{page}");
    app.practice.stores().change("northwind-tea", |store| store.locations = Vec::new());
    let page = page.press("Get the list again").await;
    assert!(page.text("#locations").contains("This store has no locations."), "{page}");
    let names: Vec<String> = (0..64).map(|n| format!("Shop {n:02}")).collect();
    app.practice.stores().change("northwind-tea", |store| store.locations = names.clone());
    let page = page.press("Get the list again").await;
    assert_eq!(page.text("#locations details summary"), "Show all 64");
    assert_eq!((page.all("#locations .tick").len(), page.all("#locations details .tick").len()), (64, 44));
    // More than one page of Shopify's list.
    let names: Vec<String> = (0..230).map(|n| format!("Shop {n:03}")).collect();
    app.practice.stores().change("northwind-tea", |store| store.locations = names.clone());
    app.practice.journal().clear();
    let page = page.press("Get the list again").await;
    assert_eq!((page.all("#locations .tick"), list_requests(&app)), (names, 3));
    // The block alone, for a page that replaces it by script.
    let block = page.knock("Get the list again").header("x-partial", "1").send().await;
    assert!(block.text().trim_start().starts_with("<fieldset") && !block.text().contains("<html"), "{}", block.text());
}

#[sqlx::test]
async fn locations_are_not_read_without_permission_or_too_often(pool: PgPool) {
    let (app, priya, page) = without(pool, &["write_locations"]).await;
    let token = page.submission("Save").2.into_iter().filter(|(name, _)| name == "csrf").collect::<Vec<_>>();
    let ask = async |cart: &str| {
        let path = format!("{cart}/locations");
        Page::new(priya.clone(), priya.knock(Method::POST, &path).form(&token).send().await)
    };
    let cart = page.path.strip_suffix("/general").expect("the editor");
    app.practice.journal().clear();
    assert_eq!(ask(cart).await.status, StatusCode::OK);
    app.assert_nothing_was_called();
    granted_anew(&app, &page, Scenario::Well).await;
    app.practice.journal().clear();
    for _ in 0..11 {
        ask(cart).await;
    }
    assert_eq!(list_requests(&app), 10);
    assert!(ask(cart).await.text("#locations").contains("You have asked 10 times in a minute."));
    let nobody = ask("/admin/ecommerce/shopify/00000000000000000000000000000001").await;
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
}

#[sqlx::test]
async fn locations_are_read_with_a_refreshed_token_after_a_401(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let store = app.open_store("northwind-tea");
    let mut page = priya.visit("/admin/ecommerce/shopify/new").await;
    page.fill("Website Name", "Northwind Tea");
    page.fill("API URL", "northwind-tea");
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &store.client_id);
    page.fill("Client secret", expose(&store.client_secret));
    let page = page.press("Test Connection").await.press("Save").await;
    let page = page.press("Get the list").await;
    assert_eq!(page.all("#locations .tick").len(), 3, "{page}");
    app.practice.stores().end_minted_tokens("northwind-tea");
    app.practice.journal().clear();
    let page = page.press("Get the list again").await;
    assert!(!page.text("#locations").contains("could not"), "{page}");
    assert_eq!(list_requests(&app), 2);
    // A saved access token cannot be refreshed, so Shopify is asked once.
    app.practice.stores().put("northwind-b2b", PracticeStore::sample("northwind-b2b"));
    let page = app.connect(&priya, "Northwind Wholesale", "northwind-b2b").await;
    app.practice
        .stores()
        .change("northwind-b2b", |store| store.on_locations = Some(Scenario::Says(Canned::Unauthorized)));
    app.practice.journal().clear();
    let page = page.press("Get the list").await;
    assert!(page.text("#locations").contains("Shopify did not accept the access token."), "{page}");
    assert_eq!(list_requests(&app), 1);
}

#[sqlx::test]
async fn conflict_shows_the_other_users_settings(pool: PgPool) {
    let (app, priya, page) = connected(pool).await;
    let sam = app.sign_in_as(&SAM).await;
    let (mut mine, mut theirs) = (priya.visit(&page.path).await, sam.visit(&page.path).await);
    theirs.check("Update inventory");
    theirs.check("Import Products");
    theirs.fill("Item group", "Sam's group");
    theirs.press("Save").await;
    mine.check("Import Products");
    mine.fill("Item group", "Priya's group");
    let conflict = mine.press("Save").await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{conflict}");
    assert_eq!(conflict.all("tbody tr"), ["Update inventoryOnOff", "Item groupSam's groupPriya's group"], "{conflict}");
    let edited = conflict.press("Go back and edit").await;
    assert!(edited.is_checked("Import Products") && !edited.is_checked("Update inventory"), "{edited}");
    assert_eq!(edited.value("Item group"), "Priya's group");
    let saved = conflict.press("Save my changes instead").await;
    assert!(!saved.is_checked("Update inventory"), "{saved}");
    assert_eq!(saved.value("Item group"), "Priya's group");
    let last = events(&app.pool).await;
    assert_eq!(last[last.len() - 2..], ["cart_overwritten", "cart_changed"]);
}

#[sqlx::test]
async fn disconnected_cart_keeps_its_settings_and_asks_for_a_test(pool: PgPool) {
    let (app, priya, mut page) = connected(pool).await;
    page.check("Update inventory");
    let page = page.press("Save").await;
    let page = page.follow("Disconnect").await.press("Disconnect").await;
    assert!(page.is_disabled("Update inventory") && page.is_checked("Update inventory"), "{page}");
    assert!(reason(&page, "Update inventory").starts_with("Test the connection first."), "{page}");
    let token = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    let mut page = page;
    page.fill("Access Token", &token);
    let page = page.press("Test Connection").await.press("Save").await;
    assert!(!page.is_disabled("Update inventory") && page.is_checked("Update inventory"), "{page}");
    // Deleting the cart deletes its settings.
    priya.visit(&page.path).await.follow("Delete cart").await.press("Delete cart").await;
    assert_eq!((count(&app.pool, "cart_settings").await, count(&app.pool, "cart_locations").await), (0, 0));
}

/// Shopify allows up to 1,000 locations; we read up to 2,000.
#[sqlx::test]
async fn two_thousand_ticked_locations_are_saved(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let many = "insert into cart_locations (cart_id, location_id, name)
        select id, (10000000000000000000 + n)::text, 'Location ' || n from carts, generate_series(1, 2000) n";
    crate::support::dump::tamper(&app.pool, many).await;
    let page = priya.visit(&path).await;
    let (_, action, mut fields) = page.submission("Save");
    let ids = (1..=2000_u64).map(|n| ("location[]".to_owned(), (10_000_000_000_000_000_000 + n).to_string()));
    fields.extend(ids);
    let answer = priya.knock(axum::http::Method::POST, &action).form(&fields).send().await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
    let chosen = "select count(*) from cart_locations where is_chosen";
    assert_eq!(sqlx::query_scalar::<_, i64>(chosen).fetch_one(&app.pool).await.expect("a count"), 2000);
    assert_eq!(priya.visit(&path).await.status, StatusCode::OK);
}

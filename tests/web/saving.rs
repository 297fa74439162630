//! Save: always possible, never more than what was tested, never over somebody else. Each row of what a save does is here with its
//! sentence.

use axum::http::{Method, StatusCode};
use cartwright::practice::{Canned, PracticeStore, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::SAM,
    dump::{count, events},
    expose,
};

const MISSING: Scenario = Scenario::ScopesMissing(&["write_inventory", "read_shipping"]);

async fn inside(pool: PgPool) -> (TestApp, Browser) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    (app, priya)
}

#[track_caller]
fn assert_saved(page: &Page, banner: &str, status: &str) {
    assert_eq!(page.status, StatusCode::OK, "{page}");
    assert_eq!(page.banner(), format!("{banner} See all carts"), "{page}");
    assert_eq!(page.all("p.status .badge"), [status], "{page}");
    assert!(page.title().starts_with("Saved – "), "{}", page.title());
    assert!(page.path.ends_with("/general"), "{}", page.path);
}

#[sqlx::test]
async fn new_and_tested_and_active_is_connected(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(&page, "Northwind Tea is saved and connected.", "Connected");
    assert_eq!(page.h1(), "ECommerce Integration Editor: Northwind Tea");
    assert!(page.is_checked("Active"));
    let ending = expose(&app.practice.stores().find("northwind-tea").expect("open").access_token)[34..].to_owned();
    let saved = page.text(".only-token .saved");
    assert!(saved.starts_with(&format!("Saved. It ends in {ending} and was added by Priya Shah on ")), "{saved}");
    assert!(saved.ends_with("For security we never show it again."), "{saved}");
    assert_eq!(events(&app.pool).await[3..], ["tested", "cart_added"], "{:?}", events(&app.pool).await);
    // told once
    assert_eq!(priya.visit(&page.path).await.banner(), "");
}

#[sqlx::test]
async fn new_and_tested_with_limits_needs_attention(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", MISSING);
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(
        &page,
        "Northwind Tea is saved and connected, with limits. See below what is missing.",
        "Needs attention",
    );
    assert_eq!(priya.visit("/admin/ecommerce").await.text("td .under"), "2 permissions missing");
    assert_eq!(page.class(), "SCOPES_MISSING", "what is missing stands below:\n{page}");
}

#[sqlx::test]
async fn new_and_never_tested_is_a_draft(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(&page, "Northwind Tea is saved as a draft. Test the connection before you turn it on.", "Draft");
    assert_eq!(page.text("p.status .muted"), "Not tested yet");
    app.assert_nothing_was_called();
    app.open_store("northwind-b2b");
    let mut page = app.fill_new(&priya, "Northwind Wholesale", "northwind-b2b").await;
    page.check("Active");
    let page = page.press("Save").await;
    assert_saved(
        &page,
        "Northwind Wholesale is saved as a draft. Active takes effect when the test has passed and you save.",
        "Draft",
    );
    assert!(!page.is_checked("Active"), "{page}");
    // the test of what is saved, then Active
    let mut page = page.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED");
    page.check("Active");
    assert_saved(&page.press("Save").await, "Northwind Wholesale is saved and connected.", "Connected");
}

#[sqlx::test]
async fn new_and_tested_in_vain_is_a_draft_whatever_is_ticked(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.practice.stores().set("northwind-tea", Scenario::Says(Canned::Unauthorized));
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    assert_saved(
        &page,
        "Northwind Tea is saved as a draft. Active takes effect when the test has passed and you save.",
        "Draft",
    );
    assert!(!page.is_checked("Active"), "{page}");
}

#[sqlx::test]
async fn a_pass_of_something_else_or_of_long_ago_does_not_count(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED");
    page.check("Active");
    crate::support::dump::tamper(&app.pool, "update connection_tests set finished_at = now() - interval '31 minutes'")
        .await;
    let page = page.press("Save").await;
    assert_saved(
        &page,
        "Northwind Tea is saved as a draft. Active takes effect when the test has passed and you save.",
        "Draft",
    );
    // a pass that was followed by a failure does not count either
    app.open_store("northwind-b2b");
    let page = app.fill_new(&priya, "Northwind Wholesale", "northwind-b2b").await.press("Test Connection").await;
    app.practice.stores().set("northwind-b2b", Scenario::Says(Canned::Unauthorized));
    let mut page = page.press("Test Connection").await;
    page.check("Active");
    assert_eq!(page.press("Save").await.all("p.status .badge"), ["Draft"]);
}

#[sqlx::test]
async fn tested_and_not_active_is_inactive(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    page.uncheck("Active");
    let page = page.press("Save").await;
    assert_saved(&page, "Northwind Tea is saved and inactive. Turn on Active when you are ready to sync.", "Inactive");
}

#[sqlx::test]
async fn an_edit_that_leaves_the_connection_alone_leaves_it_as_it_was(pool: PgPool) {
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
async fn a_new_secret_that_passed_is_in_use_at_once(pool: PgPool) {
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
async fn a_new_secret_that_did_not_pass_leaves_the_old_one_in_use(pool: PgPool) {
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
async fn keeping_the_saved_secret_takes_the_field_away_again(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.connect(&priya, "Northwind Tea", "northwind-tea").await.press("Replace token").await;
    assert!(page.has_field("Access Token"), "{page}");
    let page = page.press("Keep the saved token").await;
    assert!(!page.has_field("Access Token") && page.has_button("Replace token"), "{page}");
    assert_saved(&page.press("Save").await, "Northwind Tea is saved.", "Connected");
}

#[sqlx::test]
async fn unticking_active_makes_it_inactive_and_keeps_everything(pool: PgPool) {
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
async fn while_the_integration_is_off_every_banner_says_so(pool: PgPool) {
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
    // no cart is added while it is off
    for path in ["/admin/ecommerce/add", "/admin/ecommerce/shopify/new"] {
        assert_eq!(priya.visit(path).await.h1(), "Turn on Ecommerce Integration to add a cart");
    }
    let gallery = priya.visit("/admin/ecommerce/add").await.press("Turn on and add a cart").await;
    assert_eq!(gallery.h1(), "Add a cart");
    assert_eq!(priya.visit("/admin/ecommerce").await.all("td .badge"), ["Connected"]);
}

#[sqlx::test]
async fn a_name_is_anybodys_once(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    app.draft(&priya, "Northwind Tea", "northwind-tea").await;
    app.open_store("northwind-b2b");
    for name in ["Northwind Tea", "NORTHWIND TEA", " northwind tea "] {
        let page = app.fill_new(&priya, name, "northwind-b2b").await.press("Save").await;
        assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
        let (class, sentence) = page.complaint("Website Name").expect("a complaint");
        assert_eq!(class, "NAME_TAKEN");
        assert_eq!(sentence, "Another cart is called Northwind Tea. Enter a different Website Name", "{name:?}");
        assert!(!page.has_field("Access Token"), "the token is kept: {page}");
    }
    let mut other = app.draft(&priya, "Northwind Wholesale", "northwind-b2b").await;
    other.fill("Website Name", "Northwind Tea");
    assert_eq!(other.press("Save").await.complaint_class("Website Name"), "NAME_TAKEN");
    assert_eq!(count(&app.pool, "carts").await, 2);
}

#[sqlx::test]
async fn a_store_is_added_once(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let cart = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let page = app.fill_new(&priya, "The same again", "northwind-tea").await.press("Save").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let (class, sentence) = page.complaint("API URL").expect("a complaint");
    assert_eq!(class, "DUPLICATE");
    assert_eq!(
        sentence,
        "Northwind Tea already uses this store. Open it instead of adding it again. Open Northwind Tea"
    );
    assert_eq!(page.follow("Open Northwind Tea").await.path, cart);
    assert_eq!(count(&app.pool, "carts").await, 1);
}

#[sqlx::test]
async fn a_form_sent_twice_makes_one_cart(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let presses: Vec<_> = (0..10).map(|_| page.knock("Save").send()).collect();
    let answers = futures_util::future::join_all(presses).await;
    let to = answers[0].location().to_owned();
    for answer in &answers {
        assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, to.as_str()), "{}", answer.text());
    }
    assert_eq!(page.knock("Save").send().await.location(), to, "and once more, later");
    assert_eq!(count(&app.pool, "carts").await, 1);
    assert_eq!(events(&app.pool).await.iter().filter(|event| *event == "cart_added").count(), 1);
}

/// The second press finds no cart yet, and by the time it looks for the secret the first one has spent it.
#[sqlx::test]
async fn a_press_that_is_overtaken_by_the_first_says_what_the_first_did(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    let (_, _, fields) = page.submission("Save");
    let form = &fields.iter().find(|(name, _)| name == "submission").expect("a submission id").1;
    let to = page.knock("Save").send().await.location().to_owned();
    // the first press has not committed yet, as the second sees it ...
    sqlx::query("update carts set submission_id = gen_random_uuid()").execute(&app.pool).await.expect("hidden");
    let mut first = app.pool.begin().await.expect("a transaction");
    sqlx::query("lock table unsaved_credentials").execute(&mut *first).await.expect("a lock");
    let overtaken = async {
        while !somebody_waits(&app.pool).await {
            tokio::task::yield_now().await;
        }
        // ... and now it has
        sqlx::query("update carts set submission_id = $1::uuid")
            .bind(form)
            .execute(&mut *first)
            .await
            .expect("shown again");
        first.commit().await.expect("committed");
    };
    let (answer, ()) = tokio::join!(page.knock("Save").send(), overtaken);
    assert_eq!((answer.status, answer.location()), (StatusCode::SEE_OTHER, to.as_str()), "{}", answer.text());
    assert_eq!(count(&app.pool, "carts").await, 1);
}

/// Whether a statement in this database waits for a lock.
async fn somebody_waits(pool: &PgPool) -> bool {
    sqlx::query_scalar(
        "select exists (select from pg_locks where not granted and database = (select oid from pg_database where datname = current_database()))",
    )
    .fetch_one(pool)
    .await
    .expect("the locks")
}

#[sqlx::test]
async fn two_people_add_one_store_at_once_and_one_of_them_is_told(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let sam = app.sign_in_as(&SAM).await;
    let (one, two) =
        (app.fill_new(&priya, "Tea one", "northwind-tea").await, app.fill_new(&sam, "Tea two", "northwind-tea").await);
    let (one, two) = tokio::join!(one.press("Save"), two.press("Save"));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    let refused = if one.status == 200 { two } else { one };
    assert_eq!(refused.complaint_class("API URL"), "DUPLICATE", "{refused}");
    assert_eq!(count(&app.pool, "carts").await, 1);
}

#[sqlx::test]
async fn two_people_at_one_cart_see_each_other(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let (mut mine, mut theirs) = (priya.visit(&path).await, sam.visit(&path).await);
    theirs.fill("Website Name", "Sam's tea");
    assert_eq!(theirs.press("Save").await.status, StatusCode::OK);
    mine.fill("Website Name", "Priya's tea");
    mine.uncheck("Active");
    let conflict = mine.press("Save").await;
    assert_eq!(
        (conflict.status, conflict.h1().as_str()),
        (StatusCode::CONFLICT, "Someone else changed this cart"),
        "{conflict}"
    );
    assert!(conflict.text("main .lead").starts_with("Sam Lee saved it "), "{conflict}");
    assert!(conflict.text("main .lead").ends_with("Your changes are not saved yet."), "{conflict}");
    assert_eq!(conflict.all("thead th"), ["Field", "Now (Sam Lee)", "Yours"]);
    assert_eq!(conflict.all("tbody tr"), ["Website NameSam's teaPriya's tea", "ActiveOnOff"], "only what differs");
    for word in ["409", "concurrency", "conflict"] {
        assert!(!conflict.text("main").to_lowercase().contains(word), "{word}");
    }
    let name = || sqlx::query_scalar::<_, String>("select website_name from carts").fetch_one(&app.pool);
    assert_eq!(name().await.expect("a name"), "Sam's tea", "nothing was overwritten");
    assert_eq!(conflict.follow("Keep Sam's changes").await.value("Website Name"), "Sam's tea");
    // Sam saves again: asked again
    let mut theirs = sam.visit(&path).await;
    theirs.fill("Website Name", "Sam's other tea");
    theirs.press("Save").await;
    let again = conflict.press("Save my changes instead").await;
    assert_eq!(again.status, StatusCode::CONFLICT, "{again}");
    let edited = again.press("Go back and edit").await;
    assert_eq!(edited.value("Website Name"), "Priya's tea", "{edited}");
    let saved = again.press("Save my changes instead").await;
    assert_saved(
        &saved,
        "Priya's tea is inactive. Nothing syncs and nothing is checked. Its settings and access token are kept.",
        "Inactive",
    );
    assert_eq!(name().await.expect("a name"), "Priya's tea");
}

/// The secret that a store has now, changed at Shopify first.
fn new_token(app: &TestApp, ending: &str) -> String {
    let token = format!("shpat_{}", ending.repeat(8));
    app.practice.stores().change("northwind-tea", |store| store.access_token = token.clone().into());
    token
}

#[sqlx::test]
async fn two_people_see_that_a_secret_is_new_and_never_the_secret(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let (mut mine, theirs) = (priya.visit(&path).await, sam.visit(&path).await);
    let mut theirs = theirs.press("Replace token").await;
    theirs.fill("Access Token", &new_token(&app, "77ab"));
    assert_eq!(theirs.press("Test Connection").await.press("Save").await.status, StatusCode::OK);
    mine.fill("Website Name", "Priya's tea");
    // a test of a page that somebody has overtaken says so too
    for button in ["Save", "Test Connection"] {
        let conflict = mine.press(button).await;
        assert_eq!(conflict.status, StatusCode::CONFLICT, "{conflict}");
        assert_eq!(
            conflict.all("tbody tr"),
            ["Website NameNorthwind TeaPriya's tea", "Access TokenNew token, ends in 77abNo change"]
        );
    }
    let mut replacing = mine.press("Replace token").await;
    replacing.fill("Access Token", &new_token(&app, "1f3c"));
    let conflict = replacing.press("Save").await;
    assert_eq!(conflict.all("tbody tr")[1], "Access TokenNew token, ends in 77abNew token, ends in 1f3c");
    // mine was not tested, so theirs stays in use; the activity says over whom it was saved
    let saved = conflict.press("Save my changes instead").await;
    assert!(saved.banner().starts_with("Priya's tea is saved, but still uses the old access token."), "{saved}");
    let over: serde_json::Value = sqlx::query_scalar("select data from audit_events where event = 'cart_overwritten'")
        .fetch_one(&app.pool)
        .await
        .expect("one");
    assert_eq!(over, serde_json::json!({"of": "Sam Lee"}));
}

#[sqlx::test]
async fn two_people_see_another_kind_and_a_disconnection(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let store = app.practice.stores().find("northwind-tea").expect("open");
    let sam = app.sign_in_as(&SAM).await;
    let (mut mine, mut theirs) = (priya.visit(&path).await, sam.visit(&path).await);
    theirs.choose("Client ID and Client secret");
    theirs.fill("Client ID", &store.client_id);
    theirs.fill("Client secret", expose(&store.client_secret));
    assert_eq!(theirs.press("Test Connection").await.press("Save").await.status, StatusCode::OK);
    mine.uncheck("Active");
    let rows = mine.press("Save").await.all("tbody tr");
    assert_eq!(rows[0], "What does your Shopify app give you?Client ID and Client secretAccess Token");
    assert!(
        rows[1].starts_with("Access TokenNew Client secret, ends in ") && rows[1].ends_with("No change"),
        "{rows:?}"
    );
    assert_eq!(rows[2..], ["ActiveOnOff"]);
    sam.visit(&path).await.follow("Disconnect").await.press("Disconnect").await;
    let rows = mine.press("Save").await.all("tbody tr");
    assert_eq!(rows, ["Access TokenDisconnectedNo change"], "it is off with them as well");
}

/// Without script, an impatient second press sends the same form again.
#[sqlx::test]
async fn a_later_save_sent_twice_is_no_conflict_with_oneself(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.fill("Website Name", "Northwind Tea London");
    page.uncheck("Active");
    let presses: Vec<_> = (0..4).map(|_| page.knock("Save").send()).collect();
    for answer in futures_util::future::join_all(presses).await {
        assert_eq!(
            (answer.status, answer.location()),
            (StatusCode::SEE_OTHER, page.path.as_str()),
            "{}",
            answer.text()
        );
    }
    let all = events(&app.pool).await;
    assert_eq!(all.iter().filter(|event| *event == "cart_turned_off").count(), 1);
    assert!(priya.visit(&page.path).await.banner().starts_with("Northwind Tea London is inactive."));
    // the same form with something else in it is a conflict, even with oneself
    page.fill("Website Name", "Northwind Tea Paris");
    assert_eq!(page.press("Save").await.status, StatusCode::CONFLICT);
}

/// The second press of an impatient person is answered while nobody looks: it must not take the message of the first with it.
#[sqlx::test]
async fn a_message_waits_for_a_page_that_shows_it(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let mut page = app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    page.uncheck("Active");
    let press = page.knock("Save");
    press.clone().send().await;
    sqlx::query("update sessions set last_seen_at = now() - interval '2 minutes'")
        .execute(&app.pool)
        .await
        .expect("stale");
    press.send().await;
    priya.knock(Method::GET, &page.path).header("sec-fetch-mode", "cors").send().await;
    assert!(priya.visit(&page.path).await.banner().starts_with("Northwind Tea is inactive."));
    assert_eq!(priya.visit(&page.path).await.banner(), "", "it is told once");
}

#[sqlx::test]
async fn a_cart_never_becomes_another_store(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    app.practice.stores().put(
        "northwind-b2b",
        PracticeStore { name: "Northwind Wholesale".into(), ..PracticeStore::sample("northwind-b2b") },
    );
    let token = expose(&app.practice.stores().find("northwind-b2b").expect("open").access_token).to_owned();
    let mut page = priya.visit(&path).await;
    page.fill("API URL", "northwind-b2b");
    let mut page = page.press("Replace token").await;
    page.fill("Access Token", &token);
    let page = page.press("Test Connection").await;
    assert_eq!(page.class(), "WRONG_STORE", "{page}");
    let page = page.press("Save").await;
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    let (class, sentence) = page.complaint("API URL").expect("a complaint");
    assert_eq!(class, "WRONG_STORE");
    assert_eq!(
        sentence,
        "This cart was set up for Northwind Tea. The address and the secret you entered open Northwind Wholesale. Add it as a new cart"
    );
    let (host, status): (String, String) =
        sqlx::query_as("select store_host, status from carts").fetch_one(&app.pool).await.expect("the cart");
    assert_eq!((host.as_str(), status.as_str()), ("northwind-tea.myshopify.com", "connected"), "nothing was replaced");
    // disconnected, it is still the cart of its store
    priya.visit(&path).await.follow("Disconnect").await.press("Disconnect").await;
    let mut page = priya.visit(&path).await;
    page.fill("API URL", "northwind-b2b");
    page.fill("Access Token", &token);
    let page = page.press("Test Connection").await.press("Save").await;
    assert_eq!(page.complaint_class("API URL"), "WRONG_STORE", "{page}");
}

#[sqlx::test]
async fn a_cart_that_was_deleted_meanwhile_says_who_did(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let mut mine = priya.visit(&path).await;
    mine.fill("Website Name", "Priya's tea");
    sam.visit(&path).await.follow("Delete cart").await.press("Delete cart").await;
    let page = mine.press("Save").await;
    assert_eq!(page.h1(), "Sam Lee deleted this cart", "{page}");
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(page.all("tbody td"), ["Priya's tea", "https://northwind-tea.myshopify.com/admin"], "to be copied");
    let page = page.press("Add it as a new cart").await;
    assert_eq!(page.h1(), "ECommerce Integration Editor: Shopify", "{page}");
    assert_eq!(
        (page.value("Website Name").as_str(), page.value("Access Token").as_str()),
        ("Priya's tea", ""),
        "{page}"
    );
    let page = page.press("Save").await;
    assert_eq!(page.complaint_class("Access Token"), "TOKEN_EMPTY", "a new cart takes no secret along: {page}");
}

#[sqlx::test]
async fn disconnecting_forgets_the_credential_and_keeps_the_cart(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let ask = priya.visit(&path).await.follow("Disconnect").await;
    assert_eq!(ask.h1(), "Disconnect Northwind Tea?");
    assert_eq!(ask.follow("Cancel").await.path, path);
    let page = ask.press("Disconnect").await;
    assert_eq!(page.banner(), "Northwind Tea is disconnected.", "{page}");
    assert_eq!(
        (page.all("p.status .badge"), page.all("p.status .muted")),
        (vec!["Draft".to_owned()], vec!["Disconnected by Priya Shah".to_owned()])
    );
    assert!(page.has_field("Access Token"), "{page}");
    assert_eq!(page.value("Website Name"), "Northwind Tea");
    assert_eq!(events(&app.pool).await.last().map(String::as_str), Some("cart_disconnected"));
    // and connected again with a new token
    let token = expose(&app.practice.stores().find("northwind-tea").expect("open").access_token).to_owned();
    let mut page = page;
    page.fill("Access Token", &token);
    let mut page = page.press("Test Connection").await;
    page.check("Active");
    assert_saved(&page.press("Save").await, "Northwind Tea is saved and connected.", "Connected");
}

#[sqlx::test]
async fn deleting_removes_the_cart_and_keeps_the_activity(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let before = count(&app.pool, "audit_events").await;
    let ask = priya.visit(&path).await.follow("Delete cart").await;
    assert_eq!(ask.h1(), "Delete Northwind Tea?");
    // somebody changes it meanwhile: asked again, nothing deleted
    let mut other = priya.visit(&path).await;
    other.fill("Website Name", "Northwind Tea London");
    other.press("Save").await;
    let again = ask.press("Delete cart").await;
    assert_eq!(again.h1(), "Delete Northwind Tea London?", "{again}");
    let list = again.press("Delete cart").await;
    assert_eq!(
        (list.path.as_str(), list.banner().as_str()),
        ("/admin/ecommerce", "Northwind Tea London is deleted."),
        "{list}"
    );
    assert_eq!(
        (count(&app.pool, "carts").await, count(&app.pool, "connection_tests where cart_id is not null").await),
        (0, 0)
    );
    assert_eq!(count(&app.pool, "audit_events").await, before + 2);
    assert_eq!(priya.visit(&path).await.status, StatusCode::NOT_FOUND);
    // its name and its store are free again
    assert_saved(
        &app.connect(&priya, "Northwind Tea", "northwind-tea").await,
        "Northwind Tea is saved and connected.",
        "Connected",
    );
}

#[sqlx::test]
async fn a_secret_under_twenty_characters_shows_no_ending(pool: PgPool) {
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

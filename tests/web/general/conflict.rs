//! Two users edit one cart: no save silently overwrites another's.

use super::*;

#[sqlx::test]
async fn concurrent_edits_show_a_conflict(pool: PgPool) {
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
    assert_eq!(conflict.all("tbody tr"), ["Website NameSam's teaPriya's tea", "ActiveOnOff"], "only differing fields");
    for word in ["409", "concurrency", "conflict"] {
        assert!(!conflict.text("main").to_lowercase().contains(word), "{word}");
    }
    let name = || sqlx::query_scalar::<_, String>("select website_name from carts").fetch_one(&app.pool);
    assert_eq!(name().await.expect("a name"), "Sam's tea", "nothing was overwritten");
    assert_eq!(conflict.follow("Keep Sam's changes").await.value("Website Name"), "Sam's tea");
    // Sam saves again: another conflict.
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

#[sqlx::test]
async fn conflict_with_an_own_change_is_labelled(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let (mut here, mut there) = (priya.visit(&path).await, priya.visit(&path).await);
    there.fill("Website Name", "The other tab");
    assert_eq!(there.press("Save").await.status, StatusCode::OK);
    here.fill("Website Name", "This tab");
    let conflict = here.press("Save").await;
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{conflict}");
    assert_eq!(conflict.h1(), "You changed this cart in another tab");
    assert!(conflict.text("main .lead").starts_with("You saved it "), "{conflict}");
    assert_eq!(conflict.all("thead th"), ["Field", "Saved in the other tab", "In this tab"]);
    assert!(!conflict.text("main").contains("Priya"), "{conflict}");
    assert_eq!(conflict.follow("Keep what is saved").await.value("Website Name"), "The other tab");
    let saved = conflict.press("Save the changes of this tab").await;
    assert_eq!(saved.value("Website Name"), "This tab", "{saved}");
    let (here, there) = (priya.visit(&path).await, priya.visit(&path).await);
    there.follow("Delete cart").await.press("Delete cart").await;
    assert_eq!(here.press("Save").await.h1(), "You deleted this cart in another tab");
}

/// The conflict page is built from the submitted form, so that new fields are included automatically.
#[sqlx::test]
async fn conflict_keeps_every_field_that_was_sent(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let page = priya.visit(&path).await;
    let sam = app.sign_in_as(&SAM).await;
    let mut theirs = sam.visit(&path).await;
    theirs.fill("Website Name", "Sam's tea");
    theirs.press("Save").await;
    let (_, action, mut fields) = page.submission("Save");
    for setting in cartwright::carts::settings::Setting::ALL {
        let name = setting.as_str();
        if name == "locations" {
            fields.extend(["1", "2"].map(|id| ("location[]".to_owned(), id.to_owned())));
        } else if !fields.iter().any(|(known, _)| known == name) {
            fields.push((name.to_owned(), "on".to_owned()));
        } else if let Some(empty) = fields.iter_mut().find(|(known, _)| known == name && name == "item_group") {
            empty.1 = "Teas".to_owned();
        }
    }
    let answer = priya.knock(axum::http::Method::POST, &action).form(&fields).send().await;
    let conflict = Page::new(priya.clone(), answer);
    assert_eq!(conflict.status, StatusCode::CONFLICT, "{conflict}");
    let (_, _, sent_again) = conflict.submission("Go back and edit");
    let secrets = ["csrf", "version", "access_token", "client_secret"];
    for field in fields.iter().filter(|(name, _)| !secrets.contains(&name.as_str())) {
        assert!(sent_again.contains(field), "{field:?} is lost: {sent_again:?}");
    }
}

/// Changes the store's token at Shopify and returns it.
fn new_token(app: &TestApp, ending: &str) -> String {
    let token = format!("shpat_{}", ending.repeat(8));
    app.practice.stores().change("northwind-tea", |store| store.access_token = token.clone().into());
    token
}

#[sqlx::test]
async fn conflict_shows_that_a_secret_is_new_but_not_the_secret(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let (mut mine, theirs) = (priya.visit(&path).await, sam.visit(&path).await);
    let mut theirs = theirs.press("Replace token").await;
    theirs.fill("Access Token", &new_token(&app, "77ab"));
    assert_eq!(theirs.press("Test Connection").await.press("Save").await.status, StatusCode::OK);
    mine.fill("Website Name", "Priya's tea");
    // A test from an outdated page conflicts as well.
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
    // Priya's token was not tested, so Sam's stays in use; the event names whose change was overwritten.
    let saved = conflict.press("Save my changes instead").await;
    assert!(saved.banner().starts_with("Priya's tea is saved, but still uses the old access token."), "{saved}");
    let over: serde_json::Value = sqlx::query_scalar("select data from audit_events where event = 'cart_overwritten'")
        .fetch_one(&app.pool)
        .await
        .expect("one row");
    assert_eq!(over, serde_json::json!({"of": "Sam Lee"}));
}

#[sqlx::test]
async fn conflict_shows_credential_kind_and_disconnection(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let store = app.practice.stores().find("northwind-tea").expect("a store");
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
    assert_eq!(rows, ["Access TokenDisconnectedNo change"], "saving turns the cart off for both");
}

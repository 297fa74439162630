//! A draft secret belongs to one form, one session, one cart, one host and one kind, for thirty minutes.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::SAM,
    dump::{count, tamper},
    expose,
};

/// A form whose token was tested and not saved.
async fn held(pool: PgPool) -> (TestApp, Browser, Page) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.open_store("northwind-b2b");
    let page = app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    assert!(!page.has_field("Access Token"), "{page}");
    let ending = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token)[34..].to_owned();
    assert!(
        page.all(".only-token .line").iter().any(|line| *line == format!("Token received, ends in {ending}.")),
        "{page}"
    );
    app.practice.journal().clear();
    (app, priya, page)
}

#[track_caller]
fn assert_gone(page: &Page, field: &str, sentence: &str) {
    assert_eq!(page.status, StatusCode::UNPROCESSABLE_ENTITY, "{page}");
    assert_eq!(page.complaint(field).map(|(_, sentence)| sentence).as_deref(), Some(sentence), "{page}");
}

#[sqlx::test]
async fn draft_secret_can_be_used_repeatedly_by_its_form(pool: PgPool) {
    let (app, _, page) = held(pool).await;
    let page = page.press("Test Connection").await.press("Test Connection").await;
    assert_eq!(page.class(), "CONNECTED", "{page}");
    assert_eq!(app.practice.journal().requests().len(), 4, "two tests of two requests");
    let page = page.press("Save").await;
    assert_eq!(page.banner(), "Northwind Tea is saved and connected. See all carts");
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0);
}

#[sqlx::test]
async fn draft_secret_is_not_used_by_another_session(pool: PgPool) {
    let (app, _, page) = held(pool).await;
    let again = app.sign_in_as(&crate::support::cast::PRIYA).await;
    for other in [app.sign_in_as(&SAM).await, again] {
        let token = other.visit("/admin").await.submission("Sign out").2.remove(0);
        for button in ["Test Connection", "Save"] {
            let (_, action, mut fields) = page.submission(button);
            fields[0] = token.clone();
            let answer = other.knock(Method::POST, &action).form(&fields).send().await;
            assert_gone(&Page::new(other.clone(), answer), "Access Token", "Enter the access token");
        }
    }
    app.assert_nothing_was_called();
    // Nor can another session overwrite or delete it.
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
}

#[sqlx::test]
async fn draft_secret_is_not_used_by_another_cart(pool: PgPool) {
    let (app, priya, page) = held(pool).await;
    let cart = app.draft(&priya, "Northwind Wholesale", "northwind-b2b").await;
    app.practice.journal().clear();
    let submission = page.submission("Save").2.into_iter().find(|(name, _)| name == "submission").expect("an id");
    for button in ["Test Connection", "Save"] {
        let mut other = priya.visit(&cart.path).await;
        other.fill("API URL", "northwind-tea");
        let (_, action, mut fields) = other.submission(button);
        *fields.iter_mut().find(|(name, _)| name == "submission").expect("an id") = submission.clone();
        let answer = priya.knock(Method::POST, &action).form(&fields).send().await;
        let page = Page::new(priya.clone(), answer);
        assert_gone(
            &page,
            "Access Token",
            "You changed the store. Enter the access token for northwind-tea. We do not send one store's token to another",
        );
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn draft_secret_is_not_used_for_another_host(pool: PgPool) {
    let (app, _, mut page) = held(pool).await;
    page.fill("API URL", "northwind-b2b");
    for button in ["Test Connection", "Save"] {
        assert_gone(&page.press(button).await, "Access Token", "Enter the access token");
    }
    app.assert_nothing_was_called();
    page.fill("API URL", "northwind-tea");
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED", "at its own host it is still usable");
}

#[sqlx::test]
async fn draft_secret_is_not_used_for_another_kind(pool: PgPool) {
    let (app, _, mut page) = held(pool).await;
    page.choose("Client ID and Client secret");
    page.fill("Client ID", &"c1".repeat(16));
    for button in ["Test Connection", "Save"] {
        assert_gone(&page.press(button).await, "Client secret", "Enter the Client secret");
    }
    app.assert_nothing_was_called();
}

#[sqlx::test]
async fn draft_secret_expires_after_thirty_minutes(pool: PgPool) {
    let (app, _, page) = held(pool).await;
    tamper(&app.pool, "update unsaved_credentials set created_at = now() - interval '29 minutes'").await;
    assert_eq!(page.press("Test Connection").await.class(), "CONNECTED");
    app.practice.journal().clear();
    tamper(&app.pool, "update unsaved_credentials set created_at = now() - interval '31 minutes'").await;
    let sentence = "Enter the access token again. We keep an unsaved one for 30 minutes only";
    for button in ["Test Connection", "Save"] {
        assert_gone(&page.press(button).await, "Access Token", sentence);
    }
    app.assert_nothing_was_called();
    tamper(&app.pool, "update unsaved_credentials set created_at = now() - interval '2 hours'").await;
    app.app.sweep().await.expect("clean-up runs");
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0);
}

#[sqlx::test]
async fn signing_out_or_replacing_deletes_the_draft_secret(pool: PgPool) {
    let (app, priya, page) = held(pool).await;
    let page = page.press("Enter a different token").await;
    assert_eq!((page.value("Access Token").as_str(), page.value("Website Name").as_str()), ("", "Northwind Tea"));
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0);
    assert_gone(&page.press("Save").await, "Access Token", "Enter the access token");
    app.fill_new(&priya, "Northwind Tea", "northwind-tea").await.press("Test Connection").await;
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 1);
    priya.visit("/admin").await.press("Sign out").await;
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0);
}

#[sqlx::test]
async fn draft_secret_survives_a_refused_form(pool: PgPool) {
    let (app, priya, _) = held(pool).await;
    let mut page = app.fill_new(&priya, "", "northwind-b2b").await.press("Save").await;
    assert_eq!((page.status.as_u16(), page.complaint_class("Website Name").as_str()), (422, "NAME_EMPTY"), "{page}");
    assert!(!page.has_field("Access Token"), "{page}");
    page.fill("Website Name", "Northwind Wholesale");
    let page = page.press("Save").await;
    assert_eq!(
        page.banner(),
        "Northwind Wholesale is saved as a draft. It turns on when the test passes. See all carts"
    );
}

//! Forms that grant access, change permissions or take something away ask for the password again ten minutes after it
//! was entered. Iterates over the route table, so that a new form must be listed here if it asks.

use axum::http::{Method, StatusCode};
use sqlx::PgPool;

use crate::{
    rights::{form, kept, people, priya, world},
    support::{
        Page, TestApp,
        cast::{PASSWORD, PRIYA, SAM},
        dump::{dump, tamper},
    },
};

/// The forms that ask: for account details only if the e-mail address changes, for a role on every change.
const ASKS: [&str; 14] = [
    "/admin/account",
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
    "/admin/ecommerce/shopify/{cart}/disconnection",
    "/admin/ecommerce/shopify/{cart}/deletion",
];

async fn password_was_entered(app: &TestApp, minutes: u32) {
    tamper(&app.pool, &format!("update sessions set authenticated_at = now() - interval '{minutes} minutes'")).await;
}

#[sqlx::test]
async fn forms_that_take_something_away_ask_for_the_password_after_ten_minutes(pool: PgPool) {
    let (app, blanks, forms) = world(pool).await;
    let id = app.user_id(&PRIYA).await;
    let mut asked = Vec::new();
    for door in &forms {
        let browser = priya(&app).await;
        let mut fields = form(&app, door, &browser, &blanks).await;
        if door.template == "/admin/account" {
            let email = fields.iter_mut().find(|(name, _)| name == "email").expect("a field");
            email.1 = "p.shah@northwind.example".into();
        }
        password_was_entered(&app, 11).await;
        let state = async || (kept(dump(&app.pool).await), people(&app).await);
        let before = state().await;
        let answer = browser.knock(Method::POST, &door.path).form(&fields).send().await;
        let mut page = Page::new(browser.clone(), answer);
        let is_changed = state().await != before;
        if page.all("h1") != ["Confirm it is you"] {
            assert!(is_changed, "{} neither asks nor does anything: {page}", door.name());
            continue;
        }
        asked.push(door.template);
        assert!(!is_changed, "{} asks when it is done", door.name());
        page.fill("Password", "leaf kettle third steep");
        let mut page = page.press("Continue").await;
        assert_eq!(page.complaint_class("Password"), "PASSWORD_WRONG", "{}: {page}", door.name());
        page.fill("Password", PASSWORD);
        let page = page.press("Continue").await;
        assert_eq!(page.status, StatusCode::OK, "{}: {page}", door.name());
        assert!(state().await != before, "{} does not go on after the password: {page}", door.name());
        let back = format!("update users set name = '{}', email = '{}' where id = '{id}'", PRIYA.name, PRIYA.email);
        tamper(&app.pool, &back).await;
    }
    assert_eq!(asked, ASKS);
}

#[sqlx::test]
async fn lowering_somebody_asks_for_the_password_after_ten_minutes(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let sam = app.user_id(&SAM).await;
    password_was_entered(&app, 11).await;
    let mut page = priya.visit(&format!("/admin/users/{sam}")).await;
    page.choose("Viewer");
    let mut page = page.press("Save").await;
    assert_eq!(page.text("main .lead"), "For security, enter your password to make Sam Lee a Viewer.", "{page}");
    let role = async || -> String {
        let role = sqlx::query_scalar("select role from users where email = $1").bind(SAM.email);
        role.fetch_one(&app.pool).await.expect("a role")
    };
    assert_eq!(role().await, "administrator");
    page.fill("Password", PASSWORD);
    let page = page.press("Continue").await;
    assert_eq!(
        (page.banner().as_str(), role().await.as_str()),
        ("Sam Lee is a Viewer now. Every browser of theirs was signed out.", "viewer"),
        "{page}"
    );
}

#[sqlx::test]
async fn alert_settings_that_were_typed_go_on_after_the_password(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    password_was_entered(&app, 11).await;
    let mut page = priya.visit("/admin/alerts").await;
    page.fill("Address", "http://ops.northwind.example/hooks");
    let mut page = page.press("Save").await;
    assert_eq!(
        page.complaint_class("Address"),
        "NOT_HTTPS",
        "a mistake is told before the password is asked for: {page}"
    );
    page.fill("Address", "https://ops.northwind.example/hooks/carts");
    let mut page = page.press("Save").await;
    assert_eq!(page.text("main .lead"), "For security, enter your password to change who gets notified.", "{page}");
    page.fill("Password", PASSWORD);
    let page = page.press("Continue").await;
    assert!(page.has("section.once code"), "the signing secret is shown: {page}");
}

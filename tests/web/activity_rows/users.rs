//! Changes that an administrator or the operator makes to other accounts, and the use of the links that they create.

use std::cell::RefCell;

use sqlx::PgPool;

use super::Proofs;
use crate::support::{
    Page, TestApp,
    cast::{PASSWORD, PRIYA, VERA},
};

pub const PROVED: &[&str] = &[
    "user_invited",
    "user_joined",
    "sign_in_link_made",
    "password_changed",
    "role_changed",
    "user_signed_out",
    "user_turned_off",
    "user_turned_on",
];

/// Returns the path of the link that a page shows once.
#[track_caller]
fn link_on(page: &Page) -> String {
    let url = page.text("section.once code");
    url.strip_prefix("http://127.0.0.1:8080").expect("an address of this server").to_owned()
}

#[sqlx::test]
async fn user_administration_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let priya = app.sign_in_as(&PRIYA).await;
    let shown = RefCell::new(None);
    let show = |page: Page| drop(shown.replace(Some(page)));
    let link = || link_on(shown.borrow().as_ref().expect("a page"));

    let mut page = priya.visit("/admin/users/new").await;
    page.fill("Name", "Ana Ruiz");
    page.fill("Email", "ana@agency.example");
    page.choose("Viewer");
    proofs.prove("user_invited", async || show(page.press("Add user").await)).await;
    let mut page = app.browser().visit(&link()).await;
    page.fill("New password", PASSWORD);
    proofs.prove("user_joined", async || drop(page.press("Join").await)).await;

    let id = app.user_id(&VERA).await;
    let vera = async || priya.visit(&format!("/admin/users/{id}")).await;
    let page = vera().await;
    proofs.prove("sign_in_link_made", async || show(page.press("New sign-in link").await)).await;
    let mut page = app.browser().visit(&link()).await;
    page.fill("New password", PASSWORD);
    proofs.prove("password_changed", async || drop(page.press("Save password").await)).await;
    let user = uuid::Uuid::parse_str(&id).expect("an id");
    let as_operator = async || drop(app.app.accounts.make_link_as_operator(user).await);
    proofs.prove("sign_in_link_made", as_operator).await;

    for role in ["Administrator", "Viewer"] {
        let mut page = vera().await;
        page.choose(role);
        proofs.prove("role_changed", async || drop(page.press("Save").await)).await;
    }
    app.sign_in_as(&VERA).await;
    let page = vera().await;
    proofs.prove("user_signed_out", async || drop(page.press("Sign out everywhere").await)).await;
    app.sign_in_as(&VERA).await;
    let page = vera().await.follow("Turn off").await;
    proofs.prove("user_turned_off", async || drop(page.press("Turn off").await)).await;
    let page = vera().await;
    proofs.prove("user_turned_on", async || drop(page.press("Turn on").await)).await;
    proofs.are(PROVED);
}

//! Sign-in and sign-out, and changes that users make to their own account.

use cartwright::{
    accounts::{Email, NewUser, PersonName},
    audit::By,
};
use sqlx::PgPool;

use super::Proofs;
use crate::support::{
    Browser, Page, TestApp,
    cast::{PASSWORD, PRIYA, SAM, VERA},
};

const NEW_PASSWORD: &str = "kettle second steep leaf";

pub const SIGN_IN: &[&str] =
    &["set_up_link_made", "user_added", "could_not_sign_in", "signed_in", "signed_out", "was_refused"];

#[sqlx::test]
async fn sign_in_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let accounts = &app.app.accounts;
    proofs.prove("set_up_link_made", async || drop(accounts.make_set_up_link().await)).await;
    let code = accounts.make_set_up_link().await.expect("a link").to_cookie();
    let mut first = app.browser().visit(&format!("/set-up/{code}")).await;
    first.fill("Your name", PRIYA.name);
    first.fill("Email address", PRIYA.email);
    first.fill("New password", PASSWORD);
    proofs.prove("user_added", async || drop(first.press("Create my account").await)).await;
    let add = async || {
        let new = NewUser {
            email: Email::parse(SAM.email).expect("an address"),
            name: PersonName::parse(SAM.name).expect("a name"),
            role: SAM.role,
            password: PASSWORD.into(),
        };
        accounts.add(By::operator(), new).await.ok();
    };
    proofs.prove("user_added", add).await;
    let sign_in = async |password: &str| {
        let mut page = app.browser().visit("/sign-in").await;
        page.fill("Email address", SAM.email);
        page.fill("Password", password);
        page.press("Sign in").await;
    };
    proofs.prove("could_not_sign_in", async || sign_in("not it, not it").await).await;
    proofs.prove("signed_in", async || sign_in(PASSWORD).await).await;
    let sam = app.sign_in_as(&SAM).await;
    let page = sam.visit("/admin").await;
    proofs.prove("signed_out", async || drop(page.knock("Sign out").send().await)).await;
    let vera = app.sign_in_as(&VERA).await;
    proofs.prove("was_refused", async || drop(vera.visit("/admin/ecommerce/add").await)).await;
    proofs.are(SIGN_IN);
}

/// Fills in the form for a new password.
async fn new_password(browser: &Browser, current: &str, new: &str) -> Page {
    let mut page = browser.visit("/admin/account").await;
    page.fill("Current password", current);
    page.fill("New password", new);
    page
}

pub const OWN: &[&str] = &["details_changed", "could_not_confirm", "password_changed", "signed_out_others"];

#[sqlx::test]
async fn own_account_events_are_atomic(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let mut proofs = Proofs::begin(&app.pool);
    let sam = app.sign_in_as(&SAM).await;
    let mut page = sam.visit("/admin/account").await;
    page.fill("Name", "Sam L.");
    proofs.prove("details_changed", async || drop(page.press("Save").await)).await;

    let page = new_password(&sam, "not it, not it", NEW_PASSWORD).await;
    proofs.prove("could_not_confirm", async || drop(page.press("Change password").await)).await;

    let phone = app.sign_in_as(&SAM).await;
    let page = sam.visit("/admin/account").await;
    let button = page.all("li.place button").remove(0);
    proofs.prove("signed_out_others", async || drop(page.press(&button).await)).await;
    assert_eq!(phone.visit("/admin").await.h1(), "Sign in");

    app.sign_in_as(&SAM).await;
    let page = sam.visit("/admin/account").await;
    proofs.prove("signed_out_others", async || drop(page.press("Sign out everywhere else").await)).await;

    // One transaction with two events: refusing the second also rolls back the first and the password.
    app.sign_in_as(&SAM).await;
    let page = new_password(&sam, PASSWORD, NEW_PASSWORD).await;
    proofs.prove("signed_out_others", async || drop(page.press("Change password").await)).await;
    let page = new_password(&sam, NEW_PASSWORD, PASSWORD).await;
    proofs.prove("password_changed", async || drop(page.press("Change password").await)).await;
    proofs.are(OWN);
}

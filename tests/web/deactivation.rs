//! Turning an account off and on again.

use axum::http::StatusCode;
use sqlx::PgPool;

use super::users::{link_on, sign_in, user_page};
use crate::support::{
    TestApp,
    cast::{PASSWORD, PRIYA, VERA},
    dump::events,
};

#[sqlx::test]
async fn user_is_disabled_and_enabled(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let vera = app.sign_in_as(&VERA).await;
    let link = link_on(&user_page(&app, &priya, &VERA).await.press("New sign-in link").await);
    let page = user_page(&app, &priya, &VERA).await.follow("Turn off").await;
    assert_eq!(page.h1(), "Turn off Vera Novak?");
    assert_eq!(
        page.text("main .lead"),
        "Vera is signed out at once and cannot sign in. What Vera did stays in the activity."
    );
    assert_eq!(vera.visit("/admin").await.h1(), "Admin", "the confirmation page changes nothing");
    let page = page.press("Turn off").await;
    assert_eq!((page.banner().as_str(), page.path.as_str()), ("Vera Novak is turned off.", "/admin/users"), "{page}");
    assert_eq!(vera.visit("/admin").await.h1(), "Sign in");
    assert_eq!(sign_in(&app.browser(), VERA.email, PASSWORD).await.status, 422);
    assert_eq!(app.browser().visit(&link).await.status, StatusCode::GONE);
    let page = user_page(&app, &priya, &VERA).await;
    assert!(!page.has_button("New sign-in link") && !page.has_button("Sign out everywhere"), "{page}");
    let page = page.press("Turn on").await;
    assert_eq!(page.banner(), "Vera Novak is turned on.", "{page}");
    assert_eq!(sign_in(&app.browser(), VERA.email, PASSWORD).await.h1(), "Admin");
    assert_eq!(app.browser().visit(&link).await.status, StatusCode::GONE, "an old link stays invalid");
    let events = events(&app.pool).await;
    assert_eq!(events[events.len() - 4..], ["user_turned_off", "could_not_sign_in", "user_turned_on", "signed_in"]);
}

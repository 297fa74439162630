//! The switch of the integration: turning it off is confirmed, adding a cart turns it on.

use sqlx::PgPool;

use crate::support::{TestApp, cast::PRIYA};

#[sqlx::test]
async fn turning_off_asks_first_and_turning_on_does_not(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    let mut list = priya.visit("/admin/ecommerce").await;
    list.uncheck("Active");
    let ask = list.press("Update").await;
    assert_eq!(ask.h1(), "Turn off Ecommerce Integration?");
    assert!(ask.text("main .lead").contains("stop syncing for 1 cart,"), "{ask}");
    assert!(ask.follow("Cancel").await.is_checked("Active"), "the question changes nothing");
    let mut off = ask.press("Turn off").await;
    assert_eq!((off.path.as_str(), off.banner().as_str()), ("/admin/ecommerce", "Ecommerce Integration is off."));
    assert_eq!(priya.visit("/admin/ecommerce/switch?to=off").await.path, "/admin/ecommerce");
    off.check("Active");
    let on = off.press("Update").await;
    assert_eq!((on.banner().as_str(), on.is_checked("Active")), ("Ecommerce Integration is on.", true));
}

#[sqlx::test]
async fn adding_a_cart_turns_the_integration_on(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.sign_in_as(&PRIYA).await;
    let ask = priya.visit("/admin/ecommerce").await.follow("Add Cart").await;
    assert_eq!(ask.h1(), "Turn on Ecommerce Integration to add a cart");
    assert_eq!(ask.press("Turn on and add a cart").await.h1(), "Add a cart");
    assert_eq!(priya.visit("/admin/ecommerce/switch?to=add").await.path, "/admin/ecommerce/add");
}

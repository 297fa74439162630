//! Disconnecting a cart: its credential is deleted, the cart stays.

use sqlx::PgPool;

use super::general::{assert_saved, inside};
use crate::support::{dump::events, expose};

#[sqlx::test]
async fn disconnecting_deletes_the_credential_and_keeps_the_cart(pool: PgPool) {
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
    // Connected again with a new token.
    let token = expose(&app.practice.stores().find("northwind-tea").expect("a store").access_token).to_owned();
    let mut page = page;
    page.fill("Access Token", &token);
    let mut page = page.press("Test Connection").await;
    page.check("Active");
    assert_saved(&page.press("Save").await, "Northwind Tea is saved and connected.", "Connected");
}

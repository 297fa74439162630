//! Deleting a cart: its page, and forms of it that are still open elsewhere.

use axum::http::StatusCode;
use sqlx::PgPool;

use super::general::{assert_saved, inside};
use crate::support::{cast::SAM, dump::count};

#[sqlx::test]
async fn saving_a_deleted_cart_names_who_deleted_it(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let mut mine = priya.visit(&path).await;
    mine.fill("Website Name", "Priya's tea");
    sam.visit(&path).await.follow("Delete cart").await.press("Delete cart").await;
    let page = mine.press("Save").await;
    assert_eq!(page.h1(), "Sam Lee deleted this cart", "{page}");
    assert_eq!(page.status, StatusCode::CONFLICT);
    assert_eq!(
        page.all("tbody td"),
        ["Priya's tea", "https://northwind-tea.myshopify.com/admin"],
        "the input can be copied"
    );
    let page = page.press("Add it as a new cart").await;
    assert_eq!(page.h1(), "ECommerce Integration Editor: Shopify", "{page}");
    assert_eq!(
        (page.value("Website Name").as_str(), page.value("Access Token").as_str()),
        ("Priya's tea", ""),
        "{page}"
    );
    let page = page.press("Save").await;
    assert_eq!(page.complaint_class("Access Token"), "TOKEN_EMPTY", "a new cart must not reuse the secret: {page}");
}

/// Also with a secret that would be stored as a draft, and with secondary buttons.
#[sqlx::test]
async fn refused_form_of_a_deleted_cart_names_who_deleted_it(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let sam = app.sign_in_as(&SAM).await;
    let tabs = [priya.visit(&path).await, priya.visit(&path).await, priya.visit(&path).await];
    sam.visit(&path).await.follow("Delete cart").await.press("Delete cart").await;
    let [mut saved, mut tested, replaced] = tabs;
    for (page, button) in [(&mut saved, "Save"), (&mut tested, "Test Connection")] {
        page.fill("Website Name", "");
        page.choose("Client ID and Client secret");
        page.fill("Client ID", &"c1".repeat(16));
        page.fill("Client secret", &format!("shpss_{}", "5".repeat(32)));
        let page = page.press(button).await;
        assert_eq!((page.h1(), page.status), ("Sam Lee deleted this cart".into(), StatusCode::CONFLICT), "{button}");
    }
    let page = replaced.press("Replace token").await;
    assert_eq!(page.h1(), "Sam Lee deleted this cart", "{page}");
    assert_eq!(count(&app.pool, "unsaved_credentials").await, 0);
}

#[sqlx::test]
async fn deleting_removes_the_cart_and_keeps_its_activity(pool: PgPool) {
    let (app, priya) = inside(pool).await;
    let path = app.connect(&priya, "Northwind Tea", "northwind-tea").await.path;
    let before = count(&app.pool, "audit_events").await;
    let ask = priya.visit(&path).await.follow("Delete cart").await;
    assert_eq!(ask.h1(), "Delete Northwind Tea?");
    // Changed by another user meanwhile: a conflict, and nothing is deleted.
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
    // Its name and its store can be used again.
    assert_saved(
        &app.connect(&priya, "Northwind Tea", "northwind-tea").await,
        "Northwind Tea is saved and connected.",
        "Connected",
    );
}

//! Saving is always possible, never claims more than was tested, and never silently overwrites. Covers each outcome of
//! a save with its banner.

mod conflict;
mod draft;
mod edit;
mod new_cart;
mod once;

use axum::http::StatusCode;
use cartwright::practice::{Canned, PracticeStore, Scenario};
use sqlx::PgPool;

use crate::support::{
    Browser, Page, TestApp,
    cast::SAM,
    dump::{count, events},
    expose,
};

const MISSING: Scenario = Scenario::ScopesMissing(&["write_inventory", "read_shipping"]);

pub async fn inside(pool: PgPool) -> (TestApp, Browser) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    app.open_store("northwind-tea");
    (app, priya)
}

#[track_caller]
pub fn assert_saved(page: &Page, banner: &str, status: &str) {
    assert_eq!(page.status, StatusCode::OK, "{page}");
    assert_eq!(page.banner(), format!("{banner} See all carts"), "{page}");
    assert_eq!(page.all("p.status .badge"), [status], "{page}");
    assert!(page.title().starts_with("Saved – "), "{}", page.title());
    assert!(page.path.ends_with("/general"), "{}", page.path);
}

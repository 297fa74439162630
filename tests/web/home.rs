//! The home page: what the integration does, and the parts of the site that this user may use.

use sqlx::PgPool;

use crate::support::{TestApp, cast::VERA};

#[sqlx::test]
async fn home_counts_carts_for_administrators_and_viewers(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let vera = app.sign_in_as(&VERA).await;
    for browser in [&priya, &vera] {
        assert!(browser.visit("/admin").await.text("main").contains("No carts yet"));
    }
    app.open_store("northwind-tea");
    app.connect(&priya, "Northwind Tea", "northwind-tea").await;
    for browser in [&priya, &vera] {
        assert!(browser.visit("/admin").await.text("main").contains("1 cart, all connected"));
    }
    assert_eq!(vera.visit("/admin").await.follow("Ecommerce Integration").await.path, "/admin/ecommerce");
}

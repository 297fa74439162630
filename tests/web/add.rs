//! The gallery of platforms.

use sqlx::PgPool;

use crate::support::TestApp;

#[sqlx::test]
async fn gallery_offers_shopify_and_names_what_comes_later(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let priya = app.priya_with_integration_on().await;
    let gallery = priya.visit("/admin/ecommerce").await.follow("Add Cart").await;
    assert_eq!(gallery.h1(), "Add a cart");
    assert_eq!(
        gallery.attribute("main a[aria-label='Add Shopify'], main a.button", "href").as_deref(),
        Some("/admin/ecommerce/shopify/new")
    );
    for later in ["BigCommerce", "WooCommerce", "Magento", "Volusion", "Shift4Shop"] {
        assert!(gallery.text("main").contains(later), "{later}");
    }
    assert_eq!(gallery.text("main").matches("Not available yet").count(), 5);
}

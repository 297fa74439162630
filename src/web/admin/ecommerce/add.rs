//! The gallery behind *Add Cart*: six platforms, one of which can be added. The others have no button at all.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

use crate::app::App;
use crate::web::admin::error::Error;
use crate::web::admin::page::HtmlPage;

use crate::web::admin::filters;
use crate::web::admin::shell::Shell;
use crate::web::urls;

/// Platforms that cannot be connected yet, in page order.
const LATER: [&str; 5] = ["BigCommerce", "WooCommerce", "Magento", "Volusion", "Shift4Shop"];

/// The page with its six tiles.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/add.html")]
pub struct Add {
    pub shell: Shell,
    /// Number of connected Shopify carts; zero is not shown.
    pub connected: u64,
}

/// GET `/admin/ecommerce/add`; while the integration is off, redirects to the confirmation for turning it on.
pub async fn show(State(app): State<App>, shell: Shell) -> Result<Response, Error> {
    if !app.integration.is_active().await? {
        return Ok(Redirect::to(urls::SWITCH_BEFORE_ADDING).into_response());
    }
    let counts = app.carts.counts().await?;
    let connected = u64::try_from(counts.active - counts.attention).unwrap_or(0);
    Ok(HtmlPage::ok(Add { shell, connected }).into_response())
}

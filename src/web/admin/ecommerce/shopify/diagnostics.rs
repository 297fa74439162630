//! The diagnostics of a cart as plain text: what *Copy diagnostics* copies, for users without script or who save pages.

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use crate::app::App;
use crate::carts::CartId;
use crate::web::admin::error::Error;
use crate::web::admin::form::Path;

/// GET `/admin/ecommerce/shopify/{cart}/diagnostics`.
pub async fn show(State(app): State<App>, Path(id): Path<Uuid>) -> Result<Response, Error> {
    let cart = app.carts.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let text = app.connection_tests.diagnostics(&cart, app.clock.now()).await?;
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}

//! The tab Activity of a cart: the activity page with the cart fixed.

use axum::{extract::State, response::Response};
use uuid::Uuid;

use super::{CartHead, programs::ProgramsLine};
use crate::app::App;
use crate::carts::CartId;
use crate::web::admin::activity::{self, ActivityQuery};
use crate::web::admin::error::Error;
use crate::web::admin::form::{Path, Query};
use crate::web::admin::shell::Shell;

/// GET `/admin/ecommerce/shopify/{cart}/activity`.
pub async fn list(
    State(app): State<App>,
    shell: Shell,
    Path(id): Path<Uuid>,
    Query(asked): Query<ActivityQuery>,
) -> Result<Response, Error> {
    let cart = app.carts.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let head = CartHead::of(&app, &cart).await?;
    let programs = ProgramsLine::of_activity(&app, &cart).await?;
    activity::show(&app, shell, Some((head, programs)), asked).await
}

//! Deletes carts.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::demand_match;
use crate::{
    app::App,
    web::{
        api::{
            caller::{ApiCaller, SeenCart},
            conditional::{IfMatch, changed_meanwhile},
            problem::Problem,
        },
        urls,
    },
};

/// Delete a cart
///
/// With its credential, its settings and its checks. Its activity is kept.
#[utoipa::path(
    delete,
    path = urls::API_CART,
    operation_id = "deleteCart",
    tag = "Carts",
    params(
        ("cart" = String, Path, description = "The id of the cart."),
        ("If-Match" = String, Header, description = "The `ETag` of the cart as it was read.")
    ),
    responses(
        (status = 204, description = "The cart is deleted."),
        (status = 412, description = "See the table of problems."),
        (status = 428, description = "See the table of problems.")
    )
)]
pub async fn destroy(
    State(app): State<App>,
    caller: ApiCaller,
    SeenCart(cart): SeenCart,
    if_match: IfMatch,
) -> Result<Response, Problem> {
    demand_match(&app, &cart, &if_match).await?;
    if !app.carts.delete(caller.by(), cart.id, cart.version, caller.write_scope()?).await? {
        return Err(changed_meanwhile());
    }
    Ok(StatusCode::NO_CONTENT.into_response())
}

//! Carts: list, read, add, change, delete. The same operations as the pages, and the same complaints.

pub mod body;
mod cursor;
pub mod deletion;
pub mod list;
pub mod saving;
pub mod settings;
mod submission;

use axum::{extract::State, http::HeaderMap, response::Response};

use self::body::CartBody;
use crate::{
    app::App,
    carts::Cart,
    web::{
        api::{
            caller::SeenCart,
            conditional::{IfMatch, TaggedJson, changed_meanwhile},
            problem::Problem,
        },
        urls,
    },
};

/// Read a cart
///
/// The `ETag` is needed to change or delete the cart.
#[utoipa::path(
    get,
    path = urls::API_CART,
    operation_id = "readCart",
    tag = "Carts",
    params(("cart" = String, Path, description = "The id of the cart.")),
    responses(
        (status = 200, description = "The cart.", body = CartBody),
        (status = 304, description = "The cart is still as in `If-None-Match`.")
    )
)]
pub async fn show(State(app): State<App>, SeenCart(cart): SeenCart, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(current(&app, &cart).await?.read(&headers))
}

/// The cart as programs read it now.
async fn current(app: &App, cart: &Cart) -> Result<TaggedJson, Problem> {
    let summary = app.carts.find_summary(cart.id).await?.ok_or_else(Problem::no_such_cart)?;
    Ok(TaggedJson::of(&CartBody::of(&summary, &app.site.public_url.origin)))
}

/// Checks that the client read the cart as it is.
///
/// # Errors
/// 412 if it did not, or if the cart changes meanwhile.
async fn demand_match(app: &App, cart: &Cart, if_match: &IfMatch) -> Result<(), Problem> {
    let summary = app.carts.find_summary(cart.id).await?.ok_or_else(Problem::no_such_cart)?;
    if summary.version != cart.version {
        return Err(changed_meanwhile());
    }
    TaggedJson::of(&CartBody::of(&summary, &app.site.public_url.origin)).demand_match(if_match)
}

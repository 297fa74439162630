//! The connection of the session, for a handler that asks on.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::Error;
use crate::{
    app::App,
    database::{Lease, lent::Lent},
};

/// What the session was read on, where the route table lets the handler have it; otherwise one of the pool.
#[derive(Debug)]
pub struct Borrowed(pub Lease);

impl FromRequestParts<App> for Borrowed {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        match parts.extensions.get::<Lent>().and_then(Lent::take) {
            Some(connection) => Ok(Self(connection)),
            None => Ok(Self(app.pool.acquire().await?)),
        }
    }
}

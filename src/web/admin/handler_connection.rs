//! Lets a handler query on the database connection that the session was read on.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::error::Error;
use crate::{
    app::App,
    database::{Lease, request_connection::RequestConnection},
};

/// The session's connection if the route table allows it, otherwise one from the pool.
#[derive(Debug)]
pub struct HandlerConnection(pub Lease);

impl FromRequestParts<App> for HandlerConnection {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Error> {
        match parts.extensions.get::<RequestConnection>().and_then(RequestConnection::take) {
            Some(connection) => Ok(Self(connection)),
            None => Ok(Self(app.pool.acquire().await?)),
        }
    }
}

//! Shared by the confirmations before deletion and disconnection: the cart in question, and the confirmed version.

use serde::Deserialize;
use uuid::Uuid;

use super::{CartHead, Kind};
use crate::app::App;
use crate::carts::CartId;
use crate::web::admin::error::Error;
use crate::web::admin::form::Secret;

/// The cart at the time of the question.
pub struct ConfirmationQuery {
    pub cart: CartHead,
    pub kind: Kind,
    /// The version that the user is asked about.
    pub version: i64,
}

impl ConfirmationQuery {
    pub async fn about(app: &App, id: Uuid) -> Result<Self, Error> {
        let cart = app.carts.find(CartId(id)).await?.ok_or(Error::NotFound)?;
        let kind = cart.credential.as_ref().map_or_else(Kind::default, |credential| credential.kind);
        Ok(Self { kind, version: cart.version, cart: CartHead::of(app, &cart).await? })
    }
}

/// Confirmation of exactly this version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmationForm {
    pub version: i64,
    /// From *Confirm it is you*.
    pub password: Option<Secret>,
}

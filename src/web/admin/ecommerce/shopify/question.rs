//! What the questions before a loss share: the cart that is asked about, and the answer *yes*.

use serde::Deserialize;
use uuid::Uuid;

use super::{CartHead, Kind};
use crate::app::App;
use crate::ecommerce::CartId;
use crate::web::error::Error;
use crate::web::form::Secret;

/// The cart as it is when somebody is asked.
pub struct Asked {
    pub cart: CartHead,
    pub kind: Kind,
    /// The version that was asked about.
    pub version: i64,
}

impl Asked {
    pub async fn about(app: &App, id: Uuid) -> Result<Self, Error> {
        let cart = app.ecommerce.find(CartId(id)).await?.ok_or(Error::NotFound)?;
        let kind = cart.credential.as_ref().map_or_else(Kind::default, |credential| credential.kind);
        Ok(Self { kind, version: cart.version, cart: CartHead::of(app, &cart).await? })
    }
}

/// *Yes*, to exactly this version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Confirmed {
    pub version: i64,
    /// From *Confirm it is you*.
    pub password: Option<Secret>,
}

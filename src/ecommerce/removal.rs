//! Disconnecting and deleting carts. Disconnecting deletes the credential and keeps the rest; deleting also removes the
//! settings and the checks. Both keep the activity.

use super::{CartId, Ecommerce, Status, sql};
use crate::{
    audit::{self, By, Event, Fresh},
    database::transaction,
};

impl Ecommerce {
    /// Deletes the credential; the cart becomes a Draft. `false` if no cart has this id and version.
    pub async fn disconnect(&self, by: By, cart: CartId, version: i64, _: Fresh) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(cart) = sql::disconnect(work, cart, version, by.name(), by.actor.id()).await? else {
                    return Ok(false);
                };
                super::health::apply_user_change(work, CartId(cart.id), Status::Draft, by.name()).await?;
                audit::record(work, &by, Some(&cart), &Event::CartDisconnected).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Deletes the cart and its checks. `false` if no cart has this id and version.
    pub async fn delete(&self, by: By, cart: CartId, version: i64, _: Fresh) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some((cart, store)) = sql::delete(work, cart, version).await? else { return Ok(false) };
                audit::record(work, &by, Some(&cart), &Event::CartDeleted { store }).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Finds in the activity who deleted a cart and when; `None` if it was not deleted.
    pub async fn deletion(&self, cart: CartId) -> sqlx::Result<Option<audit::CartDeletion>> {
        audit::find_deletion(&self.pool, cart.0).await
    }
}

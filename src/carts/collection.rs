//! All carts: find, list, count, disconnect, delete. Saving one is in [`super::saving`].
//!
//! Disconnecting deletes the credential and keeps the rest; deleting also removes the settings and the checks. Both keep
//! the activity.

use std::collections::HashSet;

use uuid::Uuid;

use super::{
    Cart, CartCounts, CartId, CartPage, ListQuery, Status,
    changes::{self, ChangeFacts, ChangeKind},
    health,
    listing::read_page,
    sealing::CredentialVault,
    settings::{CartSettings, GrantedPermissions},
    sql,
};
use crate::{
    audit::{self, By, CartRef, Confirmation, Event, Fresh},
    causes::Class,
    database::{Connection, Pool, transaction},
    platforms::{Locations, StoreAddress},
};

/// All data of the section of the other settings.
#[derive(Clone, Debug, Default)]
pub struct OtherSettings {
    pub saved: CartSettings,
    pub granted: GrantedPermissions,
    pub locations: Locations,
    /// Item groups of other carts.
    pub item_groups: Vec<String>,
}

/// Number of suggested item groups.
const SUGGESTIONS: i64 = 50;

/// The carts of this installation.
#[derive(Clone, Debug)]
pub struct Carts {
    pub(super) pool: Pool,
    pub(super) credentials: CredentialVault,
    /// Whether the server answers for `practice-` stores itself.
    pub(super) practices: bool,
}

impl Carts {
    /// Whether the practice store answers for this address.
    pub(super) fn is_practice(&self, address: &StoreAddress) -> bool {
        self.practices && address.handle().starts_with("practice-")
    }

    /// Finds the cart for its pages. Decrypts nothing: its secret counts as readable if its key is in the ring, until the
    /// next test or check finds that it does not decrypt.
    pub async fn find(&self, id: CartId) -> sqlx::Result<Option<Cart>> {
        let Some((mut cart, head)) = sql::carts::find(&self.pool, id).await? else { return Ok(None) };
        if let Some(credential) = &mut cart.credential {
            let has_key = head.is_some_and(|head| self.credentials.vault.has_key_of(&head));
            credential.is_readable = has_key && cart.last_class != Some(Class::OurKey);
        }
        Ok(Some(cart))
    }

    /// Returns one page of carts in the requested order, on the caller's connection.
    pub async fn list(&self, connection: &mut Connection, query: &ListQuery) -> sqlx::Result<CartPage> {
        read_page(connection, query).await
    }

    /// Returns the first `limit` of these carts by name.
    pub async fn refs(&self, carts: &[Uuid], limit: i64) -> sqlx::Result<Vec<CartRef>> {
        sql::cart_refs::list(&self.pool, carts, limit).await
    }

    /// Returns which of these carts exist.
    pub async fn existing(&self, carts: &[Uuid]) -> sqlx::Result<HashSet<CartId>> {
        sql::counts::list_existing(&self.pool, carts).await
    }

    /// Returns the counts for the head of the list and the Admin home page.
    pub async fn counts(&self) -> sqlx::Result<CartCounts> {
        let mut connection = self.pool.acquire().await?;
        Ok(sql::counts::count(&mut connection).await?.1)
    }

    /// Returns the other General settings of a cart, and which of them may be used.
    pub async fn find_settings(&self, id: CartId) -> sqlx::Result<OtherSettings> {
        let mut connection = self.pool.acquire().await?;
        let (mut saved, granted) = sql::settings::find(&mut connection, id).await?;
        let locations = sql::locations::find(&mut connection, id).await?;
        saved.locations = locations.chosen();
        let item_groups = sql::settings::list_item_groups(&mut connection, SUGGESTIONS).await?;
        Ok(OtherSettings { saved, granted, locations, item_groups })
    }

    /// Deletes the credential; the cart becomes a Draft. `false` if no cart has this id and version.
    pub async fn disconnect(&self, by: By, cart: CartId, version: i64, _: Fresh) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let deleted = sql::credentials::disconnect(work, cart, version, by.name(), by.actor.id()).await?;
                let Some((cart, generation)) = deleted else { return Ok(false) };
                health::apply_user_change(work, CartId(cart.id), Status::Draft, by.name()).await?;
                let event = Event::CartDisconnected { generation: Some(generation) };
                changes::record(work, &by, &cart, &event).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Deletes the cart and its checks. `false` if no cart has this id and version.
    pub async fn delete(
        &self,
        by: By,
        cart: CartId,
        version: i64,
        confirmation: impl Into<Confirmation>,
    ) -> sqlx::Result<bool> {
        let _: Confirmation = confirmation.into();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let deleted = sql::carts::delete(work, cart, version).await?;
                let Some((cart, store, generation)) = deleted else { return Ok(false) };
                let facts =
                    ChangeFacts { website_name: cart.name.clone(), store: store.clone(), ..ChangeFacts::default() };
                let event = Event::CartDeleted { store, generation: Some(generation) };
                audit::record(work, &by, Some(&cart), &event).await?;
                changes::note(work, ChangeKind::Deleted, Some(cart.id), &facts).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Finds in the activity who deleted a cart and when; `None` if it was not deleted.
    pub async fn find_deletion(&self, cart: CartId) -> sqlx::Result<Option<audit::CartDeletion>> {
        audit::find_deletion(&self.pool, cart.0).await
    }
}

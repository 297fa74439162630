//! The locations of a store: read on request, and cached for when the store is unavailable. The network call comes
//! first, the transaction after it.

use std::{sync::Arc, time::Duration};

use tokio_util::task::TaskTracker;

use super::{
    Cart, CartId, Carts, TokenError, Tokens, changes,
    settings::{Setting, why_not},
    sql,
};
use crate::causes::{Class, TESTS_A_MINUTE, Verdict};
use crate::platforms::shopify::{
    answer::FailedAnswer, client::ShopifyClient, connection_test::CHECK_TIMEOUT, locations,
};
use crate::{
    audit::{self, By, RequiredRole},
    clock::Clock,
    database::{
        Pool,
        throttle::{Bucket, BucketKind, Throttle},
        transaction,
    },
    vault::InternalError,
};

/// Location reads per cart and minute.
const PER_CART: Throttle = Throttle { limit: TESTS_A_MINUTE, window: Duration::from_mins(1) };

/// The result of reading locations.
#[derive(Debug)]
pub enum LocationsRead {
    Read,
    /// The stored list is unchanged. Holds the title of the failure.
    Kept(String),
    /// Shopify was not called, because the cart may not read locations; its page says why.
    NotAllowed,
}

/// Reads the locations of stores.
#[derive(Clone, Debug)]
pub struct StoreLocations {
    pub(super) pool: Pool,
    pub(super) carts: Carts,
    pub(super) tokens: Tokens,
    pub(super) client: Arc<ShopifyClient>,
    pub(super) tasks: TaskTracker,
    pub(super) clock: Clock,
}

impl StoreLocations {
    /// Reads the locations of the store and stores them; `None` if there is no such cart.
    ///
    /// # Errors
    /// Also if the user has lost the permission to make changes; checked before the call and before the list is stored.
    pub async fn read(&self, by: By, id: CartId) -> Result<Option<LocationsRead>, InternalError> {
        let Some(cart) = self.carts.find(id).await? else { return Ok(None) };
        let mut connection = self.pool.acquire().await?;
        let (_, granted) = sql::settings::find(&mut connection, id).await?;
        let strays = cart.is_practice && !self.carts.practices;
        if strays || why_not(Setting::Locations, &granted, false).is_some() {
            return Ok(Some(LocationsRead::NotAllowed));
        }
        drop(connection);
        if !self.admit_list(by.clone(), id).await? {
            return Ok(Some(LocationsRead::Kept(format!("You have asked {TESTS_A_MINUTE} times in a minute"))));
        }
        let by = by.started();
        // In its own task, so that a dropped caller cannot cancel it halfway.
        let reader = self.clone();
        let asking = self.tasks.spawn(async move { reader.ask(by, &cart).await });
        asking.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into())).map(Some)
    }

    /// Counts a read against the limit before the store is called; `false` if the limit is exceeded.
    async fn admit_list(&self, by: By, id: CartId) -> sqlx::Result<bool> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let wait = PER_CART.count(work, Bucket::of(BucketKind::CartLocations, &[id.0.as_bytes()])).await?;
                audit::demand(work, &by, RequiredRole::Change).await?;
                Ok(wait.is_none())
            })
        })
        .await
    }

    async fn ask(&self, by: By, cart: &Cart) -> Result<LocationsRead, InternalError> {
        let told = tokio::time::timeout(CHECK_TIMEOUT, self.told(cart)).await;
        match told.unwrap_or(Err(LocationsError::at(Verdict::of(Class::NetworkTimeout)))) {
            Ok(told) => {
                self.keep(by, cart.id, told).await?;
                Ok(LocationsRead::Read)
            }
            Err(LocationsError::At(verdict)) => Ok(LocationsRead::Kept(cart.title_of(&verdict))),
            Err(LocationsError::Broken(broken)) => Err(broken),
        }
    }

    /// Reads the list, with one token refresh after a 401. The host comes from the row that the token was read from,
    /// not from a cart read earlier.
    async fn told(&self, cart: &Cart) -> Result<Vec<(String, String)>, LocationsError> {
        let token = self.tokens.current(cart.id).await?;
        match locations::list(&self.client, &token.address, &token.token).await {
            Err(refusal) if refusal.class == Class::TokenRefused && cart.uses_issued_token() => {
                let other = self.tokens.refresh_rejected(cart.id, &token).await?;
                Ok(locations::list(&self.client, &other.address, &other.token).await?)
            }
            listed => Ok(listed?),
        }
    }

    async fn keep(&self, by: By, id: CartId, told: Vec<(String, String)>) -> sqlx::Result<()> {
        let at = self.clock.now();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(now) = sql::carts::lock(work, id).await? else { return Ok(()) };
                sql::locations::replace(work, id, &told, at).await?;
                let are_gone = sql::locations::note_gone(work, id).await?;
                if are_gone != now.cart.locations_gone {
                    let status = if are_gone { now.cart.status } else { now.cart.facts().status() };
                    let status = status.with_locations(are_gone);
                    sql::locations::update_status(work, id, status).await?;
                    if status != now.cart.status {
                        changes::note_status(work, &now.cart.reference()).await?;
                    }
                }
                audit::demand(work, &by, RequiredRole::Change).await
            })
        })
        .await
    }
}

enum LocationsError {
    At(Box<Verdict>),
    Broken(InternalError),
}

impl LocationsError {
    fn at(verdict: Verdict) -> Self {
        Self::At(Box::new(verdict))
    }
}

impl From<FailedAnswer> for LocationsError {
    fn from(refusal: FailedAnswer) -> Self {
        let moved_to = refusal.moved_to.map(|address| address.host());
        Self::at(Verdict { moved_to, ..Verdict::of(refusal.class) })
    }
}

impl From<TokenError> for LocationsError {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::NoCredential | TokenError::Unreadable => Self::at(Verdict::of(Class::OurKey)),
            TokenError::NotRenewed(verdict) => Self::At(verdict),
            // Another replica is refreshing the token and gets no response.
            TokenError::Busy => Self::at(Verdict::of(Class::NetworkTimeout)),
            TokenError::Broken(broken) => Self::Broken(broken),
        }
    }
}

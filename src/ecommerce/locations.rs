//! The other General settings of a cart, with the locations of its store. Locations are read on request, and cached for
//! when the store is unavailable. The network call comes first, the transaction after it.

use std::time::Duration;

use super::{
    Cart, CartId, Ecommerce, InternalError, TokenError,
    settings::{CartSettings, GrantedPermissions, Setting, why_not},
    shopify::{
        connection_test::CHECK_TIMEOUT,
        credential::CredentialKind,
        locations::{self, Locations},
    },
    sql,
    status::Facts,
    title::{self, TitleContext},
    verdict::{Class, TESTS_A_MINUTE, Verdict},
};
use crate::{
    audit::{self, By, RequiredRole},
    database::{
        throttle::{Bucket, BucketKind, Throttle},
        transaction,
    },
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

impl Ecommerce {
    /// Returns the other General settings of a cart, and which of them may be used.
    pub async fn other_settings(&self, id: CartId) -> sqlx::Result<OtherSettings> {
        let mut connection = self.pool.acquire().await?;
        let (mut saved, granted) = sql::find_settings(&mut connection, id).await?;
        let locations = sql::find_locations(&mut connection, id).await?;
        saved.locations = locations.chosen();
        let item_groups = sql::list_item_groups(&mut connection, SUGGESTIONS).await?;
        Ok(OtherSettings { saved, granted, locations, item_groups })
    }

    /// Reads the locations of the store and stores them; `None` if there is no such cart.
    ///
    /// # Errors
    /// Also if the user has lost the permission to make changes; checked before the call and before the list is stored.
    pub async fn read_locations(&self, by: By, id: CartId) -> Result<Option<LocationsRead>, InternalError> {
        let Some(cart) = self.find(id).await? else { return Ok(None) };
        let mut connection = self.pool.acquire().await?;
        let (_, granted) = sql::find_settings(&mut connection, id).await?;
        let strays = cart.is_practice && !self.practices;
        if strays || why_not(Setting::Locations, &granted, false).is_some() {
            return Ok(Some(LocationsRead::NotAllowed));
        }
        drop(connection);
        if !self.admit_list(by.clone(), id).await? {
            return Ok(Some(LocationsRead::Kept(format!("You have asked {TESTS_A_MINUTE} times in a minute"))));
        }
        let by = by.started();
        // In its own task, so that a dropped caller cannot cancel it halfway.
        let ecommerce = self.clone();
        let asking = self.tasks.spawn(async move { ecommerce.ask(by, &cart).await });
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
            Err(LocationsError::At(verdict)) => Ok(LocationsRead::Kept(self.title(cart, &verdict))),
            Err(LocationsError::Broken(broken)) => Err(broken),
        }
    }

    /// Reads the list, with one token refresh after a 401. The host comes from the row that the token was read from,
    /// not from a cart read earlier.
    async fn told(&self, cart: &Cart) -> Result<Vec<(String, String)>, LocationsError> {
        let token = self.current_token(cart.id).await?;
        match locations::list(&self.client, &token.address, &token.token).await {
            Err(refusal) if refusal.class == Class::TokenRefused && cart.uses_issued_token() => {
                let other = self.refresh_rejected_token(cart.id, &token).await?;
                Ok(locations::list(&self.client, &other.address, &other.token).await?)
            }
            listed => Ok(listed?),
        }
    }

    async fn keep(&self, by: By, id: CartId, told: Vec<(String, String)>) -> sqlx::Result<()> {
        let at = self.clock.now();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(now) = sql::lock(work, id).await? else { return Ok(()) };
                sql::replace_locations(work, id, &told, at).await?;
                let are_gone = sql::note_locations_gone(work, id).await?;
                if are_gone != now.cart.locations_gone {
                    let status = if are_gone { now.cart.status } else { now.cart.facts().status() };
                    sql::update_status(work, id, status.with_locations(are_gone)).await?;
                }
                audit::demand(work, &by, RequiredRole::Change).await
            })
        })
        .await
    }

    fn title(&self, cart: &Cart, verdict: &Verdict) -> String {
        let kind = cart.credential.as_ref().map_or_else(CredentialKind::default, |credential| credential.kind);
        let naming = TitleContext {
            host: &cart.address.host(),
            credential: kind.noun(),
            tests_a_minute: TESTS_A_MINUTE,
            now: self.clock.now(),
        };
        title::of(verdict, &naming)
    }
}

impl Cart {
    /// Whether the token is issued by Shopify for a Client ID and Client secret.
    fn uses_issued_token(&self) -> bool {
        self.credential.as_ref().is_some_and(|credential| credential.kind == CredentialKind::ClientCredentials)
    }

    /// The facts that decide the status.
    pub(super) const fn facts(&self) -> Facts {
        Facts { has_passed: self.passed_at.is_some(), is_active: self.is_active, last: self.last_class }
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

impl From<super::shopify::answer::FailedAnswer> for LocationsError {
    fn from(refusal: super::shopify::answer::FailedAnswer) -> Self {
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

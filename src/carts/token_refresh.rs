//! Provides a current token for a saved credential. Client ID and Client secret are exchanged for a token of 24 hours,
//! which is stored sealed and refreshed early, by one replica at a time, and once more after a 401; never in a loop.
//!
//! The host comes from the same row as the secret, in one read; a token for a row that changed in the meantime is
//! discarded.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio_util::task::TaskTracker;

use super::{
    CartId,
    sql::{self, token_refresh::MintRow},
};
use crate::causes::{Class, Verdict};
use crate::platforms::shopify::{
    address::StoreAddress,
    answer,
    client::{CallTimer, ShopifyClient},
    connection_test::{CHECK_TIMEOUT, refused_exchange},
    credential::{AccessToken, Credential, CredentialKind},
};
use crate::{
    audit::{self, By, CartRef, Event},
    database::{Pool, transaction},
    vault::{InternalError, Place, Vault},
};

/// A token is refreshed when less than this is left of its 24 hours.
pub(super) const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_hours(4);
/// The same for a token of a shorter life, as a part of that life.
const REFRESH_BEFORE_LAST_PART: u32 = 4;
/// Largest per-cart offset: a token is refreshed up to this much earlier, so that carts saved together are not
/// refreshed together.
const JITTER: Duration = Duration::from_mins(30);
/// How long a caller waits for another replica's token refresh: slightly longer than its lease.
const REFRESH_WAIT: Duration = Duration::from_secs(32);
/// How often a waiting caller polls.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// A token for one cart, with the number of its refresh.
#[derive(Debug)]
pub struct CurrentToken {
    pub token: AccessToken,
    /// Counts refreshes; an Access Token is never refreshed.
    pub version: i64,
    /// The store of the row that the token was read from: the only one that may receive it.
    pub address: StoreAddress,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    #[error("the cart has no credential")]
    NoCredential,
    #[error("the saved secret cannot be read")]
    Unreadable,
    /// Shopify refused the exchange or could not be reached. Holds the complete verdict.
    #[error("the token could not be renewed: {}", .0.class.as_str())]
    NotRenewed(Box<Verdict>),
    /// Another replica is refreshing the token and does not finish.
    #[error("the token is being renewed")]
    Busy,
    #[error(transparent)]
    Broken(#[from] InternalError),
}

impl From<sqlx::Error> for TokenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

/// Provides current tokens for saved credentials.
#[derive(Clone, Debug)]
pub struct Tokens {
    pub(super) pool: Pool,
    pub(super) vault: Arc<Vault>,
    pub(super) client: Arc<ShopifyClient>,
    pub(super) tasks: TaskTracker,
    /// Whether the server answers for `practice-` stores itself.
    pub(super) practices: bool,
}

/// What a caller needs of a token.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TokenNeed {
    /// The token that the store has just rejected; another one is needed.
    pub rejected: Option<i64>,
    /// More than this must be left until it expires.
    pub left: Duration,
}

impl Tokens {
    /// Returns a token that works now, as far as we know.
    pub async fn current(&self, id: CartId) -> Result<CurrentToken, TokenError> {
        self.own_or_current_token(id, TokenNeed::default()).await
    }

    /// Returns another token than the one just rejected with 401: one refreshed by another caller, else by one refresh.
    pub async fn refresh_rejected(&self, id: CartId, refused: &CurrentToken) -> Result<CurrentToken, TokenError> {
        self.own_or_current_token(id, TokenNeed { rejected: Some(refused.version), ..TokenNeed::default() }).await
    }

    /// Returns a token with the needed time left, by the database's clock when the row was read.
    pub(super) async fn own_or_current_token(&self, id: CartId, need: TokenNeed) -> Result<CurrentToken, TokenError> {
        let began = Instant::now();
        loop {
            let row = sql::token_refresh::find(&self.pool, id).await?.ok_or(TokenError::NoCredential)?;
            if row.kind == CredentialKind::AccessToken {
                return self.own_token(id, &row);
            }
            let minted = self.minted(id, &row).filter(|_| need.rejected != Some(row.version));
            let left = Duration::try_from_secs_f64(row.left.unwrap_or(0.0)).unwrap_or_default();
            let works = minted.filter(|_| left > need.left);
            let leased = left <= refresh_before_expiry(id, &row) || works.is_none();
            let leased = leased && sql::token_refresh::lease(&self.pool, id, row.version).await?;
            match (works, leased) {
                // Early refresh: the current token still works, whatever the result of the refresh.
                (Some(token), true) => match self.refresh_in_background(id, row).await {
                    Err(TokenError::NotRenewed(_)) => return Ok(token),
                    renewed => return renewed,
                },
                (Some(token), false) => return Ok(token),
                (None, true) => return self.refresh_in_background(id, row).await,
                (None, false) => {}
            }
            if began.elapsed() > REFRESH_WAIT {
                return Err(TokenError::Busy);
            }
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Returns the saved Access Token.
    pub(super) fn own_token(&self, id: CartId, row: &MintRow) -> Result<CurrentToken, TokenError> {
        let place = Place::access_token(id.0, row.binding());
        let secret = self.vault.open(&place, &row.secret).map_err(|_| TokenError::Unreadable)?;
        let token = AccessToken::issued(secret).ok_or(TokenError::Unreadable)?;
        let address = StoreAddress::from_host(&row.store.host).ok_or(TokenError::Unreadable)?;
        Ok(CurrentToken { token, version: row.version, address })
    }

    /// Returns the stored token if there is one and it decrypts; one that does not is refreshed like an expired one.
    pub(super) fn minted(&self, id: CartId, row: &MintRow) -> Option<CurrentToken> {
        let secret = self.vault.open(&Place::minted_token(id.0, row.binding()), row.minted.as_ref()?).ok()?;
        let address = StoreAddress::from_host(&row.store.host)?;
        Some(CurrentToken { token: AccessToken::issued(secret)?, version: row.version, address })
    }

    /// Refreshes in a separate task, so that a caller that goes away leaves no lease behind.
    async fn refresh_in_background(&self, id: CartId, row: MintRow) -> Result<CurrentToken, TokenError> {
        let tokens = self.clone();
        let renewal = self.tasks.spawn(async move { tokens.refresh(id, row).await });
        renewal.await.unwrap_or_else(|_| Err(TokenError::Broken(sqlx::Error::WorkerCrashed.into())))
    }

    async fn refresh(&self, id: CartId, row: MintRow) -> Result<CurrentToken, TokenError> {
        let cart = CartRef { id: id.0, name: row.name.clone() };
        let exchanged = self.exchange(id, &row).await;
        let (vault, version) = (self.vault.clone(), row.version);
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let minted = match exchanged {
                    Ok(minted) => minted,
                    Err(refusal) => {
                        sql::token_refresh::release(work, id, version).await?;
                        if let TokenError::NotRenewed(verdict) = &refusal {
                            let (class, error_name) = (verdict.class.as_str(), verdict.error_name.clone());
                            sql::token_refresh::record_failure(work, id, version, class).await?;
                            let event = Event::TokenNotRenewed { class, error_name };
                            audit::record(work, &By::system(), Some(&cart), &event).await?;
                        }
                        return Ok(Err(refusal));
                    }
                };
                let sealed = vault.seal(&Place::minted_token(id.0, row.binding()), minted.token.secret());
                if !sql::token_refresh::update_token(work, id, &row, &sealed, minted.lives.as_secs_f64()).await? {
                    return Ok(Err(TokenError::Busy));
                }
                audit::record(work, &By::system(), Some(&cart), &Event::TokenRenewed).await?;
                let address = StoreAddress::from_host(&row.store.host).ok_or(TokenError::Unreadable)?;
                Ok(Ok(CurrentToken { token: minted.token, version: version + 1, address }))
            })
        })
        .await
        .unwrap_or_else(|error: TokenError| Err(error))
    }

    /// Calls Shopify, outside any transaction.
    async fn exchange(&self, id: CartId, row: &MintRow) -> Result<answer::IssuedToken, TokenError> {
        let place = Place::client_secret(id.0, row.binding());
        let secret = self.vault.open(&place, &row.secret).map_err(|_| TokenError::Unreadable)?;
        let address = StoreAddress::from_host(&row.store.host).ok_or(TokenError::Unreadable)?;
        let credential = Credential::from_stored(row.kind, row.client_id.clone(), secret);
        let Some(Credential::ClientCredentials { id, secret }) = credential else { return Err(TokenError::Unreadable) };
        let (meter, began) = (CallTimer::default(), Instant::now());
        let exchange = async {
            let answer = self.client.exchange(&address, &id, &secret, &meter).await?;
            answer::exchanged(&address, &answer)
        };
        let exchanged = tokio::time::timeout(CHECK_TIMEOUT, exchange).await;
        let exchanged = exchanged.unwrap_or_else(|_| Err(answer::FailedAnswer::of(Class::NetworkTimeout)));
        exchanged.map_err(|refusal| TokenError::NotRenewed(Box::new(refused_exchange(refusal, &meter, began))))
    }
}

/// How long before its end the stored token is refreshed. A token of a short life would otherwise be refreshed all the
/// time.
fn refresh_before_expiry(id: CartId, row: &MintRow) -> Duration {
    let usual = REFRESH_BEFORE_EXPIRY + jitter(id);
    row.lives.map_or(usual, |lives| usual.min(lives / REFRESH_BEFORE_LAST_PART))
}

/// Derived from the cart id, so that replicas agree.
fn jitter(id: CartId) -> Duration {
    JITTER.mul_f64(f64::from(id.0.as_bytes()[15]) / 256.0)
}

#[cfg(all(test, feature = "practice"))]
mod tests;

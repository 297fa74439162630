//! Hands the token of a cart to a program, or says why not.
//!
//! A token leaves only after one transaction has found that it may, counted it and recorded it: the program's key is live,
//! the cart is active, its last check does not say that the credential is refused, and enough time is left by the
//! database's clock. So the audit log contains each hand-out before it happens. If the process stops between the commit
//! and the response, the log contains one that did not arrive.

mod refusal_report;
mod uses;

use std::time::{Duration, Instant};

use time::OffsetDateTime;

use super::{
    CartId, CurrentToken, TokenError, Tokens,
    sql::{
        self,
        token_issue::IssueRow,
        token_uses::{CountedUse, LeavingToken},
    },
    state::{CartFacts, Checks, Unscheduled},
    token_refresh::{REFRESH_BEFORE_EXPIRY, TokenNeed},
};
use crate::{
    audit::{self, By, CartRef, Event, NotPermitted, RequiredRole},
    causes::{Class, TitleContext, TokenRule, Verdict},
    database::transaction,
    platforms::shopify::{
        API_VERSION,
        address::StoreAddress,
        credential::{AccessToken, CredentialKind},
        scopes,
    },
    vault::{Fingerprints, InternalError},
};

pub use super::sql::token_uses::TokenUse;
pub use refusal_report::{RefusalEffect, RefusedToken};

/// The most that a program can ask to be left of a token: every token is renewed before less than this is left, so no
/// request renews earlier than that.
pub const MIN_LEFT_MAX: Duration = REFRESH_BEFORE_EXPIRY;
/// How long before its end a token should no longer be used, because clocks differ and requests take time. Every token
/// that leaves has at least this left.
pub const USE_MARGIN: Duration = Duration::from_mins(1);
/// How long a program should use an access token that does not expire before it asks again: the interval of checks, so
/// that a cart that is turned off, or whose credential is refused, stops within that time.
pub const ASK_AGAIN_AFTER: Duration = super::health::schedule::CHECK_INTERVAL;
/// How long a program waits for a renewal: less than the deadline of a request.
const ISSUE_TIMEOUT: Duration = Duration::from_secs(9);
/// Time during which a failed renewal is not repeated for programs: after a failure that may be over soon, and after a
/// refusal by Shopify, which may lock a store for repeated calls.
const RETRY_FAILED_RENEWAL: Duration = Duration::from_secs(30);
const RETRY_REFUSED_RENEWAL: Duration = Duration::from_mins(5);

/// A token that may leave, with what a program needs in order to use it.
#[derive(Debug)]
pub struct HandedToken {
    pub token: AccessToken,
    /// The only store that may receive it.
    pub address: StoreAddress,
    pub api_version: &'static str,
    /// Names the token without revealing it.
    pub token_id: String,
    pub issued_at: OffsetDateTime,
    /// `None` for an access token that does not expire.
    pub expires_at: Option<OffsetDateTime>,
    pub use_until: OffsetDateTime,
    /// The granted scopes, implied ones included.
    pub scopes: Vec<String>,
    /// Needed scopes that are not granted.
    pub missing_scopes: Vec<String>,
}

/// Why a program gets no token.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    #[error("there is no such cart")]
    NoCart,
    /// Nothing is wrong, but the cart is not in use.
    #[error("the cart is not in use")]
    NotInUse(Unscheduled),
    #[error("the token is withheld: {}", .0.class.as_str())]
    Withheld(Box<Withheld>),
    #[error("the saved secret cannot be read")]
    Unreadable,
    /// No token of this app lives long enough for the time that was asked for.
    #[error("tokens of this app live only {} seconds", .lives.as_secs())]
    ShortLived { lives: Duration },
    /// The program reported too many refusals. Holds the wait.
    #[error("too many reports")]
    TooManyReports(Duration),
    /// Another replica is renewing the token and does not finish.
    #[error("the token is being renewed")]
    Busy,
    #[error(transparent)]
    Broken(#[from] InternalError),
}

/// The condition of a cart that has no usable token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    pub class: Class,
    /// As on the cart's page.
    pub title: String,
    /// What a person does first.
    pub next_step: &'static str,
    pub since: Option<OffsetDateTime>,
}

impl Withheld {
    /// Whether the store refuses the credential; otherwise a renewal failed for a reason that may be over soon.
    pub fn is_refusal(&self) -> bool {
        self.class.cause().token == TokenRule::Withhold
    }
}

impl From<sqlx::Error> for IssueError {
    fn from(error: sqlx::Error) -> Self {
        Self::Broken(error.into())
    }
}

impl Tokens {
    /// Hands the token of a cart to the program `by`, with more than `min_left` until it should no longer be used. Renews
    /// a token of client credentials if less is left, once across all replicas.
    ///
    /// # Errors
    /// [`IssueError`]; `Broken` with [`NotPermitted`] if the program's key is not live any more.
    pub async fn issue(&self, by: &By, id: CartId, min_left: Duration) -> Result<HandedToken, IssueError> {
        let needed = min_left + USE_MARGIN;
        let began = Instant::now();
        loop {
            let row = sql::token_issue::find(&self.pool, id).await?.ok_or(IssueError::NoCart)?;
            row.demand_in_use(self.practices)?;
            row.demand_condition()?;
            let current = self.usable_token(id, &row, needed, began).await?;
            if let Some(counted) = self.count_use(by, id, &current, needed).await? {
                return Ok(self.handed(&row, current, &counted));
            }
            // The cart changed, or the token ran out, since the row was read.
            if began.elapsed() > ISSUE_TIMEOUT {
                return Err(IssueError::Busy);
            }
        }
    }

    /// Opens the saved access token, or a token of client credentials that has enough time left.
    async fn usable_token(
        &self,
        id: CartId,
        row: &IssueRow,
        needed: Duration,
        began: Instant,
    ) -> Result<CurrentToken, IssueError> {
        let mint = row.mint.as_ref().ok_or(IssueError::NotInUse(Unscheduled::NoCredential))?;
        if mint.kind == CredentialKind::AccessToken {
            return self.own_token(id, mint).map_err(|error| row.refusal(error));
        }
        // A quarter of a token's life is left for renewals, so that no caller causes more than four in one life.
        if let Some(lives) = mint.lives.filter(|lives| needed > *lives / 4 * 3) {
            return Err(IssueError::ShortLived { lives });
        }
        if let Some(withheld) = row.recent_failure() {
            let left = Duration::try_from_secs_f64(mint.left.unwrap_or(0.0)).unwrap_or_default();
            return self.minted(id, mint).filter(|_| left > needed).ok_or(IssueError::Withheld(Box::new(withheld)));
        }
        self.renewed_token(id, row, TokenNeed { rejected: None, left: needed }, began).await
    }

    /// Renews the token if that is needed. A failure makes the check of the cart due, so that its status follows.
    async fn renewed_token(
        &self,
        id: CartId,
        row: &IssueRow,
        need: TokenNeed,
        began: Instant,
    ) -> Result<CurrentToken, IssueError> {
        let wait = ISSUE_TIMEOUT.saturating_sub(began.elapsed());
        let renewed = tokio::time::timeout(wait, self.own_or_current_token(id, need)).await;
        let renewed = renewed.unwrap_or(Err(TokenError::Busy));
        if let Err(TokenError::NotRenewed(_)) = renewed {
            sql::token_issue::check_now(&mut *self.pool.acquire().await?, id).await?;
        }
        renewed.map_err(|error| row.refusal(error))
    }

    /// Counts and records that this token leaves, in one transaction with everything that allows it. `false` if the cart
    /// or the token is not as it was read.
    async fn count_use(
        &self,
        by: &By,
        id: CartId,
        current: &CurrentToken,
        needed: Duration,
    ) -> sqlx::Result<Option<CountedUse>> {
        let (by, version, host, practices) = (by.clone(), current.version, current.address.host(), self.practices);
        let key = by.actor.id().ok_or(NotPermitted)?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let withheld = withheld_classes();
                let leaving =
                    LeavingToken { cart: id, key, version, host: &host, needed, practices, withheld: &withheld };
                let Some(counted) = sql::token_uses::count(work, &leaving).await? else { return Ok(None) };
                if counted.is_first {
                    let cart = CartRef { id: id.0, name: counted.cart_name.clone() };
                    audit::record(work, &by, Some(&cart), &Event::TokenHandedOut).await?;
                } else {
                    audit::demand(work, &by, RequiredRole::Change).await?;
                }
                Ok(Some(counted))
            })
        })
        .await
    }

    fn handed(&self, row: &IssueRow, current: CurrentToken, counted: &CountedUse) -> HandedToken {
        let missing = scopes::missing_needed(&row.granted, row.is_plus);
        HandedToken {
            token_id: token_id(&self.token_ids(&current.token)),
            token: current.token,
            address: current.address,
            api_version: API_VERSION,
            issued_at: counted.issued_at,
            expires_at: counted.expires_at,
            use_until: counted.expires_at.map_or(counted.at + ASK_AGAIN_AFTER, |ends_at| ends_at - USE_MARGIN),
            scopes: row.granted.clone(),
            missing_scopes: missing.into_iter().map(|permission| permission.scope.to_owned()).collect(),
        }
    }

    /// The keyed digests that name a token, one under each key of the ring.
    fn token_ids(&self, token: &AccessToken) -> Fingerprints {
        use secrecy::ExposeSecret;
        self.vault.fingerprints("id of a handed-out token", &[token.secret().expose_secret()])
    }
}

/// A digest as the API writes it.
fn token_id(digests: &Fingerprints) -> String {
    digests.active().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The names of all classes that withhold a token.
fn withheld_classes() -> Vec<&'static str> {
    let withholds = |class: &Class| class.cause().token != TokenRule::HandOut;
    Class::ALL.into_iter().filter(withholds).map(Class::as_str).collect()
}

impl IssueRow {
    /// # Errors
    /// [`IssueError::NotInUse`] under exactly the conditions under which the cart is not checked in the background.
    fn demand_in_use(&self, practices: bool) -> Result<(), IssueError> {
        let facts = CartFacts {
            status: self.status,
            is_active: self.is_active,
            has_credential: self.mint.is_some(),
            is_practice: self.is_practice,
            integration_is_on: self.integration_is_on,
            practice_is_on: practices,
            next_check_at: None,
            last_checked_at: None,
            now: self.at,
        };
        match facts.state().checks {
            Checks::Scheduled | Checks::Overdue(_) => Ok(()),
            Checks::Unscheduled(why) => Err(IssueError::NotInUse(why)),
        }
    }

    /// # Errors
    /// The last check found that no token of this cart would work, or that its secret cannot be read.
    fn demand_condition(&self) -> Result<(), IssueError> {
        let Some(class) = self.class else { return Ok(()) };
        match class.cause().token {
            TokenRule::HandOut => Ok(()),
            TokenRule::Unreadable => Err(IssueError::Unreadable),
            TokenRule::Withhold => {
                let title = self.title.clone().unwrap_or_default();
                let (next_step, since) = (self.next_step(class), self.failing_since);
                Err(IssueError::Withheld(Box::new(Withheld { class, title, next_step, since })))
            }
        }
    }

    /// The failure of the last renewal, while it is not worth repeating.
    fn recent_failure(&self) -> Option<Withheld> {
        let failed = self.failed_renewal.as_ref()?;
        let is_refusal = failed.class.cause().token == TokenRule::Withhold;
        let pause = if is_refusal { RETRY_REFUSED_RENEWAL } else { RETRY_FAILED_RENEWAL };
        (self.at - failed.at < pause).then(|| self.withheld(&Verdict::of(failed.class), failed.at))
    }

    fn withheld(&self, verdict: &Verdict, since: OffsetDateTime) -> Withheld {
        let (host, kind) =
            self.mint.as_ref().map_or(("", CredentialKind::default()), |mint| (mint.store.host.as_str(), mint.kind));
        let title = verdict.title(&TitleContext { host, credential: kind.noun() });
        Withheld { class: verdict.class, title, next_step: self.next_step(verdict.class), since: Some(since) }
    }

    fn next_step(&self, class: Class) -> &'static str {
        let step = class.cause().next_step;
        let has_token = self.mint.as_ref().is_some_and(|mint| mint.kind == CredentialKind::AccessToken);
        if has_token { step.with_token } else { step.with_secret }
    }

    fn refusal(&self, error: TokenError) -> IssueError {
        match error {
            TokenError::NoCredential => IssueError::NotInUse(Unscheduled::NoCredential),
            TokenError::Unreadable => IssueError::Unreadable,
            TokenError::NotRenewed(verdict) if verdict.class.cause().token == TokenRule::Unreadable => {
                IssueError::Unreadable
            }
            TokenError::NotRenewed(verdict) => IssueError::Withheld(Box::new(self.withheld(&verdict, self.at))),
            TokenError::Busy => IssueError::Busy,
            TokenError::Broken(broken) => IssueError::Broken(broken),
        }
    }
}

#[cfg(test)]
mod tests;

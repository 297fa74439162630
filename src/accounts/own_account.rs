//! Changes that users make to their own account: name, address, theme, password. Also password confirmation for
//! sensitive actions.

use std::time::Duration;

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, Email, PersonName, User, end_sessions,
    fair_queue::{Overloaded, Waiter},
    login_throttle::{self, too_many},
    notices::{NotifiedUser, notify},
    password, sql,
    users::is_taken,
};
use crate::{
    alerts::AccountChange,
    audit::{self, By, Change, Event, Fresh, NotPermitted, RequiredRole},
    database::{throttle, transaction},
};

#[derive(Debug, thiserror::Error)]
pub enum ConfirmError {
    #[error("That is not your current password")]
    Wrong,
    #[error("{}", too_many(*.0))]
    TooMany(Duration),
    #[error("Many people are signing in. Try again in {} seconds.", password::OVERLOADED_RETRY_AFTER.as_secs())]
    Crowded,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Overloaded> for ConfirmError {
    fn from(_: Overloaded) -> Self {
        Self::Crowded
    }
}

/// A new name and address, already validated.
#[derive(Clone, Debug)]
pub struct AccountDetails {
    pub name: PersonName,
    pub email: Email,
}

#[derive(Debug, thiserror::Error)]
pub enum DetailsError {
    /// A new address requires the password.
    #[error("confirm it is you")]
    NotFresh,
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl Accounts {
    pub async fn choose_theme(&self, by: By, user: Uuid, theme: &'static str) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::users::update_theme(work, user, theme).await?;
                audit::demand(work, &by, RequiredRole::OwnAccount).await
            })
        })
        .await
    }

    /// Saves a new name and address. Returns whether anything changed.
    ///
    /// # Errors
    /// [`DetailsError::NotFresh`] for a new address without the proof, [`DetailsError::EmailTaken`].
    pub async fn update_details(
        &self,
        by: By,
        user: Uuid,
        details: AccountDetails,
        fresh: Option<Fresh>,
    ) -> Result<bool, DetailsError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let Some(known) = sql::users::lock(work, user).await? else { return Ok(false) };
                let (name, email) = (details.name.as_str(), details.email.as_str());
                if known.email != email && fresh.is_none() {
                    return Err(DetailsError::NotFresh);
                }
                let change = |field, before: &str, after: &str| {
                    (before != after).then(|| Change { field, before: before.to_owned(), after: after.to_owned() })
                };
                let changes = [change("Name", &known.name, name), change("Email", &known.email, email)];
                let changes: Vec<Change> = changes.into_iter().flatten().collect();
                if changes.is_empty() {
                    return Ok(false);
                }
                match sql::users::update_details(work, user, &details.name, &details.email).await {
                    Err(error) if is_taken(&error) => return Err(DetailsError::EmailTaken),
                    done => done?,
                }
                if known.email != email {
                    let owner = NotifiedUser { id: user, name };
                    let change = AccountChange::Email { before: known.email.clone(), after: email.to_owned() };
                    notify(work, &by, owner, &[&known.email, email], change).await?;
                }
                audit::record(work, &by, None, &Event::DetailsChanged { changes }).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Confirms the user's password. Attempts are counted for this session only. The session gets a new ID, and the old
    /// ID becomes invalid in the same transaction (ASVS 7.2.4).
    ///
    /// # Errors
    /// [`ConfirmError`].
    pub async fn confirm(
        &self,
        by: By,
        user: &User,
        password: SecretString,
        session: Vec<u8>,
    ) -> Result<(BrowserSecret, Fresh), ConfirmError> {
        let checked = self.check_own(&by, user, password, &session).await?;
        let user = user.id;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if !sql::users::let_in(work, user, Some(&checked)).await? {
                    audit::demand(work, &by, RequiredRole::OwnAccount).await?;
                    return Err(ConfirmError::Wrong);
                }
                login_throttle::of_step_up(&session).1.clear(work).await?;
                audit::demand(work, &by, RequiredRole::OwnAccount).await?;
                Ok((renew(work, user, &session).await?, Fresh::proved()))
            })
        })
        .await
    }

    /// Sets a new password, which must already be validated. In the same transaction every other session ends, this
    /// session gets a new ID, and links for a new password stop working. Returns the number of sessions that ended.
    ///
    /// # Errors
    /// [`ConfirmError`].
    pub async fn change_password(
        &self,
        by: By,
        user: &User,
        current: SecretString,
        new: SecretString,
        session: Vec<u8>,
    ) -> Result<(BrowserSecret, u64), ConfirmError> {
        let checked = self.check_own(&by, user, current, &session).await?;
        let hash = self.hashing.hash(Waiter::Known(user.id), new).await?;
        let User { id: user, name, email, .. } = user.clone();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if !sql::users::replace_password_hash(work, user, &checked, &hash).await? {
                    audit::demand(work, &by, RequiredRole::OwnAccount).await?;
                    return Err(ConfirmError::Wrong);
                }
                login_throttle::of_step_up(&session).1.clear(work).await?;
                sql::links::delete(work, user).await?;
                let browsers = end_sessions(work, user, Some(&session)).await?;
                notify(work, &by, NotifiedUser { id: user, name: &name }, &[&email], AccountChange::Password).await?;
                audit::record(work, &by, None, &Event::PasswordChanged).await?;
                if browsers > 0 {
                    audit::record(work, &by, None, &Event::SignedOutOthers { browsers }).await?;
                }
                Ok((renew(work, user, &session).await?, browsers))
            })
        })
        .await
    }

    /// Checks the user's password and returns the hash that it matches.
    async fn check_own(
        &self,
        by: &By,
        user: &User,
        password: SecretString,
        session: &[u8],
    ) -> Result<String, ConfirmError> {
        if let Some(wait) = throttle::count_all(&self.pool, &[login_throttle::of_step_up(session)]).await? {
            return Err(ConfirmError::TooMany(wait));
        }
        let hash = sql::users::find_password_hash(&self.pool, user.id).await?;
        let is_right = self.hashing.verify(Waiter::Known(user.id), password, hash.clone()).await?;
        if let Some(hash) = hash.filter(|_| is_right) {
            return Ok(hash);
        }
        self.record(by.clone(), Event::CouldNotConfirm).await?;
        Err(ConfirmError::Wrong)
    }
}

async fn renew(work: &mut crate::database::Connection, user: Uuid, old: &[u8]) -> sqlx::Result<BrowserSecret> {
    let secret = BrowserSecret::generate();
    if sql::sessions::renew(work, user, old, &secret.hash()).await? { Ok(secret) } else { Err(NotPermitted.into()) }
}

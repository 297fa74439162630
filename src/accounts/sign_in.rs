//! Coming in by password, and going out. Unknown and known accounts look the same and take as long.

use std::time::Duration;

use secrecy::SecretString;

use super::{
    Accounts, BrowserSecret, Email, open_session,
    password::{self, Crowded},
    sql,
    tries::{forget_tries, shown, too_many},
};
use crate::{
    audit::{self, By, Event},
    database::transaction,
};

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("Check your email address and password. One of them is not right.")]
    Wrong,
    #[error("{}", too_many(*.0))]
    TooMany(Duration),
    #[error("Many people are signing in. Try again in {} seconds.", password::CROWDED_WAIT.as_secs())]
    Crowded,
    /// Not transparent: whoever asks whether the database is away looks for the cause behind this.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Crowded> for SignInError {
    fn from(_: Crowded) -> Self {
        Self::Crowded
    }
}

impl Accounts {
    /// Signs in and opens a session; the try is counted before anything is hashed. `replaces` is the session that this browser
    /// had until now: it ends in the same transaction (ASVS 7.2.4).
    ///
    /// # Errors
    /// The same for an unknown account and a wrong password, and it takes as long.
    pub async fn sign_in(
        &self,
        by: By,
        email: &str,
        password: SecretString,
        replaces: Option<Vec<u8>>,
    ) -> Result<BrowserSecret, SignInError> {
        let email = Email::normalise(email);
        let turn = self.line.turn().await?;
        if let Some(wait) = self.count_try(&email, by.origin.ip.as_deref()).await? {
            return Err(SignInError::TooMany(wait));
        }
        let known = sql::find_for_sign_in(&self.pool, &email).await?;
        drop(turn);
        let checked = known.as_ref().and_then(|known| known.password_hash.clone());
        let rehash = checked.as_deref().is_some_and(password::is_outdated).then(|| password.clone());
        let is_right = self.hashing.verify(password, checked.clone()).await?;
        let Some((known, checked)) = known.zip(checked).filter(|_| is_right) else {
            self.record(by, Event::CouldNotSignIn { email: shown(&email) }).await?;
            return Err(SignInError::Wrong);
        };
        let hash = match rehash {
            Some(password) => Some(self.hashing.hash(password).await?),
            None => None,
        };
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                // A password that was changed, or a person who was turned off, while we were hashing.
                if !sql::let_in(work, known.id, Some(&checked)).await? {
                    return Err(SignInError::Wrong);
                }
                if let Some(hash) = hash {
                    sql::update_password_hash(work, known.id, &hash).await?;
                }
                forget_tries(work, &email, by.origin.ip.as_deref()).await?;
                if let Some(old) = replaces {
                    sql::delete_session(work, &old).await?;
                }
                let (session, by) = open_session(work, (known.id, known.name, email), by.origin).await?;
                audit::record(work, &by, None, &Event::SignedIn).await?;
                Ok(session)
            })
        })
        .await
    }

    /// Ends the session for good.
    pub async fn sign_out(&self, by: By, session: Vec<u8>) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if let Some(id) = by.actor.id() {
                    sql::keep_last_seen(work, id).await?;
                }
                audit::record(work, &by, None, &Event::SignedOut).await?;
                sql::delete_session(work, &session).await.map(drop)
            })
        })
        .await
    }

    /// An event that changes nothing else.
    pub(super) async fn record(&self, by: By, event: Event) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| Box::pin(async move { audit::record(work, &by, None, &event).await })).await
    }
}

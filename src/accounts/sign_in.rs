//! Sign-in by password, and sign-out. Responses and timing do not distinguish unknown accounts from known ones.

use std::time::Duration;

use secrecy::SecretString;

use super::{
    Accounts, BrowserSecret, DeviceCookie, Email, Role,
    fair_queue::{Overloaded, Waiter},
    login_throttle::{self, ClientNetworks, too_many},
    open_session, password, sql,
};
use crate::{
    audit::{self, By, Event, Origin},
    database::{throttle, transaction},
};

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("Check your email address and password. One of them is not right.")]
    Wrong,
    #[error("{}", too_many(*.0))]
    TooMany(Duration),
    #[error("Many people are signing in. Try again in {} seconds.", password::OVERLOADED_RETRY_AFTER.as_secs())]
    Crowded,
    /// The password is right but too weak for the role: the user was made an administrator later. Carries the code of a
    /// one-time link to choose another; the user is not signed in.
    #[error("Choose a stronger password")]
    TooWeak(BrowserSecret),
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

/// Result of an attempt with the correct password.
enum Entered {
    In(BrowserSecret),
    TooWeak(BrowserSecret),
}

impl From<Overloaded> for SignInError {
    fn from(_: Overloaded) -> Self {
        Self::Crowded
    }
}

impl Accounts {
    /// Signs in and opens a session. The attempt is counted before anything is hashed; if the device cookie shows that
    /// this browser signed in to the account before, the browser's own count is used. `replaces` is the browser's
    /// previous session: it ends in the same transaction (ASVS 7.2.4).
    ///
    /// # Errors
    /// The same error after the same time for an unknown account and a wrong password. [`SignInError::TooWeak`] only
    /// after the correct password.
    pub async fn sign_in(
        &self,
        by: By,
        email: &str,
        password: SecretString,
        cookie: &DeviceCookie,
        replaces: Option<Vec<u8>>,
    ) -> Result<BrowserSecret, SignInError> {
        let email = Email::normalise(email);
        let networks = ClientNetworks::of(by.origin.ip.as_deref());
        let stranger = Waiter::Stranger(networks.widest());
        let turn = self.line.turn(stranger).await?;
        let known = sql::users::find_for_sign_in(&self.pool, &email).await?;
        let device = known.as_ref().and_then(|known| cookie.find(known.id, known.password_hash.as_deref()?));
        let limits = login_throttle::of_sign_in(&email, &networks, device);
        if let Some(wait) = throttle::count_all(&self.pool, &limits).await? {
            return Err(SignInError::TooMany(wait));
        }
        drop(turn);
        let waiter = device.map_or(stranger, |device| Waiter::Known(device.account));
        let account = known.as_ref().map(|known| known.email.clone());
        let checked = known.as_ref().and_then(|known| known.password_hash.clone());
        let rehash = checked.as_deref().is_some_and(password::is_outdated).then(|| password.clone());
        let is_right = self.hashing.verify(waiter, password.clone(), checked.clone()).await?;
        let Some((known, checked)) = known.zip(checked).filter(|_| is_right) else {
            // Contains no text from a stranger: the audit log is append-only, and would keep a password that was typed
            // into the address field.
            let (account, digest) = match account {
                Some(account) => (Some(account), None),
                None => (None, self.digest(&email)),
            };
            let by = By { origin: Origin { user_agent: None, ..by.origin }, ..by };
            self.record(by, Event::CouldNotSignIn { account, digest }).await?;
            return Err(SignInError::Wrong);
        };
        let role = Role::from_stored(&known.role);
        let context = self.password_context(role, &known.email, &known.name);
        let is_weak = role == Role::Administrator && password::judge(&password, &context).is_err();
        drop(password);
        let hash = match rehash {
            Some(password) => Some(self.hashing.hash(Waiter::Known(known.id), password).await?),
            None => None,
        };
        let entered = transaction(&self.pool, move |work| {
            Box::pin(async move {
                // The password may have changed, or the user may have been disabled, while the hash was computed.
                if !sql::users::let_in(work, known.id, Some(&checked)).await? {
                    return Err(SignInError::Wrong);
                }
                if let Some(hash) = hash {
                    sql::users::update_password_hash(work, known.id, &hash).await?;
                }
                login_throttle::clear(work, &limits).await?;
                if is_weak {
                    sql::links::delete(work, known.id).await?;
                    let code = BrowserSecret::generate();
                    sql::links::insert(work, &code.hash(), Some(known.id)).await?;
                    let event = Event::SignInLinkMade { person: known.name, email: Some(known.email) };
                    audit::record(work, &By { origin: by.origin, ..By::system() }, None, &event).await?;
                    return Ok(Entered::TooWeak(code));
                }
                if let Some(old) = replaces {
                    sql::sessions::delete(work, &old).await?;
                }
                let (session, by) = open_session(work, (known.id, known.name, known.email), by.origin).await?;
                audit::record(work, &by, None, &Event::SignedIn).await?;
                Ok(Entered::In(session))
            })
        })
        .await;
        match entered? {
            Entered::In(session) => Ok(session),
            Entered::TooWeak(code) => Err(SignInError::TooWeak(code)),
        }
    }

    /// Returns the device cookie for a browser whose session was just opened or whose user just set a new password.
    pub async fn remember_browser(&self, session: &BrowserSecret, cookie: &DeviceCookie) -> sqlx::Result<DeviceCookie> {
        let person = sql::sessions::find_password_of_session(&self.pool, &session.hash()).await?;
        Ok(person.map_or_else(|| cookie.clone(), |(id, hash)| cookie.with(id, &hash)))
    }

    /// Ends the session.
    pub async fn sign_out(&self, by: By, session: Vec<u8>) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if let Some(id) = by.actor.id() {
                    sql::users::save_last_seen(work, id).await?;
                }
                audit::record(work, &by, None, &Event::SignedOut).await?;
                sql::sessions::delete(work, &session).await.map(drop)
            })
        })
        .await
    }

    /// Six bytes of a keyed digest: enough to recognize repeated attempts with the same unknown address, and useless
    /// for guessing the address.
    fn digest(&self, email: &str) -> Option<String> {
        let prints = self.vault.as_ref()?.fingerprints("unknown address", &[email]);
        Some(prints.active().iter().take(6).map(|byte| format!("{byte:02x}")).collect())
    }

    /// Records an event that comes with no other change.
    pub(super) async fn record(&self, by: By, event: Event) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| Box::pin(async move { audit::record(work, &by, None, &event).await })).await
    }
}

//! Who may come in: people, their passwords and sessions, and the one-time link that makes the first of them.

mod argon;
pub mod password;
mod session;
mod sql;
mod user;

use std::{sync::Arc, time::Duration};

use secrecy::SecretString;
use serde_json::Value;
use sqlx::PgPool;
use uuid::Uuid;

pub use session::{ABSOLUTE_MINUTES, BrowserSecret, Ended, IDLE_MINUTES};
pub use user::{Email, EmailError, PersonName, PersonNameError, Role, User, theme};

use crate::{
    audit::{self, Actor, By, Event},
    database::{throttle::Throttle, transaction},
};
use password::{Crowded, Hashing};

const MINUTES_5: Duration = Duration::from_mins(5);
/// Sign-in tries in five minutes: for one account from one address, for one account, from one address.
const PAIR: Throttle = Throttle { limit: 5, window: MINUTES_5 };
const ACCOUNT: Throttle = Throttle { limit: 20, window: MINUTES_5 };
const ADDRESS: Throttle = Throttle { limit: 30, window: MINUTES_5 };

/// The handle on everything about people.
#[derive(Clone, Debug)]
pub struct Accounts {
    pool: PgPool,
    hashing: Arc<Hashing>,
}

/// Who a cookie stands for.
#[derive(Debug)]
pub enum Session {
    /// The banner is told once: reading it takes it off.
    Live {
        user: User,
        banner: Option<Value>,
    },
    Ended(Ended),
    Unknown,
}

#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    #[error("Check your email address and password. One of them is not right.")]
    Wrong,
    #[error("Too many sign-in tries. Try again in {} minutes.", .0.as_secs().div_ceil(60))]
    TooMany(Duration),
    #[error("Many people are signing in. Try again in {} seconds.", password::CROWDED_WAIT.as_secs())]
    Crowded,
    /// Not transparent: whoever asks whether the database is away looks for the cause behind this.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    /// The set-up link is spent, too old or was never made.
    #[error("This link no longer works")]
    LinkDead,
    #[error("Order Time is already set up")]
    AlreadySetUp,
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

impl From<Crowded> for AddError {
    fn from(_: Crowded) -> Self {
        Self::Crowded
    }
}

/// What a new account is made of, already judged.
#[derive(Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
    pub password: SecretString,
}

impl Accounts {
    pub fn new(pool: PgPool) -> Self {
        Self { pool, hashing: Arc::default() }
    }

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
        if let Some(wait) = self.count_try(&email, by.origin.ip.as_deref()).await? {
            return Err(SignInError::TooMany(wait));
        }
        let known = sql::find_for_sign_in(&self.pool, &email).await?;
        let hash = known.as_ref().map(|known| known.password_hash.clone());
        let rehash = hash.as_deref().is_some_and(password::is_outdated).then(|| password.clone());
        if !self.hashing.verify(password, hash).await? {
            transaction(&self.pool, move |work| {
                Box::pin(async move {
                    audit::record(work, &by, None, &Event::CouldNotSignIn { email: shown(&email) }).await
                })
            })
            .await?;
            return Err(SignInError::Wrong);
        }
        let known = known.expect("only a known account has the right password");
        let hash = match rehash {
            Some(password) => Some(self.hashing.hash(password).await?),
            None => None,
        };
        let (pair, account) = (pair_bucket(&email, by.origin.ip.as_deref()), account_bucket(&email));
        let session = transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                if let Some(hash) = hash {
                    sql::update_password_hash(work, known.id, &hash).await?;
                }
                // The address keeps its count: one right password says nothing of the other tries from there.
                PAIR.clear(work, &pair).await?;
                ACCOUNT.clear(work, &account).await?;
                let by = By { actor: Actor::Person { id: known.id, name: known.name }, origin: by.origin };
                if let Some(old) = replaces {
                    sql::delete_session(work, &old).await?;
                }
                let session = open_session(work, known.id, &by).await?;
                audit::record(work, &by, None, &Event::SignedIn).await?;
                Ok(session)
            })
        })
        .await?;
        Ok(session)
    }

    async fn count_try(&self, email: &str, ip: Option<&str>) -> sqlx::Result<Option<Duration>> {
        let buckets = [
            (PAIR, pair_bucket(email, ip)),
            (ACCOUNT, account_bucket(email)),
            (ADDRESS, format!("sign-in//{}", network(ip))),
        ];
        let mut connection = self.pool.acquire().await?;
        let mut wait = None;
        for (throttle, bucket) in buckets {
            wait = wait.max(throttle.count(&mut connection, &bucket).await?);
        }
        Ok(wait)
    }

    /// Ends the session for good.
    pub async fn sign_out(&self, by: By, session: Vec<u8>) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::delete_session(work, &session).await? > 0 {
                    audit::record(work, &by, None, &Event::SignedOut).await?;
                }
                Ok(())
            })
        })
        .await
    }

    /// Who the cookie stands for, in one statement; "last seen" is written at most once a minute.
    pub async fn session(&self, secret: &BrowserSecret) -> sqlx::Result<Session> {
        let hash = secret.hash();
        let Some(row) = sql::find_session(&self.pool, &hash).await? else { return Ok(Session::Unknown) };
        match row.ended.as_deref() {
            Some("idle") => return Ok(Session::Ended(Ended::Idle)),
            Some(_) => return Ok(Session::Ended(Ended::TooOld)),
            None => {}
        }
        if row.is_stale || row.banner.is_some() {
            sql::touch_session(&self.pool, &hash).await?;
        }
        let user = User {
            id: row.user_id,
            email: row.email,
            name: row.name,
            role: Role::from_stored(&row.role),
            theme: theme(&row.theme).unwrap_or("system"),
        };
        Ok(Session::Live { user, banner: row.banner })
    }

    /// Leaves a message for the next page of this session.
    pub async fn leave_banner(&self, session: &[u8], banner: &Value) -> sqlx::Result<()> {
        sql::update_banner(&self.pool, session, banner).await
    }

    pub async fn choose_theme(&self, user: Uuid, theme: &'static str) -> sqlx::Result<()> {
        sql::update_theme(&self.pool, user, theme).await
    }

    /// Whom a Viewer may ask: up to five names.
    pub async fn administrators(&self) -> sqlx::Result<Vec<String>> {
        sql::list_administrators(&self.pool, 5).await
    }

    /// Whether nobody can sign in yet.
    pub async fn is_empty(&self) -> sqlx::Result<bool> {
        sql::is_empty(&self.pool).await
    }

    /// Makes the one-time code that makes the first administrator: 256 random bits, an hour, only its hash kept.
    pub async fn make_set_up_link(&self) -> sqlx::Result<BrowserSecret> {
        let code = BrowserSecret::generate();
        let hash = code.hash();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::insert_set_up_link(work, &hash).await?;
                audit::record(
                    work,
                    &By { actor: Actor::System, origin: audit::Origin::default() },
                    None,
                    &Event::SetUpLinkMade,
                )
                .await
            })
        })
        .await?;
        Ok(code)
    }

    /// Whether a set-up link would work now; looking at it changes nothing.
    ///
    /// # Errors
    /// [`AddError::LinkDead`] or [`AddError::AlreadySetUp`].
    pub async fn check_set_up_link(&self, code: &BrowserSecret) -> Result<(), AddError> {
        if !self.is_empty().await? {
            return Err(AddError::AlreadySetUp);
        }
        if sql::is_set_up_link_alive(&self.pool, &code.hash()).await? { Ok(()) } else { Err(AddError::LinkDead) }
    }

    /// Spends the link: makes the first administrator and signs them in.
    ///
    /// # Errors
    /// The link is dead, or somebody was faster.
    pub async fn set_up(
        &self,
        origin: audit::Origin,
        code: &BrowserSecret,
        new: NewUser,
    ) -> Result<BrowserSecret, AddError> {
        self.check_set_up_link(code).await?;
        let code = code.hash();
        let hash = self.hashing.hash(new.password.clone()).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::lock_users(work).await?;
                if sql::any_user(work).await? {
                    return Err(AddError::AlreadySetUp);
                }
                if !sql::spend_set_up_link(work, &code).await? {
                    return Err(AddError::LinkDead);
                }
                let id = insert(work, &new, &hash).await?;
                let by = By { actor: Actor::Person { id, name: new.name.as_str().to_owned() }, origin };
                record_added(work, &by, &new).await?;
                Ok(open_session(work, id, &by).await?)
            })
        })
        .await
    }

    /// Adds a person from the command line.
    ///
    /// # Errors
    /// [`AddError::EmailTaken`].
    pub async fn add(&self, by: By, new: NewUser) -> Result<Uuid, AddError> {
        let hash = self.hashing.hash(new.password.clone()).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id = insert(work, &new, &hash).await?;
                record_added(work, &by, &new).await?;
                Ok(id)
            })
        })
        .await
    }
}

async fn insert(work: &mut sqlx::PgConnection, new: &NewUser, hash: &str) -> Result<Uuid, AddError> {
    let id = Uuid::now_v7();
    match sql::insert_user(work, id, new, hash).await {
        Ok(()) => Ok(id),
        Err(sqlx::Error::Database(refusal)) if refusal.constraint() == Some("users_email_key") => {
            Err(AddError::EmailTaken)
        }
        Err(broken) => Err(broken.into()),
    }
}

async fn record_added(work: &mut sqlx::PgConnection, by: &By, new: &NewUser) -> sqlx::Result<()> {
    let event = Event::UserAdded { email: new.email.as_str().to_owned(), role: new.role.as_str() };
    audit::record(work, by, None, &event).await
}

async fn open_session(work: &mut sqlx::PgConnection, user: Uuid, by: &By) -> sqlx::Result<BrowserSecret> {
    let secret = BrowserSecret::generate();
    sql::insert_session(work, &secret.hash(), user, &by.origin).await?;
    Ok(secret)
}

/// What was typed as an address, short enough to keep.
fn shown(email: &str) -> String {
    email.chars().filter(|c| !c.is_control()).take(254).collect()
}

fn account_bucket(email: &str) -> String {
    format!("sign-in/{}", shown(email))
}

fn pair_bucket(email: &str, ip: Option<&str>) -> String {
    format!("sign-in/{}/{}", shown(email), network(ip))
}

/// The address itself, or the /64 of an IPv6 address: one household, one count.
fn network(ip: Option<&str>) -> String {
    match ip.and_then(|ip| ip.parse().ok()) {
        Some(std::net::IpAddr::V6(ip)) if ip.to_ipv4_mapped().is_none() => {
            let [a, b, c, d, ..] = ip.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Some(ip) => ip.to_canonical().to_string(),
        None => "unknown".into(),
    }
}

#[cfg(test)]
mod tests;

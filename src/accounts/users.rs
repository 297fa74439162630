//! User management for administrators and the operator: list, find, add, invite. Users are never deleted, because the
//! audit log names them.

use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, Email, Fresh, PersonName, Role,
    fair_queue::{Overloaded, Waiter},
    password, sql,
};
use crate::{
    audit::{self, By, Event},
    database::{Connection, transaction},
};

/// A new account with a password, already validated.
#[derive(Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
    pub password: SecretString,
}

/// An invitation, already validated.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
}

/// A user account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub presence: Presence,
}

/// Whether a user is signed in, signed out, invited or disabled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Off,
    /// The invitation link has not been used yet.
    Invited,
    SignedIn,
    Away(Option<OffsetDateTime>),
}

#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    #[error("Many people are signing in. Try again in {} seconds.", password::OVERLOADED_RETRY_AFTER.as_secs())]
    Crowded,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Overloaded> for AddError {
    fn from(_: Overloaded) -> Self {
        Self::Crowded
    }
}

/// No user has this ID, or the user is disabled and the operation requires an enabled one.
#[derive(Debug, thiserror::Error)]
pub enum FindUserError {
    #[error("nobody with this account")]
    Nobody,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl Accounts {
    /// Up to five names of administrators whom a Viewer can ask.
    pub async fn administrators(&self) -> sqlx::Result<Vec<String>> {
        sql::users::list_administrators(&self.pool, 5).await
    }

    /// Whether there are no users yet.
    pub async fn is_empty(&self) -> sqlx::Result<bool> {
        sql::users::is_empty(&self.pool).await
    }

    /// All users, sorted by name.
    pub async fn list(&self) -> sqlx::Result<Vec<KnownUser>> {
        Ok(sql::users::list(&self.pool, None, None).await?.into_iter().map(KnownUser::from).collect())
    }

    pub async fn find(&self, user: Uuid) -> sqlx::Result<Option<KnownUser>> {
        Ok(sql::users::list(&self.pool, Some(user), None).await?.pop().map(KnownUser::from))
    }

    pub async fn find_by_email(&self, email: &Email) -> sqlx::Result<Option<KnownUser>> {
        Ok(sql::users::list(&self.pool, None, Some(email.as_str())).await?.pop().map(KnownUser::from))
    }

    /// Adds a user with a password, from the command line.
    ///
    /// # Errors
    /// [`AddError::EmailTaken`].
    pub async fn add(&self, by: By, new: NewUser) -> Result<Uuid, AddError> {
        let hash = self.hashing.hash(Waiter::Known(Uuid::nil()), new.password.clone()).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id = insert(work, (&new.email, &new.name, new.role), Some(&hash)).await?;
                record_added(work, &by, &new).await?;
                Ok(id)
            })
        })
        .await
    }

    /// Adds a user without a password. The user chooses one with the returned link.
    ///
    /// # Errors
    /// [`AddError::EmailTaken`].
    pub async fn invite(&self, by: By, new: Invitation, _: Fresh) -> Result<(Uuid, BrowserSecret), AddError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id = insert(work, (&new.email, &new.name, new.role), None).await?;
                let code = BrowserSecret::generate();
                sql::links::insert(work, &code.hash(), Some(id)).await?;
                let event = Event::UserInvited {
                    person: new.name.as_str().to_owned(),
                    email: new.email.as_str().to_owned(),
                    role: new.role.as_str(),
                };
                audit::record(work, &by, None, &event).await?;
                Ok((id, code))
            })
        })
        .await
    }
}

impl From<sql::users::UserRow> for KnownUser {
    fn from(row: sql::users::UserRow) -> Self {
        let presence = match (row.is_off, row.has_joined, row.is_signed_in) {
            (true, ..) => Presence::Off,
            (false, false, _) => Presence::Invited,
            (false, true, true) => Presence::SignedIn,
            (false, true, false) => Presence::Away(row.last_seen_at),
        };
        Self { id: row.id, email: row.email, name: row.name, role: Role::from_stored(&row.role), presence }
    }
}

pub(super) fn is_taken(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Database(refusal) if refusal.constraint() == Some("users_email_key"))
}

pub(super) async fn insert(
    work: &mut Connection,
    who: (&Email, &PersonName, Role),
    hash: Option<&str>,
) -> Result<Uuid, AddError> {
    let id = Uuid::now_v7();
    match sql::users::insert(work, id, who, hash).await {
        Ok(()) => Ok(id),
        Err(error) if is_taken(&error) => Err(AddError::EmailTaken),
        Err(broken) => Err(broken.into()),
    }
}

pub(super) async fn record_added(work: &mut Connection, by: &By, new: &NewUser) -> sqlx::Result<()> {
    let event = Event::UserAdded { email: new.email.as_str().to_owned(), role: new.role.as_str() };
    audit::record(work, by, None, &event).await
}

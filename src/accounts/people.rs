//! Who has an account, as an administrator or the operator sees it: list, find, add, invite. Nobody is deleted, since the
//! activity names them.

use secrecy::SecretString;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, Email, Fresh, PersonName, Role,
    fair_queue::Waiter,
    password::{self, Crowded},
    sql,
};
use crate::{
    audit::{self, By, Event},
    database::{Connection, transaction},
};

/// What a new account with a password is made of, already judged.
#[derive(Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
    pub password: SecretString,
}

/// What an invitation is made of, already judged.
#[derive(Clone, Debug)]
pub struct Invitation {
    pub email: Email,
    pub name: PersonName,
    pub role: Role,
}

/// Somebody with an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownUser {
    pub id: Uuid,
    pub email: String,
    pub name: String,
    pub role: Role,
    pub presence: Presence,
}

/// Whether somebody is here, was here, or cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    Off,
    /// The link was not used yet.
    Invited,
    SignedIn,
    Away(Option<OffsetDateTime>),
}

#[derive(Debug, thiserror::Error)]
pub enum AddError {
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    #[error("Many people are signing in. Try again in {} seconds.", password::CROWDED_WAIT.as_secs())]
    Crowded,
    /// Not transparent: whoever asks whether the database is away looks for the cause behind this.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Crowded> for AddError {
    fn from(_: Crowded) -> Self {
        Self::Crowded
    }
}

/// Nobody has this id, or they are turned off and this needs somebody who is not.
#[derive(Debug, thiserror::Error)]
pub enum Missing {
    #[error("nobody with this account")]
    Nobody,
    /// Not transparent: whoever asks whether the database is away looks for the cause behind this.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl Accounts {
    /// Whom a Viewer may ask: up to five names.
    pub async fn administrators(&self) -> sqlx::Result<Vec<String>> {
        sql::list_administrators(&self.pool, 5).await
    }

    /// Whether nobody can sign in yet.
    pub async fn is_empty(&self) -> sqlx::Result<bool> {
        sql::is_empty(&self.pool).await
    }

    /// Everybody, in the order of their names.
    pub async fn list(&self) -> sqlx::Result<Vec<KnownUser>> {
        Ok(sql::list_users(&self.pool, None, None).await?.into_iter().map(KnownUser::from).collect())
    }

    pub async fn find(&self, user: Uuid) -> sqlx::Result<Option<KnownUser>> {
        Ok(sql::list_users(&self.pool, Some(user), None).await?.pop().map(KnownUser::from))
    }

    pub async fn find_by_email(&self, email: &Email) -> sqlx::Result<Option<KnownUser>> {
        Ok(sql::list_users(&self.pool, None, Some(email.as_str())).await?.pop().map(KnownUser::from))
    }

    /// Adds a person with a password, from the command line.
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

    /// Adds a person who chooses a password by the link that this returns.
    ///
    /// # Errors
    /// [`AddError::EmailTaken`].
    pub async fn invite(&self, by: By, new: Invitation, _: Fresh) -> Result<(Uuid, BrowserSecret), AddError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id = insert(work, (&new.email, &new.name, new.role), None).await?;
                let code = BrowserSecret::generate();
                sql::insert_link(work, &code.hash(), Some(id)).await?;
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

impl From<sql::UserRow> for KnownUser {
    fn from(row: sql::UserRow) -> Self {
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
    match sql::insert_user(work, id, who, hash).await {
        Ok(()) => Ok(id),
        Err(error) if is_taken(&error) => Err(AddError::EmailTaken),
        Err(broken) => Err(broken.into()),
    }
}

pub(super) async fn record_added(work: &mut Connection, by: &By, new: &NewUser) -> sqlx::Result<()> {
    let event = Event::UserAdded { email: new.email.as_str().to_owned(), role: new.role.as_str() };
    audit::record(work, by, None, &event).await
}

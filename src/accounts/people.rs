//! Who has an account, as an administrator or the operator sees it: list, invite, raise, lower, turn off and on. Nobody is
//! deleted, since the activity names them.
//!
//! Surprising: every change of a role ends the person's sessions, raised or lowered, because a session never outlives its rights
//! (ASVS 7.2.4).

use secrecy::SecretString;
use sqlx::PgConnection;
use time::OffsetDateTime;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, Email, Fresh, PersonName, Role, end_sessions,
    password::{self, Crowded},
    sql,
};
use crate::{
    audit::{self, By, Event},
    database::transaction,
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

#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    #[error("There must be one administrator. Make somebody else one first.")]
    LastAdministrator,
    #[error("Ask another administrator to change your role.")]
    OwnRole,
    #[error("Ask another administrator to turn off your account.")]
    OwnAccount,
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
        let hash = self.hashing.hash(new.password.clone()).await?;
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

    /// A link by which somebody chooses a new password, or joins. Older links of theirs stop working.
    ///
    /// # Errors
    /// [`Missing::Nobody`], also for somebody who is turned off.
    pub async fn make_link(&self, by: By, user: Uuid, _: Fresh) -> Result<BrowserSecret, Missing> {
        self.link(by, user, false).await
    }

    /// The same from the command line, where the operator is who asks: every session of theirs ends as well.
    ///
    /// # Errors
    /// [`Missing::Nobody`], also for somebody who is turned off.
    pub async fn make_link_as_operator(&self, user: Uuid) -> Result<BrowserSecret, Missing> {
        self.link(By::operator(), user, true).await
    }

    async fn link(&self, by: By, user: Uuid, ends_sessions: bool) -> Result<BrowserSecret, Missing> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known = sql::lock_user(work, user).await?.filter(|known| !known.is_off).ok_or(Missing::Nobody)?;
                sql::delete_links(work, user).await?;
                let code = BrowserSecret::generate();
                sql::insert_link(work, &code.hash(), Some(user)).await?;
                if ends_sessions {
                    end_sessions(work, user, None).await?;
                }
                audit::record(work, &by, None, &Event::SignInLinkMade { person: known.name }).await?;
                Ok(code)
            })
        })
        .await
    }

    /// Makes somebody an administrator; whether they were none. They sign in again.
    ///
    /// # Errors
    /// [`Refusal::OwnRole`] or [`Refusal::Nobody`].
    pub async fn raise(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, Refusal> {
        self.change_role(by, user, Role::Administrator).await
    }

    /// Makes somebody a viewer; whether they were none. They are signed out everywhere.
    ///
    /// # Errors
    /// [`Refusal::OwnRole`], [`Refusal::LastAdministrator`] or [`Refusal::Nobody`].
    pub async fn lower(&self, by: By, user: Uuid) -> Result<bool, Refusal> {
        self.change_role(by, user, Role::Viewer).await
    }

    async fn change_role(&self, by: By, user: Uuid, role: Role) -> Result<bool, Refusal> {
        if by.actor.id() == Some(user) {
            return Err(Refusal::OwnRole);
        }
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::lock_administrators(work).await?;
                let known = sql::lock_user(work, user).await?.ok_or(Refusal::Nobody)?;
                if Role::from_stored(&known.role) == role {
                    return Ok(false);
                }
                if role == Role::Viewer && !sql::any_other_administrator(work, user).await? {
                    return Err(Refusal::LastAdministrator);
                }
                sql::update_role(work, user, role).await?;
                end_sessions(work, user, None).await?;
                let event = Event::RoleChanged { person: known.name, role: role.as_str() };
                audit::record(work, &by, None, &event).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends every session of somebody; how many were open.
    ///
    /// # Errors
    /// [`Missing::Nobody`].
    pub async fn sign_out_everywhere(&self, by: By, user: Uuid) -> Result<u64, Missing> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known = sql::lock_user(work, user).await?.ok_or(Missing::Nobody)?;
                let browsers = end_sessions(work, user, None).await?;
                if browsers > 0 {
                    let event = Event::UserSignedOut { person: known.name, browsers };
                    audit::record(work, &by, None, &event).await?;
                }
                Ok(browsers)
            })
        })
        .await
    }

    /// Signs somebody out at once and for good; whether they were not turned off before.
    ///
    /// # Errors
    /// [`Refusal::OwnAccount`], [`Refusal::LastAdministrator`] or [`Refusal::Nobody`].
    pub async fn turn_off(&self, by: By, user: Uuid) -> Result<bool, Refusal> {
        if by.actor.id() == Some(user) {
            return Err(Refusal::OwnAccount);
        }
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::lock_administrators(work).await?;
                let known = sql::lock_user(work, user).await?.ok_or(Refusal::Nobody)?;
                if known.is_off {
                    return Ok(false);
                }
                if Role::from_stored(&known.role) == Role::Administrator
                    && !sql::any_other_administrator(work, user).await?
                {
                    return Err(Refusal::LastAdministrator);
                }
                sql::update_disabled(work, user, true).await?;
                sql::delete_links(work, user).await?;
                end_sessions(work, user, None).await?;
                audit::record(work, &by, None, &Event::UserTurnedOff { person: known.name }).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Lets somebody sign in again with the password they had; whether they were turned off.
    ///
    /// # Errors
    /// [`Missing::Nobody`].
    pub async fn turn_on(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, Missing> {
        self.on(by, user).await
    }

    /// The same from the command line.
    ///
    /// # Errors
    /// [`Missing::Nobody`].
    pub async fn turn_on_as_operator(&self, user: Uuid) -> Result<bool, Missing> {
        self.on(By::operator(), user).await
    }

    async fn on(&self, by: By, user: Uuid) -> Result<bool, Missing> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known = sql::lock_user(work, user).await?.ok_or(Missing::Nobody)?;
                if known.is_off {
                    sql::update_disabled(work, user, false).await?;
                    audit::record(work, &by, None, &Event::UserTurnedOn { person: known.name }).await?;
                }
                Ok(known.is_off)
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
    work: &mut PgConnection,
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

pub(super) async fn record_added(work: &mut PgConnection, by: &By, new: &NewUser) -> sqlx::Result<()> {
    let event = Event::UserAdded { email: new.email.as_str().to_owned(), role: new.role.as_str() };
    audit::record(work, by, None, &event).await
}

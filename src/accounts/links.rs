//! One-time links: 256 random bits, valid for an hour; only the hash is stored. A link creates the first administrator,
//! lets an invited user join, or lets a user choose a new password.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, FindUserError, Fresh, NewUser, PersonName, Role, end_sessions,
    fair_queue::{Overloaded, Waiter},
    notices::{NotifiedUser, notify},
    open_session, password, sql,
    users::{AddError, insert, record_added},
};
use crate::{
    alerts::AccountChange,
    audit::{self, By, Event, Origin},
    database::transaction,
};

/// What a valid link allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    FirstAdministrator,
    /// A user who was invited under this name and address.
    Join(LinkOwner),
    /// A user who already has a password.
    NewPassword(LinkOwner),
}

impl Purpose {
    /// The role of the link's user.
    pub const fn role(&self) -> Role {
        match self {
            Self::FirstAdministrator => Role::Administrator,
            Self::Join(owner) | Self::NewPassword(owner) => owner.role,
        }
    }
}

/// The user of a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOwner {
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// Result of a sign-in by link.
#[derive(Debug)]
pub struct LinkSignIn {
    pub session: BrowserSecret,
    pub name: String,
    /// Number of earlier sessions that this sign-in ended.
    pub ended: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Used, expired, of a disabled user, or never issued.
    #[error("This link no longer works")]
    Dead,
    #[error("Order Time is already set up")]
    AlreadySetUp,
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    #[error("Many people are signing in. Try again in {} seconds.", password::OVERLOADED_RETRY_AFTER.as_secs())]
    Crowded,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Overloaded> for LinkError {
    fn from(_: Overloaded) -> Self {
        Self::Crowded
    }
}

impl From<AddError> for LinkError {
    fn from(error: AddError) -> Self {
        match error {
            AddError::EmailTaken => Self::EmailTaken,
            AddError::Crowded => Self::Crowded,
            AddError::Broken(error) => Self::Broken(error),
        }
    }
}

impl Accounts {
    /// Creates the link for the first administrator.
    pub async fn make_set_up_link(&self) -> sqlx::Result<BrowserSecret> {
        let code = BrowserSecret::generate();
        let hash = code.hash();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::links::insert(work, &hash, None).await?;
                audit::record(work, &By::system(), None, &Event::SetUpLinkMade).await
            })
        })
        .await?;
        Ok(code)
    }

    /// Creates a link for a new password, or for joining. Older links of the same user stop working.
    ///
    /// # Errors
    /// [`FindUserError::Nobody`], also for a disabled user.
    pub async fn make_link(&self, by: By, user: Uuid, _: Fresh) -> Result<BrowserSecret, FindUserError> {
        self.link(by, user, false).await
    }

    /// Like `make_link`, by the operator from the command line. Also ends all of the user's sessions.
    ///
    /// # Errors
    /// [`FindUserError::Nobody`], also for a disabled user.
    pub async fn make_link_as_operator(&self, user: Uuid) -> Result<BrowserSecret, FindUserError> {
        self.link(By::operator(), user, true).await
    }

    async fn link(&self, by: By, user: Uuid, ends_sessions: bool) -> Result<BrowserSecret, FindUserError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known =
                    sql::users::lock(work, user).await?.filter(|known| !known.is_off).ok_or(FindUserError::Nobody)?;
                sql::links::delete(work, user).await?;
                let code = BrowserSecret::generate();
                sql::links::insert(work, &code.hash(), Some(user)).await?;
                if ends_sessions {
                    end_sessions(work, user, None).await?;
                }
                let event = Event::SignInLinkMade { person: known.name, email: Some(known.email) };
                audit::record(work, &by, None, &event).await?;
                Ok(code)
            })
        })
        .await
    }

    /// Returns what a link allows now, without using it.
    ///
    /// # Errors
    /// [`LinkError::Dead`] or [`LinkError::AlreadySetUp`].
    pub async fn check_link(&self, code: &BrowserSecret) -> Result<Purpose, LinkError> {
        let link = sql::links::find(&self.pool, &code.hash()).await?.ok_or(LinkError::Dead)?;
        let (Some(name), Some(email), Some(role)) = (link.name, link.email, link.role) else {
            return match (sql::users::is_empty(&self.pool).await?, link.is_alive) {
                (false, _) => Err(LinkError::AlreadySetUp),
                (true, true) => Ok(Purpose::FirstAdministrator),
                (true, false) => Err(LinkError::Dead),
            };
        };
        let owner = LinkOwner { name, email, role: Role::from_stored(&role) };
        match (link.is_alive, link.has_joined) {
            (false, _) => Err(LinkError::Dead),
            (true, true) => Ok(Purpose::NewPassword(owner)),
            (true, false) => Ok(Purpose::Join(owner)),
        }
    }

    /// Uses the set-up link: creates the first administrator and signs them in.
    ///
    /// # Errors
    /// [`LinkError::Dead`], or [`LinkError::AlreadySetUp`] if another link was used first.
    pub async fn set_up(&self, origin: Origin, code: &BrowserSecret, new: NewUser) -> Result<BrowserSecret, LinkError> {
        if self.check_link(code).await? != Purpose::FirstAdministrator {
            return Err(LinkError::Dead);
        }
        let code = code.hash();
        let hash = self.hashing.hash(Waiter::Known(Uuid::nil()), new.password.clone()).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::users::lock_all(work).await?;
                if sql::users::any(work).await? {
                    return Err(LinkError::AlreadySetUp);
                }
                if sql::links::spend(work, &code).await? != Some(None) {
                    return Err(LinkError::Dead);
                }
                let id = insert(work, (&new.email, &new.name, new.role), Some(&hash)).await?;
                let person = (id, new.name.as_str().to_owned(), new.email.as_str().to_owned());
                let (session, by) = open_session(work, person, origin).await?;
                sql::users::let_in(work, id, None).await?;
                record_added(work, &by, &new).await?;
                Ok(session)
            })
        })
        .await
    }

    /// Uses the link of an existing user: sets their password, ends all of their sessions and opens a new one. `name`
    /// is the name that a joining user chose.
    ///
    /// # Errors
    /// [`LinkError::Dead`].
    pub async fn join(
        &self,
        origin: Origin,
        code: &BrowserSecret,
        name: Option<PersonName>,
        password: SecretString,
    ) -> Result<LinkSignIn, LinkError> {
        if self.check_link(code).await? == Purpose::FirstAdministrator {
            return Err(LinkError::Dead);
        }
        let code = code.hash();
        let hash = self.hashing.hash(Waiter::Known(Uuid::nil()), password).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id: Uuid = sql::links::spend(work, &code).await?.flatten().ok_or(LinkError::Dead)?;
                let known = sql::users::lock(work, id).await?.filter(|known| !known.is_off).ok_or(LinkError::Dead)?;
                let name = match name.filter(|_| !known.has_joined) {
                    Some(name) => {
                        sql::users::update_name(work, id, &name).await?;
                        name.as_str().to_owned()
                    }
                    None => known.name,
                };
                sql::users::update_password_hash(work, id, &hash).await?;
                sql::links::delete(work, id).await?;
                let ended = end_sessions(work, id, None).await?;
                sql::users::let_in(work, id, None).await?;
                let (session, by) = open_session(work, (id, name.clone(), known.email.clone()), origin).await?;
                if known.has_joined {
                    let owner = NotifiedUser { id, name: &name };
                    notify(work, &by, owner, &[&known.email], AccountChange::PasswordByLink).await?;
                }
                let event = if known.has_joined { Event::PasswordChanged } else { Event::UserJoined };
                audit::record(work, &by, None, &event).await?;
                Ok(LinkSignIn { session, name, ended })
            })
        })
        .await
    }
}

//! One-time links: 256 random bits, an hour, only their hash kept. One makes the first administrator, one lets an invited person
//! join, one lets somebody choose a new password.

use secrecy::SecretString;
use uuid::Uuid;

use super::{
    Accounts, BrowserSecret, Fresh, Missing, NewUser, PersonName, Role, end_sessions,
    fair_queue::Waiter,
    notices::{Owner, notify},
    open_session,
    password::{self, Crowded},
    people::{AddError, insert, record_added},
    sql,
};
use crate::{
    alerts::AccountChange,
    audit::{self, By, Event, Origin},
    database::transaction,
};

/// What a link that works is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Purpose {
    FirstAdministrator,
    /// Somebody who was invited under this name and address.
    Join(LinkOwner),
    /// Somebody who has had a password before.
    NewPassword(LinkOwner),
}

impl Purpose {
    /// What the person will be.
    pub const fn role(&self) -> Role {
        match self {
            Self::FirstAdministrator => Role::Administrator,
            Self::Join(owner) | Self::NewPassword(owner) => owner.role,
        }
    }
}

/// Whom a link lets in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkOwner {
    pub name: String,
    pub email: String,
    pub role: Role,
}

/// Who came in by a link.
#[derive(Debug)]
pub struct Spent {
    pub session: BrowserSecret,
    pub name: String,
    /// Browsers that were signed out by it.
    pub ended: u64,
}

#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Spent, too old, of somebody who was turned off, or never made.
    #[error("This link no longer works")]
    Dead,
    #[error("Order Time is already set up")]
    AlreadySetUp,
    #[error("Someone with this email address can already sign in")]
    EmailTaken,
    #[error("Many people are signing in. Try again in {} seconds.", password::CROWDED_WAIT.as_secs())]
    Crowded,
    /// Not transparent: whoever asks whether the database is away looks for the cause behind this.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl From<Crowded> for LinkError {
    fn from(_: Crowded) -> Self {
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
    /// Makes the link that makes the first administrator.
    pub async fn make_set_up_link(&self) -> sqlx::Result<BrowserSecret> {
        let code = BrowserSecret::generate();
        let hash = code.hash();
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::insert_link(work, &hash, None).await?;
                audit::record(work, &By::system(), None, &Event::SetUpLinkMade).await
            })
        })
        .await?;
        Ok(code)
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
                let event = Event::SignInLinkMade { person: known.name, email: Some(known.email) };
                audit::record(work, &by, None, &event).await?;
                Ok(code)
            })
        })
        .await
    }

    /// What a link would do now; looking at it changes nothing.
    ///
    /// # Errors
    /// [`LinkError::Dead`] or [`LinkError::AlreadySetUp`].
    pub async fn check_link(&self, code: &BrowserSecret) -> Result<Purpose, LinkError> {
        let link = sql::find_link(&self.pool, &code.hash()).await?.ok_or(LinkError::Dead)?;
        let (Some(name), Some(email), Some(role)) = (link.name, link.email, link.role) else {
            return match (sql::is_empty(&self.pool).await?, link.is_alive) {
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

    /// Spends the first link: makes the first administrator and signs them in.
    ///
    /// # Errors
    /// The link is dead, or somebody was faster.
    pub async fn set_up(&self, origin: Origin, code: &BrowserSecret, new: NewUser) -> Result<BrowserSecret, LinkError> {
        if self.check_link(code).await? != Purpose::FirstAdministrator {
            return Err(LinkError::Dead);
        }
        let code = code.hash();
        let hash = self.hashing.hash(Waiter::Known(Uuid::nil()), new.password.clone()).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::lock_users(work).await?;
                if sql::any_user(work).await? {
                    return Err(LinkError::AlreadySetUp);
                }
                if sql::spend_link(work, &code).await? != Some(None) {
                    return Err(LinkError::Dead);
                }
                let id = insert(work, (&new.email, &new.name, new.role), Some(&hash)).await?;
                let person = (id, new.name.as_str().to_owned(), new.email.as_str().to_owned());
                let (session, by) = open_session(work, person, origin).await?;
                sql::let_in(work, id, None).await?;
                record_added(work, &by, &new).await?;
                Ok(session)
            })
        })
        .await
    }

    /// Spends the link of a person who is known: this is their password from now on, every session of theirs ends, and a new
    /// one is opened. `name` is what somebody who joins wants to be called.
    ///
    /// # Errors
    /// The link is dead.
    pub async fn join(
        &self,
        origin: Origin,
        code: &BrowserSecret,
        name: Option<PersonName>,
        password: SecretString,
    ) -> Result<Spent, LinkError> {
        if self.check_link(code).await? == Purpose::FirstAdministrator {
            return Err(LinkError::Dead);
        }
        let code = code.hash();
        let hash = self.hashing.hash(Waiter::Known(Uuid::nil()), password).await?;
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let id: Uuid = sql::spend_link(work, &code).await?.flatten().ok_or(LinkError::Dead)?;
                let known = sql::lock_user(work, id).await?.filter(|known| !known.is_off).ok_or(LinkError::Dead)?;
                let name = match name.filter(|_| !known.has_joined) {
                    Some(name) => {
                        sql::update_name(work, id, &name).await?;
                        name.as_str().to_owned()
                    }
                    None => known.name,
                };
                sql::update_password_hash(work, id, &hash).await?;
                sql::delete_links(work, id).await?;
                let ended = end_sessions(work, id, None).await?;
                sql::let_in(work, id, None).await?;
                let (session, by) = open_session(work, (id, name.clone(), known.email.clone()), origin).await?;
                if known.has_joined {
                    let owner = Owner { id, name: &name };
                    notify(work, &by, owner, &[&known.email], AccountChange::PasswordByLink).await?;
                }
                let event = if known.has_joined { Event::PasswordChanged } else { Event::UserJoined };
                audit::record(work, &by, None, &event).await?;
                Ok(Spent { session, name, ended })
            })
        })
        .await
    }
}

//! Changes of what a user may do: promote, demote, sign out everywhere, disable and enable. Each operation requires a
//! recent password confirmation ([`Fresh`]), except from the command line.
//!
//! A role change ends the user's sessions, for a promotion as for a demotion, because a session must not outlive its
//! privileges (ASVS 7.2.4).

use uuid::Uuid;

use super::{
    Accounts, FindUserError, Fresh, Role, end_sessions,
    notices::{NotifiedUser, notify, role_change},
    sql,
};
use crate::{
    alerts::AccountChange,
    audit::{self, By, Event, RequiredRole},
    database::{Connection, transaction},
};

#[derive(Debug, thiserror::Error)]
pub enum UserChangeError {
    #[error("There must be one administrator. Make somebody else one first.")]
    LastAdministrator,
    #[error("Ask another administrator to change your role.")]
    OwnRole,
    #[error("Ask another administrator to turn off your account.")]
    OwnAccount,
    #[error("nobody with this account")]
    Nobody,
    /// Not transparent, so that callers that check for an unreachable database find the cause in the source chain.
    #[error("asking the database")]
    Broken(#[from] sqlx::Error),
}

impl Accounts {
    /// Promotes a user to administrator and ends their sessions. Returns whether the role changed.
    ///
    /// # Errors
    /// [`UserChangeError::OwnRole`] or [`UserChangeError::Nobody`].
    pub async fn raise(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, UserChangeError> {
        self.change_role(by, user, Role::Administrator).await
    }

    /// Demotes a user to viewer and ends their sessions. Returns whether the role changed.
    ///
    /// # Errors
    /// [`UserChangeError::OwnRole`], [`UserChangeError::LastAdministrator`] or [`UserChangeError::Nobody`].
    pub async fn lower(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, UserChangeError> {
        self.change_role(by, user, Role::Viewer).await
    }

    async fn change_role(&self, by: By, user: Uuid, role: Role) -> Result<bool, UserChangeError> {
        if by.actor.id() == Some(user) {
            return Err(UserChangeError::OwnRole);
        }
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::users::lock_administrators(work).await?;
                let known = sql::users::lock(work, user).await?.ok_or(UserChangeError::Nobody)?;
                if Role::from_stored(&known.role) == role {
                    return Ok(false);
                }
                ensure_administrator_remains(work, user, &known).await?;
                sql::users::update_role(work, user, role).await?;
                end_sessions(work, user, None).await?;
                let change = role_change(Role::from_stored(&known.role), role);
                notify(work, &by, NotifiedUser { id: user, name: &known.name }, &[&known.email], change).await?;
                let event = Event::RoleChanged {
                    person: known.name,
                    email: Some(known.email),
                    before: Some(Role::from_stored(&known.role).as_str()),
                    role: role.as_str(),
                };
                audit::record(work, &by, None, &event).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Ends all sessions of a user. Returns how many were open.
    ///
    /// # Errors
    /// [`FindUserError::Nobody`].
    pub async fn sign_out_everywhere(&self, by: By, user: Uuid, _: Fresh) -> Result<u64, FindUserError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known = sql::users::lock(work, user).await?.ok_or(FindUserError::Nobody)?;
                let browsers = sql::sessions::count_open(work, user).await?;
                // Recorded before the sessions end, because one of them may be the actor's.
                if browsers > 0 {
                    let event = Event::UserSignedOut { person: known.name, email: Some(known.email), browsers };
                    audit::record(work, &by, None, &event).await?;
                } else {
                    audit::demand(work, &by, RequiredRole::Change).await?;
                }
                end_sessions(work, user, None).await?;
                Ok(browsers)
            })
        })
        .await
    }

    /// Disables a user and ends their sessions. Returns whether the user was enabled before.
    ///
    /// # Errors
    /// [`UserChangeError::OwnAccount`], [`UserChangeError::LastAdministrator`] or [`UserChangeError::Nobody`].
    pub async fn turn_off(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, UserChangeError> {
        self.off(by, user).await
    }

    /// Like `turn_off`, by the operator from the command line.
    ///
    /// # Errors
    /// [`UserChangeError::LastAdministrator`] or [`UserChangeError::Nobody`].
    pub async fn turn_off_as_operator(&self, user: Uuid) -> Result<bool, UserChangeError> {
        self.off(By::operator(), user).await
    }

    async fn off(&self, by: By, user: Uuid) -> Result<bool, UserChangeError> {
        if by.actor.id() == Some(user) {
            return Err(UserChangeError::OwnAccount);
        }
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                sql::users::lock_administrators(work).await?;
                let known = sql::users::lock(work, user).await?.ok_or(UserChangeError::Nobody)?;
                if known.is_off {
                    return Ok(false);
                }
                ensure_administrator_remains(work, user, &known).await?;
                sql::users::update_disabled(work, user, true).await?;
                sql::links::delete(work, user).await?;
                end_sessions(work, user, None).await?;
                let owner = NotifiedUser { id: user, name: &known.name };
                notify(work, &by, owner, &[&known.email], AccountChange::TurnedOff).await?;
                let event = Event::UserTurnedOff { person: known.name, email: Some(known.email) };
                audit::record(work, &by, None, &event).await?;
                Ok(true)
            })
        })
        .await
    }

    /// Enables a user, who can sign in again with the old password. Returns whether the user was disabled before.
    ///
    /// # Errors
    /// [`FindUserError::Nobody`].
    pub async fn turn_on(&self, by: By, user: Uuid, _: Fresh) -> Result<bool, FindUserError> {
        self.on(by, user).await
    }

    /// Like `turn_on`, by the operator from the command line.
    ///
    /// # Errors
    /// [`FindUserError::Nobody`].
    pub async fn turn_on_as_operator(&self, user: Uuid) -> Result<bool, FindUserError> {
        self.on(By::operator(), user).await
    }

    async fn on(&self, by: By, user: Uuid) -> Result<bool, FindUserError> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let known = sql::users::lock(work, user).await?.ok_or(FindUserError::Nobody)?;
                if known.is_off {
                    sql::users::update_disabled(work, user, false).await?;
                    let owner = NotifiedUser { id: user, name: &known.name };
                    notify(work, &by, owner, &[&known.email], AccountChange::TurnedOn).await?;
                    let event = Event::UserTurnedOn { person: known.name, email: Some(known.email) };
                    audit::record(work, &by, None, &event).await?;
                }
                Ok(known.is_off)
            })
        })
        .await
    }
}

/// Fails if the change would remove the last administrator. The administrators' rows are locked, so two administrators
/// who demote each other concurrently cannot both succeed.
async fn ensure_administrator_remains(
    work: &mut Connection,
    user: Uuid,
    known: &sql::users::ListedUserRow,
) -> Result<(), UserChangeError> {
    let is_one = Role::from_stored(&known.role) == Role::Administrator;
    if is_one && !sql::users::any_other_administrator(work, user).await? {
        return Err(UserChangeError::LastAdministrator);
    }
    Ok(())
}

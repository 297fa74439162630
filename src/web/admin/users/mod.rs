//! User administration: the list, adding a user, and one user with the actions open to an administrator.

pub mod activation;
pub mod deactivation;
mod invitation;
pub mod link;
mod role;
pub mod sessions;

use askama::Template;
use axum::extract::State;
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use super::error::Error;
use super::filters::{self, Moment};
use super::page::HtmlPage;
use super::session::CurrentSession;
use super::shell::Shell;
use crate::accounts::{KnownUser, Presence, Role};
use crate::app::App;

pub use invitation::{New, NewForm, create, new};
pub use role::{RoleForm, RolePage, edit, update};

/// The list of all users, including those who are turned off.
#[derive(Debug, Template)]
#[template(path = "admin/users/list.html")]
pub struct Users {
    pub shell: Shell,
    pub people: Vec<UserLine>,
}

/// One user, as shown in the list and on the user's own page.
#[derive(Clone, Debug)]
pub struct UserLine {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub presence: Presence,
    /// When the user was last active.
    pub last_seen: Option<Moment>,
    /// Whether this is the user who views the page.
    pub is_you: bool,
}

impl UserLine {
    fn of(user: KnownUser, session: &CurrentSession, now: OffsetDateTime) -> Self {
        let last_seen = match user.presence {
            Presence::Away(at) => at.map(|at| Moment::new(at, now)),
            _ => None,
        };
        Self {
            id: user.id.simple().to_string(),
            is_you: session.user.as_ref().is_some_and(|you| you.id == user.id),
            name: user.name,
            email: user.email,
            role: user.role,
            presence: user.presence,
            last_seen,
        }
    }

    fn is_off(&self) -> bool {
        self.presence == Presence::Off
    }

    fn has_joined(&self) -> bool {
        self.presence != Presence::Invited
    }
}

/// A role as a form sends it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum UserForm {
    Administrator,
    Viewer,
}

impl From<UserForm> for Role {
    fn from(chosen: UserForm) -> Self {
        match chosen {
            UserForm::Administrator => Self::Administrator,
            UserForm::Viewer => Self::Viewer,
        }
    }
}

/// GET `/admin/users`.
pub async fn list(State(app): State<App>, shell: Shell, session: CurrentSession) -> Result<HtmlPage<Users>, Error> {
    let now = app.clock.now();
    let people = app.accounts.list().await?;
    Ok(HtmlPage::ok(Users {
        shell,
        people: people.into_iter().map(|user| UserLine::of(user, &session, now)).collect(),
    }))
}

async fn find(app: &App, session: &CurrentSession, id: Uuid) -> Result<UserLine, Error> {
    let user = app.accounts.find(id).await?.ok_or(Error::NotFound)?;
    Ok(UserLine::of(user, session, app.clock.now()))
}

//! Who can sign in: the list, adding somebody, and one person with what an administrator can do about them.

pub mod activation;
pub mod deactivation;
pub mod link;
pub mod sessions;

use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::accounts::{AddError, Email, Invitation, KnownUser, PersonName, PersonNameError, Presence, Refusal, Role};
use crate::app::App;
use crate::web::confirm::{Deed, confirm};
use crate::web::error::Error;
use crate::web::fields::{Complaint, Field, Problem};
use crate::web::filters;
use crate::web::filters::Moment;
use crate::web::form::{Form, Path};
use crate::web::page::Page;
use crate::web::session::Session;
use crate::web::shell::{Banner, Shell};

use link::{Link, origin_of};

/// Everybody who can sign in, or could.
#[derive(Debug, Template)]
#[template(path = "admin/users/list.html")]
pub struct Users {
    pub shell: Shell,
    pub people: Vec<UserLine>,
}

/// One person as the list and their own page show them.
#[derive(Clone, Debug)]
pub struct UserLine {
    pub id: String,
    pub name: String,
    pub email: String,
    pub role: Role,
    pub presence: Presence,
    /// When they were last here, in words.
    pub last_seen: Option<Moment>,
    /// The person who looks.
    pub is_you: bool,
}

impl UserLine {
    fn of(user: KnownUser, session: &Session, now: OffsetDateTime) -> Self {
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

/// Posts `csrf`, `name`, `email` and `role` to its own address.
#[derive(Debug, Template)]
#[template(path = "admin/users/new.html")]
pub struct New {
    pub shell: Shell,
    pub name: Field,
    pub email: Field,
    pub role: Role,
}

impl New {
    fn problems(&self) -> Vec<Problem> {
        Problem::list(&[("name", &self.name.complaint), ("email", &self.email.complaint)])
    }
}

/// One person. Posts `csrf` and `role` to its own address, and `csrf` to `…/link`, `…/sessions` and `…/activation`.
#[derive(Debug, Template)]
#[template(path = "admin/users/edit.html")]
pub struct Edit {
    pub shell: Shell,
    pub person: UserLine,
    /// What is chosen, which is not what is so when it was refused.
    pub role: Role,
    pub complaint: Option<Complaint>,
}

impl Edit {
    fn problems(&self) -> Vec<Problem> {
        // One's own page has no form to lead to; it says the same sentence at rest.
        if self.person.is_you { Vec::new() } else { Problem::list(&[("role-administrator", &self.complaint)]) }
    }
}

/// A role as a form says it.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Chosen {
    Administrator,
    Viewer,
}

impl From<Chosen> for Role {
    fn from(chosen: Chosen) -> Self {
        match chosen {
            Chosen::Administrator => Self::Administrator,
            Chosen::Viewer => Self::Viewer,
        }
    }
}

/// GET `/admin/users`.
pub async fn list(State(app): State<App>, shell: Shell, session: Session) -> Result<Page<Users>, Error> {
    let now = app.clock.now();
    let people = app.accounts.list().await?;
    Ok(Page::ok(Users { shell, people: people.into_iter().map(|user| UserLine::of(user, &session, now)).collect() }))
}

/// GET `/admin/users/new`.
pub async fn new(shell: Shell) -> Page<New> {
    Page::ok(New { shell, name: Field::default(), email: Field::default(), role: Role::Viewer })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewForm {
    name: String,
    email: String,
    role: Chosen,
    /// From *Confirm it is you*.
    password: Option<String>,
}

/// POST `/admin/users/new`: adds them, and shows their link once.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: Session,
    headers: HeaderMap,
    Form(typed): Form<NewForm>,
) -> Result<Response, Error> {
    let role = Role::from(typed.role);
    let field = |value: &str, complaint| Field { value: value.to_owned(), complaint, note: None };
    let refused = |shell, name, email| {
        let page = New { shell, name: field(&typed.name, name), email: field(&typed.email, email), role };
        Page::refused(page).into_response()
    };
    let (name, email) = match (PersonName::parse(&typed.name), Email::parse(&typed.email)) {
        (Ok(name), Ok(email)) => (name, email),
        (name, email) => {
            let name = name.err().map(|error| match error {
                // It is not the name of whoever types.
                PersonNameError::Empty => Complaint::new("PERSON_NAME", "Enter a name"),
                PersonNameError::TooLong => Complaint::new("PERSON_NAME", error.to_string()),
            });
            return Ok(refused(shell, name, email.err().map(|error| Complaint::new("EMAIL_FORM", error.to_string()))));
        }
    };
    let role_word = if role == Role::Administrator { "administrator" } else { "viewer" };
    let deed = Deed {
        text: "add a user".into(),
        action: "/admin/users/new".into(),
        fields: vec![("name", typed.name.clone()), ("email", typed.email.clone()), ("role", role_word.into())],
        cancel: "/admin/users".into(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, typed.password.clone(), deed).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let invitation = Invitation { email, name, role };
    match app.accounts.invite(session.by(), invitation.clone(), fresh).await {
        Ok((_, code)) => {
            Ok(Page::ok(Link::new(shell, invitation.name.as_str(), &origin_of(&app, &headers), &code)).into_response())
        }
        Err(taken @ AddError::EmailTaken) => {
            Ok(refused(shell, None, Some(Complaint::new("EMAIL_TAKEN", taken.to_string()))))
        }
        Err(broken) => Err(broken.into()),
    }
}

/// GET `/admin/users/{user}`.
pub async fn edit(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Page<Edit>, Error> {
    let person = find(&app, &session, id).await?;
    let role = person.role;
    Ok(Page::ok(Edit { shell, person, role, complaint: None }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleForm {
    role: Chosen,
    /// From *Confirm it is you*.
    password: Option<String>,
}

/// POST `/admin/users/{user}`: another role. Raising somebody asks for the password first.
pub async fn update(
    State(app): State<App>,
    mut shell: Shell,
    mut session: Session,
    Path(id): Path<Uuid>,
    Form(form): Form<RoleForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let here = format!("/admin/users/{}", person.id);
    let role = Role::from(form.role);
    let outcome = if role == Role::Administrator && person.role != role && !person.is_you {
        let deed = Deed {
            text: format!("make {} an Administrator", person.name),
            action: here.clone(),
            fields: vec![("role", "administrator".into())],
            cancel: here.clone(),
        };
        match confirm(&app, &mut shell, &mut session, form.password, deed).await {
            Ok(fresh) => app.accounts.raise(session.by(), id, fresh).await,
            Err(asked) => return Ok(asked),
        }
    } else if role == person.role {
        Ok(false)
    } else {
        app.accounts.lower(session.by(), id).await
    };
    match outcome {
        Ok(is_changed) => {
            if is_changed {
                let (title, text) = match role {
                    Role::Administrator => {
                        (format!("{} is an Administrator now.", person.name), "The next sign-in brings the new role.")
                    }
                    Role::Viewer => {
                        (format!("{} is a Viewer now.", person.name), "Every browser of theirs was signed out.")
                    }
                };
                let banner = Banner { title, text: text.into(), short: "Saved".into(), ..Banner::default() };
                session.leave(&app, &banner).await?;
            }
            Ok(Redirect::to(&here).into_response())
        }
        Err(Refusal::Nobody) => Err(Error::NotFound),
        Err(Refusal::Broken(error)) => Err(error.into()),
        Err(refused) => {
            let complaint = Some(Complaint::new("ROLE_KEPT", refused.to_string()));
            Ok(Page::refused(Edit { shell, person, role, complaint }).into_response())
        }
    }
}

async fn find(app: &App, session: &Session, id: Uuid) -> Result<UserLine, Error> {
    let user = app.accounts.find(id).await?.ok_or(Error::NotFound)?;
    Ok(UserLine::of(user, session, app.clock.now()))
}

//! One user and the user's role.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{UserForm, UserLine, find};
use crate::accounts::{Presence, Role, UserChangeError};
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::fields::{Complaint, FieldProblem};
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Path, Secret};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::{banner::Banner, shell::Shell};
use crate::web::urls;

/// The page of one user. Posts `csrf` and `role` to its own address, and `csrf` to `…/link`, `…/sessions` and
/// `…/activation`.
#[derive(Debug, Template)]
#[template(path = "admin/users/edit.html")]
pub struct RolePage {
    pub shell: Shell,
    pub person: UserLine,
    /// The chosen role, which differs from the saved one after a refused change.
    pub role: Role,
    pub complaint: Option<Complaint>,
}

impl RolePage {
    fn problems(&self) -> Vec<FieldProblem> {
        // A user's own page has no role form to link to; it always shows the same sentence.
        if self.person.is_you { Vec::new() } else { FieldProblem::list(&[("role-administrator", &self.complaint)]) }
    }
}

/// GET `/admin/users/{user}`.
pub async fn edit(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Path(id): Path<Uuid>,
) -> Result<HtmlPage<RolePage>, Error> {
    let person = find(&app, &session, id).await?;
    let role = person.role;
    Ok(HtmlPage::ok(RolePage { shell, person, role, complaint: None }))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleForm {
    role: UserForm,
    /// From *Confirm it is you*.
    password: Option<Secret>,
    intent: Option<String>,
}

/// POST `/admin/users/{user}`: changes the role, after asking for the password.
pub async fn update(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(form): Form<RoleForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let here = urls::user(&person.id);
    let role = Role::from(form.role);
    if form.intent.is_some() {
        return Ok(HtmlPage::ok(RolePage { shell, person, role, complaint: None }).into_response());
    }
    let outcome = if role == person.role {
        Ok(false)
    } else if person.is_you {
        Err(UserChangeError::OwnRole)
    } else {
        let (as_what, word) = match role {
            Role::Administrator => ("an Administrator", "administrator"),
            Role::Viewer => ("a Viewer", "viewer"),
        };
        let pending = PendingAction {
            text: format!("make {} {as_what}", bidi_isolate(&person.name)),
            action: here.clone(),
            fields: vec![("role", word.into())],
            cancel: here.clone(),
        };
        match confirm(&app, &mut shell, &mut session, form.password, pending).await {
            Ok(fresh) if role == Role::Administrator => app.accounts.raise(session.by(), id, fresh).await,
            Ok(fresh) => app.accounts.lower(session.by(), id, fresh).await,
            Err(asked) => return Ok(asked),
        }
    };
    match outcome {
        Ok(is_changed) => {
            if is_changed {
                session.leave(&app, &changed(&person.name, role)).await?;
            }
            Ok(Redirect::to(&here).into_response())
        }
        Err(UserChangeError::Nobody) => Err(Error::NotFound),
        Err(UserChangeError::Broken(error)) => Err(error.into()),
        Err(refused) => {
            let complaint = Some(Complaint::new("ROLE_KEPT", refused.to_string()));
            Ok(HtmlPage::refused(RolePage { shell, person, role, complaint }).into_response())
        }
    }
}

fn changed(name: &str, role: Role) -> Banner {
    let name = bidi_isolate(name);
    let (title, text) = match role {
        Role::Administrator => (format!("{name} is an Administrator now."), "The next sign-in brings the new role."),
        Role::Viewer => (format!("{name} is a Viewer now."), "Every browser of theirs was signed out."),
    };
    Banner { title, text: text.into(), short: "Saved".into(), ..Banner::default() }
}

//! Adds a user, who chooses a password through a link that is shown once.

use askama::Template;
use axum::{
    extract::State,
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde::Deserialize;

use super::UserForm;
use super::link::{Link, origin_of};
use crate::accounts::{AddError, Email, Invitation, PersonName, PersonNameError, Role};
use crate::app::App;
use crate::web::admin::confirm::{PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::fields::{Complaint, FieldProblem, FormField};
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Secret};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;
use crate::web::urls;

/// Posts `csrf`, `name`, `email` and `role` to its own address.
#[derive(Debug, Template)]
#[template(path = "admin/users/new.html")]
pub struct New {
    pub shell: Shell,
    pub name: FormField,
    pub email: FormField,
    pub role: Role,
}

impl New {
    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[("name", &self.name.complaint), ("email", &self.email.complaint)])
    }
}

/// GET `/admin/users/new`.
pub async fn new(shell: Shell) -> HtmlPage<New> {
    HtmlPage::ok(New { shell, name: FormField::default(), email: FormField::default(), role: Role::Viewer })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewForm {
    name: String,
    email: String,
    role: UserForm,
    /// From *Confirm it is you*.
    password: Option<Secret>,
    intent: Option<String>,
}

/// POST `/admin/users/new`: adds the user, and shows the user's link once.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    headers: HeaderMap,
    Form(typed): Form<NewForm>,
) -> Result<Response, Error> {
    let role = Role::from(typed.role);
    let field = |value: &str, complaint| FormField { value: value.to_owned(), complaint, note: None };
    let page =
        |shell, name, email| New { shell, name: field(&typed.name, name), email: field(&typed.email, email), role };
    if typed.intent.is_some() {
        return Ok(HtmlPage::ok(page(shell, None, None)).into_response());
    }
    let refused = |shell, name, email| HtmlPage::refused(page(shell, name, email)).into_response();
    let (name, email) =
        match (PersonName::parse_for_product(&typed.name, &app.site.product), Email::parse(&typed.email)) {
            (Ok(name), Ok(email)) => (name, email),
            (name, email) => {
                let name = name.err().map(|error| match error {
                    // The usual message is about one's own name.
                    PersonNameError::Empty => Complaint::new("PERSON_NAME", "Enter a name"),
                    PersonNameError::TooLong | PersonNameError::IsToken | PersonNameError::Reserved => {
                        Complaint::new("PERSON_NAME", error.to_string())
                    }
                });
                return Ok(refused(
                    shell,
                    name,
                    email.err().map(|error| Complaint::new("EMAIL_FORM", error.to_string())),
                ));
            }
        };
    let role_word = if role == Role::Administrator { "administrator" } else { "viewer" };
    let pending = PendingAction {
        text: "add a user".into(),
        action: urls::NEW_USER.into(),
        fields: vec![("name", typed.name.clone()), ("email", typed.email.clone()), ("role", role_word.into())],
        cancel: urls::USERS.into(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, typed.password.clone(), pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let invitation = Invitation { email, name, role };
    match app.accounts.invite(session.by(), invitation.clone(), fresh).await {
        Ok((_, code)) => {
            Ok(HtmlPage::ok(Link::new(shell, invitation.name.as_str(), &origin_of(&app, &headers), &code))
                .into_response())
        }
        Err(taken @ AddError::EmailTaken) => {
            Ok(refused(shell, None, Some(Complaint::new("EMAIL_TAKEN", taken.to_string()))))
        }
        Err(broken) => Err(broken.into()),
    }
}

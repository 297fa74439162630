//! The page behind a one-time link: the first administrator, an invited person, a new password.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use secrecy::SecretString;
use serde::Deserialize;

use crate::accounts::{AddError, BrowserSecret, Email, NewUser, PersonName, Role, password};
use crate::app::App;
use crate::web::error::Error;
use crate::web::form::{Form, Path};
use crate::web::page::Page;
use crate::web::session::{Cookies, Session};
use crate::web::shell::Banner;

use crate::web::fields::{Complaint, Field, Problem};
use crate::web::filters;
use crate::web::shell::Shell;

/// Posts `csrf`, `name`, `email`, `password` to its own address; GET changes nothing.
#[derive(Debug, Template)]
#[template(path = "set_up.html")]
pub struct SetUp {
    pub shell: Shell,
    /// The code of the link, as it stands in the URL.
    pub code: String,
    pub purpose: SetUpPurpose,
    pub name: Field,
    pub email: Field,
    /// Only its complaint: a typed password is never drawn.
    pub password: Option<Complaint>,
}

/// What the link is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpPurpose {
    FirstAdministrator,
    /// The e-mail address is fixed.
    Invitation,
    /// Name and e-mail address are fixed.
    NewPassword,
}

impl SetUp {
    fn problems(&self) -> Vec<Problem> {
        let fields = [("name", &self.name.complaint), ("email", &self.email.complaint), ("password", &self.password)];
        Problem::list(&fields)
    }

    fn heading(&self) -> String {
        match self.purpose {
            SetUpPurpose::FirstAdministrator => format!("Set up {}", self.shell.product),
            SetUpPurpose::Invitation => format!("Join {}", self.shell.product),
            SetUpPurpose::NewPassword => "Choose a new password".into(),
        }
    }

    const fn button(&self) -> &'static str {
        match self.purpose {
            SetUpPurpose::FirstAdministrator => "Create my account",
            SetUpPurpose::Invitation => "Join",
            SetUpPurpose::NewPassword => "Save password",
        }
    }
}

/// The link was used or is too old (410), or somebody was faster (409).
#[derive(Debug, Template)]
#[template(path = "set_up_over.html")]
pub struct SetUpOver {
    pub shell: Shell,
    /// Somebody has set this up already: then the page leads to the sign-in.
    pub is_already_set_up: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Typed {
    name: String,
    email: String,
    password: String,
}

/// GET `/set-up/{code}`: changes nothing, so that a link preview spends nothing.
pub async fn show(State(app): State<App>, shell: Shell, Path(code): Path<String>) -> Result<Response, Error> {
    match alive(&app, &code).await {
        Ok(_) => Ok(Page::ok(SetUp::first(shell, code)).into_response()),
        Err(refused) => over(shell, refused),
    }
}

/// POST `/set-up/{code}`: spends the link, makes the first administrator and signs them in.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    Path(code): Path<String>,
    Form(typed): Form<Typed>,
) -> Result<Response, Error> {
    let secret = match alive(&app, &code).await {
        Ok(secret) => secret,
        Err(refused) => return over(shell, refused),
    };
    let mut page = SetUp::first(shell, code);
    let Some(new) = page.understand(typed) else { return Ok(Page::refused(page).into_response()) };
    let person = new.name.as_str().split(' ').next().unwrap_or_default().to_owned();
    match app.accounts.set_up(session.origin, &secret, new).await {
        Ok(opened) => {
            let banner = Banner {
                title: format!("Welcome, {person}."),
                text: "Next: turn on Ecommerce Integration and add your first cart.".into(),
                link: Some(("/admin/ecommerce/add".into(), "Start".into())),
                ..Banner::default()
            };
            app.accounts.leave_banner(&opened.hash(), &serde_json::to_value(&banner)?).await?;
            Ok((AppendHeaders(Cookies::of(&app).sign_in(&opened)), Redirect::to("/admin")).into_response())
        }
        Err(AddError::EmailTaken) => {
            page.email.complaint = Some(complaint("EMAIL_TAKEN", &AddError::EmailTaken));
            Ok(Page::refused(page).into_response())
        }
        Err(refused) => over(page.shell, refused),
    }
}

async fn alive(app: &App, code: &str) -> Result<BrowserSecret, AddError> {
    let secret = BrowserSecret::from_cookie(code).ok_or(AddError::LinkDead)?;
    app.accounts.check_set_up_link(&secret).await?;
    Ok(secret)
}

fn over(shell: Shell, refused: AddError) -> Result<Response, Error> {
    match refused {
        AddError::AlreadySetUp => {
            Ok(Page(SetUpOver { shell, is_already_set_up: true }, StatusCode::CONFLICT).into_response())
        }
        AddError::LinkDead => Ok(Page(SetUpOver { shell, is_already_set_up: false }, StatusCode::GONE).into_response()),
        other => Err(other.into()),
    }
}

fn complaint(class: &'static str, sentence: &impl std::fmt::Display) -> Complaint {
    Complaint { class, sentence: sentence.to_string(), link: None }
}

impl SetUp {
    fn first(shell: Shell, code: String) -> Self {
        let (name, email) = (Field::default(), Field::default());
        Self { shell, code, purpose: SetUpPurpose::FirstAdministrator, name, email, password: None }
    }

    /// What was typed, or every complaint at once on this page.
    fn understand(&mut self, typed: Typed) -> Option<NewUser> {
        let password = SecretString::from(typed.password);
        let name = PersonName::parse(&typed.name).map_err(|error| complaint("PERSON_NAME", &error));
        let email = Email::parse(&typed.email).map_err(|error| complaint("EMAIL_FORM", &error));
        self.password = password::judge(&password).map_err(|error| complaint(error.class(), &error)).err();
        (self.name.value, self.email.value) = (typed.name, typed.email);
        match (name, email) {
            (Ok(name), Ok(email)) if self.password.is_none() => {
                Some(NewUser { email, name, role: Role::Administrator, password })
            }
            (name, email) => {
                (self.name.complaint, self.email.complaint) = (name.err(), email.err());
                None
            }
        }
    }
}

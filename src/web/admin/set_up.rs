//! The page of a one-time link: first administrator, invitation, new password.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use secrecy::SecretString;
use serde::Deserialize;

use super::banner::Banner;
use super::confirm::with_wait;
use super::error::Error;
use super::form::{Form, Path, Secret};
use super::page::HtmlPage;
use super::session::{Cookies, CurrentSession};
use crate::accounts::password;
use crate::accounts::{BrowserSecret, Email, LinkError, NewUser, PersonName, Purpose, Role};
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::account::password_changed;

use super::fields::{Complaint, FieldProblem, FormField};
use super::filters;
use super::shell::Shell;
use crate::web::urls;

/// Posts `csrf`, `name`, `email`, `password` to `/set-up`; GET changes nothing.
#[derive(Debug, Template)]
#[template(path = "set_up.html")]
pub struct SetUp {
    pub shell: Shell,
    pub purpose: SetUpPurpose,
    /// Whether a sign-in led here because its correct password is weaker than the role requires.
    pub is_too_weak: bool,
    pub name: FormField,
    pub email: FormField,
    /// Complaint only: a typed password is never rendered.
    pub password: Option<Complaint>,
}

/// The purpose of the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetUpPurpose {
    FirstAdministrator,
    /// The e-mail address is fixed.
    Invitation,
    /// Name and e-mail address are fixed.
    NewPassword,
}

impl SetUp {
    fn problems(&self) -> Vec<FieldProblem> {
        let fields = [("name", &self.name.complaint), ("email", &self.email.complaint), ("password", &self.password)];
        FieldProblem::list(&fields)
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

/// Shown if the link was used or has expired (410), or another administrator set this up first (409).
#[derive(Debug, Template)]
#[template(path = "set_up_over.html")]
pub struct SetUpOver {
    pub shell: Shell,
    /// Whether set-up is already done; the page then links to the sign-in.
    pub is_already_set_up: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetUpForm {
    #[serde(default)]
    name: String,
    /// Typed only by the first administrator; a link for a known user has its own address.
    #[serde(default)]
    email: String,
    password: Option<Secret>,
    intent: Option<String>,
}

/// GET `/set-up/{code}`: exchanges the code for a cookie at once, so that it appears in no further URL, no `Referer`
/// and no log. Changes nothing, so a link preview does not use up the link.
pub async fn open(State(app): State<App>, shell: Shell, Path(code): Path<String>) -> Result<Response, Error> {
    match find_live_link(&app, BrowserSecret::from_cookie(&code)).await {
        Ok((secret, _)) => {
            Ok((AppendHeaders([Cookies::of(&app).set_link(&secret)]), Redirect::to(urls::SET_UP_FOLLOWED))
                .into_response())
        }
        Err(refused) => link_error_page(shell, refused),
    }
}

/// GET `/set-up`: the form of the link that this browser followed.
pub async fn show(State(app): State<App>, shell: Shell, uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    let held = Cookies::of(&app).find_link(&headers);
    let came_by =
        |address: &str| uri.query().is_some_and(|query| address.split_once('?') == Some((urls::SET_UP, query)));
    if held.is_none() && (came_by(urls::SET_UP_FOLLOWED) || came_by(urls::SET_UP_TOO_WEAK)) {
        return Err(Error::NoCookies);
    }
    match find_live_link(&app, held).await {
        Ok((_, purpose)) => {
            let page = SetUp { is_too_weak: came_by(urls::SET_UP_TOO_WEAK), ..SetUp::of(shell, &purpose) };
            Ok(HtmlPage::ok(page).into_response())
        }
        Err(refused) => link_error_page(shell, refused),
    }
}

/// POST `/set-up`: uses up the link and signs its user in.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    headers: HeaderMap,
    Form(typed): Form<SetUpForm>,
) -> Result<Response, Error> {
    let cookies = Cookies::of(&app);
    let (secret, purpose) = match find_live_link(&app, cookies.find_link(&headers)).await {
        Ok(find_live_link) => find_live_link,
        Err(refused) => return link_error_page(shell, refused),
    };
    let mut page = SetUp::of(shell, &purpose);
    let password = typed.password.map(|Secret(password)| password).unwrap_or_default();
    let judged = page.judge(&app, purpose.role(), (typed.name, typed.email), &password);
    if typed.intent.is_some() {
        (page.name.complaint, page.email.complaint, page.password) = (None, None, None);
        return Ok(HtmlPage::ok(page).into_response());
    }
    let Some((name, email)) = judged else { return Ok(HtmlPage::refused(page).into_response()) };
    let entered = match email {
        Some(email) => {
            let greeting = welcome(name.as_str(), true);
            let new = NewUser { email, name, role: Role::Administrator, password };
            app.accounts.set_up(session.origin, &secret, new).await.map(|opened| (opened, greeting))
        }
        None => app.accounts.join(session.origin, &secret, Some(name), password).await.map(|spent| {
            let is_new = page.purpose == SetUpPurpose::Invitation;
            let greeting = if is_new { welcome(&spent.name, false) } else { password_changed(spent.ended) };
            (spent.session, greeting)
        }),
    };
    match entered {
        Ok((opened, greeting)) => {
            app.accounts.leave_banner(&opened.hash(), &serde_json::to_value(&greeting)?).await?;
            let device = app.accounts.remember_browser(&opened, &cookies.find_device(&headers)).await?;
            let [session, form, device] = cookies.sign_in(&opened, &device);
            Ok((AppendHeaders([session, form, device, cookies.delete_link()]), Redirect::to(urls::ADMIN))
                .into_response())
        }
        Err(taken @ LinkError::EmailTaken) => {
            page.email.complaint = Some(Complaint::new("EMAIL_TAKEN", taken.to_string()));
            Ok(HtmlPage::refused(page).into_response())
        }
        Err(crowded @ LinkError::Crowded) => {
            page.password = Some(Complaint::new("SIGN_IN_CROWDED", crowded.to_string()));
            let answer = HtmlPage(page, StatusCode::SERVICE_UNAVAILABLE).into_response();
            Ok(with_wait(answer, Some(password::OVERLOADED_RETRY_AFTER)))
        }
        Err(refused) => link_error_page(page.shell, refused),
    }
}

/// "Welcome, Priya.", and for the first administrator the next step.
fn welcome(name: &str, is_first: bool) -> Banner {
    let title = format!("Welcome, {}.", bidi_isolate(name.split(' ').next().unwrap_or_default()));
    if !is_first {
        return Banner { title, ..Banner::default() };
    }
    Banner {
        title,
        text: "Next: turn on Ecommerce Integration and add your first cart.".into(),
        link: Some((urls::ADD_CART.into(), "Start".into())),
        ..Banner::default()
    }
}

async fn find_live_link(app: &App, code: Option<BrowserSecret>) -> Result<(BrowserSecret, Purpose), LinkError> {
    let secret = code.ok_or(LinkError::Dead)?;
    let purpose = app.accounts.check_link(&secret).await?;
    Ok((secret, purpose))
}

fn link_error_page(shell: Shell, refused: LinkError) -> Result<Response, Error> {
    match refused {
        LinkError::AlreadySetUp => {
            Ok(HtmlPage(SetUpOver { shell, is_already_set_up: true }, StatusCode::CONFLICT).into_response())
        }
        LinkError::Dead => {
            Ok(HtmlPage(SetUpOver { shell, is_already_set_up: false }, StatusCode::GONE).into_response())
        }
        other => Err(other.into()),
    }
}

impl SetUp {
    fn of(shell: Shell, purpose: &Purpose) -> Self {
        let field = |value: &str| FormField { value: value.to_owned(), ..FormField::default() };
        let (purpose, name, email) = match purpose {
            Purpose::FirstAdministrator => (SetUpPurpose::FirstAdministrator, "", ""),
            Purpose::Join(owner) => (SetUpPurpose::Invitation, owner.name.as_str(), owner.email.as_str()),
            Purpose::NewPassword(owner) => (SetUpPurpose::NewPassword, owner.name.as_str(), owner.email.as_str()),
        };
        Self { shell, purpose, is_too_weak: false, name: field(name), email: field(email), password: None }
    }

    /// Returns what was typed, or puts every complaint on this page at once. The e-mail address is `None` where it
    /// cannot be chosen.
    fn judge(
        &mut self,
        app: &App,
        role: Role,
        (name, email): (String, String),
        password: &SecretString,
    ) -> Option<(PersonName, Option<Email>)> {
        if self.purpose != SetUpPurpose::NewPassword {
            self.name.value = name;
        }
        let name = PersonName::parse_for_product(&self.name.value, &self.shell.product)
            .map_err(|error| Complaint::new("PERSON_NAME", error.to_string()));
        let email = if self.purpose == SetUpPurpose::FirstAdministrator {
            self.email.value = email;
            Email::parse(&self.email.value).map(Some).map_err(|error| Complaint::new("EMAIL_FORM", error.to_string()))
        } else {
            Ok(None)
        };
        let context = app.accounts.password_context(role, &self.email.value, &self.name.value);
        self.password =
            password::judge(password, &context).map_err(|error| Complaint::new(error.class(), error.to_string())).err();
        match (name, email) {
            (Ok(name), Ok(email)) if self.password.is_none() => Some((name, email)),
            (name, email) => {
                (self.name.complaint, self.email.complaint) = (name.err(), email.err());
                None
            }
        }
    }
}

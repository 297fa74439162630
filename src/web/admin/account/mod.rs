//! A user's own account, for Viewers too: details, password, sessions. The theme form is in the menu of every page.

pub mod password;
pub mod sessions;

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::confirm::{PendingAction, confirm};
use super::error::Error;
use super::fields::{Complaint, FieldProblem, FormField};
use super::filters;
use super::filters::Moment;
use super::form::{Form, Secret};
use super::local_path::LocalPath;
use super::page::HtmlPage;
use super::session::CurrentSession;
use super::{banner::Banner, shell::Shell};
use crate::accounts::{AccountDetails, DetailsError, Email, OpenSession, PersonName};
use crate::app::App;
use crate::browser_name;
use crate::web::urls;

/// Posts `csrf`, `name` and `email` to its own address, `csrf`, `current_password` and `new_password` to `…/password`,
/// `csrf` and `session` to `…/sessions`.
#[derive(Debug, Template)]
#[template(path = "admin/account.html")]
pub struct AccountPage {
    pub shell: Shell,
    pub name: FormField,
    pub email: FormField,
    /// Complaints only: a typed password is never rendered.
    pub current_password: Option<Complaint>,
    pub new_password: Option<Complaint>,
    pub sessions: Vec<SessionLine>,
}

/// A browser in which this user is signed in.
#[derive(Clone, Debug)]
pub struct SessionLine {
    /// The value of the button that ends this session.
    pub handle: String,
    /// Such as "Chrome on Windows"; a hint only.
    pub browser: String,
    pub ip: String,
    pub last_seen: Moment,
    pub since: Moment,
    /// Whether this is the current browser; it has no button.
    pub is_this: bool,
}

impl AccountPage {
    /// The page with the saved values, without complaints.
    async fn of(app: &App, shell: Shell, session: &CurrentSession) -> Result<Self, Error> {
        let user = session.person()?;
        let now = app.clock.now();
        let sessions = app.accounts.open_sessions(user.id, &session.browser.hash()).await?;
        let field = |value: &str| FormField { value: value.to_owned(), ..FormField::default() };
        Ok(Self {
            shell,
            name: field(&user.name),
            email: field(&user.email),
            current_password: None,
            new_password: None,
            sessions: sessions.into_iter().map(|open| SessionLine::of(open, now)).collect(),
        })
    }

    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[
            ("name", &self.name.complaint),
            ("email", &self.email.complaint),
            ("current_password", &self.current_password),
            ("new_password", &self.new_password),
        ])
    }

    /// The page with what was typed and its complaints.
    fn typed(self, typed: AccountForm, name: Option<Complaint>, email: Option<Complaint>) -> Self {
        Self {
            name: FormField { value: typed.name, complaint: name, note: None },
            email: FormField { value: typed.email, complaint: email, note: None },
            ..self
        }
    }

    fn refuse(self, typed: AccountForm, name: Option<Complaint>, email: Option<Complaint>) -> Response {
        HtmlPage::refused(self.typed(typed, name, email)).into_response()
    }

    fn role(&self) -> &'static str {
        if self.shell.can_change() { "Administrator" } else { "Viewer" }
    }
}

impl SessionLine {
    fn of(open: OpenSession, now: time::OffsetDateTime) -> Self {
        Self {
            handle: open.handle.simple().to_string(),
            browser: browser_name::of(open.user_agent.as_deref()),
            ip: open.ip.unwrap_or_else(|| "Unknown address".into()),
            last_seen: Moment::new(open.last_seen, now),
            since: Moment::exactly(open.since),
            is_this: open.is_this,
        }
    }
}

/// GET `/admin/account`.
pub async fn show(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
) -> Result<HtmlPage<AccountPage>, Error> {
    Ok(HtmlPage::ok(AccountPage::of(&app, shell, &session).await?))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountForm {
    name: String,
    email: String,
    /// From *Confirm it is you*.
    password: Option<Secret>,
    intent: Option<String>,
}

impl AccountForm {
    /// The action to confirm.
    fn pending_action(&self) -> PendingAction {
        PendingAction {
            text: "change your email address".into(),
            action: urls::ACCOUNT.into(),
            fields: vec![("name", self.name.clone()), ("email", self.email.clone())],
            cancel: urls::ACCOUNT.into(),
        }
    }
}

/// POST `/admin/account`: changing the e-mail address asks for the password first.
pub async fn update(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Form(mut typed): Form<AccountForm>,
) -> Result<Response, Error> {
    if typed.intent.is_some() {
        let page = AccountPage::of(&app, shell, &session).await?;
        return Ok(HtmlPage::ok(page.typed(typed, None, None)).into_response());
    }
    let person = session.person()?.id;
    let details = match (PersonName::parse_for_product(&typed.name, &app.site.product), Email::parse(&typed.email)) {
        (Ok(name), Ok(email)) => AccountDetails { name, email },
        (name, email) => {
            let name = name.err().map(|error| Complaint::new("PERSON_NAME", error.to_string()));
            let email = email.err().map(|error| Complaint::new("EMAIL_FORM", error.to_string()));
            return AccountPage::of(&app, shell, &session).await.map(|page| page.refuse(typed, name, email));
        }
    };
    let mut outcome = app.accounts.update_details(session.by(), person, details.clone(), session.fresh).await;
    if matches!(outcome, Err(DetailsError::NotFresh)) {
        let password = typed.password.take();
        let fresh = match confirm(&app, &mut shell, &mut session, password, typed.pending_action()).await {
            Ok(fresh) => fresh,
            Err(asked) => return Ok(asked),
        };
        outcome = app.accounts.update_details(session.by(), person, details, Some(fresh)).await;
    }
    match outcome {
        Ok(false) => {}
        Ok(true) => {
            let title = "Your details are saved.".into();
            session.leave(&app, &Banner { title, short: "Saved".into(), ..Banner::default() }).await?;
        }
        Err(taken @ DetailsError::EmailTaken) => {
            let complaint = Complaint::new("EMAIL_TAKEN", taken.to_string());
            return AccountPage::of(&app, shell, &session).await.map(|page| page.refuse(typed, None, Some(complaint)));
        }
        Err(broken) => return Err(broken.into()),
    }
    Ok(Redirect::to(urls::ACCOUNT).into_response())
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThemeChoice {
    theme: String,
    #[serde(default)]
    return_to: String,
}

/// POST `/admin/account/theme`: stored with the account, because signing out clears the browser's storage.
pub async fn update_theme(
    State(app): State<App>,
    session: CurrentSession,
    Form(choice): Form<ThemeChoice>,
) -> Result<Response, Error> {
    let theme = crate::accounts::theme(&choice.theme).ok_or(Error::UnreadableForm(StatusCode::BAD_REQUEST))?;
    app.accounts.choose_theme(session.by(), session.person()?.id, theme).await?;
    let back = LocalPath::parse(&choice.return_to);
    Ok(Redirect::to(back.as_ref().map_or(urls::ADMIN, LocalPath::as_str)).into_response())
}

/// "2 other browsers were signed out."
fn signed_out(browsers: u64) -> String {
    match browsers {
        1 => "1 other browser was signed out.".into(),
        n => format!("{n} other browsers were signed out."),
    }
}

/// The banner after a password change, on this page and after a link.
pub fn password_changed(browsers: u64) -> Banner {
    let text = if browsers == 0 { String::new() } else { signed_out(browsers) };
    Banner { title: "Your password is changed.".into(), text, short: "Saved".into(), ..Banner::default() }
}

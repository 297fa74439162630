//! The sign-in page and its notes: signed out, idle, expired. Carries a form that was posted without a live session,
//! and continues it after sign-in.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::confirm::with_wait;
use super::form::{EmptyForm, Form, Query, Secret};
use super::kept_form::{self, ContinueForm};
use super::local_path::LocalPath;
use super::page::HtmlPage;
use super::session::{Cookies, CurrentSession};
use super::{error::Error, form_stash::ResubmitForm};
use crate::accounts::{BrowserSecret, Session as Known, SessionEnd, SignInError};
use crate::app::App;

use super::fields::{Complaint, FieldProblem, FormField};
use super::filters;
use super::shell::Shell;
use crate::web::urls;

/// Posts `csrf`, `return_to`, `email`, `password` to `/sign-in`, and `resume` if a form was kept.
#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
pub struct SignIn {
    pub shell: Shell,
    /// Path and query to return to; empty for the Admin home.
    pub return_to: String,
    /// A form to continue after sign-in, as `kept_form::encode` writes it; empty for none.
    pub resume: String,
    pub note: Option<SignInNote>,
    pub email: FormField,
    /// Complaint only: a typed password is never rendered.
    pub password: Option<Complaint>,
    /// The only line of the error summary, such as "Check your email address and password. One of them is not right."
    /// or a rate limit.
    pub refused: Option<String>,
}

/// Why the user was redirected to this page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInNote {
    /// After Sign out.
    SignedOut,
    /// 30 minutes without activity.
    Idle,
    /// 12 hours after the sign-in.
    Expired,
}

impl SignIn {
    fn problems(&self) -> Vec<FieldProblem> {
        if let Some(sentence) = &self.refused {
            return vec![FieldProblem { field: "email", sentence: sentence.clone() }];
        }
        FieldProblem::list(&[("email", &self.email.complaint), ("password", &self.password)])
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct SignInQuery {
    return_to: String,
    ended: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Credentials {
    #[serde(default)]
    return_to: String,
    #[serde(default)]
    resume: String,
    email: String,
    password: Option<Secret>,
    intent: Option<String>,
}

/// GET `/sign-in`.
pub async fn show(shell: Shell, session: CurrentSession, Query(query): Query<SignInQuery>) -> Response {
    let return_to = LocalPath::parse(&query.return_to);
    if session.user.is_some() {
        return Redirect::to(return_to.as_ref().map_or(urls::ADMIN, LocalPath::as_str)).into_response();
    }
    let note = match query.ended.as_str() {
        "signed-out" => Some(SignInNote::SignedOut),
        "idle" => Some(SignInNote::Idle),
        "expired" => Some(SignInNote::Expired),
        _ => None,
    };
    HtmlPage::ok(SignIn { note, return_to: query.return_to, ..SignIn::empty(shell) }).into_response()
}

/// POST `/sign-in`: issues a new session id, whatever cookie was sent.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    headers: HeaderMap,
    Form(typed): Form<Credentials>,
) -> Result<Response, Error> {
    let mut page = SignIn { return_to: typed.return_to, resume: typed.resume, ..SignIn::empty(shell) };
    page.email.value = typed.email;
    if typed.intent.is_some() {
        // Another tab may have signed in meanwhile.
        return if session.user.is_some() {
            Ok(page.continue_after_sign_in(session))
        } else {
            Ok(HtmlPage::ok(page).into_response())
        };
    }
    let password = typed.password.map(|Secret(password)| password).unwrap_or_default();
    if crate::pasted::trim(&page.email.value).is_empty() {
        page.email.complaint = Some(Complaint::new("EMAIL_EMPTY", "Enter your email address"));
    }
    if password.expose_secret().is_empty() {
        page.password = Some(Complaint::new("PASSWORD_EMPTY", "Enter your password"));
    }
    if !page.problems().is_empty() {
        return Ok(HtmlPage::refused(page).into_response());
    }
    let replaces = session.user.is_some().then(|| session.browser.hash());
    let (cookies, by) = (Cookies::of(&app), session.by());
    let device = cookies.find_device(&headers);
    let sentence = match app.accounts.sign_in(by, &page.email.value, password, &device, replaces).await {
        Ok(opened) => {
            let device = app.accounts.remember_browser(&opened, &device).await?;
            let cookies = AppendHeaders(cookies.sign_in(&opened, &device));
            let answer = page.continue_after_sign_in(signed_in(&app, session, opened).await?);
            return Ok((cookies, answer).into_response());
        }
        Err(SignInError::TooWeak(code)) => {
            return Ok((AppendHeaders([cookies.set_link(&code)]), Redirect::to(urls::SET_UP_TOO_WEAK)).into_response());
        }
        Err(SignInError::Broken(error)) => return Err(error.into()),
        Err(refused) => refused,
    };
    page.refused = Some(sentence.to_string());
    let (status, wait) = match sentence {
        SignInError::TooMany(wait) => (StatusCode::TOO_MANY_REQUESTS, Some(wait)),
        SignInError::Crowded => {
            (StatusCode::SERVICE_UNAVAILABLE, Some(crate::accounts::password::OVERLOADED_RETRY_AFTER))
        }
        _ => {
            let both = Some(Complaint::new("SIGN_IN_WRONG", sentence.to_string()));
            page.email.complaint.clone_from(&both);
            page.password = both;
            (StatusCode::UNPROCESSABLE_ENTITY, None)
        }
    };
    Ok(with_wait(HtmlPage(page, status).into_response(), wait))
}

/// POST `/sign-out`: ends the session on the server, and asks the browser to clear its cache and storage. Does not
/// clear cookies: the session's is expired by name, and the one that marks a known browser must stay.
pub async fn destroy(
    State(app): State<App>,
    session: CurrentSession,
    Form(EmptyForm {}): Form<EmptyForm>,
) -> Result<Response, Error> {
    app.accounts.sign_out(session.by(), session.browser.hash()).await?;
    let clear = (HeaderName::from_static("clear-site-data"), HeaderValue::from_static("\"cache\", \"storage\""));
    let cookie = Cookies::of(&app).sign_out();
    Ok((AppendHeaders([clear, cookie]), Redirect::to(urls::SIGNED_OUT)).into_response())
}

/// The session that was just opened. Its banner is not consumed: the page that shows it is still to come.
async fn signed_in(app: &App, session: CurrentSession, opened: BrowserSecret) -> Result<CurrentSession, Error> {
    match app.accounts.session(&opened, false).await? {
        Known::Live { user, fresh, .. } => Ok(session.of(opened, user, fresh)),
        Known::Ended(_) | Known::Unknown => Err(anyhow::anyhow!("the session ended while it was opened").into()),
    }
}

impl SignIn {
    fn empty(shell: Shell) -> Self {
        Self {
            shell,
            return_to: String::new(),
            resume: String::new(),
            note: None,
            email: FormField::default(),
            password: None,
            refused: None,
        }
    }

    /// The response to a form posted without a signed-in user: 403, with the form kept.
    pub fn keeping_form(
        shell: Shell,
        ended: Option<SessionEnd>,
        return_to: Option<LocalPath>,
        form: &ResubmitForm,
    ) -> HtmlPage<Self> {
        let note = ended.map(|ended| match ended {
            SessionEnd::Idle => SignInNote::Idle,
            SessionEnd::TooOld => SignInNote::Expired,
        });
        let return_to = return_to.map(|path| path.as_str().to_owned()).unwrap_or_default();
        HtmlPage(Self { return_to, resume: kept_form::encode(form), note, ..Self::empty(shell) }, StatusCode::FORBIDDEN)
    }

    /// The response for a signed-in user: continues the kept form, or redirects to where the user was.
    fn continue_after_sign_in(&self, session: CurrentSession) -> Response {
        if let Some(form) = kept_form::decode(&self.resume) {
            return ContinueForm { form, session }.into_response();
        }
        let to = LocalPath::parse(&self.return_to);
        Redirect::to(to.as_ref().map_or(urls::ADMIN, LocalPath::as_str)).into_response()
    }
}

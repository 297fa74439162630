//! *Confirm it is you*: shown in place of a response if an action needs a password that was entered within ten minutes,
//! then continues with everything that was typed. The action takes the proof returned here as an argument, so it cannot
//! be done without it.

use askama::Template;
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::error::Error;
use super::fields::{Complaint, FieldProblem};
use super::filters;
use super::form::Secret;
use super::page::HtmlPage;
use super::session::CurrentSession;
use super::shell::Shell;
use crate::accounts::{ConfirmError, Fresh, password::OVERLOADED_RETRY_AFTER};
use crate::app::App;

/// Posts `csrf`, what was typed, and `password` to the address of the original form.
#[derive(Debug, Template)]
#[template(path = "confirm.html")]
pub struct ConfirmPasswordPage {
    pub shell: Shell,
    pub pending: PendingAction,
    /// Complaint only: a typed password is never rendered.
    pub password: Option<Complaint>,
}

/// A form that is only a button, which may be posted again with the password.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ButtonForm {
    pub password: Option<Secret>,
}

/// The action to confirm, and the form that requested it.
#[derive(Clone, Debug)]
pub struct PendingAction {
    /// Completes "enter your password to", such as "add a user".
    pub text: String,
    pub action: String,
    /// Names and values; none of them a secret.
    pub fields: Vec<(&'static str, String)>,
    /// Where Cancel leads.
    pub cancel: String,
}

impl ConfirmPasswordPage {
    fn problems(&self) -> Vec<FieldProblem> {
        FieldProblem::list(&[("password", &self.password)])
    }
}

/// Returns the proof, or the response that asks for the password. A correct password gives the session a new id, and
/// `shell` its form token.
pub async fn confirm(
    app: &App,
    shell: &mut Shell,
    session: &mut CurrentSession,
    password: Option<Secret>,
    pending: PendingAction,
) -> Result<Fresh, Response> {
    if let Some(fresh) = session.fresh {
        return Ok(fresh);
    }
    let page = |shell: &Shell, password| ConfirmPasswordPage { shell: shell.clone(), pending, password };
    let Some(Secret(password)) = password else {
        return Err(HtmlPage::ok(page(shell, None)).into_response());
    };
    if password.expose_secret().is_empty() {
        let complaint = Complaint::new("PASSWORD_EMPTY", "Enter your password");
        return Err(HtmlPage::refused(page(shell, Some(complaint))).into_response());
    }
    let user = session.person().map_err(IntoResponse::into_response)?;
    match app.accounts.confirm(session.by(), user, password, session.browser.hash()).await {
        Ok((opened, fresh)) => {
            shell.csrf = opened.form_token();
            session.renew(opened);
            Ok(fresh)
        }
        Err(ConfirmError::Broken(error)) => Err(Error::from(error).into_response()),
        Err(refused) => {
            let (complaint, status, wait) = refusal(&refused);
            Err(with_wait(HtmlPage(page(shell, Some(complaint)), status).into_response(), wait))
        }
    }
}

/// The complaint about a refused password, the response's status, and how long to wait.
pub fn refusal(refused: &ConfirmError) -> (Complaint, StatusCode, Option<std::time::Duration>) {
    let (class, status, wait) = match refused {
        ConfirmError::TooMany(wait) => ("SIGN_IN_LIMIT", StatusCode::TOO_MANY_REQUESTS, Some(*wait)),
        ConfirmError::Crowded => ("SIGN_IN_CROWDED", StatusCode::SERVICE_UNAVAILABLE, Some(OVERLOADED_RETRY_AFTER)),
        _ => ("PASSWORD_WRONG", StatusCode::UNPROCESSABLE_ENTITY, None),
    };
    (Complaint::new(class, refused.to_string()), status, wait)
}

/// Adds `Retry-After`, in seconds.
pub fn with_wait(mut response: Response, wait: Option<std::time::Duration>) -> Response {
    if let Some(wait) = wait {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs()));
    }
    response
}

//! Changes the user's own password. Signs out every other browser in the same transaction.

use axum::{
    extract::State,
    http::HeaderMap,
    response::{AppendHeaders, IntoResponse, Redirect, Response},
};
use secrecy::ExposeSecret;
use serde::Deserialize;

use super::{AccountPage, password_changed};
use crate::accounts::{ConfirmError, password};
use crate::app::App;
use crate::web::admin::confirm::{refusal, with_wait};
use crate::web::admin::error::Error;
use crate::web::admin::fields::Complaint;
use crate::web::admin::form::{Form, Secret};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::{Cookies, CurrentSession};
use crate::web::admin::shell::Shell;
use crate::web::urls;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PasswordForm {
    current_password: Secret,
    new_password: Secret,
}

/// POST `/admin/account/password`: gives this session a new id, ends the others, and makes other browsers unknown
/// again.
pub async fn update(
    State(app): State<App>,
    shell: Shell,
    mut session: CurrentSession,
    headers: HeaderMap,
    Form(typed): Form<PasswordForm>,
) -> Result<Response, Error> {
    let PasswordForm { current_password: Secret(current), new_password: Secret(new) } = typed;
    let is_empty = current.expose_secret().is_empty();
    let is_empty = is_empty.then(|| Complaint::new("PASSWORD_EMPTY", "Enter your current password"));
    let context = {
        let user = session.person()?;
        app.accounts.password_context(user.role, &user.email, &user.name)
    };
    let is_weak = password::judge(&new, &context).err().map(|error| Complaint::new(error.class(), error.to_string()));
    if is_empty.is_some() || is_weak.is_some() {
        let page = AccountPage::of(&app, shell, &session).await?;
        let page = AccountPage { current_password: is_empty, new_password: is_weak, ..page };
        return Ok(HtmlPage::refused(page).into_response());
    }
    let changed = {
        let user = session.person()?;
        app.accounts.change_password(session.by(), user, current, new, session.browser.hash()).await
    };
    match changed {
        Ok((opened, browsers)) => {
            session.renew(opened);
            session.leave(&app, &password_changed(browsers)).await?;
            let cookies = Cookies::of(&app);
            let device = app.accounts.remember_browser(&session.browser, &cookies.find_device(&headers)).await?;
            Ok((AppendHeaders([cookies.remember(&device)]), Redirect::to(urls::ACCOUNT)).into_response())
        }
        Err(ConfirmError::Broken(error)) => Err(error.into()),
        Err(refused) => {
            let (complaint, status, wait) = refusal(&refused);
            let page = AccountPage::of(&app, shell, &session).await?;
            let page = AccountPage { current_password: Some(complaint), ..page };
            Ok(with_wait(HtmlPage(page, status).into_response(), wait))
        }
    }
}

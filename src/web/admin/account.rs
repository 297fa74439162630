//! A person's own account. The theme's form stands in the menu of every page.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use crate::app::App;
use crate::web::error::Error;
use crate::web::form::Form;
use crate::web::local_path::LocalPath;
use crate::web::page::Page;
use crate::web::session::Session;

use crate::web::filters;
use crate::web::shell::Shell;

/// Name, address and role of whoever is signed in, from the shell.
#[derive(Debug, Template)]
#[template(path = "admin/account.html")]
pub struct Account {
    pub shell: Shell,
}

/// GET `/admin/account`.
pub async fn show(shell: Shell) -> Page<Account> {
    Page::ok(Account { shell })
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ThemeChoice {
    theme: String,
    #[serde(default)]
    return_to: String,
}

/// POST `/admin/account/theme`: kept with the account, because signing out clears cookies.
pub async fn update(
    State(app): State<App>,
    session: Session,
    Form(choice): Form<ThemeChoice>,
) -> Result<Response, Error> {
    let theme =
        crate::accounts::theme(&choice.theme).ok_or(Error::UnreadableForm(axum::http::StatusCode::BAD_REQUEST))?;
    if let Some(user) = &session.user {
        app.accounts.choose_theme(user.id, theme).await?;
    }
    let back = LocalPath::parse(&choice.return_to);
    Ok(Redirect::to(back.as_ref().map_or("/admin", LocalPath::as_str)).into_response())
}

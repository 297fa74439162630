//! *New secret*: creates another signing secret and shows it once.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

use super::{Alerts, NewSecret};
use crate::alerts::ChangeError;
use crate::app::App;
use crate::web::error::Error;
use crate::web::form::{Form, Nothing};
use crate::web::page::Page;
use crate::web::session::Session;
use crate::web::shell::{Banner, Shell};

/// POST `/admin/alerts/secret`.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: Session,
    Form(_): Form<Nothing>,
) -> Result<Response, Error> {
    let secret = match app.alerts.renew_secret(session.by()).await {
        Ok(secret) => secret,
        // The webhook was removed meanwhile: the page shows the current settings.
        Err(ChangeError::NoWebhook) => return Ok(Redirect::to("/admin/alerts").into_response()),
        Err(other) => return Err(other.into()),
    };
    let made = Banner { title: "There is a new signing secret.".into(), short: "Saved".into(), ..Banner::default() };
    let shell = Shell { banner: Some(made), ..shell };
    let page = Alerts::of(&app, shell, app.alerts.settings().await?);
    let new_secret = Some(NewSecret { secret, host_changed: false });
    Ok(Page::ok(Alerts { new_secret, ..page }).into_response())
}

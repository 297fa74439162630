//! *New secret*: creates another signing secret and shows it once.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};

use super::{AlertsPage, NewSecret};
use crate::alerts::ChangeError;
use crate::app::App;
use crate::web::admin::confirm::{ButtonForm, PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::form::Form;
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::{banner::Banner, shell::Shell};
use crate::web::urls;

/// POST `/admin/alerts/secret`: asks for the password first, since the receiver refuses what the old one signs.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let pending = PendingAction {
        text: "make a new signing secret".into(),
        action: urls::ALERTS_SECRET.into(),
        fields: Vec::new(),
        cancel: urls::ALERTS.into(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let secret = match app.alerts.renew_secret(session.by(), fresh).await {
        Ok(secret) => secret,
        // The webhook was removed meanwhile: the page shows the current settings.
        Err(ChangeError::NoWebhook) => return Ok(Redirect::to(urls::ALERTS).into_response()),
        Err(other) => return Err(other.into()),
    };
    let made = Banner { title: "There is a new signing secret.".into(), short: "Saved".into(), ..Banner::default() };
    let shell = Shell { banner: Some(made), ..shell };
    let page = AlertsPage::of(&app, shell, app.alerts.settings().await?);
    let new_secret = Some(NewSecret { secret, host_changed: false });
    Ok(HtmlPage::ok(AlertsPage { new_secret, ..page }).into_response())
}

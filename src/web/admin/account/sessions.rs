//! Ends the user's sessions in other browsers: one of them, or all.

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use serde::Deserialize;
use uuid::Uuid;

use super::signed_out;
use crate::app::App;
use crate::browser_name;
use crate::web::admin::banner::Banner;
use crate::web::admin::error::Error;
use crate::web::admin::form::Form;
use crate::web::admin::session::CurrentSession;
use crate::web::urls;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Chosen {
    /// The handle of the session to end, or `others`.
    session: String,
}

/// POST `/admin/account/sessions`: ends the session that the button names.
pub async fn destroy(
    State(app): State<App>,
    session: CurrentSession,
    Form(chosen): Form<Chosen>,
) -> Result<Response, Error> {
    let (user, this) = (session.person()?.id, session.browser.hash());
    let title = if chosen.session == "others" {
        match app.accounts.end_other_sessions(session.by(), user, this).await? {
            0 => "You are signed in only here.".into(),
            browsers => signed_out(browsers),
        }
    } else {
        let handle = Uuid::parse_str(&chosen.session).map_err(|_| Error::UnreadableForm(StatusCode::BAD_REQUEST))?;
        match app.accounts.end_session(session.by(), user, handle, this).await? {
            Some(agent) => format!("Signed out of {}.", browser_name::of(agent.as_deref())),
            None => "That browser was signed out already.".into(),
        }
    };
    session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
    Ok(Redirect::to(urls::ACCOUNT).into_response())
}

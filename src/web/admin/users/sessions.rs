//! Signs a user out everywhere.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::find;
use crate::accounts::FindUserError;
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{ButtonForm, PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::form::{Form, Path};
use crate::web::admin::session::CurrentSession;
use crate::web::admin::{banner::Banner, shell::Shell};
use crate::web::urls;

/// POST `/admin/users/{user}/sessions`: asks for the password first.
pub async fn destroy(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let here = urls::user(&person.id);
    let pending = PendingAction {
        text: format!("sign out {}", bidi_isolate(&person.name)),
        action: format!("{here}/sessions"),
        fields: Vec::new(),
        cancel: here.clone(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let title = match app.accounts.sign_out_everywhere(session.by(), id, fresh).await {
        Ok(0) => format!("{} was not signed in.", bidi_isolate(&person.name)),
        Ok(_) => format!("{} is signed out everywhere.", bidi_isolate(&person.name)),
        Err(FindUserError::Nobody) => return Err(Error::NotFound),
        Err(FindUserError::Broken(error)) => return Err(error.into()),
    };
    session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
    Ok(Redirect::to(&here).into_response())
}

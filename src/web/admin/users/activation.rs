//! Turns on a user who was turned off.

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

/// POST `/admin/users/{user}/activation`: asks for the password first, as adding a user does.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let here = urls::user(&person.id);
    let pending = PendingAction {
        text: format!("turn on {}", bidi_isolate(&person.name)),
        action: format!("{here}/activation"),
        fields: Vec::new(),
        cancel: here.clone(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.accounts.turn_on(session.by(), id, fresh).await {
        Ok(_) => {
            let title = format!("{} is turned on.", bidi_isolate(&person.name));
            session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
            Ok(Redirect::to(&here).into_response())
        }
        Err(FindUserError::Nobody) => Err(Error::NotFound),
        Err(FindUserError::Broken(error)) => Err(error.into()),
    }
}

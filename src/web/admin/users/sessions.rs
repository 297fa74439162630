//! Signs a user out everywhere.

use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::find;
use crate::accounts::Missing;
use crate::app::App;
use crate::direction::isolated;
use crate::web::confirm::{ButtonForm, Deed, confirm};
use crate::web::error::Error;
use crate::web::form::{Form, Path};
use crate::web::session::Session;
use crate::web::shell::{Banner, Shell};

/// POST `/admin/users/{user}/sessions`: asks for the password first.
pub async fn destroy(
    State(app): State<App>,
    mut shell: Shell,
    mut session: Session,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let here = format!("/admin/users/{}", person.id);
    let deed = Deed {
        text: format!("sign out {}", isolated(&person.name)),
        action: format!("{here}/sessions"),
        fields: Vec::new(),
        cancel: here.clone(),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, deed).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    let title = match app.accounts.sign_out_everywhere(session.by(), id, fresh).await {
        Ok(0) => format!("{} was not signed in.", isolated(&person.name)),
        Ok(_) => format!("{} is signed out everywhere.", isolated(&person.name)),
        Err(Missing::Nobody) => return Err(Error::NotFound),
        Err(Missing::Broken(error)) => return Err(error.into()),
    };
    session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
    Ok(Redirect::to(&here).into_response())
}

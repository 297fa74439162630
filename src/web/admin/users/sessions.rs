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
use crate::web::error::Error;
use crate::web::form::{Form, Nothing, Path};
use crate::web::session::Session;
use crate::web::shell::Banner;

/// POST `/admin/users/{user}/sessions`.
pub async fn destroy(
    State(app): State<App>,
    session: Session,
    Path(id): Path<Uuid>,
    Form(Nothing {}): Form<Nothing>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let title = match app.accounts.sign_out_everywhere(session.by(), id).await {
        Ok(0) => format!("{} was not signed in.", isolated(&person.name)),
        Ok(_) => format!("{} is signed out everywhere.", isolated(&person.name)),
        Err(Missing::Nobody) => return Err(Error::NotFound),
        Err(Missing::Broken(error)) => return Err(error.into()),
    };
    session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
    Ok(Redirect::to(&format!("/admin/users/{}", person.id)).into_response())
}

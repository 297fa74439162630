//! Makes the key that replaces another one. Both work until the old one is revoked, so that its program never stops.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::{find, issued::IssuedKeyPage, page};
use crate::api_keys::RotateKeyError;
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{ButtonForm, PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::form::{Form, Path};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;
use crate::web::urls;

/// POST `/admin/api-keys/{key}/rotation`: asks for the password first, and shows the new key once.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let key = find(&app, id).await?;
    let pending = PendingAction {
        text: format!("rotate the API key {}", bidi_isolate(&key.name)),
        action: urls::api_key_rotation(&key.id),
        fields: Vec::new(),
        cancel: urls::api_key(&key.id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.api_keys.rotate(session.by(), id, fresh).await {
        Ok(issued) => {
            Ok(HtmlPage::ok(IssuedKeyPage { shell, key: issued, replaced: Some(key.ending) }).into_response())
        }
        Err(RotateKeyError::Unknown) => Err(Error::NotFound),
        Err(RotateKeyError::Broken(error)) => Err(error.into()),
        Err(refused @ (RotateKeyError::TwoLive | RotateKeyError::NotLive)) => {
            Ok(HtmlPage::refused(page(&app, shell, id, Some(refused.to_string())).await?).into_response())
        }
    }
}

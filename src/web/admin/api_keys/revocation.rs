//! Revokes a key, after confirmation. Keys are never deleted, since the activity names them.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{KeyView, find};
use crate::api_keys::FindKeyError;
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{ButtonForm, PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Path};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::{banner::Banner, shell::Shell};
use crate::web::urls;

/// Posts `csrf` to its own address, and `password` where it is asked for again.
#[derive(Debug, Template)]
#[template(path = "admin/api_keys/revocation.html")]
pub struct RevocationPage {
    pub shell: Shell,
    pub key: KeyView,
}

/// GET: asks for confirmation.
pub async fn new(
    State(app): State<App>,
    shell: Shell,
    Path(id): Path<Uuid>,
) -> Result<HtmlPage<RevocationPage>, Error> {
    Ok(HtmlPage::ok(RevocationPage { shell, key: find(&app, id).await? }))
}

/// POST: revokes the key, after asking for the password.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let key = find(&app, id).await?;
    let pending = PendingAction {
        text: format!("revoke the API key {}", bidi_isolate(&key.name)),
        action: urls::api_key_revocation(&key.id),
        fields: Vec::new(),
        cancel: urls::api_key(&key.id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.api_keys.revoke(session.by(), id, fresh).await {
        Ok(_) => {
            let title = format!("The API key {} (ends in {}) is revoked.", bidi_isolate(&key.name), key.ending);
            session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
            Ok(Redirect::to(urls::API_KEYS).into_response())
        }
        Err(FindKeyError::Unknown) => Err(Error::NotFound),
        Err(FindKeyError::Broken(error)) => Err(error.into()),
    }
}

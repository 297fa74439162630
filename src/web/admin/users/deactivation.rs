//! Turns off a user, after confirmation. Users are never deleted, since the activity names them.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{UserLine, find};
use crate::accounts::UserChangeError;
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
#[template(path = "admin/users/deactivation.html")]
pub struct Deactivation {
    pub shell: Shell,
    pub person: UserLine,
    /// Why the user cannot be turned off.
    pub refused: Option<String>,
}

impl Deactivation {
    fn first_name(&self) -> &str {
        self.person.name.split(' ').next().unwrap_or_default()
    }
}

/// GET: asks for confirmation.
pub async fn new(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Path(id): Path<Uuid>,
) -> Result<HtmlPage<Deactivation>, Error> {
    let person = find(&app, &session, id).await?;
    let refused = person.is_you.then(|| UserChangeError::OwnAccount.to_string());
    Ok(HtmlPage::ok(Deactivation { shell, person, refused }))
}

/// POST: turns the user off, after asking for the password.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    if person.is_you {
        let refused = Some(UserChangeError::OwnAccount.to_string());
        return Ok(HtmlPage::refused(Deactivation { shell, person, refused }).into_response());
    }
    let pending = PendingAction {
        text: format!("turn off {}", bidi_isolate(&person.name)),
        action: urls::user_deactivation(&person.id),
        fields: Vec::new(),
        cancel: urls::user(&person.id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.accounts.turn_off(session.by(), id, fresh).await {
        Ok(_) => {
            let title = format!("{} is turned off.", bidi_isolate(&person.name));
            session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
            Ok(Redirect::to(urls::USERS).into_response())
        }
        Err(UserChangeError::Nobody) => Err(Error::NotFound),
        Err(UserChangeError::Broken(error)) => Err(error.into()),
        Err(refused) => {
            Ok(HtmlPage::refused(Deactivation { shell, person, refused: Some(refused.to_string()) }).into_response())
        }
    }
}

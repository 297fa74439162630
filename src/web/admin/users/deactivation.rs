//! Turns off a user, after confirmation. Users are never deleted, since the activity names them.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::{UserLine, find};
use crate::accounts::Refusal;
use crate::app::App;
use crate::direction::isolated;
use crate::web::confirm::{ButtonForm, Deed, confirm};
use crate::web::error::Error;
use crate::web::filters;
use crate::web::form::{Form, Path};
use crate::web::page::Page;
use crate::web::session::Session;
use crate::web::shell::{Banner, Shell};

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
    session: Session,
    Path(id): Path<Uuid>,
) -> Result<Page<Deactivation>, Error> {
    let person = find(&app, &session, id).await?;
    let refused = person.is_you.then(|| Refusal::OwnAccount.to_string());
    Ok(Page::ok(Deactivation { shell, person, refused }))
}

/// POST: does it, and asks for the password first.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: Session,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    if person.is_you {
        let refused = Some(Refusal::OwnAccount.to_string());
        return Ok(Page::refused(Deactivation { shell, person, refused }).into_response());
    }
    let deed = Deed {
        text: format!("turn off {}", isolated(&person.name)),
        action: format!("/admin/users/{}/deactivation", person.id),
        fields: Vec::new(),
        cancel: format!("/admin/users/{}", person.id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, deed).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.accounts.turn_off(session.by(), id, fresh).await {
        Ok(_) => {
            let title = format!("{} is turned off.", isolated(&person.name));
            session.leave(&app, &Banner { title, short: "Done".into(), ..Banner::default() }).await?;
            Ok(Redirect::to("/admin/users").into_response())
        }
        Err(Refusal::Nobody) => Err(Error::NotFound),
        Err(Refusal::Broken(error)) => Err(error.into()),
        Err(refused) => {
            Ok(Page::refused(Deactivation { shell, person, refused: Some(refused.to_string()) }).into_response())
        }
    }
}

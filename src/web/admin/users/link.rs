//! A one-time link for a user. It is shown once and stored nowhere: the database holds only its hash.

use askama::Template;
use axum::{
    extract::State,
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use super::find;
use crate::accounts::{BrowserSecret, FindUserError};
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{ButtonForm, PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Path};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::shell::Shell;
use crate::web::urls;

#[derive(Debug, Template)]
#[template(path = "admin/users/link.html")]
pub struct Link {
    pub shell: Shell,
    pub name: String,
    /// The first word of `name`.
    pub first_name: String,
    pub url: String,
}

impl Link {
    pub fn new(shell: Shell, name: &str, origin: &str, code: &BrowserSecret) -> Self {
        let first_name = name.split(' ').next().unwrap_or_default().to_owned();
        Self {
            shell,
            name: name.to_owned(),
            first_name,
            url: format!("{origin}{}", urls::set_up_link(code.to_cookie())),
        }
    }
}

/// The origin at which this browser reached us: the public one, or the loopback name that the host check accepted.
pub fn origin_of(app: &App, headers: &HeaderMap) -> String {
    let public = &app.site.public_url;
    match headers.get(header::HOST).and_then(|host| host.to_str().ok()) {
        Some(host) if public.host.is_none() => format!("http://{host}"),
        _ => public.origin.clone(),
    }
}

/// POST `/admin/users/{user}/link`: asks for the password first, since anyone with the link can sign in as that user.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    headers: HeaderMap,
    Path(id): Path<Uuid>,
    Form(pressed): Form<ButtonForm>,
) -> Result<Response, Error> {
    let person = find(&app, &session, id).await?;
    let pending = PendingAction {
        text: format!("make a sign-in link for {}", bidi_isolate(&person.name)),
        action: urls::user_link(&person.id),
        fields: Vec::new(),
        cancel: urls::user(&person.id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, pressed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    match app.accounts.make_link(session.by(), id, fresh).await {
        Ok(code) => Ok(HtmlPage::ok(Link::new(shell, &person.name, &origin_of(&app, &headers), &code)).into_response()),
        Err(FindUserError::Nobody) => Err(Error::NotFound),
        Err(FindUserError::Broken(error)) => Err(error.into()),
    }
}

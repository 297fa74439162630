//! The layer that identifies the browser and its user.

use axum::{
    extract::{Request, State},
    http::{Method, header, request::Parts},
    middleware::Next,
    response::Response,
};

use super::{Cookies, CurrentSession};
use crate::{
    accounts::Session as Known,
    app::App,
    database::request_connection::RequestConnection,
    web::{
        admin::{
            error::{self, Error},
            form,
            form_stash::FormStash,
            shell::Shell,
        },
        frame::client_address::origin,
        urls,
    },
};

/// Whether a path needs no session: static files, probes and security.txt, which must answer while the database is
/// unavailable.
fn needs_no_session(path: &str) -> bool {
    path.starts_with(urls::ASSETS) || path.starts_with(urls::PROBES) || path == urls::SECURITY_TXT
}

/// Whether the response is a page that a user will see; fetches by scripts and forms that redirect are not. A browser
/// that sends no `Sec-Fetch-Mode` counts as requesting a page.
fn shows_page(request: &Request) -> bool {
    request.method() == Method::GET && request.headers().get("sec-fetch-mode").is_none_or(|mode| mode == "navigate")
}

/// Middleware that identifies the browser and its user for the layers below, and sets the cookie that the browser's
/// forms need.
pub async fn session(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if needs_no_session(request.uri().path()) {
        return next.run(request).await;
    }
    let mut session = CurrentSession::for_new_browser(origin(&app, &request));
    let is_new = match load_session(&app, &mut request, &mut session).await {
        Ok(is_known) => !is_known,
        Err(error) => {
            let cause = anyhow::Error::from(error).context("reading the session");
            return database_error_page(&app, &session, &request.into_parts().0, cause);
        }
    };
    let (cookies, renewed, browser) = (Cookies::of(&app), session.renewed.clone(), session.browser.clone());
    // A link from another site arrives without any cookie; setting a new one would invalidate a form that is open.
    let from_elsewhere = request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site");
    request.extensions_mut().insert(session);
    let mut response = next.run(request).await;
    if let Some(opened) = renewed.lock().expect("the lock is not poisoned").take() {
        response.headers_mut().append(header::SET_COOKIE, cookies.set(cookies.session(), opened.to_cookie(), None));
    }
    let is_page =
        response.headers().get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/html"));
    if is_new && is_page && !from_elsewhere && !response.headers().contains_key(header::SET_COOKIE) {
        response.headers_mut().append(header::SET_COOKIE, cookies.set(cookies.form(), browser.to_cookie(), None));
    }
    response
}

/// Identifies the user, and returns whether the browser has a secret that we issued.
///
/// # Errors
/// The database is unavailable. The session keeps the browser's secret, so that an open form stays valid.
async fn load_session(app: &App, request: &mut Request, session: &mut CurrentSession) -> sqlx::Result<bool> {
    let cookies = Cookies::of(app);
    let names = [cookies.session(), cookies.form()];
    session.has_cookie = names.iter().any(|name| Cookies::find_secret(name, request.headers()).is_some());
    if let Some(secret) = Cookies::find_secret(cookies.session(), request.headers()) {
        let known = app.accounts.session(&secret, shows_page(request)).await;
        match known.inspect_err(|_| session.browser = secret.clone())? {
            Known::Live { user, banner, fresh, connection } => {
                request.extensions_mut().insert(RequestConnection::new(connection));
                (session.browser, session.user, session.fresh) = (secret, Some(user), fresh);
                session.banner = banner.and_then(|banner| serde_json::from_value(banner).ok());
                return Ok(true);
            }
            Known::Ended(why) => session.ended = Some(why),
            Known::Unknown => {}
        }
    }
    let Some(secret) = Cookies::find_secret(cookies.form(), request.headers()) else { return Ok(false) };
    session.browser = secret;
    Ok(true)
}

/// The error page for an unavailable database. It holds what was typed, ready to be sent again.
fn database_error_page(app: &App, session: &CurrentSession, request: &Parts, cause: anyhow::Error) -> Response {
    let shell = Shell::of(app, Some(session), &request.uri);
    let reference = session.origin.request_id.clone().unwrap_or_default();
    let stash = FormStash::default();
    if let Some(form) = form::typed(request) {
        stash.keep(form, false);
    }
    error::page(shell, &Error::from(cause), &stash, &reference)
}

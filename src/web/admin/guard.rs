//! Access control in the router: every route states its access in the table, and the guard is applied where the router
//! is built. Unauthenticated clients learn nothing but the address of the sign-in page.

use askama::Template;
use axum::{
    extract::{MatchedPath, Request, State},
    http::{Method, StatusCode, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Redirect, Response},
};

use super::{
    error::{Error, SameSiteReload},
    kept_form,
    local_path::LocalPath,
    session::CurrentSession,
    shell::Shell,
    sign_in::SignIn,
};
use crate::web::urls;
use crate::{
    accounts::{Role, Session as Known, SessionEnd},
    app::App,
    audit::{self, By},
    database::request_connection::RequestConnection,
};

/// The access that a route requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone: sign-in, set-up, probes, static files.
    Open,
    /// Any signed-in user.
    Viewer,
    /// Users who may make changes.
    Administrator,
}

/// Checks access. On a route that does not use the session's connection, first returns it to the pool: a handler that
/// waited for a second connection while holding the first could deadlock the pool.
pub async fn guard(
    State((app, access, borrows)): State<(App, Access, bool)>,
    mut request: Request,
    next: Next,
) -> Response {
    if !borrows {
        request.extensions_mut().remove::<RequestConnection>();
    }
    if access == Access::Open {
        return next.run(request).await;
    }
    let Some(session) = request.extensions().get::<CurrentSession>() else {
        return Error::from(anyhow::anyhow!("the session layer is missing")).into_response();
    };
    let session = session.clone();
    let (head, body) = request.into_parts();
    if session.user.is_none() {
        return to_sign_in(&app, &session, &head);
    }
    if access == Access::Administrator && !session.can_change() {
        return refused_page(&app, &session, &head).await;
    }
    let response = next.run(Request::from_parts(head.clone(), body)).await;
    match response.extensions().get::<Error>() {
        Some(error) if error.is_not_permitted() => decide_again(&app, session, &head).await,
        _ => response,
    }
}

/// The response if the user's session, account or role ended while the request was handled, so that the handler's
/// transaction was refused: the same as for a request a moment later.
async fn decide_again(app: &App, mut session: CurrentSession, request: &Parts) -> Response {
    let ended = match app.accounts.session(&session.browser, false).await {
        Ok(Known::Live { user, .. }) if user.role == Role::Viewer => {
            session.user = Some(user);
            return refused_page(app, &session, request).await;
        }
        Ok(Known::Ended(why)) => Some(why),
        Ok(Known::Live { .. } | Known::Unknown) => None,
        Err(error) => return Error::from(error).into_response(),
    };
    to_sign_in(app, &session.without_user(ended), request)
}

/// Refuses a Viewer on a route for administrators.
async fn refused_page(app: &App, session: &CurrentSession, request: &Parts) -> Response {
    match record_refusal(app, session.by(), page(request)).await {
        Ok(administrators) => Error::CannotChange { administrators }.into_response(),
        // No longer a Viewer either.
        Err(error) if audit::is_not_permitted(&error) => to_sign_in(app, &session.clone().without_user(None), request),
        Err(error) => Error::from(error).into_response(),
    }
}

/// Records the refusal in the audit log and returns the administrators whom the Viewer can ask.
async fn record_refusal(app: &App, by: By, page: String) -> sqlx::Result<Vec<String>> {
    audit::record_refusal(&app.pool, by, &page).await?;
    app.accounts.administrators().await
}

fn page(request: &Parts) -> String {
    request.extensions.get::<MatchedPath>().map_or_else(|| "a page".to_owned(), |path| path.as_str().to_owned())
}

/// The response to an unauthenticated client on any guarded address, known or not: a redirect to the sign-in page, or
/// for a form the sign-in page itself, which keeps what was typed.
pub fn to_sign_in(app: &App, session: &CurrentSession, request: &Parts) -> Response {
    let return_to = match return_path(app, request) {
        Ok(path) => path,
        Err(answer) => return *answer,
    };
    let shell = Shell::of(app, Some(session), &request.uri);
    if let Some(form) = kept_form::keep(request) {
        return SignIn::keeping_form(shell, session.ended, return_to, &form).into_response();
    }
    let mut query = Vec::new();
    if let Some(path) = return_to {
        query.push(("return_to", path.as_str().to_owned()));
    }
    match session.ended {
        Some(SessionEnd::Idle) => query.push(("ended", "idle".into())),
        Some(SessionEnd::TooOld) => query.push(("ended", "expired".into())),
        None => {}
    }
    let query = serde_urlencoded::to_string(query).unwrap_or_default();
    Redirect::to(&if query.is_empty() { urls::SIGN_IN.into() } else { format!("{}?{query}", urls::SIGN_IN) })
        .into_response()
}

/// Where to return to after sign-in, or the response to a request that is not sent to the sign-in page at all.
fn return_path(app: &App, request: &Parts) -> Result<Option<LocalPath>, Box<Response>> {
    let header = |name: &str| request.headers.get(name).and_then(|value| value.to_str().ok());
    if header("x-partial").is_some() {
        return Err(Box::new(StatusCode::UNAUTHORIZED.into_response()));
    }
    let is_get = request.method == Method::GET || request.method == Method::HEAD;
    let here = request.uri.path_and_query().map_or("/", |path| path.as_str());
    // The cookie is SameSite=Strict, so a link in an e-mail arrives without it. The page reloads itself as a same-site
    // request.
    if is_get && header("sec-fetch-site") == Some("cross-site") && LocalPath::parse(here).is_some() {
        let shell = Shell::of(app, None, &request.uri);
        let page = app.site.product.clone();
        return Err(Box::new(match (SameSiteReload { shell, page, to: here.to_owned() }).render() {
            Ok(html) => Html(html).into_response(),
            Err(error) => Error::from(error).into_response(),
        }));
    }
    let came_from =
        header(header::REFERER.as_str()).and_then(|referer| referer.strip_prefix(&app.site.public_url.origin));
    let target = if is_get { Some(here) } else { came_from };
    Ok(target.and_then(LocalPath::parse).filter(|path| path.as_str() != urls::ADMIN))
}

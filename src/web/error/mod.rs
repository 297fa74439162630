//! Errors outside a form's own fields, and the layer that renders them as pages. The user sees a short message and a
//! reference; the cause is logged once, here, with the request's id.

mod page;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use askama::Template;
use axum::{
    extract::{FromRequestParts, Request, State},
    http::{HeaderValue, StatusCode, Uri, header, request::Parts},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

pub use page::{ErrorPage, ResubmitForm, SameSiteReload, Trouble};

use super::{
    routes::find_post,
    session::CurrentSession,
    shell::Shell,
    trace::{RequestId, RouteTemplate},
};
use crate::{app::App, audit, database};

/// An error for which a handler returns no page of its own.
#[derive(Clone, Debug)]
pub enum Error {
    NotFound,
    /// A Viewer tried to make a change; these administrators may.
    CannotChange {
        administrators: Vec<String>,
    },
    UnreadableForm(StatusCode),
    /// A form with the character U+0000, which Postgres cannot store.
    NulInForm,
    /// The form token is missing, too old or another browser's.
    OldForm,
    /// The form token is missing or unknown, and the browser sent none of our cookies.
    NoCookies,
    /// A form sent by another site.
    CrossSite,
    /// The route does not have this method.
    NotPossible,
    /// No response within 12 s.
    TimedOut,
    /// A database failure or a bug; its cause goes to the log only.
    Broken(Arc<anyhow::Error>),
}

/// Request timeout, up to the response's headers: 12 s. A streamed test responds at once and ends by its own timeout.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(12);

impl Error {
    /// Whether a domain operation found that the user is no longer permitted to do this.
    pub fn is_not_permitted(&self) -> bool {
        matches!(self, Self::Broken(cause) if audit::is_not_permitted(cause.as_ref().as_ref()))
    }
}

impl<E: Into<anyhow::Error>> From<E> for Error {
    fn from(error: E) -> Self {
        Self::Broken(Arc::new(error.into()))
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let mut response = StatusCode::INTERNAL_SERVER_ERROR.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// The fields of a form, for the page that offers to send it again; the extractor that fills it leaves secrets out.
#[derive(Clone, Default)]
pub struct FormStash(Arc<Mutex<Option<ResubmitForm>>>);

impl FormStash {
    pub fn keep(&self, again: ResubmitForm) {
        *self.0.lock().expect("the lock is not poisoned") = Some(again);
    }

    /// The stored form, if any.
    pub fn kept(&self) -> Option<ResubmitForm> {
        self.0.lock().expect("the lock is not poisoned").clone()
    }
}

/// The form stash of this request; it holds the form once the form has been read.
impl<S: Send + Sync> FromRequestParts<S> for FormStash {
    type Rejection = Error;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Error> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Renders the page of an [`Error`] that a handler, an extractor or a layer below left in the response.
pub async fn draw(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let desk = FormStash::default();
    request.extensions_mut().insert(desk.clone());
    let shell = Shell::of(&app, request.extensions().get::<CurrentSession>(), request.uri());
    let reference = request.extensions().get::<RequestId>().map(|id| id.0.clone()).unwrap_or_default();
    let mut response = next.run(request).await;
    let Some(error) = response.extensions_mut().remove::<Error>() else { return response };
    let mut drawn = page(shell, &error, &desk, &reference);
    if let Some(route) = response.extensions_mut().remove::<RouteTemplate>() {
        drawn.extensions_mut().insert(route);
    }
    for (name, value) in response.headers() {
        if name != header::CONTENT_TYPE && name != header::CONTENT_LENGTH {
            drawn.headers_mut().append(name, value.clone());
        }
    }
    drawn
}

/// The page of an error for a layer outside [`draw`], where no user is known to be signed in.
pub fn bare(app: &App, error: &Error) -> Response {
    page(Shell::of(app, None, &Uri::from_static("/admin")), error, &FormStash::default(), "")
}

/// The page of an error whose form was never read by a handler, such as when the session could not be loaded.
pub fn unread(shell: Shell, error: &Error, again: Option<ResubmitForm>, reference: &str) -> Response {
    let desk = FormStash::default();
    if let Some(again) = again {
        desk.keep(again);
    }
    page(shell, error, &desk, reference)
}

fn page(shell: Shell, error: &Error, desk: &FormStash, reference: &str) -> Response {
    let problem = error_page(error, desk, reference);
    let status = StatusCode::from_u16(problem.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Error::Broken(cause) = error {
        tracing::error!(
            request_id = reference,
            status = status.as_u16(),
            cause = format!("{cause:#}"),
            "a request failed"
        );
    }
    let is_busy = matches!(problem, Trouble::Busy { .. });
    let html = ErrorPage { shell, problem }
        .render()
        .unwrap_or_else(|_| "There is a problem. Try again in a few minutes.".into());
    let mut response = (status, Html(html)).into_response();
    if is_busy {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    }
    response
}

/// Ends requests that exceed the timeout.
pub async fn deadline(request: Request, next: Next) -> Response {
    match tokio::time::timeout(REQUEST_TIMEOUT, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Error::TimedOut.into_response(),
    }
}

fn error_page(error: &Error, desk: &FormStash, reference: &str) -> Trouble {
    match error {
        Error::NotFound => Trouble::NotFound,
        Error::CannotChange { administrators } => Trouble::CannotChange { administrators: administrators.clone() },
        Error::UnreadableForm(status) => Trouble::UnreadableForm { status: status.as_u16() },
        Error::NulInForm => Trouble::NulInForm,
        Error::OldForm => match desk.kept().filter(|form| find_post(&form.action).is_some_and(|route| route.redraws)) {
            Some(form) => Trouble::OldForm { again: form.to_load() },
            None => Trouble::UnreadableForm { status: 403 },
        },
        Error::NoCookies => Trouble::NoCookies,
        Error::CrossSite => Trouble::UnreadableForm { status: 403 },
        Error::NotPossible => Trouble::NotPossible,
        Error::TimedOut => Trouble::Busy { again: desk.kept() },
        Error::Broken(cause) if database::is_away(cause) => Trouble::Busy { again: desk.kept() },
        Error::Broken(_) => Trouble::Ours { reference: reference.to_owned() },
    }
}

/// Turns a panic in a handler into an error page with a reference; the process continues.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Error::from(anyhow::anyhow!("a handler panicked")).into_response()
}

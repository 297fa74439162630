//! Errors outside a form's own fields. The layer in `page` renders them: the user sees a short message and a reference;
//! the cause is logged once, there, with the request's id.

mod page;

use std::sync::Arc;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

pub use page::{ErrorPage, SameSiteReload, Trouble, bare, draw, page};

use crate::audit;

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
    /// No response within the frame's deadline.
    TimedOut,
    /// A database failure or a bug; its cause goes to the log only.
    Broken(Arc<anyhow::Error>),
}

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

/// Turns a panic in a handler into an error page with a reference; the process continues.
pub fn panicked(_: Box<dyn std::any::Any + Send + 'static>) -> Response {
    Error::from(anyhow::anyhow!("a handler panicked")).into_response()
}

/// The response to a request that exceeded the deadline.
pub fn timed_out() -> Response {
    Error::TimedOut.into_response()
}

//! The pages of errors outside a form's own fields, and the layer that renders them. They name no cause that an attacker
//! could use.

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};

use super::Error;
use crate::web::urls;
use crate::{
    app::App,
    database,
    web::{
        admin::{
            filters,
            form_stash::{FormStash, ResubmitForm},
            session::CurrentSession,
            shell::Shell,
        },
        frame::trace::{RequestId, RouteTemplate},
    },
};

/// One page per error kind; [`Trouble::status`] is the response's status.
#[derive(Debug, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Has no user where none is known to be signed in.
    pub shell: Shell,
    pub problem: Trouble,
}

/// Which error the page describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    NotFound,
    /// A Viewer tried to make a change; the names of up to a few administrators.
    CannotChange {
        administrators: Vec<String>,
    },
    /// 400, 413 or 415.
    UnreadableForm {
        status: u16,
    },
    /// 400: a field held U+0000. Nothing that was typed is kept.
    NulInForm,
    NotPossible,
    TooManyRequests {
        seconds: u32,
    },
    /// 500.
    Ours {
        reference: String,
    },
    /// Status 503. For a POST: its address and what was typed, without secrets, to be sent again.
    Busy {
        again: Option<ResubmitForm>,
    },
    /// Status 403: the form token was too old. Holds what was typed, without secrets, and the form's address.
    OldForm {
        again: ResubmitForm,
    },
    /// Status 403: the browser sent back none of our cookies.
    NoCookies,
}

impl Trouble {
    /// The status of the response.
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::CannotChange { .. } | Self::OldForm { .. } | Self::NoCookies => 403,
            Self::UnreadableForm { status } => *status,
            Self::NulInForm => 400,
            Self::NotPossible => 405,
            Self::TooManyRequests { .. } => 429,
            Self::Ours { .. } => 500,
            Self::Busy { .. } => 503,
        }
    }

    fn title(&self, product: &str) -> String {
        match self {
            Self::NotFound => "Page not found".into(),
            Self::CannotChange { .. } => "You cannot change this".into(),
            Self::UnreadableForm { .. } => "We could not read that form".into(),
            Self::NulInForm => "A character cannot be saved".into(),
            Self::NotPossible => "That is not possible here".into(),
            Self::TooManyRequests { .. } => "Too many requests".into(),
            Self::Ours { .. } => format!("There is a problem with {product}"),
            Self::Busy { .. } => format!("{product} is busy"),
            Self::OldForm { .. } => "This page was open too long".into(),
            Self::NoCookies => "Your browser does not keep cookies".into(),
        }
    }
}

/// The response to a link from another site: reloads itself as a same-site request, so that the browser sends the
/// session cookie.
#[derive(Debug, Template)]
#[template(path = "opening.html")]
pub struct SameSiteReload {
    pub shell: Shell,
    /// The page that opens, such as "Northwind Tea", or the product's name.
    pub page: String,
    /// Path and query on this server, never a foreign address.
    pub to: String,
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
    page(Shell::of(app, None, &Uri::from_static(urls::ADMIN)), error, &FormStash::default(), "")
}

/// The page of an error, which is logged with this reference if it is a failure.
pub fn page(shell: Shell, error: &Error, desk: &FormStash, reference: &str) -> Response {
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

fn error_page(error: &Error, desk: &FormStash, reference: &str) -> Trouble {
    match error {
        Error::NotFound => Trouble::NotFound,
        Error::CannotChange { administrators } => Trouble::CannotChange { administrators: administrators.clone() },
        Error::UnreadableForm(status) => Trouble::UnreadableForm { status: status.as_u16() },
        Error::NulInForm => Trouble::NulInForm,
        Error::OldForm => match desk.to_redraw() {
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

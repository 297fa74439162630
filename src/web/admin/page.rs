//! A page as a response: the rendered template, or the error page if rendering fails.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::error::Error;

/// A template to render, and the response's status.
#[derive(Debug)]
pub struct HtmlPage<T>(pub T, pub StatusCode);

impl<T: Template> HtmlPage<T> {
    pub const fn ok(page: T) -> Self {
        Self(page, StatusCode::OK)
    }

    /// A refused form with its complaints: status 422.
    pub const fn refused(page: T) -> Self {
        Self(page, StatusCode::UNPROCESSABLE_ENTITY)
    }
}

impl<T: Template> IntoResponse for HtmlPage<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => (self.1, Html(html)).into_response(),
            Err(error) => Error::from(anyhow::Error::from(error).context("rendering a page")).into_response(),
        }
    }
}

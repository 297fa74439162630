//! A page as an answer: the template drawn, or the error page if that fails.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{Html, IntoResponse, Response},
};

use super::error::Error;

/// A drawn template with status 200, or with the one beside it.
#[derive(Debug)]
pub struct Page<T>(pub T, pub StatusCode);

impl<T: Template> Page<T> {
    pub const fn ok(page: T) -> Self {
        Self(page, StatusCode::OK)
    }

    /// A form that was refused, with its complaints.
    pub const fn refused(page: T) -> Self {
        Self(page, StatusCode::UNPROCESSABLE_ENTITY)
    }
}

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => (self.1, Html(html)).into_response(),
            Err(error) => Error::from(anyhow::Error::from(error).context("drawing a page")).into_response(),
        }
    }
}

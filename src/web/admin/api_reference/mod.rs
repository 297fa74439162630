//! The API reference, drawn from the OpenAPI document: every operation with its fields and a `curl` example, the objects
//! that bodies consist of, and the kinds of problem that their `type` links to. Readable before sign-in.

mod document;
mod example;

use askama::Template;
use axum::extract::State;

pub use self::document::{
    FieldType, OperationAccess, ReferenceField, ReferenceObject, ReferenceOperation, ReferenceResult,
};
use super::{filters, page::HtmlPage, shell::Shell};
use crate::{
    api_keys::Scope,
    app::App,
    web::api::{
        problem::ProblemKind,
        v1::{openapi, table},
    },
};

#[derive(Debug, Template)]
#[template(path = "api_reference.html")]
pub struct ApiReference {
    pub shell: Shell,
    /// The origin of `PUBLIC_URL`, for examples that can be pasted.
    pub origin: String,
    pub introduction: String,
    pub operations: Vec<ReferenceOperation>,
    pub objects: Vec<ReferenceObject>,
}

impl ApiReference {
    pub fn new(shell: Shell, origin: &str) -> Self {
        let whole = openapi::document(&table::table());
        Self {
            shell,
            origin: origin.to_owned(),
            introduction: whole["info"]["description"].as_str().unwrap_or_default().to_owned(),
            operations: document::operations(&whole, origin),
            objects: document::objects(&whole),
        }
    }
}

/// GET `/help/api`; readable before sign-in too.
pub async fn show(State(app): State<App>, shell: Shell) -> HtmlPage<ApiReference> {
    HtmlPage::ok(ApiReference::new(shell, &app.site.public_url.origin))
}

//! One row of the table of endpoints.

use std::{sync::Arc, time::Duration};

use axum::{http::Method, routing::MethodRouter};
use serde_json::Value;
use utoipa::openapi::{RefOr, Schema, path::Paths};

pub use crate::web::api::guard::EndpointAccess;
use crate::{app::App, web::frame::deadline::REQUEST_TIMEOUT};

/// One row of the table.
pub struct ApiEndpoint {
    pub method: Method,
    pub path: &'static str,
    pub access: EndpointAccess,
    /// Longest time until the response.
    pub within: Duration,
    /// The OpenAPI operation that the handler describes.
    pub operation: Value,
    /// The schemas that the operation uses.
    pub schemas: Vec<(String, RefOr<Schema>)>,
    pub(super) handler: MethodRouter<App>,
}

/// What `routes!` makes of a handler.
type DescribedHandler = (Vec<(String, RefOr<Schema>)>, Paths, MethodRouter<App>);

impl ApiEndpoint {
    /// # Panics
    /// If the handler describes another method or path than its row.
    pub(super) fn new(
        method: Method,
        path: &'static str,
        access: EndpointAccess,
        (schemas, paths, handler): DescribedHandler,
    ) -> Self {
        let described = serde_json::to_value(paths).expect("a document is plain data");
        let operation = described.get(path).and_then(|item| item.get(method.as_str().to_lowercase()));
        let operation = operation.cloned().unwrap_or_else(|| panic!("{method} {path} is described as {described}"));
        Self { method, path, access, within: REQUEST_TIMEOUT, operation, schemas, handler }
    }

    /// Sets the deadline of an endpoint that waits on purpose.
    #[must_use]
    pub const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// The names of the query parameters.
    pub fn parameters(&self) -> Arc<[String]> {
        let all = self.operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        let query = all.iter().filter(|parameter| parameter["in"] == "query");
        query.filter_map(|parameter| parameter["name"].as_str().map(str::to_owned)).collect()
    }
}

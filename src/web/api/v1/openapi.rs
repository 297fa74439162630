//! The OpenAPI document, generated from the table: the operations of the handlers, and for each what its row says of keys
//! and scopes. `docs/openapi.json` is this document as it was last published.

use std::sync::Arc;

use axum::{Extension, http::HeaderMap, response::Response};
use serde_json::{Map, Value, json};
use utoipa::PartialSchema;

use super::endpoint::ApiEndpoint;
use crate::{
    api_keys::Scope,
    web::{
        api::{
            conditional::TaggedJson,
            guard::EndpointAccess,
            problem_body::{FieldErrorBody, PROBLEM_JSON, ProblemBody},
        },
        urls,
    },
};

/// The document of this server.
#[derive(Clone, Debug)]
pub struct ApiDocument(Arc<Value>);

impl ApiDocument {
    pub fn of(endpoints: &[ApiEndpoint]) -> Self {
        Self(Arc::new(document(endpoints)))
    }
}

/// What the document says before its operations.
const DESCRIPTION: &str = "For programs that use the connections of this server. Send an API key in `Authorization: Bearer`. \
Every answer that is not a result is a problem document (RFC 9457); its `class` names a condition as the pages and webhooks \
do. Fields may be added to any body: ignore those you do not know. Send the `ETag` of a result in `If-None-Match` to ask for \
it again only if it changed.";

/// Read this document
///
/// Needs no key.
#[utoipa::path(
    get,
    path = urls::API_OPENAPI,
    operation_id = "readOpenApi",
    tag = "OpenAPI",
    responses((status = 200, description = "This document.", body = Object))
)]
pub async fn show(Extension(ApiDocument(document)): Extension<ApiDocument>, headers: HeaderMap) -> Response {
    TaggedJson::of(&*document).read(&headers)
}

/// The whole document.
pub fn document(endpoints: &[ApiEndpoint]) -> Value {
    let (mut paths, mut schemas) = (Map::new(), Map::new());
    for endpoint in endpoints {
        let item = paths.entry(endpoint.path).or_insert_with(|| json!({}));
        item[endpoint.method.as_str().to_lowercase()] = operation(endpoint);
        schemas.extend(endpoint.schemas.iter().map(|(name, schema)| (name.clone(), json!(schema))));
    }
    schemas.insert("Problem".to_owned(), json!(ProblemBody::schema()));
    schemas.insert("FieldError".to_owned(), json!(FieldErrorBody::schema()));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "API",
            "version": "1",
            "description": DESCRIPTION,
            "license": { "name": "All rights reserved", "identifier": "LicenseRef-Proprietary" },
        },
        "servers": [{ "url": "/" }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": { "Problem": {
                "description": "Why there is no result.",
                "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
            } },
            "securitySchemes": { "key": { "type": "http", "scheme": "bearer", "description": key_description() } },
        },
    })
}

fn key_description() -> String {
    let scopes = Scope::ALL.map(|scope| format!("- `{}`: {}", scope.as_str(), scope.meaning()));
    format!("An API key that an administrator made. Its scopes:\n\n{}", scopes.join("\n"))
}

/// The operation as its handler describes it, with what the row and the layers add.
fn operation(endpoint: &ApiEndpoint) -> Value {
    let mut operation = endpoint.operation.clone();
    operation["security"] = match endpoint.access {
        EndpointAccess::Open => json!([]),
        EndpointAccess::AnyKey => json!([{ "key": [] }]),
        EndpointAccess::Scope(scope) => json!([{ "key": [scope.as_str()] }]),
    };
    let mut refusals = vec!["400", "406", "500", "503"];
    if endpoint.access != EndpointAccess::Open {
        refusals.extend(["401", "429"]);
    }
    if matches!(endpoint.access, EndpointAccess::Scope(_)) {
        refusals.push("403");
    }
    if endpoint.path.contains('{') {
        refusals.push("404");
    }
    if operation.get("requestBody").is_some() {
        refusals.extend(["408", "413", "415"]);
    }
    let stated: Vec<String> =
        operation["responses"].as_object().into_iter().flatten().map(|(status, _)| status.clone()).collect();
    for status in stated.iter().map(String::as_str).filter(|status| *status >= "400").chain(refusals) {
        operation["responses"][status] = json!({ "$ref": "#/components/responses/Problem" });
    }
    operation
}

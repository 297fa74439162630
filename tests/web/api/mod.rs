//! The API through the whole router. The tests of access iterate over the table of endpoints.

mod access;
mod carts;
mod changes;
mod checks;
mod example;
mod openapi;
mod problems;
mod tokens;
mod writes;

use axum::http::Method;
use cartwright::web::api::v1::table::{ApiEndpoint, table};
use serde_json::json;

use crate::support::{Answer, api::Program};

/// The path of an endpoint about this cart.
pub fn path_of(endpoint: &ApiEndpoint, cart: &str) -> String {
    endpoint.path.replace("{cart}", cart)
}

/// Sends the simplest request that an endpoint could accept.
pub async fn call(program: &Program, endpoint: &ApiEndpoint, cart: &str) -> Answer {
    let path = path_of(endpoint, cart);
    let knock = program.knock(endpoint.method.clone(), &path).header("if-match", "*");
    if [Method::GET, Method::DELETE].contains(&endpoint.method) {
        return knock.send().await;
    }
    knock.body("application/json", json!({}).to_string()).send().await
}

/// The endpoints that need a key.
pub fn keyed() -> impl Iterator<Item = ApiEndpoint> {
    use cartwright::web::api::v1::table::EndpointAccess;
    table().into_iter().filter(|endpoint| endpoint.access != EndpointAccess::Open)
}

pub fn name_of(endpoint: &ApiEndpoint) -> String {
    format!("{} {}", endpoint.method, endpoint.path)
}

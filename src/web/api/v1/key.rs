//! The key that asks: what it may do, and until when.

use axum::{http::HeaderMap, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    api_keys::{Program, Scope},
    clock,
    web::{
        api::{caller::ApiCaller, conditional::TaggedJson},
        urls,
    },
};

/// An API key, without its text.
#[derive(Serialize, ToSchema)]
#[schema(as = Key)]
pub struct KeyBody {
    id: String,
    /// The name that an administrator gave it.
    name: String,
    /// The last four characters.
    ending: String,
    /// What it may do.
    #[schema(value_type = Vec<ScopeName>)]
    scopes: Vec<&'static str>,
    /// The ids of the carts that it is limited to; `null` for all carts.
    #[schema(required)]
    carts: Option<Vec<String>>,
    /// When it stops working.
    #[schema(format = DateTime)]
    ends_at: String,
}

/// One permission of a key.
#[derive(ToSchema)]
#[schema(as = Scope)]
pub enum ScopeName {
    #[schema(rename = "carts:read")]
    CartsRead,
    #[schema(rename = "carts:write")]
    CartsWrite,
    #[schema(rename = "carts:check")]
    CartsCheck,
    #[schema(rename = "tokens:issue")]
    TokensIssue,
}

impl KeyBody {
    fn of(program: &Program) -> Self {
        Self {
            id: program.id.as_simple().to_string(),
            name: program.name.clone(),
            ending: program.ending.clone(),
            scopes: program.scopes.iter().copied().map(Scope::as_str).collect(),
            carts: program.carts.as_ref().map(|carts| carts.iter().map(|cart| cart.as_simple().to_string()).collect()),
            ends_at: clock::utc_text(program.ends_at),
        }
    }
}

/// Read this key
///
/// Name, scopes, carts and end of the key that sends the request. Use it to check a key, and to notice in time that it
/// ends.
#[utoipa::path(
    get,
    path = urls::API_OWN_KEY,
    operation_id = "readKey",
    tag = "Key",
    responses((status = 200, description = "The key that sent the request.", body = KeyBody))
)]
pub async fn show(caller: ApiCaller, headers: HeaderMap) -> Response {
    TaggedJson::of(&KeyBody::of(&caller.program)).read(&headers)
}

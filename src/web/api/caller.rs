//! The program that sent a request, and the cart that it asks about. A handler receives a cart only through [`SeenCart`] or
//! [`SeenCartId`], so that no handler can forget a key's list of carts.

use std::sync::Arc;

use axum::{
    RequestPartsExt,
    extract::{FromRequestParts, Path},
    http::request::Parts,
};
use uuid::Uuid;

use super::problem::Problem;
use crate::{
    api_keys::{Program, Scope},
    app::App,
    audit::{By, Origin, WriteScope},
    carts::{Cart, CartId, Visitor},
};

/// The program that presented a live key, and where its request came from.
#[derive(Clone, Debug)]
pub struct ApiCaller {
    pub program: Arc<Program>,
    pub origin: Origin,
}

impl ApiCaller {
    /// The author of a change, for the audit log.
    pub fn by(&self) -> By {
        By { actor: self.program.actor(), origin: self.origin.clone() }
    }

    /// The proof that the key may remove something.
    ///
    /// # Errors
    /// A bug: the endpoint's row names another scope.
    pub fn write_scope(&self) -> Result<WriteScope, Problem> {
        let has_scope = self.program.has(Scope::CartsWrite);
        has_scope.then(WriteScope::granted).ok_or_else(|| anyhow::anyhow!("an endpoint lacks its scope").into())
    }

    /// The author of a change, who keeps no draft secrets.
    pub fn visitor(&self) -> Visitor {
        Visitor::without_drafts(self.by())
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ApiCaller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let caller = parts.extensions.get::<Self>().cloned();
        caller.ok_or_else(|| anyhow::anyhow!("an open endpoint has no caller").into())
    }
}

/// The id of the cart that the path names, if the key is for it. The handler finds out whether there is such a cart, in
/// the transaction that needs it.
#[derive(Clone, Copy, Debug)]
pub struct SeenCartId(pub CartId);

impl FromRequestParts<App> for SeenCartId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let caller = ApiCaller::from_request_parts(parts, app).await?;
        let Ok(Path(id)) = parts.extract::<Path<Uuid>>().await else { return Err(Problem::no_such_cart()) };
        if caller.program.sees(id) { Ok(Self(CartId(id))) } else { Err(Problem::no_such_cart()) }
    }
}

/// The cart that the path names, if it exists and the key is for it. Both failures read the same.
#[derive(Clone, Debug)]
pub struct SeenCart(pub Cart);

impl FromRequestParts<App> for SeenCart {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let SeenCartId(id) = SeenCartId::from_request_parts(parts, app).await?;
        app.carts.find(id).await?.map(Self).ok_or_else(Problem::no_such_cart)
    }
}

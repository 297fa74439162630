//! Confirmation before a cart is deleted. Imported orders and the activity are kept.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use super::confirmation::{ConfirmationForm, ConfirmationQuery};
use super::{CartHead, Kind};
use crate::app::App;
use crate::carts::CartId;
use crate::direction::bidi_isolate;
use crate::web::admin::confirm::{PendingAction, confirm};
use crate::web::admin::error::Error;
use crate::web::admin::filters;
use crate::web::admin::form::{Form, Path};
use crate::web::admin::page::HtmlPage;
use crate::web::admin::session::CurrentSession;
use crate::web::admin::{banner::Banner, shell::Shell};
use crate::web::urls;

/// Posts `csrf` and `version` to its own address, and `password` where it is asked for again.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/deletion.html")]
pub struct DeletionPage {
    pub shell: Shell,
    pub cart: CartHead,
    pub kind: Kind,
    /// The version that the user is asked about.
    pub version: i64,
}

impl DeletionPage {
    fn question(&self) -> String {
        format!("Delete {}?", bidi_isolate(&self.cart.name))
    }
}

/// GET: asks for confirmation.
pub async fn new(State(app): State<App>, shell: Shell, Path(id): Path<Uuid>) -> Result<HtmlPage<DeletionPage>, Error> {
    let ConfirmationQuery { cart, kind, version } = ConfirmationQuery::about(&app, id).await?;
    Ok(HtmlPage::ok(DeletionPage { shell, cart, kind, version }))
}

/// POST: deletes the cart, if it is still the confirmed version.
pub async fn create(
    State(app): State<App>,
    mut shell: Shell,
    mut session: CurrentSession,
    Path(id): Path<Uuid>,
    Form(confirmed): Form<ConfirmationForm>,
) -> Result<Response, Error> {
    let id = CartId(id);
    let cart = app.carts.find(id).await?.ok_or(Error::NotFound)?;
    let here = urls::cart_deletion(id);
    let pending = PendingAction {
        text: format!("delete {}", bidi_isolate(&cart.website_name)),
        action: here.clone(),
        fields: vec![("version", confirmed.version.to_string())],
        cancel: urls::cart_general(id),
    };
    let fresh = match confirm(&app, &mut shell, &mut session, confirmed.password, pending).await {
        Ok(fresh) => fresh,
        Err(asked) => return Ok(asked),
    };
    if !app.carts.delete(session.by(), id, confirmed.version, fresh).await? {
        // The cart was changed meanwhile: ask again.
        return Ok(Redirect::to(&here).into_response());
    }
    let banner = Banner {
        title: format!("{} is deleted.", bidi_isolate(&cart.website_name)),
        short: "Done".into(),
        ..Banner::default()
    };
    session.leave(&app, &banner).await?;
    Ok(Redirect::to(urls::CARTS).into_response())
}

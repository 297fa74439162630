//! A form that cannot be saved or tested: rendered again with every complaint and everything typed.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::{EditorSubmit, shown_result};
use crate::web::admin::ecommerce::shopify::editor::{
    form_state::{EditorForm, saved::show_saved_secret},
    view::{general::Stage, page::Editor},
};
use crate::web::urls;
use crate::{
    carts::{CartId, SaveError},
    direction::bidi_isolate,
    platforms::shopify::address::StoreAddress,
    web::admin::{error::Error, page::HtmlPage},
};

impl EditorSubmit<'_> {
    /// Renders the form with its complaints.
    pub(super) async fn refuse(self, form: EditorForm) -> Result<Response, Error> {
        self.draw(form, StatusCode::UNPROCESSABLE_ENTITY).await
    }

    /// Renders the form again; if its cart was deleted meanwhile, says so and keeps what was typed.
    pub(super) async fn draw(self, mut form: EditorForm, status: StatusCode) -> Result<Response, Error> {
        let cart = match self.cart {
            Some(id) => match self.app.carts.find(id).await? {
                Some(cart) => Some(cart),
                None => return Box::pin(self.deleted(form)).await,
            },
            None => None,
        };
        let EditorSubmit { app, shell, session, .. } = self;
        if let Some(cart) = &cart {
            show_saved_secret(cart, &mut form);
        }
        let (report, changed) = shown_result::of(app, session, &form, cart.as_ref()).await?.unzip();
        let editor = Editor { app, shell, cart, form, report, changed: changed.flatten() };
        Ok(HtmlPage(Box::pin(editor.page(Stage::Typed)).await?, status).into_response())
    }

    /// Explains why a well-formed form cannot be saved or tested.
    pub(super) async fn refuse_save(
        self,
        mut form: EditorForm,
        address: &StoreAddress,
        error: SaveError,
    ) -> Result<Response, Error> {
        let Some(complaint) = error.complaint(form.kind, address) else {
            return match error {
                SaveError::Conflict(theirs) => Box::pin(self.conflict(form, &theirs)).await,
                SaveError::Gone => Box::pin(self.deleted(form)).await,
                error => Err(error.into()),
            };
        };
        let link = match &error {
            SaveError::SameStore(other) => {
                Some((urls::cart_general(CartId(other.id)), format!("Open {}", bidi_isolate(&other.name))))
            }
            SaveError::WrongStore { .. } => Some((urls::NEW_CART.into(), "Add it as a new cart".into())),
            _ => None,
        };
        form.complain(complaint, link);
        self.refuse(form).await
    }
}

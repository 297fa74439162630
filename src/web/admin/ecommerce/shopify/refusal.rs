//! A form that cannot be saved or tested: rendered again with every complaint and everything typed.

use axum::response::{IntoResponse, Response};

use super::{
    editor::{self, Editor},
    general::{EditorForm, General, Stage},
    last_test,
    press::Press,
};
use crate::{
    direction::isolated,
    ecommerce::{CartId, SaveError, shopify::address::StoreAddress},
    web::{error::Error, fields::Complaint, page::Page},
};

impl Press<'_> {
    /// Renders the form with its complaints.
    pub(super) async fn refuse(self, form: EditorForm) -> Result<Response, Error> {
        Ok(Page::refused(self.page(form).await?).into_response())
    }

    pub(super) async fn page(self, form: EditorForm) -> Result<General, Error> {
        let Press { app, shell, session, cart, .. } = self;
        let cart = match cart {
            Some(id) => Some(app.ecommerce.find(id).await?.ok_or(Error::NotFound)?),
            None => None,
        };
        let mut form = form;
        if let Some(cart) = &cart {
            editor::draw_saved(cart, &mut form);
        }
        let (report, changed) = last_test::of(app, session, &form, cart.as_ref()).await?.unzip();
        let editor = Editor { app, shell, cart, form, report, changed: changed.flatten() };
        Box::pin(editor.page(Stage::Typed)).await
    }

    /// Explains why a well-formed form cannot be saved or tested.
    pub(super) async fn refuse_save(
        self,
        mut form: EditorForm,
        address: &StoreAddress,
        error: SaveError,
    ) -> Result<Response, Error> {
        let sentence = error.to_string();
        let complaint = |class, sentence, link| Some(Complaint { class, sentence, link });
        match error {
            SaveError::Broken(broken) => return Err(broken.into()),
            SaveError::Conflict(theirs) => return Box::pin(self.conflict(form, &theirs)).await,
            SaveError::Gone => return Box::pin(self.deleted(form)).await,
            SaveError::NameTaken(_) => form.website_name.complaint = complaint("NAME_TAKEN", sentence, None),
            SaveError::SameStore(other) => {
                let link = (
                    format!("/admin/ecommerce/shopify/{}/general", CartId(other.id)),
                    format!("Open {}", isolated(&other.name)),
                );
                let sentence = format!(
                    "**{}** already uses this store. Open it instead of adding it again.",
                    isolated(&other.name)
                );
                form.api_url.complaint = complaint("DUPLICATE", sentence, Some(link));
            }
            SaveError::PracticeOff => form.api_url.complaint = complaint("PRACTICE_OFF", sentence, None),
            SaveError::SecretMissing { was_there } => form.ask_for_secret(was_there),
            SaveError::StoreChanged => form.ask_for_secret_of(address),
            SaveError::WrongStore { .. } => {
                let link = ("/admin/ecommerce/shopify/new".into(), "Add it as a new cart".into());
                form.api_url.complaint = complaint("WRONG_STORE", format!("{sentence}."), Some(link));
            }
            SaveError::ItemGroup(error) => {
                form.group_error = Some(error);
                form.complain_of_group();
            }
        }
        self.refuse(form).await
    }
}

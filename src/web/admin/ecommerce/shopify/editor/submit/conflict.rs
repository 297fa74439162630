//! Answers a save that conflicts with another user's: nothing is overwritten unseen.

use axum::response::{IntoResponse, Response};

use super::EditorSubmit;
use crate::{
    carts::{Cart, Status},
    web::admin::{
        ecommerce::{
            StatusView,
            shopify::{
                CartHead,
                editor::{
                    form_state::EditorForm,
                    view::conflict::{ConflictPage, first_name, rows_of_connection, rows_of_settings, typed_rows},
                },
            },
        },
        error::Error,
        filters::Moment,
        form_stash::FormStash,
    },
};

impl EditorSubmit<'_> {
    /// Shows both versions. A typed secret stays this form's draft secret.
    pub(super) async fn conflict(self, form: EditorForm, theirs: &Cart) -> Result<Response, Error> {
        let EditorSubmit { app, shell, session, desk, .. } = self;
        let settings = app.carts.find_settings(theirs.id).await?;
        let mut rows = rows_of_connection(&form, theirs);
        rows.extend(rows_of_settings(&form, &settings, &shell.product));
        let mut hidden = as_sent(&desk);
        hidden.push(("version".to_owned(), theirs.version.to_string()));
        let is_own =
            theirs.updated_by_id.is_some() && theirs.updated_by_id == session.user.as_ref().map(|user| user.id);
        let page = ConflictPage {
            cart: CartHead::of(app, theirs).await?,
            by_first: first_name(&theirs.updated_by),
            by: theirs.updated_by.clone(),
            at: Moment::new(theirs.updated_at, app.clock.now()),
            rows,
            is_deleted: false,
            is_own,
            hidden,
            shell,
        };
        Ok(page.into_response())
    }

    /// Shows that the cart was deleted meanwhile: what was typed can be copied, or become a new cart.
    pub(super) async fn deleted(self, form: EditorForm) -> Result<Response, Error> {
        let EditorSubmit { app, shell, session, cart, desk } = self;
        let id = cart.ok_or(Error::NotFound)?;
        let deletion = app.carts.find_deletion(id).await?.ok_or(Error::NotFound)?;
        let status = StatusView { status: Status::Inactive, line: None, unchecked: None, is_practice: false };
        let page = ConflictPage {
            cart: CartHead { id: id.to_string(), name: deletion.name, status },
            by_first: first_name(&deletion.by),
            by: deletion.by,
            at: Moment::new(deletion.at, app.clock.now()),
            rows: typed_rows(&form, &shell.product),
            is_deleted: true,
            is_own: deletion.by_id.is_some() && deletion.by_id == session.user.as_ref().map(|user| user.id),
            // The locations were deleted with the cart.
            hidden: as_sent(&desk).into_iter().filter(|(name, _)| name != "location[]").collect(),
            shell,
        };
        Ok(page.into_response())
    }
}

/// The fields of the submitted form, for one that sends them again: taken from the form itself, so that none can be
/// forgotten.
fn as_sent(desk: &FormStash) -> Vec<(String, String)> {
    let fields = desk.kept().map(|form| form.to_load().fields).unwrap_or_default();
    fields.into_iter().filter(|(name, _)| name != "version").collect()
}

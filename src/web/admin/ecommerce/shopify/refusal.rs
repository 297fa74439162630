//! A form that cannot be saved or tested as it stands: drawn again with every complaint and everything typed, beside what
//! somebody else saved, or beside nothing, where the cart is gone.

use axum::response::{IntoResponse, Response};

use super::{
    CartHead,
    editor::{self, Editor},
    general::{Conflict, ConflictRow, EditorForm, General, SecretState, Stage},
    last_test,
    press::Press,
};
use crate::{
    ecommerce::{Cart, CartId, SaveError, Status, shopify::address::StoreAddress},
    web::{admin::ecommerce::StatusView, error::Error, fields::Complaint, page::Page},
};

impl Press<'_> {
    /// The form again, with its complaints.
    pub(super) async fn refuse(self, form: EditorForm) -> Result<Response, Error> {
        Ok(Page::refused(self.page(form).await?).into_response())
    }

    pub(super) async fn page(self, form: EditorForm) -> Result<General, Error> {
        let Press { app, shell, session, cart } = self;
        let cart = match cart {
            Some(id) => Some(app.ecommerce.find(id).await?.ok_or(Error::NotFound)?),
            None => None,
        };
        let mut form = form;
        if let Some(cart) = &cart {
            editor::draw_saved(cart, &mut form);
        }
        let (report, changed) = last_test::of(app, session, &form, cart.as_ref()).await?.unzip();
        Editor { app, shell, cart, form, report, changed: changed.flatten() }.page(Stage::Typed).await
    }

    /// Why a form that reads well cannot be saved or tested.
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
            SaveError::Conflict(theirs) => return self.conflict(form, &theirs).await,
            SaveError::Gone => return self.deleted(form).await,
            SaveError::NameTaken(_) => form.website_name.complaint = complaint("NAME_TAKEN", sentence, None),
            SaveError::SameStore(other) => {
                let link =
                    (format!("/admin/ecommerce/shopify/{}/general", CartId(other.id)), format!("Open {}", other.name));
                let sentence =
                    format!("**{}** already uses this store. Open it instead of adding it again.", other.name);
                form.api_url.complaint = complaint("DUPLICATE", sentence, Some(link));
            }
            SaveError::PracticeOff => form.api_url.complaint = complaint("PRACTICE_OFF", sentence, None),
            SaveError::SecretMissing { was_there } => form.ask_for_secret(was_there),
            SaveError::StoreChanged => form.ask_for_secret_of(address),
        }
        self.refuse(form).await
    }

    /// Theirs beside yours. A typed secret rests unsaved with this form and comes along.
    async fn conflict(self, form: EditorForm, theirs: &Cart) -> Result<Response, Error> {
        let Press { app, shell, .. } = self;
        let has_new = matches!(form.access_token.state, SecretState::Received { .. })
            || matches!(form.client_secret.state, SecretState::Received { .. });
        let kind = form.kind;
        let secret = |is_new: bool| if is_new { format!("New {}", kind.noun()) } else { "No change".to_owned() };
        let on = |is_on: bool| if is_on { "On" } else { "Off" }.to_owned();
        let rows = [
            ("Website Name", theirs.website_name.clone(), form.website_name.value.clone()),
            ("API URL", theirs.address.admin_url(), form.api_url.value.clone()),
            ("Active", on(theirs.is_active), on(form.active)),
        ];
        let mut rows: Vec<ConflictRow> = rows
            .into_iter()
            .filter(|(_, theirs, yours)| theirs != yours)
            .map(|(field, theirs, yours)| ConflictRow { field, theirs, yours })
            .collect();
        if has_new {
            rows.push(ConflictRow { field: form.kind.label(), theirs: secret(false), yours: secret(true) });
        }
        let mut hidden = hidden(&form);
        hidden.push(("version", theirs.version.to_string()));
        let page = Conflict {
            cart: CartHead::of(app, theirs).await?,
            by_first: first_name(&theirs.updated_by),
            by: theirs.updated_by.clone(),
            at: editor::moment(theirs.updated_at, app),
            rows,
            is_deleted: false,
            hidden,
            shell,
        };
        Ok(page.into_response())
    }

    /// Somebody deleted the cart meanwhile: what was typed is there to be copied, or to become a new cart.
    async fn deleted(self, form: EditorForm) -> Result<Response, Error> {
        let Press { app, shell, cart, .. } = self;
        let id = cart.ok_or(Error::NotFound)?;
        let deletion = app.ecommerce.deletion(id).await?.ok_or(Error::NotFound)?;
        let rows = [("Website Name", &form.website_name.value), ("API URL", &form.api_url.value)];
        let page = Conflict {
            cart: CartHead {
                id: id.to_string(),
                name: deletion.name,
                status: StatusView { status: Status::Inactive, line: None, is_practice: false },
            },
            by_first: first_name(&deletion.by),
            by: deletion.by,
            at: editor::moment(deletion.at, app),
            rows: rows
                .map(|(field, yours)| ConflictRow { field, theirs: String::new(), yours: yours.clone() })
                .to_vec(),
            is_deleted: true,
            hidden: hidden(&form),
            shell,
        };
        Ok(page.into_response())
    }
}

fn first_name(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

/// Every field of the form but its secrets and its version.
fn hidden(form: &EditorForm) -> Vec<(&'static str, String)> {
    let mut hidden = vec![
        ("submission", form.submission.clone()),
        ("website_name", form.website_name.value.clone()),
        ("api_url", form.api_url.value.clone()),
        ("credential_kind", form.kind.as_str().to_owned()),
        ("client_id", form.client_id.value.clone()),
    ];
    if form.active {
        hidden.push(("active", "on".to_owned()));
    }
    hidden
}

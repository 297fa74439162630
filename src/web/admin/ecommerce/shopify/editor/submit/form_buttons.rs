//! The editor's secondary buttons: each renders the form again with everything typed and one thing changed.

use axum::{http::StatusCode, response::Response};
use uuid::Uuid;

use super::EditorSubmit;
use crate::web::admin::ecommerce::shopify::editor::{
    form_state::{
        EditorForm, SecretState,
        posted::{ParsedForm, PostedForm, understand_address},
    },
    view::practice_panel,
};
use crate::{
    carts::CredentialInput,
    platforms::shopify::credential::Credential,
    web::admin::{
        banner::{Banner, Tone},
        error::Error,
    },
};

impl EditorSubmit<'_> {
    /// Handles a secondary button and renders the form again with everything typed.
    pub(super) async fn redraw(mut self, intent: &str, posted: PostedForm) -> Result<Response, Error> {
        let submission = posted.submission;
        let practice_now = posted.practice_now.clone().unwrap_or_default();
        let ParsedForm { mut form, address, stray, submission: understood } = posted.understand();
        // Secondary buttons do not submit the form, so they show no complaints.
        form.website_name.complaint = None;
        form.api_url.complaint = None;
        form.client_id.complaint = None;
        form.access_token.complaint = None;
        form.client_secret.complaint = None;
        let typed = match understood.map(|submission| submission.offered) {
            Some(CredentialInput::Typed(credential)) => Some(credential),
            _ => stray,
        };
        self.keep(&mut form, address.as_ref(), typed).await?;
        match intent.split_once(':').unwrap_or((intent, "")) {
            ("replace", _) => form.secret_mut().state = SecretState::Replacing,
            ("different", _) => {
                self.app.draft_secrets.delete(&self.session.visitor(), submission, self.cart).await?;
                form.secret_mut().state = if self.cart.is_some() { SecretState::Replacing } else { SecretState::Empty };
            }
            ("keep", _) => {
                self.app.draft_secrets.delete(&self.session.visitor(), submission, self.cart).await?;
                form.secret_mut().state = SecretState::Saved;
            }
            // Using another store's address clears the secret: it was entered for the old one.
            ("use", handle) => {
                self.app.draft_secrets.delete(&self.session.visitor(), submission, self.cart).await?;
                understand_address(&format!("{handle}.myshopify.com"), &mut form);
                form.secret_mut().state = SecretState::Replacing;
            }
            ("set", handle) => {
                if let Some(case) = practice_panel::set(self.app, handle, &practice_now) {
                    let title = format!("{handle} is now: {case}.");
                    let text = "The next test and the next check see it.".into();
                    self.shell.banner = Some(Banner { title, text, tone: Tone::Info, ..Banner::default() });
                }
            }
            ("fill", handle) => self.fill(&mut form, submission, handle).await?,
            _ => {}
        }
        self.draw(form, StatusCode::OK).await
    }

    /// *Fill in*: enters the practice store's address and stores its secret as a draft secret, so that it appears in no
    /// page.
    async fn fill(&self, form: &mut EditorForm, submission: Uuid, handle: &str) -> Result<(), Error> {
        let Some(practice) = practice_panel::credential(self.app, handle) else { return Ok(()) };
        let Some(address) = understand_address(&format!("{}.myshopify.com", practice.handle), form) else {
            return Ok(());
        };
        form.kind = practice.kind;
        if form.website_name.value.trim().is_empty() {
            form.website_name.value = format!("Northwind {handle}");
        }
        if form.kind.is_token() {
            form.client_id.value.clear();
        } else {
            form.client_id.value.clone_from(&practice.client_id);
        }
        let id = Some(practice.client_id).filter(|_| !form.kind.is_token());
        if let Some(credential) = Credential::from_stored(practice.kind, id, practice.secret) {
            self.hold_credential(form, submission, &address, &credential).await?;
        }
        Ok(())
    }
}

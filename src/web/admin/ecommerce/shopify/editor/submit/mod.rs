//! Handles *Save* and *Test Connection*: calls the domain, then redirects or streams. A refused form continues in
//! `refusal`, a secondary button in `form_buttons`.

mod conflict;
pub mod connection_test;
mod form_buttons;
pub mod general;
pub mod locations;
mod refusal;
mod shown_result;
mod streaming;

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};
use uuid::Uuid;

use self::streaming::Frame;
use super::{
    form_state::{
        EditorForm, SecretState,
        posted::{ParsedForm, PostedForm},
        saved,
    },
    view::{
        general::{General, Stage},
        page::Editor,
    },
};
use crate::web::urls;
use crate::{
    app::App,
    carts::{
        CartEdit, CartId, CartSubmission, CredentialInput, SaveEffect, SaveError, SavedCart, TestRefused, TestSubject,
        missing_secret,
    },
    direction::bidi_isolate,
    platforms::shopify::{address::StoreAddress, credential::Credential},
    web::admin::{
        banner::{Banner, Tone},
        error::Error,
        form_stash::FormStash,
        session::CurrentSession,
        shell::Shell,
    },
};

/// Header that distinguishes `app.js` from a browser that submits a form: the script wants only the lines and the
/// region.
pub const PARTIAL: &str = "x-partial";

/// A submitted form's context: who sent it, and for which cart.
pub struct EditorSubmit<'a> {
    pub app: &'a App,
    pub shell: Shell,
    pub session: &'a CurrentSession,
    /// The cart that the form belongs to; `None` while it is new.
    pub cart: Option<CartId>,
    /// The fields of the form as sent, for a page that offers to send them again.
    pub desk: FormStash,
}

/// *Save*, or a secondary button.
pub async fn save(press: EditorSubmit<'_>, mut posted: PostedForm) -> Result<Response, Error> {
    let is_overwrite = match posted.intent.take().as_deref() {
        None => false,
        Some("overwrite") => true,
        Some(intent) => return press.redraw(intent, posted).await,
    };
    let version = posted.version;
    let ParsedForm { mut form, submission, address, stray } = posted.understand();
    form.complain_of_group();
    let Some(submission) = submission.filter(|_| form.item_group.complaint.is_none()) else {
        press.keep(&mut form, address.as_ref(), stray).await?;
        press.complain_of_missing_secret(&mut form).await?;
        return press.refuse(form).await;
    };
    // Store it first: if the save is refused, the secret need not be typed again.
    press.hold(&mut form, &submission).await?;
    let address = submission.address.clone();
    let visitor = press.session.visitor();
    let outcome = match (press.cart, version) {
        (Some(id), Some(version)) => {
            let edit = CartEdit { version, settings: form.asked.clone(), is_overwrite };
            press.app.carts.update(visitor, id, edit, submission).await
        }
        (Some(_), None) => Err(SaveError::Gone),
        (None, _) => press.app.carts.add(visitor, submission).await,
    };
    match outcome {
        Ok(saved) => press.saved(&saved).await,
        Err(error) => press.refuse_save(form, &address, error).await,
    }
}

/// *Test Connection*: streams the results.
pub async fn test(press: EditorSubmit<'_>, mut posted: PostedForm, is_partial: bool) -> Result<Response, Error> {
    if let Some(intent) = posted.intent.take() {
        return press.redraw(&intent, posted).await;
    }
    let version = posted.version;
    let ParsedForm { mut form, submission, address, stray } = posted.understand();
    let Some(submission) = submission else {
        press.keep(&mut form, address.as_ref(), stray).await?;
        press.complain_of_missing_secret(&mut form).await?;
        return press.refuse(form).await;
    };
    if press.cart.is_some() && version.is_none() {
        return Err(Error::UnreadableForm(StatusCode::BAD_REQUEST));
    }
    let CartSubmission { id: submission, address, offered, .. } = submission;
    let host = address.host();
    let subject = TestSubject { submission, cart: press.cart.zip(version), address: address.clone(), offered };
    let running = match press.app.connection_tests.start(press.session.visitor(), subject).await {
        Ok(running) => running,
        Err(TestRefused::Broken(broken)) => return Err(broken.into()),
        Err(refusal) => return press.refuse_save(form, &address, refusal.into()).await,
    };
    let EditorSubmit { app, shell, session, cart, .. } = press;
    let cart = match cart {
        Some(id) => app.carts.find(id).await?,
        None => None,
    };
    let frame = if is_partial {
        None
    } else {
        saved::show_draft_secret(app, session, &mut form, cart.as_ref().map(|cart| cart.id), Some(&address)).await?;
        let editor = Editor { app, shell: shell.clone(), cart: cart.clone(), form, report: None, changed: None };
        let page = Box::pin(editor.page(Stage::Testing)).await?;
        let html = askama::Template::render(&page)?;
        let (head, tail) = General::halves(&html);
        Some(Frame { head: head.to_owned(), tail: tail.to_owned(), guide: page.guide })
    };
    Ok(streaming::stream(app.clone(), shell, cart, frame, host, running))
}

impl EditorSubmit<'_> {
    /// Stores a typed credential as this form's draft secret, so that whatever happens next it need not be typed again.
    async fn hold(&self, form: &mut EditorForm, submission: &CartSubmission) -> Result<(), Error> {
        if let CredentialInput::Typed(credential) = &submission.offered {
            self.hold_credential(form, submission.id, &submission.address, credential).await?;
        }
        Ok(())
    }

    pub(super) async fn hold_credential(
        &self,
        form: &mut EditorForm,
        submission: Uuid,
        address: &StoreAddress,
        credential: &Credential,
    ) -> Result<(), Error> {
        let visitor = self.session.visitor();
        if self.app.draft_secrets.store(&visitor, submission, self.cart, address, credential).await? {
            form.receive(credential.ending());
        }
        Ok(())
    }

    /// Stores the secret of a refused form as a draft secret if its store is known; otherwise it is not kept.
    pub(super) async fn keep(
        &self,
        form: &mut EditorForm,
        address: Option<&StoreAddress>,
        stray: Option<Credential>,
    ) -> Result<(), Error> {
        match (stray, address, form.submission.parse()) {
            (Some(credential), Some(address), Ok(id)) => {
                self.hold_credential(form, id, address, &credential).await?;
            }
            (Some(_), _, _) => {
                let view = form.secret_mut();
                view.note = Some("We have not kept what you typed here. Enter it again.".into());
                view.is_warning = true;
            }
            (None, address, _) => saved::show_draft_secret(self.app, self.session, form, self.cart, address).await?,
        }
        Ok(())
    }

    /// Reports the missing secret of a new cart together with the other complaints, not after them. A draft secret that
    /// this form has for an address that was since mistyped need not be entered again.
    async fn complain_of_missing_secret(&self, form: &mut EditorForm) -> Result<(), Error> {
        let view = form.secret_mut();
        let is_missing = view.state == SecretState::Empty && view.complaint.is_none() && view.note.is_none();
        let Ok(id) = form.submission.parse() else { return Ok(()) };
        if self.cart.is_none()
            && is_missing
            && !self.app.draft_secrets.exists(&self.session.visitor(), id, self.cart).await?
        {
            let missing = missing_secret(form.kind, false);
            form.complain(missing, None);
        }
        Ok(())
    }

    /// Redirects to the editor, which shows the next step.
    async fn saved(self, saved: &SavedCart) -> Result<Response, Error> {
        let is_on = self.app.integration.is_active().await?;
        if let Some(banner) = banner(saved, is_on) {
            self.session.leave(self.app, &banner).await?;
        }
        Ok(Redirect::to(&urls::cart_general(saved.cart)).into_response())
    }
}

/// What a save did, as a banner; `None` for a repeated submission, whose first banner remains.
fn banner(saved: &SavedCart, is_on: bool) -> Option<Banner> {
    let SavedCart { name, effect, .. } = saved;
    let name = bidi_isolate(name);
    let ends =
        |ending: &Option<String>| ending.as_ref().map(|ending| format!(" (ends in {ending})")).unwrap_or_default();
    let (title, text, tone) = match effect {
        SaveEffect::Connected => (format!("{name} is saved and connected."), String::new(), Tone::Ok),
        SaveEffect::ConnectedWithLimits => {
            (format!("{name} is saved and connected, with limits."), "See below what is missing.".into(), Tone::Warn)
        }
        SaveEffect::Draft { active_was_ticked: false } => {
            (format!("{name} is saved as a draft."), "Test the connection before you turn it on.".into(), Tone::Info)
        }
        SaveEffect::Draft { active_was_ticked: true } => {
            (format!("{name} is saved as a draft."), "It turns on when the test passes.".into(), Tone::Info)
        }
        SaveEffect::Inactive => {
            (format!("{name} is saved and inactive."), "Turn on Active when you are ready to sync.".into(), Tone::Info)
        }
        SaveEffect::Kept => (format!("{name} is saved."), String::new(), Tone::Ok),
        SaveEffect::NewSecret { kind, ending } => {
            (format!("{name} is saved."), format!("The new {}{} is in use.", kind.noun(), ends(ending)), Tone::Ok)
        }
        SaveEffect::OldSecretKept { kind } => (
            format!("{name} is saved, but still uses the old {}.", kind.noun()),
            "Test the new one, then save again.".into(),
            Tone::Warn,
        ),
        SaveEffect::TurnedOff => (
            format!("{name} is inactive."),
            "Nothing syncs and nothing is checked. Its settings and access token are kept.".into(),
            Tone::Info,
        ),
        SaveEffect::Again => return None,
    };
    let (text, link) = if is_on {
        (text, (urls::CARTS.to_owned(), "See all carts".to_owned()))
    } else {
        let off = format!("{text} Ecommerce Integration is off, so nothing syncs yet.");
        (off.trim().to_owned(), (urls::SWITCH_BEFORE_ADDING.to_owned(), "Turn it on".to_owned()))
    };
    Some(Banner { title, text, link: Some(link), short: "Saved".into(), tone })
}

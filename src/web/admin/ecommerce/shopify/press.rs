//! What pressing *Save*, *Test Connection* and the small buttons of the editor comes to: the verb of the domain, then a redirect,
//! a stream, or the form again with every complaint.

use axum::{
    http::StatusCode,
    response::{IntoResponse, Redirect, Response},
};

use super::{
    connection_test,
    editor::{self, Editor},
    form::{Posted, Understanding, understand_address},
    general::{EditorForm, General, SecretState, Stage},
    practice_panel,
};
use crate::{
    app::App,
    ecommerce::{
        CartId, Edit, Effect, Refusal, SaveError, Saved, Submission, TestSubject, shopify::address::StoreAddress,
    },
    web::{
        error::Error,
        fields::Complaint,
        page::Page,
        session::Session,
        shell::{Banner, Shell, Tone},
    },
};

/// Who sent which form.
pub struct Press<'a> {
    pub app: &'a App,
    pub shell: Shell,
    pub session: &'a Session,
    /// The cart that the form was drawn for; `None` while it is new.
    pub cart: Option<CartId>,
}

/// *Save*, or a button that only redraws the form.
pub async fn save(press: Press<'_>, mut posted: Posted) -> Result<Response, Error> {
    let is_overwrite = match posted.intent.take().as_deref() {
        None => false,
        Some("overwrite") => true,
        Some(intent) => return press.redraw(intent, posted).await,
    };
    let version = posted.version;
    let Understanding { mut form, submission, address, stray } = posted.understand();
    form.complain_of_group();
    let Some(submission) = submission.filter(|_| form.item_group.complaint.is_none()) else {
        press.keep(&mut form, address.as_ref(), stray).await?;
        press.ask_too(&mut form).await?;
        return press.refuse(form).await;
    };
    // If the save is refused, the secret need not be typed again.
    press.hold(&mut form, &submission).await?;
    let address = submission.address.clone();
    let visitor = press.session.visitor();
    let outcome = match (press.cart, version) {
        (Some(id), Some(version)) => {
            let edit = Edit { version, settings: form.asked.clone(), is_overwrite };
            press.app.ecommerce.update(visitor, id, edit, submission).await
        }
        (Some(_), None) => Err(SaveError::Gone),
        (None, _) => press.app.ecommerce.add(visitor, submission).await,
    };
    match outcome {
        Ok(saved) => press.saved(&saved).await,
        Err(error) => press.refuse_save(form, &address, error).await,
    }
}

/// *Test Connection*: streams what is found.
pub async fn test(press: Press<'_>, mut posted: Posted, is_partial: bool) -> Result<Response, Error> {
    if let Some(intent) = posted.intent.take() {
        return press.redraw(&intent, posted).await;
    }
    let version = posted.version;
    let Understanding { mut form, submission, address, stray } = posted.understand();
    let Some(submission) = submission else {
        press.keep(&mut form, address.as_ref(), stray).await?;
        press.ask_too(&mut form).await?;
        return press.refuse(form).await;
    };
    if press.cart.is_some() && version.is_none() {
        return Err(Error::UnreadableForm(StatusCode::BAD_REQUEST));
    }
    let Submission { id: submission, address, offered, .. } = submission;
    let host = address.host();
    let subject = TestSubject { submission, cart: press.cart.zip(version), address: address.clone(), offered };
    let running = match press.app.ecommerce.test(press.session.visitor(), subject).await {
        Ok(running) => running,
        Err(Refusal::Broken(broken)) => return Err(broken.into()),
        Err(refusal) => return press.refuse_save(form, &address, refusal.into()).await,
    };
    let Press { app, shell, session, cart } = press;
    let cart = match cart {
        Some(id) => app.ecommerce.find(id).await?,
        None => None,
    };
    let frame = if is_partial {
        None
    } else {
        editor::receive_unsaved(app, session, &mut form, cart.as_ref().map(|cart| cart.id), Some(&address)).await?;
        let editor = Editor { app, shell: shell.clone(), cart: cart.clone(), form, report: None };
        let html = askama::Template::render(&Box::pin(editor.page(Stage::Testing)).await?)?;
        let (head, tail) = General::halves(&html);
        Some((head.to_owned(), tail.to_owned()))
    };
    Ok(connection_test::stream(app.clone(), shell, cart, frame, host, running))
}

impl Press<'_> {
    /// Seals a typed credential for this form, so that whatever happens next it need not be typed again.
    async fn hold(&self, form: &mut EditorForm, submission: &Submission) -> Result<(), Error> {
        if let crate::ecommerce::Offered::Typed(credential) = &submission.offered {
            self.app
                .ecommerce
                .hold(&self.session.visitor(), submission.id, self.cart, &submission.address, credential)
                .await?;
            form.receive(credential.ending());
        }
        Ok(())
    }

    /// A secret of a refused form rests sealed where its store is known; otherwise nobody may keep it.
    async fn keep(
        &self,
        form: &mut EditorForm,
        address: Option<&StoreAddress>,
        stray: Option<crate::ecommerce::shopify::credential::Credential>,
    ) -> Result<(), Error> {
        match (stray, address, form.submission.parse()) {
            (Some(credential), Some(address), Ok(id)) => {
                self.app.ecommerce.hold(&self.session.visitor(), id, self.cart, address, &credential).await?;
                form.receive(credential.ending());
            }
            (Some(_), _, _) => {
                let view = form.secret_mut();
                view.note = Some("We have not kept what you typed here. Enter it again.".into());
                view.is_warning = true;
            }
            (None, address, _) => editor::receive_unsaved(self.app, self.session, form, self.cart, address).await?,
        }
        Ok(())
    }

    /// A new cart needs a secret: said with the other complaints, not after them. One that rests with this form for an
    /// address that was since mistyped is not asked for again.
    async fn ask_too(&self, form: &mut EditorForm) -> Result<(), Error> {
        let view = form.secret_mut();
        let is_missing = view.state == SecretState::Empty && view.complaint.is_none() && view.note.is_none();
        let Ok(id) = form.submission.parse() else { return Ok(()) };
        if self.cart.is_none()
            && is_missing
            && !self.app.ecommerce.has_unsaved(&self.session.visitor(), id, self.cart).await?
        {
            form.ask_for_secret(false);
        }
        Ok(())
    }

    /// The form again, with its complaints.
    async fn refuse(self, form: EditorForm) -> Result<Response, Error> {
        Ok(Page::refused(self.page(form).await?).into_response())
    }

    async fn page(self, form: EditorForm) -> Result<General, Error> {
        let Press { app, shell, cart, .. } = self;
        let cart = match cart {
            Some(id) => Some(app.ecommerce.find(id).await?.ok_or(Error::NotFound)?),
            None => None,
        };
        Box::pin(Editor { app, shell, cart, form, report: None }.page(Stage::Typed)).await
    }

    /// Why a form that reads well cannot be saved or tested.
    async fn refuse_save(
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
                let link =
                    (format!("/admin/ecommerce/shopify/{}/general", CartId(other.id)), format!("Open {}", other.name));
                let sentence =
                    format!("**{}** already uses this store. Open it instead of adding it again.", other.name);
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

    /// The small buttons: each draws the form again with everything typed.
    async fn redraw(mut self, intent: &str, posted: Posted) -> Result<Response, Error> {
        let submission = posted.submission;
        let practice_now = posted.practice_now.clone().unwrap_or_default();
        let Understanding { mut form, address, stray, submission: understood } = posted.understand();
        // A redraw is no submit: it complains of nothing.
        form.website_name.complaint = None;
        form.api_url.complaint = None;
        form.client_id.complaint = None;
        form.access_token.complaint = None;
        form.client_secret.complaint = None;
        let typed = match understood.map(|submission| submission.offered) {
            Some(crate::ecommerce::Offered::Typed(credential)) => Some(credential),
            _ => stray,
        };
        self.keep(&mut form, address.as_ref(), typed).await?;
        match intent.split_once(':').unwrap_or((intent, "")) {
            ("replace", _) => form.secret_mut().state = SecretState::Replacing,
            ("different", _) => {
                self.app.ecommerce.forget_unsaved(&self.session.visitor(), submission, self.cart).await?;
                form.secret_mut().state = if self.cart.is_some() { SecretState::Replacing } else { SecretState::Empty };
            }
            ("keep", _) => {
                self.app.ecommerce.forget_unsaved(&self.session.visitor(), submission, self.cart).await?;
                form.secret_mut().state = SecretState::Saved;
            }
            // Taking another store's name empties the secret: it was entered for the old one.
            ("use", handle) => {
                self.app.ecommerce.forget_unsaved(&self.session.visitor(), submission, self.cart).await?;
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
        Ok(Page::ok(self.page(form).await?).into_response())
    }

    /// *Fill in*: writes the practice store's address and lays its secret into the draft, so that none stands in a page.
    async fn fill(&self, form: &mut EditorForm, submission: uuid::Uuid, handle: &str) -> Result<(), Error> {
        use crate::ecommerce::shopify::credential::Credential;
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
            self.app.ecommerce.hold(&self.session.visitor(), submission, self.cart, &address, &credential).await?;
            form.receive(credential.ending());
        }
        Ok(())
    }

    /// Back to the editor, where the next step is.
    async fn saved(self, saved: &Saved) -> Result<Response, Error> {
        let is_on = self.app.ecommerce.integration().await?.is_active;
        if let Some(banner) = banner(saved, is_on) {
            self.session.leave(self.app, &banner).await?;
        }
        Ok(Redirect::to(&format!("/admin/ecommerce/shopify/{}/general", saved.cart)).into_response())
    }
}

/// What a save did, in words; nothing where the same form came before, whose words stand.
fn banner(saved: &Saved, is_on: bool) -> Option<Banner> {
    let Saved { name, effect, .. } = saved;
    let ends =
        |ending: &Option<String>| ending.as_ref().map(|ending| format!(" (ends in {ending})")).unwrap_or_default();
    let (title, text, tone) = match effect {
        Effect::Connected => (format!("{name} is saved and connected."), String::new(), Tone::Ok),
        Effect::ConnectedWithLimits => {
            (format!("{name} is saved and connected, with limits."), "See below what is missing.".into(), Tone::Warn)
        }
        Effect::Draft { active_was_ticked: false } => {
            (format!("{name} is saved as a draft."), "Test the connection before you turn it on.".into(), Tone::Info)
        }
        Effect::Draft { active_was_ticked: true } => (
            format!("{name} is saved as a draft."),
            "Active takes effect when the test has passed and you save.".into(),
            Tone::Info,
        ),
        Effect::Inactive => {
            (format!("{name} is saved and inactive."), "Turn on Active when you are ready to sync.".into(), Tone::Info)
        }
        Effect::Kept => (format!("{name} is saved."), String::new(), Tone::Ok),
        Effect::NewSecret { kind, ending } => {
            (format!("{name} is saved."), format!("The new {}{} is in use.", kind.noun(), ends(ending)), Tone::Ok)
        }
        Effect::OldSecretKept { kind } => (
            format!("{name} is saved, but still uses the old {}.", kind.noun()),
            "Test the new one, then save again.".into(),
            Tone::Warn,
        ),
        Effect::TurnedOff => (
            format!("{name} is inactive."),
            "Nothing syncs and nothing is checked. Its settings and access token are kept.".into(),
            Tone::Info,
        ),
        Effect::Again => return None,
    };
    let (text, link) = if is_on {
        (text, ("/admin/ecommerce".to_owned(), "See all carts".to_owned()))
    } else {
        let off = format!("{text} Ecommerce Integration is off, so nothing syncs yet.");
        (off.trim().to_owned(), ("/admin/ecommerce/switch?to=add".to_owned(), "Turn it on".to_owned()))
    };
    Some(Banner { title, text, link: Some(link), short: "Saved".into(), tone })
}

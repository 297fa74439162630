//! The tab General of the editor, for a new cart and a saved one. Plain data, filled by the request handlers. Never
//! holds a secret, only that there is one and how it ends.

use askama::Template;
use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use uuid::Uuid;

use axum::response::Redirect;

use super::connection_test::{GUIDE_MARK, TEST_MARK, TestView};
use super::editor::{self, Editor};
use super::form::PostedForm;
use super::guide::Guide;
use super::practice_panel::PracticePanel;
use super::settings::SettingsSection;
use super::shown_result;
use super::submit::{self, EditorSubmit};
use super::{CartHead, Kind};
use crate::app::App;
use crate::direction::bidi_isolate;
use crate::ecommerce::settings::{ItemGroupError, SettingsInput};
use crate::ecommerce::{CartId, Status};
use crate::web::error::{Error, FormStash};
use crate::web::fields::{Complaint, FieldProblem, FormField};
use crate::web::filters::{self, Moment};
use crate::web::form::{Form, Path};
use crate::web::page::HtmlPage;
use crate::web::session::CurrentSession;
use crate::web::shell::Shell;

/// The editor. Contains the mark [`TEST_MARK`] once, where a streamed test is inserted.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/general.html")]
pub struct General {
    pub shell: Shell,
    /// `None` while the cart is new.
    pub cart: Option<CartHead>,
    pub form: EditorForm,
    pub stage: Stage,
    /// The result to show above the form.
    pub test: Option<TestView>,
    pub guide: Guide,
    pub practice: Option<PracticePanel>,
    /// The other settings, available after the first save.
    pub settings: Option<SettingsSection>,
}

/// The content of the rendered form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nothing, or the saved values.
    #[default]
    Loaded,
    /// Typed values that are not saved: after a test, a complaint or a button of the form. Leaving the page asks first.
    Typed,
    /// The same, around a running test; the title says so.
    Testing,
}

/// The form's fields as rendered. Posts `csrf`, `submission`, `version`, `website_name`, `api_url`, `credential_kind`,
/// `access_token`, `client_id`, `client_secret`, `active` (`on`), those of [`SettingsSection`] and from some buttons
/// `intent`.
#[derive(Clone, Debug, Default)]
pub struct EditorForm {
    pub website_name: FormField,
    pub api_url: FormField,
    /// The green line under API URL.
    pub understood: Option<AddressHint>,
    pub kind: Kind,
    pub access_token: SecretView,
    pub client_id: FormField,
    pub client_secret: SecretView,
    pub active: bool,
    /// The other settings as typed; `None` if the form had none, or was just loaded.
    pub asked: Option<SettingsInput>,
    /// Item group as typed, and why a save refuses it.
    pub item_group: FormField,
    pub group_error: Option<ItemGroupError>,
    /// Makes a double submit one save.
    pub submission: String,
    /// The version that was loaded; `None` while the cart is new.
    pub version: Option<i64>,
}

/// The store that API URL was parsed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressHint {
    /// Such as `northwind-tea.myshopify.com`.
    pub host: String,
    /// A sentence after it, such as "We added .myshopify.com."
    pub more: Option<String>,
}

/// A secret field as rendered: always empty.
#[derive(Clone, Debug, Default)]
pub struct SecretView {
    pub state: SecretState,
    pub complaint: Option<Complaint>,
    /// A confirmation of receipt or a warning, shown under the field.
    pub note: Option<String>,
    /// Whether `note` is a warning.
    pub is_warning: bool,
    /// The saved secret, if there is one.
    pub saved: Option<SavedSecret>,
}

/// The four states of a secret field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SecretState {
    /// An input.
    #[default]
    Empty,
    /// No input: the saved secret, and *Replace token* (`intent=replace`).
    Saved,
    /// An input next to the saved secret; *Keep the saved token* is `intent=keep`.
    Replacing,
    /// No input: typed and not yet saved; *Enter a different token* is `intent=different`. The ending, if it is shown.
    Received { ending: Option<String> },
}

/// The parts of a saved secret that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SavedSecret {
    /// The last four characters; `None` under 20 characters.
    pub ending: Option<String>,
    pub added_by: String,
    /// The day, as `filters::date` writes it.
    pub added_on: String,
    /// Client credentials only: when the current token was refreshed.
    pub renewed: Option<Moment>,
}

impl General {
    /// Splits the page into what comes before the test and what comes after it.
    pub fn halves(html: &str) -> (&str, &str) {
        html.split_once(TEST_MARK).unwrap_or((html, ""))
    }

    fn problems(&self) -> Vec<FieldProblem> {
        let form = &self.form;
        let (token, secret) = (&form.access_token.complaint, &form.client_secret.complaint);
        let mut fields = vec![("website_name", &form.website_name.complaint), ("api_url", &form.api_url.complaint)];
        match form.kind {
            Kind::AccessToken => fields.push(("access_token", token)),
            Kind::ClientCredentials => {
                fields.extend([("client_id", &form.client_id.complaint), ("client_secret", secret)]);
            }
        }
        fields.push(("item_group", &form.item_group.complaint));
        FieldProblem::list(&fields)
    }

    /// The text after the colon of the h1.
    fn name(&self) -> &str {
        self.cart.as_ref().map_or("Shopify", |cart| cart.name.as_str())
    }

    fn title(&self) -> String {
        let page = format!("ECommerce Integration Editor: {}", bidi_isolate(self.name()));
        match (&self.shell.banner, self.stage) {
            _ if !self.problems().is_empty() => format!("Error: {page}"),
            (_, Stage::Testing) => format!("Testing – {page}"),
            (Some(_), _) => format!("{}{}", self.shell.title_prefix(), bidi_isolate(self.name())),
            _ => page,
        }
    }

    fn base(&self) -> String {
        self.cart.as_ref().map_or_else(|| "/admin/ecommerce/shopify/new".into(), CartHead::base)
    }

    fn save_url(&self) -> String {
        if self.cart.is_some() { format!("{}/general", self.base()) } else { self.base() }
    }

    fn test_url(&self) -> String {
        format!("{}/connection-tests", self.base())
    }

    fn is_draft(&self) -> bool {
        self.cart.as_ref().is_some_and(|cart| cart.status.status == Status::Draft)
    }

    fn active_hint(&self) -> &'static str {
        match &self.cart {
            None => "Start syncing once the test has passed.",
            Some(_) if self.is_draft() => "This cart turns on when its test passes.",
            Some(_) => "Sync this cart.",
        }
    }

    /// *Active* for users who may not change it.
    fn active_words(&self) -> &'static str {
        match self.form.active {
            true if self.is_draft() => "On when the test passes",
            true => "On",
            false => "Off",
        }
    }

    fn host(&self) -> &str {
        self.form.understood.as_ref().map_or("", |understood| understood.host.as_str())
    }
}

/// GET `/admin/ecommerce/shopify/new`.
pub async fn new(State(app): State<App>, shell: Shell) -> Result<Response, Error> {
    if !app.ecommerce.integration().await?.is_active {
        return Ok(Redirect::to("/admin/ecommerce/switch?to=add").into_response());
    }
    let editor = Editor { app: &app, shell, cart: None, form: editor::blank(), report: None, changed: None };
    Ok(HtmlPage::ok(editor.page(Stage::Loaded).await?).into_response())
}

/// GET `/admin/ecommerce/shopify/{cart}/general`.
pub async fn edit(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    Path(id): Path<Uuid>,
) -> Result<HtmlPage<General>, Error> {
    let cart = app.ecommerce.find(CartId(id)).await?.ok_or(Error::NotFound)?;
    let mut form = editor::of_cart(&cart);
    editor::resume(&app, &session, &cart, &mut form).await?;
    let (report, changed) = shown_result::of(&app, &session, &form, Some(&cart)).await?.unzip();
    let editor = Editor { app: &app, shell, cart: Some(cart), form, report, changed: changed.flatten() };
    Ok(HtmlPage::ok(editor.page(Stage::Loaded).await?))
}

/// POST `/admin/ecommerce/shopify/new`.
pub async fn create(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    Box::pin(submit::save(EditorSubmit { app: &app, shell, desk, session: &session, cart: None }, posted)).await
}

/// POST `/admin/ecommerce/shopify/{cart}/general`.
pub async fn update(
    State(app): State<App>,
    shell: Shell,
    session: CurrentSession,
    desk: FormStash,
    Path(id): Path<Uuid>,
    Form(posted): Form<PostedForm>,
) -> Result<Response, Error> {
    Box::pin(submit::save(EditorSubmit { app: &app, shell, desk, session: &session, cart: Some(CartId(id)) }, posted))
        .await
}

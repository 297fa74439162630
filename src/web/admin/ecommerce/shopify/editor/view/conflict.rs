//! Conflicting saves: shows the other user's values next to yours, or what you typed if the cart was deleted. Nothing
//! is overwritten unseen. A secret is compared as "New token" or "No change" and never shown.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::settings::label;
use crate::web::admin::ecommerce::shopify::{
    CartHead, Kind,
    editor::form_state::{EditorForm, SecretState},
};
use crate::{
    carts::{
        Cart, OtherSettings,
        settings::{CartSettings, Setting},
    },
    direction::bidi_isolate,
    web::admin::{
        filters::{self, Moment},
        page::HtmlPage,
        shell::Shell,
    },
};

/// Another user saved while this form was open. Posts the whole form again with `intent=overwrite` or `intent=edit`.
#[derive(Debug, Template)]
#[template(path = "admin/ecommerce/shopify/conflict.html")]
pub struct ConflictPage {
    pub shell: Shell,
    pub cart: CartHead,
    /// Who saved first: "Sam Lee".
    pub by: String,
    /// The first name, for "Keep Sam's changes".
    pub by_first: String,
    pub at: Moment,
    /// Only fields that differ.
    pub rows: Vec<ConflictRow>,
    /// Whether the cart was deleted meanwhile: `rows` then holds only what was typed, in `yours`.
    pub is_deleted: bool,
    /// Whether the other save was by the current user, in another tab.
    pub is_own: bool,
    /// Every field of the form as sent except secrets, as hidden inputs; `version` is the current one in the database.
    pub hidden: Vec<(String, String)>,
}

/// A field in which the two versions differ.
#[derive(Clone, Debug)]
pub struct ConflictRow {
    /// The label of the field.
    pub field: String,
    /// Secrets: "New token, ends in 77ab" or "No change".
    pub theirs: String,
    pub yours: String,
}

impl ConflictPage {
    fn title(&self) -> String {
        match (self.is_own, self.is_deleted) {
            (true, true) => "You deleted this cart in another tab".into(),
            (true, false) => "You changed this cart in another tab".into(),
            (false, true) => format!("{} deleted this cart", bidi_isolate(&self.by)),
            (false, false) => "Someone else changed this cart".into(),
        }
    }
}

impl IntoResponse for ConflictPage {
    fn into_response(self) -> Response {
        HtmlPage(self, StatusCode::CONFLICT).into_response()
    }
}

pub fn first_name(name: &str) -> String {
    name.split(' ').next().unwrap_or_default().to_owned()
}

fn row(field: impl Into<String>, theirs: impl Into<String>, yours: impl Into<String>) -> ConflictRow {
    ConflictRow { field: field.into(), theirs: theirs.into(), yours: yours.into() }
}

/// The connection fields that differ.
pub fn rows_of_connection(form: &EditorForm, theirs: &Cart) -> Vec<ConflictRow> {
    let on = |is_on: bool| if is_on { "On" } else { "Off" };
    let saved = theirs.credential.as_ref();
    let kind = saved.map_or(form.kind, |saved| saved.kind);
    let mut rows = vec![
        row("Website Name", &theirs.website_name, &form.website_name.value),
        row("API URL", theirs.address.admin_url(), &form.api_url.value),
        row("What does your Shopify app give you?", option(kind), option(form.kind)),
    ];
    if kind == Kind::ClientCredentials && form.kind == kind {
        let id = saved.and_then(|saved| saved.client_id.clone()).unwrap_or_default();
        rows.push(row("Client ID", id, &form.client_id.value));
    }
    rows.push(row(form.kind.label(), their_secret(form, theirs), your_secret(form)));
    rows.push(row("Active", on(theirs.wants_active()), on(form.active)));
    rows.retain(|row| row.theirs != row.yours);
    rows
}

/// The label of the option in the form.
const fn option(kind: Kind) -> &'static str {
    match kind {
        Kind::AccessToken => "Access Token",
        Kind::ClientCredentials => "Client ID and Client secret",
    }
}

const NO_CHANGE: &str = "No change";

fn new_secret(kind: Kind, ending: Option<&str>) -> String {
    let noun = if kind == Kind::AccessToken { "token" } else { "Client secret" };
    ending.map_or_else(|| format!("New {noun}"), |ending| format!("New {noun}, ends in {ending}"))
}

fn their_secret(form: &EditorForm, theirs: &Cart) -> String {
    if form.version.is_none_or(|version| theirs.secret_version <= version) {
        return NO_CHANGE.into();
    }
    match &theirs.credential {
        Some(saved) => new_secret(saved.kind, saved.ending.as_deref()),
        None => "Disconnected".into(),
    }
}

fn your_secret(form: &EditorForm) -> String {
    let view = if form.kind == Kind::AccessToken { &form.access_token } else { &form.client_secret };
    match &view.state {
        SecretState::Received { ending } => new_secret(form.kind, ending.as_deref()),
        _ => NO_CHANGE.into(),
    }
}

/// The other settings that differ, as saving yours would leave them.
pub fn rows_of_settings(form: &EditorForm, theirs: &OtherSettings, product: &str) -> Vec<ConflictRow> {
    let Some(asked) = &form.asked else { return Vec::new() };
    let yours = theirs.saved.with(asked, &theirs.granted);
    let words = |settings: &CartSettings, setting| settings.words(setting, |id| theirs.locations.name(id));
    let rows = Setting::ALL.map(|one| row(label(one, product), words(&theirs.saved, one), words(&yours, one)));
    rows.into_iter().filter(|row| row.theirs != row.yours).collect()
}

/// The typed values, if there is nothing left to compare them with.
pub fn typed_rows(form: &EditorForm, product: &str) -> Vec<ConflictRow> {
    let mut rows = vec![row("Website Name", "", &form.website_name.value), row("API URL", "", &form.api_url.value)];
    if form.kind == Kind::ClientCredentials {
        rows.push(row("Client ID", "", &form.client_id.value));
    }
    if let Some(asked) = &form.asked {
        let none = CartSettings::default();
        let words = |settings: &CartSettings, setting| settings.words(setting, str::to_owned);
        // The names of its locations were deleted with the cart.
        let told = Setting::ALL.into_iter().filter(|setting| *setting != Setting::Locations);
        let differs = told.filter(|setting| words(&asked.settings, *setting) != words(&none, *setting));
        rows.extend(differs.map(|setting| row(label(setting, product), "", words(&asked.settings, setting))));
    }
    rows
}

//! What the editor's form holds: as typed, as parsed and as saved. No markup, and never a secret, only that there is one
//! and how it ends.

mod complaints;
pub mod posted;
pub mod saved;

use super::super::Kind;
use crate::{
    carts::settings::{ItemGroupError, SettingsInput},
    web::admin::{
        fields::{Complaint, FormField},
        filters::Moment,
    },
};

/// The form's fields as rendered. Posts `csrf`, `submission`, `version`, `website_name`, `api_url`, `credential_kind`,
/// `access_token`, `client_id`, `client_secret`, `active` (`on`), those of the settings and from some buttons
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

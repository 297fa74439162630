//! What a user or a program must correct before a cart can be saved: the field, the class and the sentence, for the form
//! and the API alike.

use super::SaveError;
use crate::{
    direction::bidi_isolate,
    platforms::{CredentialKind, StoreAddress},
};

/// A field of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SubmittedField {
    WebsiteName,
    ApiUrl,
    /// The secret of the submitted kind of credential.
    Secret,
    ItemGroup,
}

/// A complaint at one field. The sentence may contain `**` around a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaveComplaint {
    pub field: SubmittedField,
    /// Identifies the mistake in the page and in the API.
    pub class: &'static str,
    pub sentence: String,
}

impl SaveError {
    /// The complaint about a submission with this kind of credential and this address; `None` if no field is at fault.
    pub fn complaint(&self, kind: CredentialKind, address: &StoreAddress) -> Option<SaveComplaint> {
        let (field, class, sentence) = match self {
            Self::Broken(_) | Self::Conflict(_) | Self::Gone => return None,
            Self::NameTaken(_) => (SubmittedField::WebsiteName, "NAME_TAKEN", self.to_string()),
            Self::SameStore(other) => {
                let name = bidi_isolate(&other.name);
                let sentence = format!("**{name}** already uses this store. Open it instead of adding it again.");
                (SubmittedField::ApiUrl, "DUPLICATE", sentence)
            }
            Self::PracticeOff => (SubmittedField::ApiUrl, "PRACTICE_OFF", self.to_string()),
            Self::WrongStore { .. } => (SubmittedField::ApiUrl, "WRONG_STORE", format!("{self}.")),
            Self::ItemGroup(error) => (SubmittedField::ItemGroup, error.class(), error.to_string()),
            Self::SecretUntested { .. } => (SubmittedField::Secret, "SECRET_UNTESTED", self.to_string()),
            Self::SecretMissing { was_there } => return Some(missing_secret(kind, *was_there)),
            Self::StoreChanged => return Some(secret_of_other_store(kind, address)),
        };
        Some(SaveComplaint { field, class, sentence })
    }
}

/// The secret is missing; `was_there` if its draft has expired.
pub fn missing_secret(kind: CredentialKind, was_there: bool) -> SaveComplaint {
    let (class, sentence) = match (kind, was_there) {
        (CredentialKind::AccessToken, false) => ("TOKEN_EMPTY", "Enter the access token"),
        (CredentialKind::AccessToken, true) => {
            ("TOKEN_EMPTY", "Enter the access token again. We keep an unsaved one for 30 minutes only")
        }
        (CredentialKind::ClientCredentials, false) => ("CLIENT_SECRET_EMPTY", "Enter the Client secret"),
        (CredentialKind::ClientCredentials, true) => {
            ("CLIENT_SECRET_EMPTY", "Enter the Client secret again. We keep an unsaved one for 30 minutes only")
        }
    };
    SaveComplaint { field: SubmittedField::Secret, class, sentence: sentence.to_owned() }
}

/// Another store was entered without its secret.
fn secret_of_other_store(kind: CredentialKind, address: &StoreAddress) -> SaveComplaint {
    let (noun, what) = match kind {
        CredentialKind::AccessToken => ("access token", "token"),
        CredentialKind::ClientCredentials => ("Client secret", "secret"),
    };
    let sentence = format!(
        "You changed the store. Enter the {noun} for **{}**. We do not send one store's {what} to another",
        address.handle()
    );
    SaveComplaint { field: SubmittedField::Secret, class: "STORE_CHANGED", sentence }
}

//! Complaints and notes at the fields of the editor's form: what was received, and what must be entered.

use super::{EditorForm, SecretState, SecretView};
use crate::{platforms::shopify::address::StoreAddress, web::admin::fields::Complaint};

impl EditorForm {
    /// The secret field of the selected kind.
    pub fn secret_mut(&mut self) -> &mut SecretView {
        if self.kind.is_token() { &mut self.access_token } else { &mut self.client_secret }
    }

    /// Marks a typed secret as received, with its ending.
    pub fn receive(&mut self, ending: Option<String>) {
        self.secret_mut().state = SecretState::Received { ending };
    }

    /// Shows the error of the item group at its field.
    pub fn complain_of_group(&mut self) {
        self.item_group.complaint = self.group_error.map(|error| Complaint::new(error.class(), error.to_string()));
    }

    /// Complains that the secret is missing; `was_there` if its draft has expired.
    pub fn ask_for_secret(&mut self, was_there: bool) {
        let (class, sentence) = match (self.kind.is_token(), was_there) {
            (true, false) => ("TOKEN_EMPTY", "Enter the access token"),
            (true, true) => ("TOKEN_EMPTY", "Enter the access token again. We keep an unsaved one for 30 minutes only"),
            (false, false) => ("CLIENT_SECRET_EMPTY", "Enter the Client secret"),
            (false, true) => {
                ("CLIENT_SECRET_EMPTY", "Enter the Client secret again. We keep an unsaved one for 30 minutes only")
            }
        };
        self.demand(class, sentence.into());
    }

    /// Complains that another store was entered without its secret.
    pub fn ask_for_secret_of(&mut self, address: &StoreAddress) {
        let noun = if self.kind.is_token() { "access token" } else { "Client secret" };
        let what = if self.kind.is_token() { "token" } else { "secret" };
        let sentence = format!(
            "You changed the store. Enter the {noun} for **{}**. We do not send one store's {what} to another",
            address.handle()
        );
        self.demand("STORE_CHANGED", sentence);
    }

    fn demand(&mut self, class: &'static str, sentence: String) {
        let view = self.secret_mut();
        view.state = if view.saved.is_some() { SecretState::Replacing } else { SecretState::Empty };
        view.complaint = Some(Complaint::new(class, sentence));
    }
}

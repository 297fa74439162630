//! Complaints and notes at the fields of the editor's form: what was received, and what must be entered.

use super::{EditorForm, SecretState, SecretView};
use crate::{
    carts::{SaveComplaint, SubmittedField},
    web::admin::fields::Complaint,
};

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

    /// Shows a complaint at its field, with the address and label of a link.
    pub fn complain(&mut self, complaint: SaveComplaint, link: Option<(String, String)>) {
        let SaveComplaint { field, class, sentence } = complaint;
        let complaint = Some(Complaint { class, sentence, link });
        match field {
            SubmittedField::WebsiteName => self.website_name.complaint = complaint,
            SubmittedField::ApiUrl => self.api_url.complaint = complaint,
            SubmittedField::ItemGroup => self.item_group.complaint = complaint,
            SubmittedField::Secret => {
                let view = self.secret_mut();
                view.state = if view.saved.is_some() { SecretState::Replacing } else { SecretState::Empty };
                view.complaint = complaint;
            }
        }
    }
}

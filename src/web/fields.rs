//! Form fields as the browser sent them, each with the complaint that we answer with.

use secrecy::SecretString;

/// Why a field is refused: `data-class`, a sentence, and where it helps a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub class: &'static str,
    pub sentence: String,
    /// Address and text of one link behind the sentence.
    pub link: Option<(String, String)>,
}

/// A text field; what was typed is drawn again, right or wrong.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub value: String,
    pub complaint: Option<Complaint>,
    /// A line under the field that is no complaint, such as "We'll connect to …".
    pub note: Option<String>,
}

/// A secret field: always drawn empty.
#[derive(Debug, Default)]
pub struct SecretField {
    pub typed: Option<SecretString>,
    pub complaint: Option<Complaint>,
    /// A warning or a receipt, such as "Token received, ends in 1f3c."
    pub note: Option<String>,
    /// Whether `note` is a warning.
    pub is_warning: bool,
}

//! Form fields as sent by the browser, each with its complaint.

/// Why a field is refused: its `data-class`, a sentence, and a link if one helps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub class: &'static str,
    /// Plain text; `**words**` are rendered in bold.
    pub sentence: String,
    /// Address and text of one link after the sentence.
    pub link: Option<(String, String)>,
}

impl Complaint {
    pub fn new(class: &'static str, sentence: impl Into<String>) -> Self {
        Self { class, sentence: sentence.into(), link: None }
    }
}

/// A text field; what was typed is rendered again, valid or not.
#[derive(Clone, Debug, Default)]
pub struct FormField {
    pub value: String,
    pub complaint: Option<Complaint>,
    /// A line under the field that is not a complaint, such as "We'll connect to …".
    pub note: Option<String>,
}

/// A line of the summary "There is a problem": the id of the field it links to, and the field's own sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    pub field: &'static str,
    pub sentence: String,
}

impl FieldProblem {
    /// The summary of a form, with its fields in page order.
    pub fn list(fields: &[(&'static str, &Option<Complaint>)]) -> Vec<Self> {
        fields
            .iter()
            .filter_map(|(field, complaint)| {
                complaint.as_ref().map(|complaint| Self { field, sentence: complaint.sentence.clone() })
            })
            .collect()
    }
}

//! Form fields as the browser sent them, each with the complaint that we answer with.

/// Why a field is refused: `data-class`, a sentence, and where it helps a link.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    pub class: &'static str,
    /// Plain text; `**words**` are drawn bold.
    pub sentence: String,
    /// Address and text of one link behind the sentence.
    pub link: Option<(String, String)>,
}

impl Complaint {
    pub fn new(class: &'static str, sentence: impl Into<String>) -> Self {
        Self { class, sentence: sentence.into(), link: None }
    }
}

/// A text field; what was typed is drawn again, right or wrong.
#[derive(Clone, Debug, Default)]
pub struct Field {
    pub value: String,
    pub complaint: Option<Complaint>,
    /// A line under the field that is no complaint, such as "We'll connect to …".
    pub note: Option<String>,
}

/// A line of the summary "There is a problem": the id of the field that it leads to, and the field's own sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub field: &'static str,
    pub sentence: String,
}

impl Problem {
    /// The summary of a form, from its fields in the order of the page.
    pub fn list(fields: &[(&'static str, &Option<Complaint>)]) -> Vec<Self> {
        fields
            .iter()
            .filter_map(|(field, complaint)| {
                complaint.as_ref().map(|complaint| Self { field, sentence: complaint.sentence.clone() })
            })
            .collect()
    }
}

//! The panel of the practice store above the guide. *Fill in* is a submit of the editor's form with `intent=fill:{handle}`,
//! so that no secret stands in a page or a URL.

use askama::Template;

use crate::web::filters;

/// Draws itself with `{{ panel|safe }}`; needs a form with the id `editor` on the page.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_practice_panel.html")]
pub struct PracticePanel {
    /// The three that stand open.
    pub first: Vec<PracticeCase>,
    /// Every other case, folded.
    pub others: Vec<PracticeCase>,
}

/// One practice store.
#[derive(Clone, Debug)]
pub struct PracticeCase {
    /// Such as "All is well".
    pub say: String,
    /// Such as `practice-tea`.
    pub handle: String,
}

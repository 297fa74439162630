//! The store's locations to choose from: a block of the editor that can be reloaded separately, and always shows the
//! last list that was read.

use std::collections::BTreeSet;

use askama::Template;
use time::OffsetDateTime;

use super::reason::ReasonView;
use crate::{
    platforms::shopify::locations::Locations,
    web::admin::filters::{self, Moment},
};

/// Number of locations shown at once; the others are folded.
const SHOWN: usize = 20;

/// Rendered with `{{ locations|safe }}`. Its element has the id `locations`, and its button submits the page's form
/// `again`.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_locations.html")]
pub struct LocationsBlock {
    pub all: Vec<LocationView>,
    /// Names of chosen locations that no longer exist in the store.
    pub gone: Vec<String>,
    /// Whether none of the chosen locations exists any more.
    pub are_all_gone: bool,
    /// `None` if never read.
    pub read: Option<ReadTime>,
    /// The title of the error that stopped the last read.
    pub failure: Option<String>,
    pub reason: Option<ReasonView>,
    /// Whether the reason is shown elsewhere, for all settings at once.
    pub is_untested: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocationView {
    pub id: String,
    pub name: String,
    pub is_ticked: bool,
    pub is_gone: bool,
}

/// When the list was read: as a moment, and as "the list of 21 November".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadTime {
    pub moment: Moment,
    pub day: String,
}

impl LocationsBlock {
    pub fn new(
        locations: Locations,
        ticked: &BTreeSet<String>,
        reason: Option<ReasonView>,
        now: OffsetDateTime,
    ) -> Self {
        let gone: Vec<String> = locations.gone().map(|location| location.name.clone()).collect();
        let chosen = locations.all.iter().filter(|location| location.is_chosen).count();
        let read = locations.read_at.map(|at| ReadTime { moment: Moment::new(at, now), day: filters::day(at, now) });
        let view = |location: crate::platforms::shopify::locations::Location| LocationView {
            is_ticked: ticked.contains(&location.id),
            id: location.id,
            name: location.name,
            is_gone: location.is_gone,
        };
        Self {
            are_all_gone: !gone.is_empty() && gone.len() == chosen,
            gone,
            read,
            failure: None,
            is_untested: false,
            reason,
            all: locations.all.into_iter().map(view).collect(),
        }
    }

    /// Whether there is anything to choose: more than one location, or one to untick.
    pub fn is_choice(&self) -> bool {
        self.all.len() > 1 || self.all.iter().any(|location| location.is_ticked)
    }

    /// The visible and the folded locations.
    fn halves(&self) -> (&[LocationView], &[LocationView]) {
        self.all.split_at(self.all.len().min(SHOWN))
    }

    pub fn name(&self, id: &str) -> String {
        self.all.iter().find(|location| location.id == id).map_or_else(|| id.to_owned(), |found| found.name.clone())
    }
}

//! Bulk actions: one action applied to many carts in the background, with one item per cart.
//!
//! Replicas take items by lease, so any replica continues where another one stopped. Each item is its own transaction
//! with its own audit event.

mod actions;

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{CartFilter, CartId};
use crate::audit::By;

pub use actions::BulkActions;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BulkActionId(pub Uuid);

impl std::fmt::Display for BulkActionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BulkActionKind {
    /// Tests the saved credential.
    Test,
    TurnOff,
}

impl BulkActionKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Test => "test",
            Self::TurnOff => "turn-off",
        }
    }

    pub(super) fn from_stored(text: &str) -> Self {
        if text == Self::Test.as_str() { Self::Test } else { Self::TurnOff }
    }
}

/// The carts that a bulk action applies to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BulkSelection {
    Carts(Vec<Uuid>),
    /// Every cart that matches this filter and search, on all pages of the list.
    Matching {
        filter: CartFilter,
        search: Option<String>,
    },
}

/// A bulk action and its progress, as its page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkAction {
    pub id: BulkActionId,
    pub kind: BulkActionKind,
    pub made_by: String,
    pub total: i32,
    pub is_cancelled: bool,
    pub is_finished: bool,
    /// Number of items per outcome: `connected`, `limited`, `not-connected`, `not-tested`, `off`, `off-already`,
    /// `gone`, `test-limit`, `not-permitted`.
    pub outcomes: BTreeMap<String, i64>,
}

impl BulkAction {
    pub fn done(&self) -> i64 {
        self.outcomes.values().sum()
    }

    pub const fn is_running(&self) -> bool {
        !self.is_cancelled && !self.is_finished
    }
}

/// One item of a bulk action, leased by this replica.
#[derive(Clone, Debug)]
pub(super) struct BulkItem {
    pub job: BulkActionId,
    pub position: i32,
    pub cart: CartId,
    pub kind: BulkActionKind,
    pub by: By,
}

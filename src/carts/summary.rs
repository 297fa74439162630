//! Carts as programs read them: one by its id, or a list in an order that does not change while it is read. No query
//! selects a secret.

use std::collections::BTreeSet;

use time::OffsetDateTime;
use uuid::Uuid;

use super::{CartId, Status};
use crate::causes::Class;

mod read;

/// A cart as programs read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CartSummary {
    pub id: CartId,
    pub website_name: String,
    pub store_host: String,
    pub is_active: bool,
    /// *Active* was asked for before a test passed; the first pass activates the cart.
    pub activate_on_pass: bool,
    /// The status that pages show: inactive while the integration is off, a draft without the practice store it needs.
    pub status: Status,
    /// The class of the last test or of the current problem.
    pub class: Option<Class>,
    pub title: Option<String>,
    /// Shopify's names of needed permissions that the store has not granted.
    pub missing_permissions: Vec<&'static str>,
    /// When the current problem began.
    pub failing_since: Option<OffsetDateTime>,
    pub last_good_at: Option<OffsetDateTime>,
    pub last_checked_at: Option<OffsetDateTime>,
    /// `None` if no check is scheduled.
    pub next_check_at: Option<OffsetDateTime>,
    pub version: i64,
    pub updated_at: OffsetDateTime,
}

/// A position in a list: the last cart of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SummaryCursor {
    pub id: Uuid,
    /// Set in a list of carts by their last change.
    pub updated_at: Option<OffsetDateTime>,
}

/// Which carts to list. By id, or by their last change if `updated_since` is set.
#[derive(Clone, Debug)]
pub struct SummaryQuery {
    /// Only these; `None` for all.
    pub only: Option<BTreeSet<Uuid>>,
    pub status: Option<Status>,
    pub is_active: Option<bool>,
    /// Only carts that were saved or changed by a user or a program at or after this time.
    pub updated_since: Option<OffsetDateTime>,
    pub after: Option<SummaryCursor>,
    /// Carts per page.
    pub limit: u8,
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SummaryPage {
    pub carts: Vec<CartSummary>,
    /// Set if there are more.
    pub next: Option<SummaryCursor>,
}

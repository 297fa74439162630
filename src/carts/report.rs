//! A recorded connection test.

use time::OffsetDateTime;
use uuid::Uuid;

use super::CartId;
use crate::causes::{TitleContext, Verdict};
use crate::platforms::{CredentialKind, StoreAddress};

/// A connection test as it is stored and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestReport {
    /// Also the reference that support asks for.
    pub id: Uuid,
    pub submission: Uuid,
    pub cart: Option<CartId>,
    pub address: StoreAddress,
    pub kind: CredentialKind,
    /// Whether the tested credential is the one that the cart has saved.
    pub was_saved: bool,
    pub tested_at: OffsetDateTime,
    pub verdict: Verdict,
}

impl TestReport {
    /// The verdict in one line, for the activity and the list.
    pub fn title(&self) -> String {
        let naming = TitleContext { host: &self.address.host(), credential: self.kind.noun() };
        self.verdict.title(&naming)
    }
}

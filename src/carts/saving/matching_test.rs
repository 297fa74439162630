//! The latest test of what is being saved.

use super::SaveError;
use crate::{
    carts::{Cart, Carts, TestReport, sql},
    causes::Class,
    database::Connection,
    platforms::{Credential, StoreAddress},
};

/// A test of exactly the address and credential that are being saved.
#[derive(Debug)]
pub(super) struct MatchingTest {
    pub report: TestReport,
    /// `None` for a failure, and for a pass that is too old to activate a cart.
    pub pass: Option<sql::connection_tests::PassFacts>,
}

impl Carts {
    /// Returns the latest test of exactly this address and credential. It counts as a pass if it is recent and opened
    /// the store that the cart belongs to.
    ///
    /// # Errors
    /// `SameStore` if it opened a store that another cart has, whatever its address.
    pub(super) async fn latest_test(
        &self,
        work: &mut Connection,
        address: &StoreAddress,
        credential: &Credential,
        own: Option<&Cart>,
    ) -> Result<Option<MatchingTest>, SaveError> {
        let Some((report, is_recent)) =
            sql::connection_tests::find_latest(work, &self.credentials.fingerprints(address, credential)).await?
        else {
            return Ok(None);
        };
        let was_let_in = report.verdict.outcome().passes() || report.verdict.class == Class::Duplicate;
        if let Some(store) = report.verdict.store.as_ref().filter(|_| was_let_in && is_recent)
            && let Some(other) =
                sql::cart_refs::find_by_shop(work, address.store_ref().platform, &store.shop_id, own.map(|own| own.id))
                    .await?
        {
            return Err(SaveError::SameStore(other));
        }
        let shop = own.and_then(|own| own.shop_id.as_deref());
        let pass = sql::connection_tests::PassFacts::of(&report)
            .filter(|facts| is_recent && shop.is_none_or(|shop| shop == facts.shop_id));
        // A recent pass that opened another store says nothing about this one.
        let is_of_this_store = pass.is_some() || !is_recent || !report.verdict.outcome().passes();
        Ok(is_of_this_store.then_some(MatchingTest { report, pass }))
    }
}

//! *Save my changes instead*, after somebody else had saved: an update like any other, and the activity says over whose changes.

use super::{CartId, Ecommerce, SaveError, Saved, Submission, Visitor, sql};
use crate::{
    audit::{self, CartRef, Event},
    database::transaction,
};

impl Ecommerce {
    /// Updates a cart in the version that the page of the conflict showed.
    ///
    /// # Errors
    /// The same as of an update; a conflict if somebody saved once more.
    pub async fn overwrite(
        &self,
        visitor: Visitor,
        id: CartId,
        version: i64,
        submission: Submission,
    ) -> Result<Saved, SaveError> {
        let ecommerce = self.clone();
        let (name, store) = (submission.name.as_str().to_owned(), submission.address.host());
        let outcome = transaction(&self.pool, move |work| {
            Box::pin(async move {
                let theirs = sql::lock(work, id).await?.ok_or(SaveError::Gone)?.cart;
                let saved = ecommerce.update_in(work, &visitor, id, version, submission).await?;
                let cart = CartRef { id: id.0, name: saved.name.clone() };
                let event = Event::CartOverwritten { of: theirs.updated_by };
                audit::record(work, &visitor.by, Some(&cart), &event).await?;
                Ok(saved)
            })
        })
        .await;
        self.explain(outcome, &name, &store, Some(id)).await
    }
}

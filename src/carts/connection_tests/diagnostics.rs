//! Collects the recorded facts for the diagnostics of a cart or of one test. The text itself is `diagnostics_text`.

use time::OffsetDateTime;

use super::ConnectionTests;
use crate::carts::{
    Cart, TestReport,
    diagnostics_text::{DiagnosticsInput, text},
    sql,
};

/// Maximum number of outcomes in the text.
const OUTCOMES: i64 = 10;

impl ConnectionTests {
    /// Diagnostics of one test, with the last outcomes of its cart, or of its form while no cart exists.
    pub async fn diagnostics_of_test(
        &self,
        report: &TestReport,
        cart: Option<&Cart>,
        now: OffsetDateTime,
    ) -> sqlx::Result<String> {
        let outcomes = match report.cart {
            Some(id) => sql::outcomes::list(&self.pool, id, OUTCOMES).await?,
            None => sql::outcomes::list_of_form(&self.pool, report.submission, OUTCOMES).await?,
        };
        let is_saved = |cart: &&Cart| report.was_saved || cart.last_test == Some(report.id);
        let saved = cart.filter(is_saved).and_then(|cart| cart.credential.as_ref());
        let saved_at = saved.map(|credential| credential.added_at);
        Ok(text(&DiagnosticsInput {
            report: Some(report),
            kind: Some(report.kind),
            saved_at,
            now,
            outcomes: &outcomes,
        }))
    }

    /// Diagnostics of a cart: its newest test, or the statement that it has none.
    pub async fn diagnostics(&self, cart: &Cart, now: OffsetDateTime) -> sqlx::Result<String> {
        let outcomes = sql::outcomes::list(&self.pool, cart.id, OUTCOMES).await?;
        if let Some(newest) = outcomes.first()
            && let Some(report) = self.find(newest.test).await?
        {
            return self.diagnostics_of_test(&report, Some(cart), now).await;
        }
        let credential = cart.credential.as_ref();
        let (kind, saved_at) = (credential.map(|one| one.kind), credential.map(|one| one.added_at));
        Ok(text(&DiagnosticsInput { report: None, kind, saved_at, now, outcomes: &outcomes }))
    }
}

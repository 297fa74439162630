//! Reads summaries, and derives what is shown of the stored facts.

use super::{CartSummary, SummaryCursor, SummaryPage, SummaryQuery};
use crate::{
    carts::{CartId, Carts, Status, sql, state::CartFacts},
    causes::Class,
    platforms::shopify::scopes,
};

impl Carts {
    /// Finds the cart as programs read it.
    pub async fn find_summary(&self, id: CartId) -> sqlx::Result<Option<CartSummary>> {
        let row = sql::summaries::find(&self.pool, id).await?;
        Ok(row.map(|row| self.summary(row)))
    }

    /// Lists carts; the cost of a page does not depend on its position.
    pub async fn list_summaries(&self, query: &SummaryQuery) -> sqlx::Result<SummaryPage> {
        let mut rows = sql::summaries::list(&self.pool, query, self.practices).await?;
        let has_more = rows.len() > usize::from(query.limit);
        rows.truncate(usize::from(query.limit));
        let cursor = |row: &sql::summaries::SummaryRow| SummaryCursor {
            id: row.id,
            updated_at: query.updated_since.map(|_| row.updated_at),
        };
        let next = rows.last().filter(|_| has_more).map(cursor);
        Ok(SummaryPage { carts: rows.into_iter().map(|row| self.summary(row)).collect(), next })
    }

    fn summary(&self, row: sql::summaries::SummaryRow) -> CartSummary {
        let facts = CartFacts {
            status: Status::from_stored(&row.status),
            is_active: row.is_active,
            has_credential: row.has_credential,
            is_practice: row.is_practice,
            integration_is_on: row.integration_is_on,
            practice_is_on: self.practices,
            next_check_at: row.next_check_at,
            last_checked_at: row.last_checked_at,
            // Decides only whether a check is overdue, which is not part of a summary.
            now: row.updated_at,
        };
        let state = facts.state();
        CartSummary {
            id: CartId(row.id),
            website_name: row.website_name,
            store_host: row.store_host,
            is_active: row.is_active,
            activate_on_pass: row.activate_on_pass,
            status: state.status,
            class: row.last_class.as_deref().and_then(Class::from_stored),
            title: row.last_title,
            missing_permissions: missing(row.missing_count, row.granted.as_deref()),
            failing_since: row.failing_since,
            last_good_at: row.last_good_at,
            last_checked_at: row.last_checked_at,
            next_check_at: row.next_check_at.filter(|_| state.checks.are_on()),
            version: row.version,
            updated_at: row.updated_at,
        }
    }
}

/// The needed permissions that are not granted. Their stored number tells whether the store's plan needs one more.
fn missing(count: i32, granted: Option<&[String]>) -> Vec<&'static str> {
    let Some(granted) = granted.filter(|_| count > 0) else { return Vec::new() };
    let names = |is_plus| scopes::missing_needed(granted, is_plus).into_iter().map(|one| one.scope).collect::<Vec<_>>();
    let usual = names(false);
    if i32::try_from(usual.len()).is_ok_and(|known| known >= count) { usual } else { names(true) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_permissions_are_those_that_were_counted() {
        let granted: Vec<String> = scopes::PERMISSIONS
            .iter()
            .map(|one| one.scope.to_owned())
            .filter(|scope| !["write_orders", "read_gift_cards"].contains(&scope.as_str()))
            .collect();
        assert_eq!(missing(0, Some(&granted)), [""; 0]);
        assert_eq!(missing(1, None), [""; 0]);
        assert_eq!(missing(1, Some(&granted)), ["write_orders"]);
        assert_eq!(missing(2, Some(&granted)), ["read_gift_cards", "write_orders"], "a store on Plus");
    }
}

//! A Viewer at an administrator's door. Nothing changed, so nothing but the row is written, and whoever knocks without end
//! writes no more than the limit.

use std::time::Duration;

use super::{By, Event, record};
use crate::database::{
    Pool,
    throttle::{Bucket, BucketKind, Throttle},
    transaction,
};

/// Rows that one person's refusals may make.
pub const REFUSALS: Throttle = Throttle { limit: 10, window: Duration::from_mins(10) };

/// Records that `by` was refused `page`, a route's template; past the limit it is not told again.
pub async fn record_refusal(pool: &Pool, by: By, page: &str) -> sqlx::Result<()> {
    let event = Event::WasRefused { page: without_ids(page) };
    transaction(pool, move |work| {
        Box::pin(async move {
            let person = by.actor.id().unwrap_or_default();
            if REFUSALS.count(work, Bucket::of(BucketKind::RefusedPage, &[person.as_bytes()])).await?.is_none() {
                record(work, &by, None, &event).await?;
            }
            Ok(())
        })
    })
    .await
}

fn without_ids(page: &str) -> String {
    let parts: Vec<&str> = page.split('/').map(|part| if part.starts_with('{') { "…" } else { part }).collect();
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[sqlx::test]
    async fn a_flood_of_refusals_makes_ten_rows(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        for _ in 0..25 {
            record_refusal(&pool, By::operator(), "/admin/ecommerce/shopify/{cart}/deletion").await.expect("recorded");
        }
        let pages: Vec<String> =
            sqlx::query_scalar("select data ->> 'page' from audit_events").fetch_all(&pool).await.expect("the rows");
        assert_eq!(pages, ["/admin/ecommerce/shopify/…/deletion"; 10]);
    }
}

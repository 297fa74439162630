//! Records that a Viewer was refused a page for administrators. Writes nothing else. A rate limit bounds the number of
//! rows that repeated requests write.

use std::time::Duration;

use super::{By, Event, record};
use crate::database::{
    Pool,
    throttle::{Bucket, BucketKind, Throttle},
    transaction,
};

/// Rate limit of recorded refusals per user.
pub const REFUSALS: Throttle = Throttle { limit: 10, window: Duration::from_mins(10) };

/// Records that `by` was refused `page`, a route template. Beyond the limit it writes nothing.
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
    async fn repeated_refusals_write_ten_rows(pool: sqlx::PgPool) {
        let pool = crate::database::Pool::from(&pool);
        for _ in 0..25 {
            record_refusal(&pool, By::operator(), "/admin/ecommerce/shopify/{cart}/deletion").await.expect("recorded");
        }
        let pages: Vec<String> =
            sqlx::query_scalar("select data ->> 'page' from audit_events").fetch_all(&pool).await.expect("the rows");
        assert_eq!(pages, ["/admin/ecommerce/shopify/…/deletion"; 10]);
    }
}

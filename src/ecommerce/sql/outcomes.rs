use sqlx::PgPool;
use uuid::Uuid;

use crate::ecommerce::{CartId, shopify::diagnostics::PastOutcome, verdict::Class};

/// The newest finished tests of a cart.
pub(in crate::ecommerce) async fn list_outcomes(
    pool: &PgPool,
    cart: CartId,
    limit: i64,
) -> sqlx::Result<Vec<PastOutcome>> {
    let rows = sqlx::query!(
        r#"select id, finished_at as "finished_at!", class as "class!" from connection_tests
           where cart_id = $1 and finished_at is not null and class is not null order by started_at desc limit $2"#,
        cart.0,
        limit
    )
    .fetch_all(pool)
    .await?;
    let outcome = |id, at, class: &str| Some(PastOutcome { test: id, at, class: Class::from_stored(class)? });
    Ok(rows.into_iter().filter_map(|row| outcome(row.id, row.finished_at, &row.class)).collect())
}

/// The newest finished tests of a form that no cart has come of yet.
pub(in crate::ecommerce) async fn list_unsaved_outcomes(
    pool: &PgPool,
    submission: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<PastOutcome>> {
    let rows = sqlx::query!(
        r#"select id, finished_at as "finished_at!", class as "class!" from connection_tests
           where submission_id = $1 and cart_id is null and finished_at is not null and class is not null
           order by started_at desc limit $2"#,
        submission,
        limit
    )
    .fetch_all(pool)
    .await?;
    let outcome = |id, at, class: &str| Some(PastOutcome { test: id, at, class: Class::from_stored(class)? });
    Ok(rows.into_iter().filter_map(|row| outcome(row.id, row.finished_at, &row.class)).collect())
}

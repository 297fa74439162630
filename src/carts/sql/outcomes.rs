use time::OffsetDateTime;
use uuid::Uuid;

use crate::{
    carts::{CartId, diagnostics_text::PastOutcome},
    causes::Class,
    database::Pool,
};

struct OutcomeRow {
    id: Uuid,
    finished_at: OffsetDateTime,
    class: String,
}

impl OutcomeRow {
    /// `None` for a class written by a newer version.
    fn into_outcome(self) -> Option<PastOutcome> {
        Some(PastOutcome { test: self.id, at: self.finished_at, class: Class::from_stored(&self.class)? })
    }
}

/// The newest finished tests of a cart.
pub(in crate::carts) async fn list(pool: &Pool, cart: CartId, limit: i64) -> sqlx::Result<Vec<PastOutcome>> {
    let rows = sqlx::query_as!(
        OutcomeRow,
        r#"select id, finished_at as "finished_at!", class as "class!" from connection_tests
           where cart_id = $1 and finished_at is not null and class is not null order by started_at desc limit $2"#,
        cart.0,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(OutcomeRow::into_outcome).collect())
}

/// The newest finished tests of a form that has no cart yet.
pub(in crate::carts) async fn list_of_form(
    pool: &Pool,
    submission: Uuid,
    limit: i64,
) -> sqlx::Result<Vec<PastOutcome>> {
    let rows = sqlx::query_as!(
        OutcomeRow,
        r#"select id, finished_at as "finished_at!", class as "class!" from connection_tests
           where submission_id = $1 and cart_id is null and finished_at is not null and class is not null
           order by started_at desc limit $2"#,
        submission,
        limit
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(OutcomeRow::into_outcome).collect())
}

use crate::database::{Connection, Pool};

pub(in crate::carts) async fn is_active(pool: &Pool) -> sqlx::Result<bool> {
    sqlx::query_scalar!("select is_active from ecommerce_integration").fetch_one(pool).await
}

/// Returns whether this changed anything.
pub(in crate::carts) async fn update(connection: &mut Connection, on: bool, by: &str) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update ecommerce_integration set is_active = $1, changed_at = now(), changed_by = $2 where is_active <> $1",
        on,
        by
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

use crate::{
    database::{Connection, Pool},
    ecommerce::Integration,
};

pub(in crate::ecommerce) async fn find_integration(pool: &Pool) -> sqlx::Result<Integration> {
    sqlx::query_as!(Integration, "select is_active from ecommerce_integration").fetch_one(pool).await
}

/// Returns whether this changed anything.
pub(in crate::ecommerce) async fn update_integration(
    connection: &mut Connection,
    on: bool,
    by: &str,
) -> sqlx::Result<bool> {
    let updated = sqlx::query!(
        "update ecommerce_integration set is_active = $1, changed_at = now(), changed_by = $2 where is_active <> $1",
        on,
        by
    )
    .execute(connection)
    .await?;
    Ok(updated.rows_affected() == 1)
}

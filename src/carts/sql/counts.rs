use std::collections::HashSet;

use uuid::Uuid;

use crate::{
    carts::{CartCounts, CartId, listing::COUNT_TO},
    database::{Connection, Pool},
};

// The limit is a literal in the statement, so that it is planned once.
const _: () = assert!(COUNT_TO == 100);

/// Which of these carts exist.
pub(in crate::carts) async fn list_existing(pool: &Pool, carts: &[Uuid]) -> sqlx::Result<HashSet<CartId>> {
    let there = sqlx::query_scalar!("select id from carts where id = any ($1)", carts).fetch_all(pool).await?;
    Ok(there.into_iter().map(CartId).collect())
}

/// Whether the integration is on, and the number of carts per filter; each count stops at [`COUNT_TO`].
///
/// While it is on, a count uses a single column, so that an index answers it for any number of carts.
pub(in crate::carts) async fn count(connection: &mut Connection) -> sqlx::Result<(bool, CartCounts)> {
    let row = sqlx::query!(
        r#"
        select integration.is_active,
            (select count(*) from (select from carts limit 100) c) as "all!",
            case when integration.is_active then (select count(*) from (select from carts where is_active limit 100) c)
                 else 0 end as "active!",
            case when integration.is_active then
                     (select count(*) from (select from carts where status in ('needs-attention', 'not-connected') limit 100) c)
                 else 0 end as "attention!",
            case when integration.is_active then (select count(*) from (select from carts where not is_active limit 100) c)
                 else (select count(*) from (select from carts limit 100) c) end as "inactive!"
        from ecommerce_integration integration
        "#
    )
    .fetch_one(connection)
    .await?;
    let counts = CartCounts { all: row.all, active: row.active, attention: row.attention, inactive: row.inactive };
    Ok((row.is_active, counts))
}

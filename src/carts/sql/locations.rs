use crate::database::Connection;
use time::OffsetDateTime;

use crate::{
    carts::CartId,
    platforms::{Location, Locations},
};

/// The list as the store last returned it; chosen locations come first.
pub(in crate::carts) async fn list(connection: &mut Connection, id: CartId) -> sqlx::Result<Vec<Location>> {
    sqlx::query_as!(
        Location,
        "select location_id as id, name, is_chosen, is_gone from cart_locations where cart_id = $1
         order by is_chosen desc, lower(name), location_id",
        id.0
    )
    .fetch_all(connection)
    .await
}

pub(in crate::carts) async fn find(connection: &mut Connection, id: CartId) -> sqlx::Result<Locations> {
    let read_at = sqlx::query_scalar!("select locations_read_at from carts where id = $1", id.0)
        .fetch_optional(&mut *connection)
        .await?
        .flatten();
    Ok(Locations { all: list(connection, id).await?, read_at })
}

/// Replaces the list with the store's. Chosen locations stay, and are marked as gone if the store no longer has them.
pub(in crate::carts) async fn replace(
    connection: &mut Connection,
    id: CartId,
    told: &[(String, String)],
    at: OffsetDateTime,
) -> sqlx::Result<()> {
    let (ids, names): (Vec<String>, Vec<String>) = told.iter().cloned().unzip();
    sqlx::query!(
        "delete from cart_locations where cart_id = $1 and not is_chosen and location_id <> all($2)",
        id.0,
        &ids
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("update cart_locations set is_gone = true where cart_id = $1 and location_id <> all($2)", id.0, &ids)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "insert into cart_locations (cart_id, location_id, name) select $1, * from unnest($2::text[], $3::text[])
         on conflict (cart_id, location_id) do update set name = excluded.name, is_gone = false",
        id.0,
        &ids,
        &names
    )
    .execute(&mut *connection)
    .await?;
    sqlx::query!("update carts set locations_read_at = $2 where id = $1", id.0, at).execute(connection).await.map(drop)
}

pub(in crate::carts) async fn choose(connection: &mut Connection, id: CartId, chosen: &[String]) -> sqlx::Result<()> {
    // A location that is gone and no longer chosen is not needed any more.
    sqlx::query!("delete from cart_locations where cart_id = $1 and is_gone and location_id <> all($2)", id.0, chosen)
        .execute(&mut *connection)
        .await?;
    sqlx::query!(
        "update cart_locations set is_chosen = location_id = any($2)
         where cart_id = $1 and is_chosen <> (location_id = any($2))",
        id.0,
        chosen
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Records and returns whether no chosen location exists any more; `false` if none is chosen.
pub(in crate::carts) async fn note_gone(connection: &mut Connection, id: CartId) -> sqlx::Result<bool> {
    sqlx::query_scalar!(
        "update carts set locations_gone = coalesce(
             (select bool_and(is_gone) from cart_locations where cart_id = $1 and is_chosen), false)
         where id = $1 returning locations_gone",
        id.0
    )
    .fetch_one(connection)
    .await
}

/// Writes only the status; no user changed the cart, so the version stays.
pub(in crate::carts) async fn update_status(
    connection: &mut Connection,
    id: CartId,
    status: crate::carts::Status,
) -> sqlx::Result<()> {
    sqlx::query!("update carts set status = $2 where id = $1 and status <> $2", id.0, status.as_str())
        .execute(connection)
        .await
        .map(drop)
}

use std::collections::{BTreeMap, BTreeSet};

use crate::database::Connection;
use time::OffsetDateTime;

use crate::carts::{
    CartId,
    settings::{CartSettings, GrantedPermissions, Setting},
};

/// The settings of a cart, without its locations, and the permissions that decide which may be used.
pub(in crate::carts) async fn find(
    connection: &mut Connection,
    id: CartId,
) -> sqlx::Result<(CartSettings, GrantedPermissions)> {
    let row = sqlx::query!(
        r#"select coalesce(switches, '{}') as "switches!", coalesce(item_group, '') as "item_group!",
               case when passed_at is not null then granted end as granted, lost_scopes
           from carts left join cart_settings on cart_id = id where id = $1"#,
        id.0
    )
    .fetch_one(connection)
    .await?;
    let settings = CartSettings {
        switches: row.switches.iter().filter_map(|name| Setting::parse_switch(name)).collect(),
        locations: BTreeSet::new(),
        item_group: row.item_group,
    };
    Ok((settings, GrantedPermissions { scopes: row.granted, lost: lost(row.lost_scopes) }))
}

/// Lost permissions, with the time since when they are missing.
fn lost(stored: serde_json::Value) -> BTreeMap<String, OffsetDateTime> {
    let stored: BTreeMap<String, String> = serde_json::from_value(stored).unwrap_or_default();
    let read = |text: &str| OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok();
    stored.into_iter().filter_map(|(scope, at)| Some((scope, read(&at)?))).collect()
}

/// Stores the settings. Keeps switches that only a newer version knows.
pub(in crate::carts) async fn upsert(
    connection: &mut Connection,
    id: CartId,
    settings: &CartSettings,
) -> sqlx::Result<()> {
    let (on, known) = (names(settings.switches.iter().copied()), names(Setting::switches()));
    sqlx::query!(
        "insert into cart_settings (cart_id, switches, item_group) values ($1, $2, $3)
         on conflict (cart_id) do update set item_group = excluded.item_group,
            switches = excluded.switches || array(select unnest(cart_settings.switches) except select unnest($4::text[]))",
        id.0,
        &on,
        settings.item_group,
        &known
    )
    .execute(connection)
    .await
    .map(drop)
}

fn names(switches: impl Iterator<Item = Setting>) -> Vec<String> {
    switches.map(|switch| switch.as_str().to_owned()).collect()
}

/// Item groups in use, for suggestions. Steps from one to the next through the index, however many carts share one.
pub(in crate::carts) async fn list_item_groups(connection: &mut Connection, limit: i64) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar!(
        r#"with recursive groups as (
               (select item_group from cart_settings where item_group <> '' order by item_group limit 1)
               union all
               select (select item_group from cart_settings where item_group > groups.item_group and item_group <> ''
                       order by item_group limit 1)
               from groups where groups.item_group is not null)
           select item_group as "item_group!" from groups where item_group is not null limit $1"#,
        limit
    )
    .fetch_all(connection)
    .await
}

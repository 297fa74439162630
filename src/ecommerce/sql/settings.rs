use std::collections::BTreeMap;

use crate::database::Connection;
use time::OffsetDateTime;

use crate::ecommerce::{
    CartId,
    settings::{CartSettings, GrantedPermissions},
};

/// The settings of a cart, without its locations, and the permissions that decide which may be used.
pub(in crate::ecommerce) async fn find_settings(
    connection: &mut Connection,
    id: CartId,
) -> sqlx::Result<(CartSettings, GrantedPermissions)> {
    let row = sqlx::query!(
        r#"select coalesce(update_order_status, false) as "update_order_status!", coalesce(update_inventory, false) as "update_inventory!",
               coalesce(calculate_buildable, false) as "calculate_buildable!",
               coalesce(include_purchase_orders, false) as "include_purchase_orders!",
               coalesce(include_vendor_quantity, false) as "include_vendor_quantity!",
               coalesce(import_products, false) as "import_products!", coalesce(item_group, '') as "item_group!",
               coalesce(write_products, false) as "write_products!",
               case when passed_at is not null then granted end as granted, lost_scopes
           from carts left join cart_settings on cart_id = id where id = $1"#,
        id.0
    )
    .fetch_one(connection)
    .await?;
    let settings = CartSettings {
        update_order_status: row.update_order_status,
        update_inventory: row.update_inventory,
        calculate_buildable: row.calculate_buildable,
        include_purchase_orders: row.include_purchase_orders,
        include_vendor_quantity: row.include_vendor_quantity,
        locations: std::collections::BTreeSet::new(),
        import_products: row.import_products,
        item_group: row.item_group,
        write_products: row.write_products,
    };
    Ok((settings, GrantedPermissions { scopes: row.granted, lost: lost(row.lost_scopes) }))
}

/// Lost permissions, with the time since when they are missing.
fn lost(stored: serde_json::Value) -> BTreeMap<String, OffsetDateTime> {
    let stored: BTreeMap<String, String> = serde_json::from_value(stored).unwrap_or_default();
    let read = |text: &str| OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339).ok();
    stored.into_iter().filter_map(|(scope, at)| Some((scope, read(&at)?))).collect()
}

pub(in crate::ecommerce) async fn upsert_settings(
    connection: &mut Connection,
    id: CartId,
    settings: &CartSettings,
) -> sqlx::Result<()> {
    sqlx::query!(
        "insert into cart_settings (cart_id, update_order_status, update_inventory, calculate_buildable, include_purchase_orders,
            include_vendor_quantity, import_products, item_group, write_products)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict (cart_id) do update set update_order_status = excluded.update_order_status,
            update_inventory = excluded.update_inventory, calculate_buildable = excluded.calculate_buildable,
            include_purchase_orders = excluded.include_purchase_orders,
            include_vendor_quantity = excluded.include_vendor_quantity, import_products = excluded.import_products,
            item_group = excluded.item_group, write_products = excluded.write_products",
        id.0,
        settings.update_order_status,
        settings.update_inventory,
        settings.calculate_buildable,
        settings.include_purchase_orders,
        settings.include_vendor_quantity,
        settings.import_products,
        settings.item_group,
        settings.write_products
    )
    .execute(connection)
    .await
    .map(drop)
}

/// Item groups in use, for suggestions. Steps from one to the next through the index, however many carts share one.
pub(in crate::ecommerce) async fn list_item_groups(
    connection: &mut Connection,
    limit: i64,
) -> sqlx::Result<Vec<String>> {
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

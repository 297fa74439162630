//! The permissions of the guide, written by hand, and the guide itself.

use super::shell;
use crate::web::admin::ecommerce::shopify::{
    PermissionView,
    editor::view::{egress_list::EgressList, guide::Guide},
};

pub(super) fn permissions() -> Vec<PermissionView> {
    let rows = [
        (
            "write_assigned_fulfillment_orders",
            "Assigned fulfillment orders",
            "shipments assigned to your app cannot be updated",
        ),
        ("write_customers", "Customers", "customers cannot be matched or created"),
        ("read_discounts", "Discounts", "discount names will not show on orders"),
        (
            "write_fulfillments",
            "Fulfillment services",
            "fulfillment services and delivery events cannot be kept up to date",
        ),
        ("read_gdpr_data_request", "Customer data requests", "privacy requests cannot be seen"),
        ("read_gift_cards", "Gift cards", "gift card payments will not show"),
        ("write_inventory", "Inventory", "stock levels will not update in Shopify"),
        ("write_locations", "Locations", "stock cannot be matched to your locations"),
        (
            "write_merchant_managed_fulfillment_orders",
            "Merchant-managed fulfillment orders",
            "orders you ship yourself cannot be marked shipped",
        ),
        ("write_orders", "Orders", "orders cannot be imported or updated"),
        ("read_payment_terms", "Payment terms", "due dates will not show"),
        ("write_product_listings", "Product listings", "products cannot be listed to your channel"),
        ("write_products", "Products", "products cannot be imported or updated"),
        ("read_channels", "Sales channels", "you cannot see where an order came from"),
        ("read_shipping", "Shipping", "shipping methods will not show"),
        (
            "write_third_party_fulfillment_orders",
            "Third-party fulfillment orders",
            "orders shipped by others cannot be updated",
        ),
        (
            "write_custom_fulfillment_services",
            "Custom fulfillment services",
            "Order Time cannot act as a shipping service",
        ),
    ];
    let nice =
        ["read_gdpr_data_request", "write_product_listings", "read_channels", "write_custom_fulfillment_services"];
    let permission = |(scope, say, without): (&str, &str, &str)| PermissionView {
        scope: scope.into(),
        say: say.into(),
        without: without.into(),
        is_needed: !nice.contains(&scope),
    };
    rows.into_iter().map(permission).collect()
}

pub(super) fn guide(is_folded: bool) -> Guide {
    Guide {
        product: "Order Time".into(),
        handle: Some("northwind-tea".into()),
        permissions: permissions(),
        token_done: [true, false, false, false],
        client_done: [false; 4],
        is_folded,
        is_reference: false,
        egress: EgressList::of(&shell()),
    }
}

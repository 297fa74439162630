//! The 17 permissions in one table, the only source for the guide, the test and the pages. Knows no page.
//!
//! `write_x` implies `read_x`, so lists of scopes are compared only after expansion. Source: shopify.dev, *Access
//! scopes*, checked November 2026.

use std::collections::BTreeSet;

/// Whether a cart needs a permission.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PermissionNeed {
    Needed,
    /// Optional: its absence is a note, never a limit.
    Optional,
    /// Shopify may offer it only to Plus stores; needed there, optional elsewhere.
    NeededOnPlus,
}

/// One of the 17 permissions.
#[derive(Debug, PartialEq, Eq)]
pub struct AppPermission {
    /// Shopify's name for it.
    pub scope: &'static str,
    pub need: PermissionNeed,
    /// The name for users.
    pub say: &'static str,
    /// What stops working without it; shown after a colon.
    pub without: &'static str,
}

/// All permissions, in the order of Shopify's screen.
pub const PERMISSIONS: [AppPermission; 17] = [
    AppPermission {
        scope: "write_assigned_fulfillment_orders",
        need: PermissionNeed::Needed,
        say: "Assigned fulfillment orders",
        without: "shipments assigned to your app cannot be updated",
    },
    AppPermission {
        scope: "write_customers",
        need: PermissionNeed::Needed,
        say: "Customers",
        without: "customers cannot be matched or created",
    },
    AppPermission {
        scope: "read_discounts",
        need: PermissionNeed::Needed,
        say: "Discounts",
        without: "discount names will not show on orders",
    },
    AppPermission {
        scope: "write_fulfillments",
        need: PermissionNeed::Needed,
        say: "Fulfillment services",
        without: "fulfillment services and delivery events cannot be kept up to date",
    },
    AppPermission {
        scope: "read_gdpr_data_request",
        need: PermissionNeed::Optional,
        say: "Customer data requests",
        without: "privacy requests cannot be seen",
    },
    AppPermission {
        scope: "read_gift_cards",
        need: PermissionNeed::NeededOnPlus,
        say: "Gift cards",
        without: "gift card payments will not show",
    },
    AppPermission {
        scope: "write_inventory",
        need: PermissionNeed::Needed,
        say: "Inventory",
        without: "stock levels will not update in Shopify",
    },
    AppPermission {
        scope: "write_locations",
        need: PermissionNeed::Needed,
        say: "Locations",
        without: "stock cannot be matched to your locations",
    },
    AppPermission {
        scope: "write_merchant_managed_fulfillment_orders",
        need: PermissionNeed::Needed,
        say: "Merchant-managed fulfillment orders",
        without: "orders you ship yourself cannot be marked shipped",
    },
    AppPermission {
        scope: "write_orders",
        need: PermissionNeed::Needed,
        say: "Orders",
        without: "orders cannot be imported or updated",
    },
    AppPermission {
        scope: "read_payment_terms",
        need: PermissionNeed::Needed,
        say: "Payment terms",
        without: "due dates will not show",
    },
    AppPermission {
        scope: "write_product_listings",
        need: PermissionNeed::Optional,
        say: "Product listings",
        without: "products cannot be listed to your channel",
    },
    AppPermission {
        scope: "write_products",
        need: PermissionNeed::Needed,
        say: "Products",
        without: "products cannot be imported or updated",
    },
    AppPermission {
        scope: "read_channels",
        need: PermissionNeed::Optional,
        say: "Sales channels",
        without: "you cannot see where an order came from",
    },
    AppPermission {
        scope: "read_shipping",
        need: PermissionNeed::Needed,
        say: "Shipping",
        without: "shipping methods will not show",
    },
    AppPermission {
        scope: "write_third_party_fulfillment_orders",
        need: PermissionNeed::Needed,
        say: "Third-party fulfillment orders",
        without: "orders shipped by others cannot be updated",
    },
    AppPermission {
        scope: "write_custom_fulfillment_services",
        need: PermissionNeed::Optional,
        say: "Custom fulfillment services",
        without: "Order Time cannot act as a shipping service",
    },
];

/// Permissions whose read form is sufficient: today Shopify lists only the read form of this one.
const READ_FORM_SUFFICIENT: [(&str, &str); 1] = [("write_product_listings", "read_product_listings")];

impl AppPermission {
    /// Whether a store on this plan loses a promised function without the permission.
    pub const fn is_needed(&self, is_plus: bool) -> bool {
        match self.need {
            PermissionNeed::Needed => true,
            PermissionNeed::Optional => false,
            PermissionNeed::NeededOnPlus => is_plus,
        }
    }

    fn is_in(&self, expanded: &BTreeSet<String>) -> bool {
        let other = READ_FORM_SUFFICIENT.into_iter().find(|(scope, _)| *scope == self.scope).map(|(_, read)| read);
        expanded.contains(self.scope) || other.is_some_and(|read| expanded.contains(read))
    }
}

/// The permission with this name, if it is one of the 17.
pub fn permission(scope: &str) -> Option<&'static AppPermission> {
    PERMISSIONS.iter().find(|permission| permission.scope == scope)
}

/// The name for users of a scope in its write or read form; a scope that is not in the table keeps its own name.
pub fn say(scope: &str) -> &str {
    let bare = |scope: &'static str| scope.split_once('_').map(|(_, rest)| rest);
    let rest = scope.split_once('_').map(|(_, rest)| rest);
    let known = PERMISSIONS.iter().find(|one| one.scope == scope || (rest.is_some() && bare(one.scope) == rest));
    known.map_or(scope, |permission| permission.say)
}

/// The granted scopes and all that they imply.
pub fn expand<S: AsRef<str>>(granted: &[S]) -> BTreeSet<String> {
    let names = granted.iter().map(|scope| scope.as_ref().trim()).filter(|scope| !scope.is_empty());
    names.flat_map(|scope| [Some(scope.to_owned()), implied_by(scope)]).flatten().collect()
}

/// Whether a scope is granted, by itself or through a stronger one.
pub fn grants<S: AsRef<str>>(granted: &[S], scope: &str) -> bool {
    expand(granted).contains(scope)
}

/// Permissions that this store needs and lacks, in the order of the table.
pub fn missing_needed<S: AsRef<str>>(granted: &[S], is_plus: bool) -> Vec<&'static AppPermission> {
    missing(granted).into_iter().filter(|permission| permission.is_needed(is_plus)).collect()
}

/// Optional permissions that this store lacks, in the order of the table.
pub fn missing_optional<S: AsRef<str>>(granted: &[S], is_plus: bool) -> Vec<&'static AppPermission> {
    missing(granted).into_iter().filter(|permission| !permission.is_needed(is_plus)).collect()
}

/// How many of the 17 permissions are granted.
pub fn covered<S: AsRef<str>>(granted: &[S]) -> usize {
    PERMISSIONS.len() - missing(granted).len()
}

/// Granted scopes that nothing here uses, without duplicates: a `write_x` and the `read_x` that it implies count as
/// one.
pub fn extra<S: AsRef<str>>(granted: &[S]) -> Vec<String> {
    let used = expand(&PERMISSIONS.map(|permission| permission.scope));
    let names: BTreeSet<&str> = granted.iter().map(|s| s.as_ref().trim()).filter(|s| !s.is_empty()).collect();
    let implied: BTreeSet<String> = names.iter().copied().filter_map(implied_by).collect();
    let is_used = |name: &str| used.contains(name) || READ_FORM_SUFFICIENT.iter().any(|(_, read)| *read == name);
    names.into_iter().filter(|name| !is_used(name) && !implied.contains(*name)).map(str::to_owned).collect()
}

fn missing<S: AsRef<str>>(granted: &[S]) -> Vec<&'static AppPermission> {
    let expanded = expand(granted);
    PERMISSIONS.iter().filter(|permission| !permission.is_in(&expanded)).collect()
}

/// `read_x` for `write_x`, with or without `unauthenticated_` before it. `customer_…` scopes do not follow the rule.
fn implied_by(scope: &str) -> Option<String> {
    let (front, rest) = match scope.strip_prefix("unauthenticated_") {
        Some(rest) => ("unauthenticated_", rest),
        None => ("", scope),
    };
    let name = rest.strip_prefix("write_").filter(|name| !name.is_empty())?;
    Some(format!("{front}read_{name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<&'static str> {
        PERMISSIONS.iter().map(|permission| permission.scope).collect()
    }

    fn names(permissions: Vec<&'static AppPermission>) -> Vec<&'static str> {
        permissions.into_iter().map(|permission| permission.scope).collect()
    }

    #[test]
    fn there_are_17_of_which_13_are_needed_on_plus_and_12_elsewhere() {
        let count = |is_plus| PERMISSIONS.iter().filter(|permission| permission.is_needed(is_plus)).count();
        assert_eq!((PERMISSIONS.len(), count(true), count(false)), (17, 13, 12));
        assert_eq!(all().iter().filter(|scope| scope.starts_with("write_")).count(), 11);
        assert_eq!(all().into_iter().collect::<BTreeSet<_>>().len(), 17);
    }

    #[test]
    fn write_scopes_imply_read_scopes_and_not_the_reverse() {
        let expanded = expand(&["write_orders", " read_products ", "", "customer_write_orders", "write_"]);
        assert!(expanded.contains("read_orders") && !expanded.contains("write_products"));
        assert!(!expanded.contains("customer_read_orders") && !expanded.contains("read_"));
        assert!(grants(&["unauthenticated_write_checkouts"], "unauthenticated_read_checkouts"));
        assert!(grants(&["write_locations"], "read_locations") && !grants(&["read_locations"], "write_locations"));
    }

    #[test]
    fn missing_permissions_are_split_by_need_and_plan() {
        assert!(missing_needed(&all(), true).is_empty() && missing_optional(&all(), true).is_empty());
        let granted: Vec<_> = all()
            .into_iter()
            .filter(|s| !["write_inventory", "read_gift_cards", "read_channels"].contains(s))
            .collect();
        assert_eq!(names(missing_needed(&granted, true)), ["read_gift_cards", "write_inventory"]);
        assert_eq!(names(missing_needed(&granted, false)), ["write_inventory"]);
        assert_eq!(names(missing_optional(&granted, false)), ["read_gift_cards", "read_channels"]);
        assert_eq!(covered(&granted), 14);
    }

    #[test]
    fn stronger_scope_or_sufficient_read_form_covers() {
        let with = |more: &'static str, less: &str| -> Vec<&str> {
            all().into_iter().filter(|scope| *scope != less).chain([more]).collect()
        };
        assert_eq!(covered(&with("write_discounts", "read_discounts")), 17);
        assert_eq!(covered(&with("read_product_listings", "write_product_listings")), 17);
        assert_eq!(covered(&with("read_products", "write_products")), 16, "reading never covers writing");
    }

    #[test]
    fn extra_permissions_count_once_each() {
        let granted: Vec<_> = all()
            .into_iter()
            .chain(["read_orders", "write_themes", "read_themes", "read_files", "read_files"])
            .collect();
        assert_eq!(extra(&granted), ["read_files", "write_themes"]);
        assert!(extra(&all()).is_empty());
        assert!(extra(&["read_product_listings"]).is_empty());
    }
}

//! Where a person goes in Shopify, and what they copy from us. Links rot, so each is shown beside the menu path in words.
//! Refuses to know which page shows it. Source: shopify.dev and Shopify's own screens, checked November 2026.

use super::address::StoreAddress;
use super::scopes::PERMISSIONS;

/// When a person last walked the steps of the guide.
pub const CHECKED: &str = "November 2026";

/// Where new apps are made; then *Apps*, then the app.
pub const DEV_DASHBOARD: &str = "https://dev.shopify.com/dashboard";

/// Shopify's own word on whether it has a problem.
pub const STATUS_PAGE: &str = "https://www.shopifystatus.com/";

/// For whoever does not know their store's name.
pub const ADMIN: &str = "https://admin.shopify.com/";

/// Shopify Help Center.
pub const HELP_CENTER: &str = "https://help.shopify.com/";

/// The page of apps made in the store's admin: *Settings*, then *Apps*, then *Develop apps*.
pub fn develop_apps_url(address: &StoreAddress) -> String {
    format!("{}/settings/apps/development", store_admin_url(address))
}

/// The store's own admin.
pub fn store_admin_url(address: &StoreAddress) -> String {
    format!("https://admin.shopify.com/store/{}", address.handle())
}

/// Where the owner settles a bill: *Settings*, then *Billing*.
pub fn billing_url(address: &StoreAddress) -> String {
    format!("{}/settings/billing", store_admin_url(address))
}

/// All 17, as the Dev Dashboard takes them.
pub fn all_scopes_comma() -> String {
    joined(",", |_| true)
}

/// All 17, one a line in the order of the admin's tick boxes.
pub fn all_scopes_lines() -> String {
    joined("\n", |_| true)
}

/// Only those that something would be lost without, for when Shopify refuses a name: 13, gift cards among them.
pub fn needed_scopes_comma() -> String {
    joined(",", |permission| permission.is_needed(true))
}

fn joined(between: &str, wanted: impl Fn(&super::scopes::Permission) -> bool) -> String {
    let scopes: Vec<_> = PERMISSIONS.iter().filter(|p| wanted(p)).map(|p| p.scope).collect();
    scopes.join(between)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_carry_the_handle_and_nothing_else() {
        let address = StoreAddress::from_handle("northwind-tea").unwrap();
        assert_eq!(
            develop_apps_url(&address),
            "https://admin.shopify.com/store/northwind-tea/settings/apps/development"
        );
        assert_eq!(billing_url(&address), "https://admin.shopify.com/store/northwind-tea/settings/billing");
    }

    #[test]
    fn the_lists_hold_all_17_and_the_13_needed() {
        assert_eq!(all_scopes_comma().split(',').count(), 17);
        assert_eq!(all_scopes_lines().lines().collect::<Vec<_>>().join(","), all_scopes_comma());
        assert_eq!(needed_scopes_comma().split(',').count(), 13);
        assert!(!needed_scopes_comma().contains("read_channels"));
    }
}

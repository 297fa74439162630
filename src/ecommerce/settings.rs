//! The other General settings: what the sync service may do with a store, and why a setting cannot be used. Knows no
//! page and no database.
//!
//! A setting that cannot be used keeps its value, whatever the form submits, so that a permission that is lost and
//! granted again leaves every setting as it was.

mod item_group;
mod reason;

use std::collections::BTreeSet;

use crate::{audit::Change, direction::bidi_isolate};

pub use item_group::{ITEM_GROUP_MAX, ItemGroupError, item_group};
pub use reason::{GrantedPermissions, UnavailableReason, why_not};

/// One control of the settings section.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    UpdateOrderStatus,
    UpdateInventory,
    CalculateBuildable,
    IncludePurchaseOrders,
    IncludeVendorQuantity,
    Locations,
    ImportProducts,
    ItemGroup,
    WriteProducts,
}

/// The stored values of all settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent column")]
pub struct CartSettings {
    pub update_order_status: bool,
    pub update_inventory: bool,
    pub calculate_buildable: bool,
    pub include_purchase_orders: bool,
    pub include_vendor_quantity: bool,
    /// Ids of the locations that stock is limited to; empty means all.
    pub locations: BTreeSet<String>,
    pub import_products: bool,
    /// Empty for none.
    pub item_group: String,
    pub write_products: bool,
}

/// The settings as a form submits them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsInput {
    /// The controls that were enabled on the page. Disabled controls submit nothing, which does not mean "off".
    pub offered: BTreeSet<Setting>,
    pub settings: CartSettings,
}

impl Setting {
    pub const ALL: [Self; 9] = [
        Self::UpdateOrderStatus,
        Self::UpdateInventory,
        Self::CalculateBuildable,
        Self::IncludePurchaseOrders,
        Self::IncludeVendorQuantity,
        Self::Locations,
        Self::ImportProducts,
        Self::ItemGroup,
        Self::WriteProducts,
    ];

    /// The label in the activity. On screen, the label of the last one names the product.
    pub const fn label(self) -> &'static str {
        match self {
            Self::UpdateOrderStatus => "Update order status",
            Self::UpdateInventory => "Update inventory",
            Self::CalculateBuildable => "Calculate items that can be made",
            Self::IncludePurchaseOrders => "Include inventory on Purchase Order",
            Self::IncludeVendorQuantity => "Include Item Vendor Quantity",
            Self::Locations => "Location(s)",
            Self::ImportProducts => "Import Products",
            Self::ItemGroup => "Item group",
            Self::WriteProducts => "Create or update products in Shopify",
        }
    }

    /// The name in forms and in the API.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::UpdateOrderStatus => "update_order_status",
            Self::UpdateInventory => "update_inventory",
            Self::CalculateBuildable => "calculate_buildable",
            Self::IncludePurchaseOrders => "include_purchase_orders",
            Self::IncludeVendorQuantity => "include_vendor_quantity",
            Self::Locations => "locations",
            Self::ImportProducts => "import_products",
            Self::ItemGroup => "item_group",
            Self::WriteProducts => "write_products",
        }
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == name)
    }

    /// The scopes that a setting needs, all of them. Source: shopify.dev, required access of the fields in use, checked
    /// November 2026.
    const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::UpdateOrderStatus => &[],
            Self::UpdateInventory
            | Self::CalculateBuildable
            | Self::IncludePurchaseOrders
            | Self::IncludeVendorQuantity => &["write_inventory", "read_locations"],
            Self::Locations => &["read_locations"],
            Self::ImportProducts | Self::ItemGroup => &["read_products"],
            Self::WriteProducts => &["write_products"],
        }
    }
}

impl CartSettings {
    /// Whether a setting is on; for the two that are not switches, whether it has a value.
    pub fn is_on(&self, setting: Setting) -> bool {
        match setting {
            Setting::UpdateOrderStatus => self.update_order_status,
            // Its options have no effect without it.
            Setting::UpdateInventory => self.update_inventory,
            Setting::CalculateBuildable => self.calculate_buildable && self.update_inventory,
            Setting::IncludePurchaseOrders => self.include_purchase_orders && self.update_inventory,
            Setting::IncludeVendorQuantity => self.include_vendor_quantity && self.update_inventory,
            Setting::Locations => !self.locations.is_empty(),
            Setting::ImportProducts => self.import_products,
            Setting::ItemGroup => self.import_products && !self.item_group.is_empty(),
            Setting::WriteProducts => self.write_products,
        }
    }

    pub fn why_not(&self, setting: Setting, granted: &GrantedPermissions) -> Option<UnavailableReason> {
        why_not(setting, granted, self.is_on(setting))
    }

    /// The values to store after a form: changes only what the page offered and what may be used now.
    #[must_use]
    pub fn with(&self, asked: &SettingsInput, granted: &GrantedPermissions) -> Self {
        let mut next = self.clone();
        for setting in asked.offered.iter().copied().filter(|setting| self.why_not(*setting, granted).is_none()) {
            next.take(setting, &asked.settings);
        }
        next
    }

    fn take(&mut self, setting: Setting, from: &Self) {
        match setting {
            Setting::UpdateOrderStatus => self.update_order_status = from.update_order_status,
            Setting::UpdateInventory => self.update_inventory = from.update_inventory,
            Setting::CalculateBuildable => self.calculate_buildable = from.calculate_buildable,
            Setting::IncludePurchaseOrders => self.include_purchase_orders = from.include_purchase_orders,
            Setting::IncludeVendorQuantity => self.include_vendor_quantity = from.include_vendor_quantity,
            Setting::Locations => self.locations.clone_from(&from.locations),
            Setting::ImportProducts => self.import_products = from.import_products,
            Setting::ItemGroup => self.item_group.clone_from(&from.item_group),
            Setting::WriteProducts => self.write_products = from.write_products,
        }
    }

    /// The differences in words. `names` returns the name of a location.
    pub fn changes(&self, after: &Self, names: impl Fn(&str) -> String) -> Vec<Change> {
        let pairs = Setting::ALL.map(|setting| (setting, self.words(setting, &names), after.words(setting, &names)));
        let differs = pairs.into_iter().filter(|(_, before, after)| before != after);
        differs.map(|(setting, before, after)| Change { field: setting.label(), before, after }).collect()
    }

    /// The value of one setting in words.
    pub fn words(&self, setting: Setting, names: impl Fn(&str) -> String) -> String {
        let switch = |is_on: bool| if is_on { "On" } else { "Off" }.to_owned();
        match setting {
            Setting::UpdateOrderStatus => switch(self.update_order_status),
            Setting::UpdateInventory => switch(self.update_inventory),
            Setting::CalculateBuildable => switch(self.calculate_buildable),
            Setting::IncludePurchaseOrders => switch(self.include_purchase_orders),
            Setting::IncludeVendorQuantity => switch(self.include_vendor_quantity),
            Setting::Locations if self.locations.is_empty() => "All".into(),
            Setting::Locations => {
                self.locations.iter().map(|id| bidi_isolate(&names(id)).into_owned()).collect::<Vec<_>>().join(", ")
            }
            Setting::ImportProducts => switch(self.import_products),
            Setting::ItemGroup if self.item_group.is_empty() => "None".into(),
            Setting::ItemGroup => self.item_group.clone(),
            Setting::WriteProducts => switch(self.write_products),
        }
    }
}

#[cfg(test)]
mod tests;

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

/// Declares the settings: one row each, in the order of the page, the activity and the digest of a form.
macro_rules! settings {
    ($($name:ident { $($field:ident: $value:expr),* $(,)? })*) => {
        /// One control of the settings section: a switch, or one of the two that hold a value.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Setting {
            $($name,)*
        }

        impl Setting {
            pub const ALL: [Self; [$(Self::$name),*].len()] = [$(Self::$name),*];

            const fn row(self) -> SettingRow {
                match self {
                    $(Self::$name => SettingRow { $($field: $value),* },)*
                }
            }
        }
    };
}

/// What the table says of one setting.
struct SettingRow {
    /// The name in forms, in the database and in the API.
    id: &'static str,
    /// The label in the activity. On screen, the label of the last setting names the product.
    label: &'static str,
    /// One sentence below the label; may be empty.
    hint: &'static str,
    group: SettingGroup,
    needs: RequiredScopes,
    /// The setting without which this one has no effect.
    parent: Option<Setting>,
}

/// A part of the settings section.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SettingGroup {
    Orders,
    Inventory,
    Products,
}

/// The scopes that a setting needs. Source: shopify.dev, required access of the fields in use, checked November 2026.
#[derive(Clone, Copy, Debug)]
enum RequiredScopes {
    All(&'static [&'static str]),
    Any(&'static [&'static str]),
}

/// Any one of these allows marking an order as shipped.
const SHIPPING: [&str; 3] = [
    "write_assigned_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];
const STOCK: RequiredScopes = RequiredScopes::All(&["write_inventory", "read_locations"]);

settings! {
    UpdateOrderStatus {
        id: "update_order_status",
        label: "Update order status",
        hint: "When a Ship Doc becomes Shipped, mark the order shipped in Shopify and send its tracking number.",
        group: SettingGroup::Orders,
        needs: RequiredScopes::Any(&SHIPPING),
        parent: None,
    }
    UpdateInventory {
        id: "update_inventory",
        label: "Update inventory",
        hint: "Send stock levels to Shopify when they change.",
        group: SettingGroup::Inventory,
        needs: STOCK,
        parent: None,
    }
    CalculateBuildable {
        id: "calculate_buildable",
        label: "Calculate items that can be made",
        hint: "Assemblies you could build from parts.",
        group: SettingGroup::Inventory,
        needs: STOCK,
        parent: Some(Self::UpdateInventory),
    }
    IncludePurchaseOrders {
        id: "include_purchase_orders",
        label: "Include inventory on Purchase Order",
        hint: "Ordered and not yet received.",
        group: SettingGroup::Inventory,
        needs: STOCK,
        parent: Some(Self::UpdateInventory),
    }
    IncludeVendorQuantity {
        id: "include_vendor_quantity",
        label: "Include Item Vendor Quantity",
        hint: "What your vendors say they hold.",
        group: SettingGroup::Inventory,
        needs: STOCK,
        parent: Some(Self::UpdateInventory),
    }
    Locations {
        id: "locations",
        label: "Location(s)",
        hint: "",
        group: SettingGroup::Inventory,
        needs: RequiredScopes::All(&["read_locations"]),
        parent: None,
    }
    ImportProducts {
        id: "import_products",
        label: "Import Products",
        hint: "New products become items.",
        group: SettingGroup::Products,
        needs: RequiredScopes::All(&["read_products"]),
        parent: None,
    }
    ItemGroup {
        id: "item_group",
        label: "Item group",
        hint: "",
        group: SettingGroup::Products,
        needs: RequiredScopes::All(&["read_products"]),
        parent: Some(Self::ImportProducts),
    }
    WriteProducts {
        id: "write_products",
        label: "Create or update products in Shopify",
        hint: "",
        group: SettingGroup::Products,
        needs: RequiredScopes::All(&["write_products"]),
        parent: None,
    }
}

/// The stored values of all settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CartSettings {
    /// The switches that are on.
    pub switches: BTreeSet<Setting>,
    /// Ids of the locations that stock is limited to; empty means all.
    pub locations: BTreeSet<String>,
    /// Empty for none.
    pub item_group: String,
}

/// The settings as a form submits them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SettingsInput {
    /// The controls that were enabled on the page. Disabled controls submit nothing, which does not mean "off".
    pub offered: BTreeSet<Setting>,
    pub settings: CartSettings,
}

impl Setting {
    /// The settings that are either on or off.
    pub fn switches() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|setting| !matches!(setting, Self::Locations | Self::ItemGroup))
    }

    /// The switch with this name.
    pub fn parse_switch(name: &str) -> Option<Self> {
        Self::switches().find(|setting| setting.as_str() == name)
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|setting| setting.as_str() == name)
    }

    pub const fn as_str(self) -> &'static str {
        self.row().id
    }

    pub const fn label(self) -> &'static str {
        self.row().label
    }

    pub const fn hint(self) -> &'static str {
        self.row().hint
    }

    pub const fn group(self) -> SettingGroup {
        self.row().group
    }

    pub const fn parent(self) -> Option<Self> {
        self.row().parent
    }
}

impl CartSettings {
    /// Whether a setting is on and its parent too; for the two that are not switches, whether it has a value.
    pub fn is_on(&self, setting: Setting) -> bool {
        let has_value = match setting {
            Setting::Locations => !self.locations.is_empty(),
            Setting::ItemGroup => !self.item_group.is_empty(),
            switch => self.switches.contains(&switch),
        };
        has_value && setting.parent().is_none_or(|parent| self.is_on(parent))
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
            Setting::Locations => self.locations.clone_from(&from.locations),
            Setting::ItemGroup => self.item_group.clone_from(&from.item_group),
            switch if from.switches.contains(&switch) => self.switches.extend([switch]),
            switch => self.switches.retain(|on| *on != switch),
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
        match setting {
            Setting::Locations if self.locations.is_empty() => "All".into(),
            Setting::Locations => {
                self.locations.iter().map(|id| bidi_isolate(&names(id)).into_owned()).collect::<Vec<_>>().join(", ")
            }
            Setting::ItemGroup if self.item_group.is_empty() => "None".into(),
            Setting::ItemGroup => self.item_group.clone(),
            switch => if self.switches.contains(&switch) { "On" } else { "Off" }.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests;

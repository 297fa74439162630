//! The other General settings: what the sync service may do with a store, and why one of them cannot be used. Knows no page and no
//! database. Surprising: a setting that cannot be used keeps its value, whatever a form says of it, so that a permission that
//! goes and comes back leaves everything as it was.

use std::collections::{BTreeMap, BTreeSet};

use time::OffsetDateTime;

use super::{
    cart::one_line,
    shopify::{blot_tokens, scopes},
};
use crate::audit::Change;

/// One control of the section.
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

/// Everything that is stored of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own, and stored as one")]
pub struct Settings {
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

/// What a form says of the settings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The controls that could be used on that page. The others sent nothing, and nothing is no "off".
    pub offered: BTreeSet<Setting>,
    pub settings: Settings,
}

/// What the last pass of exactly the saved credential knows of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// `None` while nothing that is saved has passed.
    pub scopes: Option<Vec<String>>,
    /// Permissions that were there once, and since when they are not.
    pub lost: BTreeMap<String, OffsetDateTime>,
}

/// Why a setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reason {
    NeverTested,
    Missing {
        scope: &'static str,
    },
    /// Any of these would do.
    MissingAny {
        scopes: &'static [&'static str],
    },
    /// It is on and does nothing; it starts again by itself.
    Paused {
        scope: &'static str,
        since: Option<OffsetDateTime>,
    },
}

/// Any of these lets an order be marked shipped.
const SHIPPING: [&str; 3] = [
    "write_assigned_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];

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

    /// The words in the activity; on the screen the last one names the product.
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

    /// Every one of these is needed. Source: shopify.dev, required access of the fields in use, checked November 2026.
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

/// Why a setting cannot be used; `is_on` is what is stored of it.
pub fn why_not(setting: Setting, granted: &Granted, is_on: bool) -> Option<Reason> {
    let Some(scopes) = &granted.scopes else { return Some(Reason::NeverTested) };
    let grants = |scope: &str| scopes::grants(scopes, scope);
    let paused = |scope| Reason::Paused { scope, since: granted.lost_at(scope) };
    if setting == Setting::UpdateOrderStatus {
        if SHIPPING.into_iter().any(grants) {
            return None;
        }
        // It ended with the last of the three.
        let last = SHIPPING.into_iter().max_by_key(|scope| granted.lost_at(scope)).expect("there are three");
        return Some(if is_on && granted.lost_at(last).is_some() {
            paused(last)
        } else {
            Reason::MissingAny { scopes: &SHIPPING }
        });
    }
    let scope = *setting.needs().iter().find(|scope| !grants(scope))?;
    Some(if is_on { paused(scope) } else { Reason::Missing { scope } })
}

impl Granted {
    /// Since when a permission is missing that was there; the writing form had the reading one in it.
    fn lost_at(&self, scope: &str) -> Option<OffsetDateTime> {
        let writing = scope.strip_prefix("read_").map(|rest| format!("write_{rest}"));
        self.lost.get(scope).copied().or_else(|| self.lost.get(&writing?).copied())
    }
}

impl Settings {
    /// Whether a setting is on; of the two that are no switch, whether there is something.
    pub fn is_on(&self, setting: Setting) -> bool {
        match setting {
            Setting::UpdateOrderStatus => self.update_order_status,
            // Its options do nothing by themselves.
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

    pub fn why_not(&self, setting: Setting, granted: &Granted) -> Option<Reason> {
        why_not(setting, granted, self.is_on(setting))
    }

    /// What is stored after a form: only what the page offered and what may be used now.
    #[must_use]
    pub fn with(&self, asked: &Asked, granted: &Granted) -> Self {
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

    /// What differs, in words. `names` calls a location by its name.
    pub fn changes(&self, after: &Self, names: impl Fn(&str) -> String) -> Vec<Change> {
        let pairs = Setting::ALL.map(|setting| (setting, self.words(setting, &names), after.words(setting, &names)));
        let differs = pairs.into_iter().filter(|(_, before, after)| before != after);
        differs.map(|(setting, before, after)| Change { field: setting.label(), before, after }).collect()
    }

    /// One setting as people read it.
    pub fn words(&self, setting: Setting, names: impl Fn(&str) -> String) -> String {
        let switch = |is_on: bool| if is_on { "On" } else { "Off" }.to_owned();
        match setting {
            Setting::UpdateOrderStatus => switch(self.update_order_status),
            Setting::UpdateInventory => switch(self.update_inventory),
            Setting::CalculateBuildable => switch(self.calculate_buildable),
            Setting::IncludePurchaseOrders => switch(self.include_purchase_orders),
            Setting::IncludeVendorQuantity => switch(self.include_vendor_quantity),
            Setting::Locations if self.locations.is_empty() => "All".into(),
            Setting::Locations => self.locations.iter().map(|id| names(id)).collect::<Vec<_>>().join(", "),
            Setting::ImportProducts => switch(self.import_products),
            Setting::ItemGroup if self.item_group.is_empty() => "None".into(),
            Setting::ItemGroup => self.item_group.clone(),
            Setting::WriteProducts => switch(self.write_products),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ItemGroupError {
    #[error("Enter the item group that new items go into")]
    Empty,
    #[error("Item group must be {} characters or fewer", ITEM_GROUP_MAX)]
    TooLong,
    /// A group is shown and suggested everywhere, so a secret must never become one.
    #[error("That looks like an access token. Paste it into Access Token. We have not kept it here")]
    IsToken,
}

/// Longest item group, in characters.
pub const ITEM_GROUP_MAX: usize = 80;

impl ItemGroupError {
    /// The value of `data-class`.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Empty => "GROUP_EMPTY",
            Self::TooLong => "GROUP_TOO_LONG",
            Self::IsToken => "IS_TOKEN",
        }
    }
}

/// One line of visible text, or nothing where no item is imported.
pub fn item_group(typed: &str, is_needed: bool) -> Result<String, ItemGroupError> {
    let group = one_line(typed);
    match group.chars().count() {
        _ if blot_tokens(&group) != group => Err(ItemGroupError::IsToken),
        0 if is_needed => Err(ItemGroupError::Empty),
        0..=ITEM_GROUP_MAX => Ok(group),
        _ => Err(ItemGroupError::TooLong),
    }
}

#[cfg(test)]
mod tests;

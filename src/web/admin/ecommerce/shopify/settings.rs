//! The other settings below the connection: each with its value, and if it cannot be used with the reason in words.
//! Plain data for `_settings.html`; the domain decides what may be used.

use askama::Template;
use time::OffsetDateTime;

use super::{general::EditorForm, locations::LocationsBlock};
use crate::{
    ecommerce::{
        OtherSettings,
        settings::{CartSettings, GrantedPermissions, Setting, UnavailableReason},
        shopify::scopes,
    },
    web::{fields::FormField, filters, shell::Shell},
};

/// Rendered with `{{ settings|safe }}` inside the editor's form. Posts `offered` and for each setting its own name
/// (`on`), `item_group` as text and `location[]` for each ticked location.
#[derive(Clone, Debug, Template)]
#[template(path = "admin/ecommerce/shopify/_settings.html")]
pub struct SettingsSection {
    pub product: String,
    /// As typed, else as saved.
    pub shown: CartSettings,
    pub item_group: FormField,
    /// Groups of other carts.
    pub item_groups: Vec<String>,
    /// As saved; decides which settings are paused.
    pub saved: CartSettings,
    pub granted: GrantedPermissions,
    pub locations: LocationsBlock,
    pub now: OffsetDateTime,
}

/// Why a control cannot be used, shown next to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReasonView {
    pub words: String,
    /// The permission to add, if adding one helps.
    pub scope: Option<&'static str>,
    /// The setting that the copy button is for: two controls may need the same permission.
    pub of: &'static str,
}

impl ReasonView {
    pub fn copy(&self) -> String {
        format!("Copy `{}`", self.scope.unwrap_or_default())
    }

    /// Two controls may need the same permission, so their buttons have different names.
    pub fn copy_more(&self) -> String {
        format!("for {}", self.of)
    }
}

/// A setting's label on the page.
pub fn label(setting: Setting, product: &str) -> String {
    match setting {
        Setting::WriteProducts => format!("Use {product} to create new or update existing products in Shopify"),
        other => other.label().to_owned(),
    }
}

/// Labels of what a cart syncs: settings that are on and have their permission.
pub fn switched_on(other: &OtherSettings, product: &str) -> Vec<String> {
    [Setting::UpdateOrderStatus, Setting::UpdateInventory, Setting::ImportProducts, Setting::WriteProducts]
        .into_iter()
        .filter(|setting| other.saved.is_on(*setting) && other.saved.why_not(*setting, &other.granted).is_none())
        .map(|setting| label(setting, product))
        .collect()
}

impl SettingsSection {
    /// The section of a saved cart.
    pub fn new(shell: &Shell, other: OtherSettings, form: &EditorForm, now: OffsetDateTime) -> Self {
        let OtherSettings { saved, granted, locations, item_groups } = other;
        let shown = form.asked.as_ref().map_or_else(|| saved.clone(), |asked| saved.with(asked, &granted));
        let group = match &form.asked {
            Some(asked) if asked.offered.contains(&Setting::ItemGroup) => form.item_group.clone(),
            _ => FormField { value: saved.item_group.clone(), ..FormField::default() },
        };
        let reason = saved.why_not(Setting::Locations, &granted).map(|reason| view(&reason, Setting::Locations, now));
        let mut locations = LocationsBlock::new(locations, &shown.locations, reason, now);
        locations.is_untested = granted.scopes.is_none();
        Self { product: shell.product.clone(), shown, item_group: group, item_groups, saved, granted, locations, now }
    }

    fn reason(&self, setting: Setting) -> Option<ReasonView> {
        self.saved.why_not(setting, &self.granted).map(|reason| view(&reason, setting, self.now))
    }

    /// Whether nothing that is saved has passed a test; the reason is then shown once, for all settings.
    fn is_untested(&self) -> bool {
        self.granted.scopes.is_none()
    }

    /// The names of the settings that can be used here: for the others, absence from the form does not mean "off".
    fn offered(&self) -> String {
        let usable = Setting::ALL.into_iter().filter(|setting| {
            let is_there = *setting != Setting::Locations || self.locations.is_choice();
            is_there && self.reason(*setting).is_none()
        });
        usable.map(Setting::as_str).collect::<Vec<_>>().join(" ")
    }

    /// One switch. Those that depend on *Update inventory* share its reason.
    fn switch(&self, setting: Setting, hint: &str) -> SwitchView {
        let reason = self.reason(setting);
        let host = match setting {
            Setting::CalculateBuildable | Setting::IncludePurchaseOrders | Setting::IncludeVendorQuantity => {
                Setting::UpdateInventory
            }
            other => other,
        };
        let at = if self.is_untested() { "settings" } else { host.as_str() };
        SwitchView {
            id: setting.as_str(),
            label: label(setting, &self.product),
            hint: hint.to_owned(),
            is_on: self.is_shown_on(setting),
            described_by: reason.as_ref().map(|_| format!("{at}-r")),
            reason: reason.filter(|_| host == setting && !self.is_untested()),
        }
    }

    const fn is_shown_on(&self, setting: Setting) -> bool {
        match setting {
            Setting::UpdateOrderStatus => self.shown.update_order_status,
            Setting::UpdateInventory => self.shown.update_inventory,
            Setting::CalculateBuildable => self.shown.calculate_buildable,
            Setting::IncludePurchaseOrders => self.shown.include_purchase_orders,
            Setting::IncludeVendorQuantity => self.shown.include_vendor_quantity,
            Setting::ImportProducts => self.shown.import_products,
            Setting::WriteProducts => self.shown.write_products,
            Setting::Locations | Setting::ItemGroup => false,
        }
    }

    /// Rows for a Viewer: a label and its value in words.
    pub fn facts(&self) -> Vec<(String, String)> {
        let words = |setting| self.saved.words(setting, |id| self.locations.name(id));
        Setting::ALL.into_iter().map(|setting| (label(setting, &self.product), words(setting))).collect()
    }
}

/// One checkbox with its texts.
#[derive(Clone, Debug)]
struct SwitchView {
    id: &'static str,
    label: String,
    hint: String,
    is_on: bool,
    /// The id of the reason's element, if the setting cannot be used.
    described_by: Option<String>,
    /// The reason to render here; absent if another place shows it.
    reason: Option<ReasonView>,
}

fn view(reason: &UnavailableReason, setting: Setting, now: OffsetDateTime) -> ReasonView {
    let of = setting.label();
    let plain = |words: &str| ReasonView { words: words.to_owned(), scope: None, of };
    match reason {
        UnavailableReason::NeverTested => {
            plain("Test the connection first. Then we know what your Shopify app may do.")
        }
        UnavailableReason::Missing { scope } => {
            let say = scopes::say(scope);
            let words = format!("Needs the {say} permission (`{scope}`), which your Shopify app does not have.");
            ReasonView { words, scope: Some(scope), of }
        }
        UnavailableReason::MissingAny { scopes: any } => {
            let says: Vec<&str> = any.iter().map(|scope| scopes::say(scope)).collect();
            let (last, rest) = says.split_last().expect("there are three scopes");
            let words = format!(
                "Needs one of these permissions: {} or {last}. If you ship yourself, take {}.",
                rest.join(", "),
                scopes::say(OWN_SHIPPING_SCOPE)
            );
            ReasonView { words, scope: Some(OWN_SHIPPING_SCOPE), of }
        }
        UnavailableReason::Paused { scope, since } => {
            let since = since.map(|since| format!(" since {}", filters::day(since, now))).unwrap_or_default();
            let say = scopes::say(scope);
            plain(&format!(
                "On, but paused{since}: your Shopify app no longer has the {say} permission. It starts again by itself when the permission is back."
            ))
        }
    }
}

/// The permission that most merchants need, since they ship orders themselves.
const OWN_SHIPPING_SCOPE: &str = "write_merchant_managed_fulfillment_orders";

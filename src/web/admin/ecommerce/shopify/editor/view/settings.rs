//! The other settings below the connection: each with its value, and if it cannot be used with the reason in words.
//! Plain data for `_settings.html`; the domain decides what may be used.

use askama::Template;
use time::OffsetDateTime;

use super::{locations::LocationsBlock, reason::ReasonView};
use crate::web::admin::ecommerce::shopify::editor::form_state::EditorForm;
use crate::{
    carts::{
        OtherSettings,
        settings::{CartSettings, GrantedPermissions, Setting, SettingGroup},
    },
    web::admin::{fields::FormField, filters, shell::Shell},
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

/// A setting's label on the page.
pub fn label(setting: Setting, product: &str) -> String {
    match setting {
        Setting::WriteProducts => format!("Use {product} to create new or update existing products in Shopify"),
        other => other.label().to_owned(),
    }
}

/// Labels of what a cart syncs: settings that are on and have their permission.
pub fn switched_on(other: &OtherSettings, product: &str) -> Vec<String> {
    Setting::switches()
        .filter(|setting| setting.parent().is_none())
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
        let reason =
            saved.why_not(Setting::Locations, &granted).map(|reason| ReasonView::new(&reason, Setting::Locations, now));
        let mut locations = LocationsBlock::new(locations, &shown.locations, reason, now);
        locations.is_untested = granted.scopes.is_none();
        Self { product: shell.product.clone(), shown, item_group: group, item_groups, saved, granted, locations, now }
    }

    fn reason(&self, setting: Setting) -> Option<ReasonView> {
        self.saved.why_not(setting, &self.granted).map(|reason| ReasonView::new(&reason, setting, self.now))
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

    /// The switches of a group that depend on no other setting.
    fn switches_of(&self, group: SettingGroup) -> Vec<SwitchView> {
        let is_here = |setting: &Setting| setting.group() == group && setting.parent().is_none();
        Setting::switches().filter(is_here).map(|setting| self.switch(setting)).collect()
    }

    /// The switches that depend on this setting.
    fn options_of(&self, parent: Setting) -> Vec<SwitchView> {
        let is_option = |setting: &Setting| setting.parent() == Some(parent);
        Setting::switches().filter(is_option).map(|setting| self.switch(setting)).collect()
    }

    /// One switch. It shares the reason of its parent.
    fn switch(&self, setting: Setting) -> SwitchView {
        let reason = self.reason(setting);
        let host = setting.parent().unwrap_or(setting);
        let at = if self.is_untested() { "settings" } else { host.as_str() };
        SwitchView {
            id: setting.as_str(),
            label: label(setting, &self.product),
            hint: setting.hint(),
            is_on: self.shown.switches.contains(&setting),
            described_by: reason.as_ref().map(|_| format!("{at}-r")),
            reason: reason.filter(|_| host == setting && !self.is_untested()),
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
    hint: &'static str,
    is_on: bool,
    /// The id of the reason's element, if the setting cannot be used.
    described_by: Option<String>,
    /// The reason to render here; absent if another place shows it.
    reason: Option<ReasonView>,
}

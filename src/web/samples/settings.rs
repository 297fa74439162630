//! The other settings in every state that has a text of its own.

use time::{Duration, macros::datetime};

use super::{LONG, NOW, complaint, draw, editor::saved_editor, shell};
use crate::carts::OtherSettings;
use crate::carts::settings::{CartSettings, GrantedPermissions, Setting, SettingsInput};
use crate::platforms::shopify::locations::{Location, Locations};
use crate::web::admin::ecommerce::shopify::Kind;
use crate::web::admin::ecommerce::shopify::editor::view::settings::SettingsSection;
use crate::web::admin::ecommerce::shopify::editor::{form_state::EditorForm, view::general::General};

/// Some settings on, one without its permission, one paused, locations to choose from.
pub(super) fn other_settings() -> OtherSettings {
    let location =
        |id: &str, name: &str, is_chosen, is_gone| Location { id: id.into(), name: name.into(), is_chosen, is_gone };
    let scopes = ["write_merchant_managed_fulfillment_orders", "read_products", "write_locations"];
    OtherSettings {
        saved: CartSettings {
            switches: [Setting::UpdateOrderStatus, Setting::ImportProducts, Setting::WriteProducts].into(),
            item_group: "Web store".into(),
            locations: ["1".to_owned(), "3".to_owned()].into(),
        },
        granted: GrantedPermissions {
            scopes: Some(scopes.map(str::to_owned).to_vec()),
            lost: [("write_products".to_owned(), datetime!(2026-11-21 08:14:00 UTC))].into(),
        },
        locations: Locations {
            all: vec![
                location("1", "London warehouse", true, false),
                location("3", "Old depot", true, true),
                location("2", LONG, false, false),
            ],
            read_at: Some(NOW - Duration::minutes(2)),
        },
        item_groups: vec!["Web store".into(), "Wholesale".into()],
    }
}

pub(super) fn settings_section(other: OtherSettings) -> SettingsSection {
    SettingsSection::new(&shell(), other, &EditorForm::default(), NOW)
}

pub(super) fn pages() -> Vec<(String, String)> {
    let page = |name: &str, settings: SettingsSection| {
        let page = General { settings: Some(settings), ..saved_editor(Kind::AccessToken) };
        (name.to_owned(), draw(&page))
    };
    let never_tested = OtherSettings { granted: GrantedPermissions::default(), ..other_settings() };
    let no_shipping = OtherSettings {
        granted: GrantedPermissions {
            scopes: Some(vec!["read_products".into(), "read_locations".into()]),
            ..GrantedPermissions::default()
        },
        ..other_settings()
    };
    let many =
        (0..64).map(|n| Location { id: n.to_string(), name: format!("Shop {n}"), is_chosen: n < 2, is_gone: false });
    let many = OtherSettings {
        locations: Locations { all: many.collect(), read_at: Some(NOW - Duration::days(3)) },
        ..other_settings()
    };
    let nothing = OtherSettings {
        saved: CartSettings::default(),
        granted: GrantedPermissions { scopes: Some(vec![]), ..GrantedPermissions::default() },
        ..OtherSettings::default()
    };
    let mut away = settings_section(many.clone());
    away.locations.failure = Some("Shopify has a problem at the moment".into());
    let gone = OtherSettings {
        locations: Locations { all: other_settings().locations.all[1..2].to_vec(), read_at: Some(NOW) },
        ..other_settings()
    };
    let only = OtherSettings {
        locations: Locations { all: other_settings().locations.all[2..].to_vec(), read_at: Some(NOW) },
        ..other_settings()
    };
    let mut wrong = General { settings: None, ..saved_editor(Kind::AccessToken) };
    wrong.form.item_group.complaint = Some(complaint("GROUP_EMPTY", "Enter the item group that new items go into"));
    let asked = SettingsInput {
        offered: Setting::ALL.into(),
        settings: CartSettings { switches: [Setting::ImportProducts].into(), ..CartSettings::default() },
    };
    wrong.form.asked = Some(asked);
    wrong.settings = Some(SettingsSection::new(&shell(), other_settings(), &wrong.form, NOW));
    vec![
        page("settings-untested", settings_section(never_tested)),
        page("settings-no-permission", settings_section(nothing)),
        page("settings-no-shipping", settings_section(no_shipping)),
        page("settings-many-locations", settings_section(many)),
        page("settings-away", away),
        page("settings-all-gone", settings_section(gone)),
        page("settings-one-location", settings_section(only)),
        ("settings-wrong".into(), draw(&wrong)),
    ]
}

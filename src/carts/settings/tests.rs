use time::{OffsetDateTime, macros::datetime};

use super::*;

const THEN: OffsetDateTime = datetime!(2026-11-21 08:14 UTC);
const LATER: OffsetDateTime = datetime!(2026-11-22 08:14 UTC);

fn granted(scopes: &[&str], lost: &[(&str, OffsetDateTime)]) -> GrantedPermissions {
    GrantedPermissions {
        scopes: Some(scopes.iter().map(|&scope| scope.to_owned()).collect()),
        lost: lost.iter().map(|(scope, at)| ((*scope).to_owned(), *at)).collect(),
    }
}

#[test]
fn each_setting_says_why_it_cannot_be_used() {
    use Setting::*;
    let all = ["write_merchant_managed_fulfillment_orders", "write_inventory", "write_locations", "write_products"];
    let missing = |scope| Some(UnavailableReason::Missing { scope });
    let any = Some(UnavailableReason::MissingAny { scopes: &SHIPPING });
    // granted scopes, setting, whether it is on, why it cannot be used
    let table: &[(&[&str], Setting, bool, Option<UnavailableReason>)] = &[
        (&all, UpdateOrderStatus, false, None),
        (&["write_assigned_fulfillment_orders"], UpdateOrderStatus, false, None),
        (&["write_third_party_fulfillment_orders"], UpdateOrderStatus, true, None),
        (&["read_merchant_managed_fulfillment_orders", "write_fulfillments"], UpdateOrderStatus, false, any.clone()),
        (&[], UpdateOrderStatus, true, any),
        (&all, UpdateInventory, false, None),
        (&["write_inventory", "read_locations"], UpdateInventory, true, None),
        (&["write_locations", "read_inventory"], UpdateInventory, false, missing("write_inventory")),
        (&["write_inventory"], UpdateInventory, false, missing("read_locations")),
        (&all, CalculateBuildable, true, None),
        (&["write_locations"], IncludePurchaseOrders, false, missing("write_inventory")),
        (&["write_locations"], IncludeVendorQuantity, false, missing("write_inventory")),
        (&["read_locations"], Locations, false, None),
        (&["write_locations"], Locations, false, None),
        (&["write_inventory"], Locations, false, missing("read_locations")),
        (&["read_products"], ImportProducts, false, None),
        (&["read_products"], ItemGroup, false, None),
        (&["write_inventory"], ItemGroup, false, missing("read_products")),
        (&["read_products"], WriteProducts, false, missing("write_products")),
        (
            &["read_products"],
            WriteProducts,
            true,
            Some(UnavailableReason::Paused { scope: "write_products", since: None }),
        ),
        (&all, WriteProducts, true, None),
    ];
    for (scopes, setting, is_on, reason) in table {
        assert_eq!(why_not(*setting, &granted(scopes, &[]), *is_on), *reason, "{setting:?} with {scopes:?}, {is_on}");
    }
    for setting in Setting::ALL {
        assert_eq!(
            why_not(setting, &GrantedPermissions::default(), true),
            Some(UnavailableReason::NeverTested),
            "{setting:?}"
        );
        assert_eq!(Setting::parse(setting.as_str()), Some(setting));
    }
}

#[test]
fn enabled_setting_is_paused_since_its_permission_was_lost() {
    let paused = |setting, lost: &[_], is_on| why_not(setting, &granted(&[], lost), is_on);
    let lost = [("write_locations", THEN), ("write_inventory", LATER)];
    let since = |scope, since| Some(UnavailableReason::Paused { scope, since: Some(since) });
    assert_eq!(paused(Setting::UpdateInventory, &lost, true), since("write_inventory", LATER));
    assert_eq!(paused(Setting::Locations, &lost, true), since("read_locations", THEN));
    assert_eq!(paused(Setting::Locations, &lost, false), Some(UnavailableReason::Missing { scope: "read_locations" }));
    let lost = [(SHIPPING[0], LATER), (SHIPPING[1], THEN)];
    assert_eq!(paused(Setting::UpdateOrderStatus, &lost, true), since(SHIPPING[0], LATER), "the last loss counts");
}

#[test]
fn form_changes_only_offered_and_usable_settings() {
    let on =
        |switches: &[Setting]| CartSettings { switches: switches.iter().copied().collect(), ..CartSettings::default() };
    let saved = on(&[Setting::UpdateOrderStatus, Setting::UpdateInventory, Setting::WriteProducts]);
    let offered = [Setting::UpdateOrderStatus, Setting::WriteProducts, Setting::ImportProducts].into();
    let typed = on(&[Setting::ImportProducts, Setting::CalculateBuildable]);
    let asked = SettingsInput { offered, settings: typed };
    let may = granted(&["write_merchant_managed_fulfillment_orders", "read_products", "write_inventory"], &[]);
    let next = saved.with(&asked, &may);
    let has = |setting| next.switches.contains(&setting);
    assert!(!has(Setting::UpdateOrderStatus), "offered and not ticked");
    assert!(has(Setting::UpdateInventory) && !has(Setting::CalculateBuildable), "neither was offered");
    assert!(has(Setting::WriteProducts), "offered, but unusable now: not submitted does not mean off");
    assert!(has(Setting::ImportProducts));
    assert_eq!(saved.with(&asked, &GrantedPermissions::default()), saved);
}

#[test]
fn changes_are_described_in_words() {
    let before = CartSettings { locations: ["1".to_owned()].into(), ..CartSettings::default() };
    let after = CartSettings {
        switches: [Setting::UpdateInventory].into(),
        item_group: "Web".into(),
        ..CartSettings::default()
    };
    let told: Vec<_> =
        before.changes(&after, |id| format!("Depot {id}")).into_iter().map(|c| (c.field, c.before, c.after)).collect();
    let expected =
        [("Update inventory", "Off", "On"), ("Location(s)", "Depot 1", "All"), ("Item group", "None", "Web")];
    assert_eq!(told, expected.map(|(field, before, after)| (field, before.to_owned(), after.to_owned())));
}

#[test]
fn an_item_group_is_one_line_and_no_secret() {
    assert_eq!(item_group(" Web \n store ", true), Ok("Web store".into()));
    for blank in [" \u{200f}", "\u{200B}", "\u{3164}", "\u{2800}"] {
        assert_eq!(item_group(blank, true), Err(ItemGroupError::Empty), "{blank:?}");
        assert_eq!(item_group(blank, false), Ok(String::new()), "{blank:?}");
    }
    assert_eq!(item_group("\u{FEFF}Web\u{200B}", true), Ok("Web".into()));
    assert_eq!(item_group("", false), Ok(String::new()));
    assert_eq!(item_group(&"茶".repeat(81), false), Err(ItemGroupError::TooLong));
    assert_eq!(item_group(&format!("shpat_{}", "a1".repeat(16)), false), Err(ItemGroupError::IsToken));
}

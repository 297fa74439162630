//! The other General settings of a cart: what the sync may do with the store.

use std::collections::BTreeMap;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::{
    app::App,
    carts::{OtherSettings, settings::Setting},
    clock::utc_text,
    web::{
        api::{caller::SeenCart, conditional::TaggedJson, problem::Problem},
        urls,
    },
};

/// What the sync may do with a store.
#[derive(Serialize, ToSchema)]
#[schema(as = CartSettings)]
pub struct CartSettingsBody {
    /// The switches by name, such as `update_inventory`.
    #[schema(value_type = BTreeMap<String, SwitchBody>)]
    switches: BTreeMap<&'static str, SwitchBody>,
    locations: LocationsBody,
    /// The item group of imported products; `null` for none.
    #[schema(required)]
    item_group: Option<String>,
}

/// One switch.
#[derive(Serialize, ToSchema)]
#[schema(as = Switch)]
pub struct SwitchBody {
    /// Whether it is on, and the switch that it depends on too.
    on: bool,
    /// Whether the store grants the permissions that it needs. Act only on a switch that is on and usable.
    usable: bool,
}

/// The locations that stock is limited to.
#[derive(Serialize, ToSchema)]
#[schema(as = Locations)]
pub struct LocationsBody {
    /// Whether stock is limited to the chosen locations; otherwise all locations count.
    limited: bool,
    chosen: Vec<LocationBody>,
    /// When the list of locations was last read from the store.
    #[schema(required, format = DateTime)]
    read_at: Option<String>,
}

/// One chosen location.
#[derive(Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationBody {
    /// The platform's id.
    id: String,
    name: String,
    /// Whether the store no longer has it.
    gone: bool,
}

impl CartSettingsBody {
    fn of(settings: &OtherSettings) -> Self {
        let OtherSettings { saved, granted, locations, .. } = settings;
        let switch = |setting: Setting| SwitchBody {
            on: saved.is_on(setting),
            usable: saved.why_not(setting, granted).is_none(),
        };
        let chosen: Vec<_> = locations
            .all
            .iter()
            .filter(|location| location.is_chosen)
            .map(|one| LocationBody { id: one.id.clone(), name: one.name.clone(), gone: one.is_gone })
            .collect();
        Self {
            switches: Setting::switches().map(|setting| (setting.as_str(), switch(setting))).collect(),
            locations: LocationsBody { limited: !chosen.is_empty(), chosen, read_at: locations.read_at.map(utc_text) },
            item_group: Some(saved.item_group.clone()).filter(|group| !group.is_empty()),
        }
    }
}

/// Read the settings of a cart
///
/// Switches, locations and item group, as on the tab General.
#[utoipa::path(
    get,
    path = urls::API_CART_SETTINGS,
    operation_id = "readCartSettings",
    tag = "Carts",
    params(("cart" = String, Path, description = "The id of the cart.")),
    responses(
        (status = 200, description = "The settings.", body = CartSettingsBody),
        (status = 304, description = "The settings are still as in `If-None-Match`.")
    )
)]
pub async fn show(State(app): State<App>, SeenCart(cart): SeenCart, headers: HeaderMap) -> Result<Response, Problem> {
    let settings = match app.carts.find_settings(cart.id).await {
        // Deleted since the cart was found.
        Err(sqlx::Error::RowNotFound) => return Err(Problem::no_such_cart()),
        settings => settings?,
    };
    Ok(TaggedJson::of(&CartSettingsBody::of(&settings)).read(&headers))
}

//! Why a setting cannot be used: a permission that the app does not have, or does not have any more.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::Setting;
use crate::ecommerce::shopify::scopes;

/// What the last pass of exactly the saved credential knows of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Granted {
    /// `None` while nothing that is saved has passed.
    pub scopes: Option<Vec<String>>,
    /// Permissions that were there once, and since when they are not.
    pub lost: BTreeMap<String, OffsetDateTime>,
}

impl Granted {
    /// Since when a permission is missing that was there; the writing form had the reading one in it.
    fn lost_at(&self, scope: &str) -> Option<OffsetDateTime> {
        let writing = scope.strip_prefix("read_").map(|rest| format!("write_{rest}"));
        self.lost.get(scope).copied().or_else(|| self.lost.get(&writing?).copied())
    }
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
pub(super) const SHIPPING: [&str; 3] = [
    "write_assigned_fulfillment_orders",
    "write_merchant_managed_fulfillment_orders",
    "write_third_party_fulfillment_orders",
];

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

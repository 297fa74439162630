//! What one check found, as far as it concerns the health of its cart.

use serde::{Deserialize, Serialize};

use crate::{
    causes::{Check, CheckKind, Class, Limit, Store, Verdict},
    platforms::shopify::scopes,
};

/// The result of a check, as far as it concerns the health of the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub title: String,
    pub missing: Vec<String>,
    /// The granted scopes, implied ones included; `None` unless the store accepted the credential.
    pub granted: Option<Vec<String>>,
    /// Time from the start of the call to the end of its response.
    pub took_ms: Option<u32>,
    /// `None` unless the store accepted the credential.
    pub store: Option<StoreFacts>,
    /// Seconds that Shopify asked us to wait.
    pub wait_seconds: Option<u32>,
    /// Whether the check queried one order's customer.
    pub asked_customers: bool,
}

/// Facts about a store from Shopify, stored with the health of its cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFacts {
    pub store: Store,
    /// How many of the 17 permissions are covered.
    pub covered: usize,
    /// The API version that answered, if the response named it.
    pub api_version: Option<String>,
}

impl Finding {
    pub fn of(verdict: &Verdict, title: String) -> Self {
        let missing = verdict.limits.iter().find_map(|limit| match limit {
            Limit::ScopesMissing { scopes } => Some(scopes.clone()),
            _ => None,
        });
        let facts = verdict.store.as_ref().filter(|_| verdict.outcome().passes()).map(|store| StoreFacts {
            store: store.clone(),
            covered: verdict.covered,
            api_version: verdict.details.api_version_answered.clone(),
        });
        Self {
            class: verdict.class,
            title,
            missing: missing.unwrap_or_default(),
            granted: facts.is_some().then(|| scopes::expand(&verdict.granted).into_iter().collect()),
            took_ms: took(&verdict.checks).filter(|_| verdict.outcome().passes()),
            store: facts,
            wait_seconds: verdict.wait_seconds,
            asked_customers: verdict.checks.iter().any(|check| check.kind == CheckKind::Customers),
        }
    }
}

/// Duration of the first call: from its start until TLS is established, and from there to the end of the response.
fn took(checks: &[Check]) -> Option<u32> {
    let of = |kind| checks.iter().find(|check| check.kind == kind).and_then(|check| check.took_ms);
    Some(of(CheckKind::Store)? + of(CheckKind::Credential)?)
}

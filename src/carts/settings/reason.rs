//! Why a setting cannot be used: a permission that the app lacks or has lost.

use std::collections::BTreeMap;

use time::OffsetDateTime;

use super::{RequiredScopes, Setting};
use crate::platforms::shopify::scopes;

/// The permissions known from the last pass of the saved credential.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GrantedPermissions {
    /// `None` until the saved credential has passed.
    pub scopes: Option<Vec<String>>,
    /// Permissions that were lost, with the time since when they are missing.
    pub lost: BTreeMap<String, OffsetDateTime>,
}

impl GrantedPermissions {
    /// When a permission was lost; losing a `write_` scope also loses the `read_` scope that it includes.
    fn lost_at(&self, scope: &str) -> Option<OffsetDateTime> {
        let writing = scope.strip_prefix("read_").map(|rest| format!("write_{rest}"));
        self.lost.get(scope).copied().or_else(|| self.lost.get(&writing?).copied())
    }
}

/// Why a setting cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum UnavailableReason {
    NeverTested,
    Missing {
        scope: &'static str,
    },
    /// Any one of these is sufficient.
    MissingAny {
        scopes: &'static [&'static str],
    },
    /// The setting is on but has no effect; it resumes automatically once the permission is granted again.
    Paused {
        scope: &'static str,
        since: Option<OffsetDateTime>,
    },
}

/// Returns why a setting cannot be used; `is_on` is its stored value.
pub fn why_not(setting: Setting, granted: &GrantedPermissions, is_on: bool) -> Option<UnavailableReason> {
    let Some(scopes) = &granted.scopes else { return Some(UnavailableReason::NeverTested) };
    let grants = |scope: &str| scopes::grants(scopes, scope);
    let paused = |scope| UnavailableReason::Paused { scope, since: granted.lost_at(scope) };
    match setting.row().needs {
        RequiredScopes::All(needed) => {
            let scope = *needed.iter().find(|scope| !grants(scope))?;
            Some(if is_on { paused(scope) } else { UnavailableReason::Missing { scope } })
        }
        RequiredScopes::Any(sufficient) => {
            if sufficient.iter().copied().any(grants) {
                return None;
            }
            // The setting stopped working when the last of them was lost.
            let last = sufficient.iter().copied().max_by_key(|scope| granted.lost_at(scope))?;
            Some(if is_on && granted.lost_at(last).is_some() {
                paused(last)
            } else {
                UnavailableReason::MissingAny { scopes: sufficient }
            })
        }
    }
}

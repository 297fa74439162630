//! The checks of a test, reported one by one as they complete.

use serde::{Deserialize, Serialize};

/// The checks of a test, in the order of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckKind {
    Address,
    Store,
    Credential,
    Permissions,
    Version,
    Customers,
}

impl CheckKind {
    /// The value of `data-check`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Store => "store",
            Self::Credential => "credential",
            Self::Permissions => "permissions",
            Self::Version => "version",
            Self::Customers => "customers",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CheckState {
    Passed,
    Failed,
    NotChecked,
}

/// One check of a test, reported as it completes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: CheckKind,
    pub state: CheckState,
    /// What was found, such as `15 of 17` or `2026-10`; foreign text, truncated and without control characters.
    pub found: Option<String>,
    /// Duration of this check in milliseconds, if it was timed on its own.
    pub took_ms: Option<u32>,
}

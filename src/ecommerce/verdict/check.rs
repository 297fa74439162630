//! The lines of a test, told one by one as they end.

use serde::{Deserialize, Serialize};

/// The lines of a test, in the order in which they are shown.
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

/// One line of a test, told as it ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    pub kind: CheckKind,
    pub state: CheckState,
    /// What was found, such as `15 of 17` or `2026-10`; foreign text, capped and without control characters.
    pub found: Option<String>,
    /// Milliseconds that this check took, where it had a time of its own.
    pub took_ms: Option<u32>,
}

//! E-mail notices to users about changes of their own account, sent to their own address (ASVS 5.0, 6.3.7). They use
//! the outbox of the alerts, but not the alerts' recipients.

use serde::{Deserialize, Serialize};

/// A notice about a change of a user's account. No field holds a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNotice {
    pub change: AccountChange,
    /// The user's name.
    pub person: String,
    /// The actor, if it is not the user: "Sam Lee (sam@northwind.example)".
    pub by: Option<String>,
    /// IP address of the request. The command line has neither an address nor a browser.
    pub ip: Option<String>,
    /// Name of the browser, such as "Chrome on Windows".
    pub browser: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AccountChange {
    Password,
    PasswordByLink,
    Email {
        before: String,
        after: String,
    },
    /// Role names as the pages show them, such as "Viewer".
    Role {
        before: String,
        after: String,
    },
    TurnedOff,
    TurnedOn,
}

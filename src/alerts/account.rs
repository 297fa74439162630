//! E-mail notices to users about changes of their own account, sent to their own address (ASVS 5.0, 6.3.7). They use
//! the outbox of the alerts, but not the alerts' recipients.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Alert, sql};
use crate::database::Connection;

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

/// Queues one e-mail to each address on the connection of the change, so that both are committed or neither. Without a
/// mail server, the e-mail expires unsent after a day.
pub async fn queue_notice(work: &mut Connection, addresses: &[&str], notice: AccountNotice) -> sqlx::Result<()> {
    let data = serde_json::to_value(Alert::AccountChanged(notice)).expect("notices are plain data");
    let addresses: Vec<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
    sql::queue_mails(work, Uuid::now_v7(), &addresses, &data).await
}

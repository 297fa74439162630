//! What a person is told about a change of their own account, by mail to their own address (ASVS 5.0, 6.3.7). Uses the
//! outbox of the alerts, but not their recipients.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Alert, sql};
use crate::database::Connection;

/// A change of somebody's account. No secret has a place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccountNotice {
    pub change: AccountChange,
    /// The person's name.
    pub person: String,
    /// Who did it, if not the person: "Sam Lee (sam@northwind.example)".
    pub by: Option<String>,
    /// Where it came from; the command line has neither.
    pub ip: Option<String>,
    /// Such as "Chrome on Windows".
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
    /// By the words of the pages, such as "Viewer".
    Role {
        before: String,
        after: String,
    },
    TurnedOff,
    TurnedOn,
}

/// Queues one mail to each address through the connection of the change, so that both are kept or neither. Where no mail server is
/// set up, it goes unsent after a day.
pub async fn queue_notice(work: &mut Connection, addresses: &[&str], notice: AccountNotice) -> sqlx::Result<()> {
    let data = serde_json::to_value(Alert::AccountChanged(notice)).expect("notices are plain data");
    let addresses: Vec<String> = addresses.iter().map(|address| (*address).to_owned()).collect();
    sql::queue_mails(work, Uuid::now_v7(), &addresses, &data).await
}

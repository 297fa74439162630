//! Problems of this server that many carts share: one alert to the operator for all of them, and one when it is over. Who
//! decides that they are many is the caller; here are the values, the words, and what happens to alerts of single carts.

use crate::database::Connection;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{House, sql};

/// How long, in seconds, an alert about one cart waits for a cause on our side, so that it can become one for many.
const HOLD: f64 = 20.0;

/// What is wrong on our side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SharedCause {
    /// Calls do not get through: DNS, routes, firewalls, the egress proxy.
    Network,
    /// Apps let in listed addresses only, and ours is not among them.
    Address,
    /// Saved secrets cannot be opened.
    Key,
    /// A fault of this program, or of the machine that it runs on.
    Program,
}

/// Many carts fail for one cause on our side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedProblem {
    pub cause: SharedCause,
    /// The class of the cart with which it was found, such as `NETWORK_DNS`.
    pub class: String,
    /// How many carts failed for it when it was found.
    pub carts: i64,
    /// How many carts were active then.
    pub active: i64,
    /// How many carts still fail for it when it is told as over.
    #[serde(default)]
    pub still_failing: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl SharedCause {
    pub const ALL: [Self; 4] = [Self::Network, Self::Address, Self::Key, Self::Program];

    /// As in `shared_problems.cause`, the webhook and the metric.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Network => "network",
            Self::Address => "address",
            Self::Key => "key",
            Self::Program => "program",
        }
    }

    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Network => "This server cannot reach Shopify",
            Self::Address => "Shopify refuses calls from this server's address",
            Self::Key => "This server cannot read saved secrets",
            Self::Program => "A fault of this server keeps it from checking stores",
        }
    }

    /// The title of its end.
    pub(super) const fn over(self) -> &'static str {
        match self {
            Self::Network => "This server reaches Shopify again",
            Self::Address => "Shopify accepts calls from this server's address again",
            Self::Key => "This server reads saved secrets again",
            Self::Program => "This server checks stores again",
        }
    }

    /// What the operator does about it, one step each.
    pub(super) fn todo(self, house: &House) -> Vec<String> {
        match self {
            Self::Network => vec![
                "Run cartwright doctor on the server: it says whether Shopify can be reached.".into(),
                "Check DNS, firewall and CARTWRIGHT_EGRESS_PROXY.".into(),
            ],
            Self::Address => vec![
                "Open each app in the Dev Dashboard, then Settings, then IP allowlist.".into(),
                if house.egress_addresses.is_empty() {
                    "Add the public addresses that this server calls from, such as those of its NAT gateway or proxy, and list \
                     them in CARTWRIGHT_EGRESS_ADDRESSES."
                        .into()
                } else {
                    format!(
                        "Add the addresses that this server calls from: {}. If the server has moved, list its new addresses in \
                         CARTWRIGHT_EGRESS_ADDRESSES first.",
                        house.egress_addresses
                    )
                },
            ],
            Self::Key => vec![
                "Run cartwright doctor on the server: it names the key that is missing.".into(),
                "Put its line back into the key file and restart the server.".into(),
            ],
            Self::Program => vec![
                format!("Update {} to its newest version.", house.product),
                "If it lasts, send the diagnostics of one cart to support.".into(),
            ],
        }
    }
}

/// Makes the alerts that this transaction has queued about a cart wait a moment.
pub async fn hold(work: &mut Connection, cart: Uuid) -> sqlx::Result<()> {
    sql::hold(work, cart, HOLD).await
}

/// Takes back alerts about single carts of these classes that wait and were written in the last hour: one for all of them
/// follows.
pub async fn withdraw(work: &mut Connection, classes: &[&str]) -> sqlx::Result<()> {
    let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
    sql::withdraw(work, &classes).await
}

//! Problems of this server that many carts share: one alert to the operator for all of them, and one when the problem
//! is over. The caller decides when a problem is shared; this module has the values, the texts, and the handling of
//! alerts about single carts.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{SiteInfo, sql};
use crate::{causes::SharedCause, database::Connection};

/// Seconds by which an alert about one cart is delayed, so that one alert for many carts can replace it if the cause is
/// on our side.
const HOLD: f64 = 20.0;

/// Many carts fail for one cause on our side.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedProblem {
    pub cause: SharedCause,
    /// The class of the cart with which the problem was detected, such as `NETWORK_DNS`.
    pub class: String,
    /// Number of carts that failed for this cause when it was detected.
    pub carts: i64,
    /// Number of active carts at that time.
    pub active: i64,
    /// Number of carts that still fail for this cause when the problem ends.
    #[serde(default)]
    pub still_failing: i64,
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
}

impl SharedCause {
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Network => "This server cannot reach Shopify",
            Self::Address => "Shopify refuses calls from this server's address",
            Self::Key => "This server cannot read saved secrets",
            Self::Program => "A fault of this server keeps it from checking stores",
        }
    }

    /// The title of the alert for its recovery.
    pub(super) const fn over(self) -> &'static str {
        match self {
            Self::Network => "This server reaches Shopify again",
            Self::Address => "Shopify accepts calls from this server's address again",
            Self::Key => "This server reads saved secrets again",
            Self::Program => "This server checks stores again",
        }
    }

    /// What the operator should do, one step per entry.
    pub(super) fn todo(self, house: &SiteInfo) -> Vec<String> {
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

/// Delays the alerts about a cart that this transaction has queued.
pub async fn hold(work: &mut Connection, cart: Uuid) -> sqlx::Result<()> {
    sql::shared::hold(work, cart, HOLD).await
}

/// Withdraws queued alerts of the last hour about single carts with these classes: one alert for all of them follows.
pub async fn withdraw(work: &mut Connection, classes: &[&str]) -> sqlx::Result<()> {
    let classes: Vec<String> = classes.iter().map(|class| (*class).to_owned()).collect();
    sql::shared::withdraw(work, &classes).await
}

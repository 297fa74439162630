//! The subjects of alerts as plain data. Alerts know nothing about carts: names and titles are passed as values. No
//! field holds a secret.

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use uuid::Uuid;

use super::{AccountNotice, SharedProblem};

/// The five statuses of a cart; serialized under their public names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CartStatus {
    Draft,
    Connected,
    NeedsAttention,
    NotConnected,
    Inactive,
}

/// The kind of a cart's credential.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AlertCredential {
    #[default]
    AccessToken,
    ClientSecret,
}

impl AlertCredential {
    /// The noun to use within a sentence.
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::ClientSecret => "Client secret",
        }
    }

    /// The label of the button that replaces it.
    pub(super) const fn replace_button(self) -> &'static str {
        match self {
            Self::AccessToken => "Replace token",
            Self::ClientSecret => "Replace Client secret",
        }
    }
}

/// A cart's status changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusChange {
    pub cart: Uuid,
    pub website_name: String,
    pub store_host: String,
    pub previous: CartStatus,
    pub status: CartStatus,
    /// Class of the problem, such as `TOKEN_STOPPED`; after a recovery, the class that ended.
    pub class: String,
    /// Title of the problem, as the page shows it.
    pub title: String,
    /// Missing in alerts that an earlier version queued.
    #[serde(default)]
    pub credential: AlertCredential,
    /// Shopify's names of required permissions that are missing.
    pub missing_permissions: Vec<String>,
    /// What stops working without each missing permission, in the words of the permission table and in the same order.
    pub what_stops: Vec<String>,
    /// Start of the problem, also after a recovery.
    #[serde(with = "time::serde::rfc3339")]
    pub since: OffsetDateTime,
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_good_at: Option<OffsetDateTime>,
}

/// An API key that ends soon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EndingApiKey {
    pub key: Uuid,
    pub name: String,
    /// The last four characters of the key.
    pub ending: String,
    #[serde(with = "time::serde::rfc3339")]
    pub ends_at: OffsetDateTime,
}

/// All kinds of alerts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Alert {
    #[serde(rename = "cart.needs-attention")]
    NeedsAttention(StatusChange),
    #[serde(rename = "cart.recovered")]
    Recovered(StatusChange),
    /// Many carts fail for one cause on our side.
    #[serde(rename = "server.problem")]
    ServerProblem(SharedProblem),
    #[serde(rename = "server.recovered")]
    ServerRecovered(SharedProblem),
    #[serde(rename = "alert.trial")]
    Trial,
    /// The head of the audit log's hash chain, `POSITION:HASH`. The receiver should store it where the database owner
    /// cannot change it.
    #[serde(rename = "activity.head")]
    ActivityHead { head: String },
    /// An API key ends within 14 days.
    #[serde(rename = "api-key.ends-soon")]
    ApiKeyEndsSoon(EndingApiKey),
    /// A change of a user's account. Sent only to the account's own address.
    #[serde(rename = "account.changed")]
    AccountChanged(AccountNotice),
}

impl StatusChange {
    /// The alert for this change: for a worse status and for a recovery. No alert for a repeat, or if a user has just
    /// saved, turned on or turned off the cart and sees its status on the page.
    pub fn alert(self) -> Option<Alert> {
        use CartStatus::{Connected, Draft, Inactive, NeedsAttention, NotConnected};
        match (self.previous, self.status) {
            (Connected, NeedsAttention) | (Connected | NeedsAttention, NotConnected) => {
                Some(Alert::NeedsAttention(self))
            }
            // Better than before, but still a problem.
            (NotConnected, NeedsAttention) => Some(Alert::NeedsAttention(self)),
            (NeedsAttention | NotConnected, Connected) => Some(Alert::Recovered(self)),
            (Connected, Connected)
            | (NeedsAttention, NeedsAttention)
            | (NotConnected, NotConnected)
            | (Draft | Inactive, _)
            | (_, Draft | Inactive) => None,
        }
    }
}

impl Alert {
    /// The kind in the webhook payload.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NeedsAttention(_) => "cart.needs-attention",
            Self::Recovered(_) => "cart.recovered",
            Self::ServerProblem(_) => "server.problem",
            Self::ServerRecovered(_) => "server.recovered",
            Self::Trial => "alert.trial",
            Self::ActivityHead { .. } => "activity.head",
            Self::ApiKeyEndsSoon(_) => "api-key.ends-soon",
            Self::AccountChanged(_) => "account.changed",
        }
    }

    /// The cart that the alert is about.
    pub const fn cart(&self) -> Option<Uuid> {
        match self {
            Self::NeedsAttention(change) | Self::Recovered(change) => Some(change.cart),
            Self::ServerProblem(_)
            | Self::ServerRecovered(_)
            | Self::Trial
            | Self::ActivityHead { .. }
            | Self::ApiKeyEndsSoon(_)
            | Self::AccountChanged(_) => None,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use time::macros::datetime;

    use super::*;

    pub(crate) fn change(previous: CartStatus, status: CartStatus) -> StatusChange {
        StatusChange {
            cart: Uuid::from_u128(0x0001_98f3),
            website_name: "Northwind Tea".into(),
            store_host: "northwind-tea.myshopify.com".into(),
            previous,
            status,
            class: "TOKEN_STOPPED".into(),
            title: "The access token stopped working".into(),
            credential: AlertCredential::AccessToken,
            missing_permissions: Vec::new(),
            what_stops: Vec::new(),
            since: datetime!(2026-11-21 08:14:40 UTC),
            last_good_at: Some(datetime!(2026-11-21 07:59:41 UTC)),
        }
    }

    #[test]
    fn only_changes_raise_alerts() {
        use CartStatus::{Connected, Draft, Inactive, NeedsAttention, NotConnected};
        let all = [Draft, Connected, NeedsAttention, NotConnected, Inactive];
        let told = |from, to| change(from, to).alert().map(|alert| alert.kind());
        for from in all {
            for to in all {
                let expected = match (from, to) {
                    (Connected, NeedsAttention | NotConnected)
                    | (NeedsAttention, NotConnected)
                    | (NotConnected, NeedsAttention) => Some("cart.needs-attention"),
                    (NeedsAttention | NotConnected, Connected) => Some("cart.recovered"),
                    _ => None,
                };
                assert_eq!(told(from, to), expected, "{from:?} to {to:?}");
            }
        }
    }

    #[test]
    fn queued_alerts_of_earlier_versions_are_readable() {
        let alert = change(CartStatus::Connected, CartStatus::NotConnected).alert().expect("an alert");
        let kept = serde_json::to_value(&alert).expect("plain data");
        assert_eq!((&kept["type"], &kept["status"]), (&alert.kind().into(), &"not-connected".into()));
        assert_eq!(serde_json::from_value::<Alert>(kept.clone()).expect("the same"), alert);
        let mut old = kept;
        old.as_object_mut().expect("an object").remove("credential").expect("a field");
        old["cause"] = "credential-refused".into();
        assert_eq!(serde_json::from_value::<Alert>(old).expect("readable"), alert);
    }
}

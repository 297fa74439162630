//! Health of carts: scheduled checks, the health state that they add up to, and its transitions.
//!
//! A *check* here is a complete connection test that no user started. [`super::status`] decides the status; this module
//! stores it in one transaction and announces transitions only. It knows no page and sends no e-mail.

mod finding;
mod history;
mod monitor;
mod record;
pub mod schedule;
mod shared;

use time::OffsetDateTime;

use super::{
    CartId, Status,
    changes::{self, ChangeFacts, ChangeKind},
};
use crate::platforms::{CredentialKind, shopify::scopes};
use crate::{
    alerts,
    audit::{self, By, CartRef, Event},
    causes::Class,
    database::Connection,
};

pub use finding::{Finding, StoreFacts};
pub use history::{DAYS, HealthDay, HealthHistory, PastCheck, PastProblem, RECENT};
pub use monitor::{CHECK_CONCURRENCY, Health, SweepReport, lag};
pub(super) use record::{apply_user_change, record, record_saved_with};

/// A cart started or stopped needing attention. Created in the transaction that changes the cart, and only if the
/// status changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthChange {
    pub cart: CartId,
    pub website_name: String,
    /// Such as `northwind-tea.myshopify.com`.
    pub store: String,
    pub previous: Status,
    pub status: Status,
    /// The cause; after a recovery, the cause that ended.
    pub class: Class,
    pub title: String,
    pub credential: CredentialKind,
    pub missing_permissions: Vec<String>,
    /// When the problem began; for a transient failure, the first failure.
    pub since: OffsetDateTime,
    /// When a check last passed.
    pub last_good_at: Option<OffsetDateTime>,
    /// When the status changed; after a recovery, `at - since` is the duration of the problem.
    pub at: OffsetDateTime,
}

/// Records a status change and queues its alert. The only function that does so.
async fn announce(work: &mut Connection, change: &HealthChange) -> sqlx::Result<()> {
    let cart = CartRef { id: change.cart.0, name: change.website_name.clone() };
    let (class, title) = (change.class.as_str(), change.title.clone());
    let event = match change.status {
        Status::NotConnected => Event::CartNotConnected { class, title },
        Status::NeedsAttention => Event::CartNeedsAttention { class, title },
        Status::Connected | Status::Draft | Status::Inactive => {
            let lasted_seconds = (change.at - change.since).whole_seconds();
            Event::CartRecovered { class, title, lasted_seconds }
        }
    };
    audit::record(work, &By::system(), Some(&cart), &event).await?;
    let kind = if change.status == Status::Connected { ChangeKind::Recovered } else { ChangeKind::NeedsAttention };
    changes::note(work, kind, Some(cart.id), &change.facts()).await?;
    shared::tell(work, change).await
}

impl HealthChange {
    /// The same facts as those of the alert.
    fn facts(&self) -> ChangeFacts {
        ChangeFacts {
            website_name: self.website_name.clone(),
            store: self.store.clone(),
            status: Some(self.status.as_str().to_owned()),
            previous_status: Some(self.previous.as_str().to_owned()),
            class: Some(self.class.as_str().to_owned()),
            title: Some(self.title.clone()),
            missing_permissions: self.missing_permissions.clone(),
            since: Some(self.since),
            last_good_at: self.last_good_at,
        }
    }

    /// Converts to the type of the alerts module, which does not depend on carts.
    fn told(&self) -> alerts::StatusChange {
        let without = |scope: &String| scopes::PERMISSIONS.iter().find(|permission| permission.scope == scope);
        alerts::StatusChange {
            cart: self.cart.0,
            website_name: self.website_name.clone(),
            store_host: self.store.clone(),
            previous: word(self.previous),
            status: word(self.status),
            class: self.class.as_str().to_owned(),
            title: self.title.clone(),
            credential: match self.credential {
                CredentialKind::AccessToken => alerts::AlertCredential::AccessToken,
                CredentialKind::ClientCredentials => alerts::AlertCredential::ClientSecret,
            },
            missing_permissions: self.missing_permissions.clone(),
            what_stops: self
                .missing_permissions
                .iter()
                .filter_map(without)
                .map(|found| found.without.to_owned())
                .collect(),
            since: self.since,
            last_good_at: self.last_good_at,
        }
    }
}

const fn word(status: Status) -> alerts::CartStatus {
    match status {
        Status::Draft => alerts::CartStatus::Draft,
        Status::Connected => alerts::CartStatus::Connected,
        Status::NeedsAttention => alerts::CartStatus::NeedsAttention,
        Status::NotConnected => alerts::CartStatus::NotConnected,
        Status::Inactive => alerts::CartStatus::Inactive,
    }
}

#[cfg(all(test, feature = "practice"))]
mod tests;

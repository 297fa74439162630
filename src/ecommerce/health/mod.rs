//! Health of carts: scheduled checks, the health state that they add up to, and its transitions.
//!
//! A *check* here is a complete connection test that no user started. [`super::status`] decides the status; this module
//! stores it in one transaction and announces transitions only. It knows no page and sends no e-mail.

mod history;
mod monitor;
mod record;
pub mod schedule;
mod shared;

use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    CartId, Status,
    shopify::{credential::CredentialKind, scopes},
    title,
    verdict::{Check, CheckKind, Class, Limit, Store, Verdict},
};
use crate::{
    alerts::{self, AlertCause},
    audit::{self, By, CartRef, Event},
    database::Connection,
};

pub use history::{DAYS, Health, HealthDay, PastCheck, PastProblem, RECENT};
pub use monitor::{CHECK_CONCURRENCY, SweepReport, lag};
pub(super) use record::{apply_user_change, record, record_saved_with};
pub use shared::cause_of;

/// The result of a check, as far as it concerns the health of the cart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub class: Class,
    pub title: String,
    pub missing: Vec<String>,
    /// The granted scopes, implied ones included; `None` unless the store accepted the credential.
    pub granted: Option<Vec<String>>,
    /// Time from the start of the call to the end of its response.
    pub took_ms: Option<u32>,
    /// `None` unless the store accepted the credential.
    pub store: Option<StoreFacts>,
    /// Seconds that Shopify asked us to wait.
    pub wait_seconds: Option<u32>,
    /// Whether the check queried one order's customer.
    pub asked_customers: bool,
}

/// Facts about a store from Shopify, stored with the health of its cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoreFacts {
    pub store: Store,
    /// How many of the 17 permissions are covered.
    pub covered: usize,
    /// The API version that answered, if the response named it.
    pub api_version: Option<String>,
}

impl Finding {
    pub fn of(verdict: &Verdict, title: String) -> Self {
        let missing = verdict.limits.iter().find_map(|limit| match limit {
            Limit::ScopesMissing { scopes } => Some(scopes.clone()),
            _ => None,
        });
        let facts = verdict.store.as_ref().filter(|_| verdict.outcome().passes()).map(|store| StoreFacts {
            store: store.clone(),
            covered: verdict.covered,
            api_version: verdict.details.api_version_answered.clone(),
        });
        Self {
            class: verdict.class,
            title,
            missing: missing.unwrap_or_default(),
            granted: facts.is_some().then(|| scopes::expand(&verdict.granted).into_iter().collect()),
            took_ms: took(&verdict.checks).filter(|_| verdict.outcome().passes()),
            store: facts,
            wait_seconds: verdict.wait_seconds,
            asked_customers: verdict.checks.iter().any(|check| check.kind == CheckKind::Customers),
        }
    }
}

/// Duration of the first call: from its start until TLS is established, and from there to the end of the response.
fn took(checks: &[Check]) -> Option<u32> {
    let of = |kind| checks.iter().find(|check| check.kind == kind).and_then(|check| check.took_ms);
    Some(of(CheckKind::Store)? + of(CheckKind::Credential)?)
}

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
    shared::tell(work, change).await
}

impl HealthChange {
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
            cause: alert_cause(self.class, &self.title),
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

/// Maps a class to its alert cause, because the alerts module does not depend on classes. For `NOT_SHOPIFY`, the title
/// identifies the page that answered.
pub(crate) fn alert_cause(class: Class, title: &str) -> AlertCause {
    match class {
        Class::ScopesMissing => AlertCause::ScopesMissing,
        Class::CustomerDetailsHidden => AlertCause::CustomerDetailsHidden,
        Class::Expires => AlertCause::Expires,
        Class::NetworkDns => AlertCause::NetworkDns,
        Class::NetworkUnreachable => AlertCause::NetworkUnreachable,
        Class::NetworkTimeout => AlertCause::NetworkTimeout,
        Class::TlsUntrusted => AlertCause::TlsUntrusted,
        Class::NotShopify if title::is_of_store_page(title) => AlertCause::StorePage,
        Class::NotShopify => AlertCause::NotShopify,
        Class::StoreNotFound => AlertCause::StoreNotFound,
        Class::StoreMoved => AlertCause::StoreMoved,
        Class::StoreFrozen => AlertCause::StoreFrozen,
        Class::StoreLocked => AlertCause::StoreLocked,
        Class::RateLimited => AlertCause::RateLimited,
        Class::RequestRejected => AlertCause::RequestRejected,
        Class::ShopifyDown => AlertCause::ShopifyDown,
        Class::TokenRefused | Class::TokenStopped => AlertCause::CredentialRefused,
        Class::TokenKindRefused => AlertCause::TokenKindRefused,
        Class::NotAllowed => AlertCause::NotAllowed,
        Class::AddressRefused => AlertCause::AddressRefused,
        Class::WrongStore | Class::Duplicate => AlertCause::OtherStore,
        Class::CcWrongOrg => AlertCause::CcWrongOrg,
        Class::CcNotInstalled => AlertCause::CcNotInstalled,
        Class::CcRefused => AlertCause::CcRefused,
        Class::OurBug => AlertCause::OurBug,
        Class::OurKey => AlertCause::OurKey,
        Class::Connected | Class::ApiVersionOld | Class::TestLimit => AlertCause::TitleOnly,
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

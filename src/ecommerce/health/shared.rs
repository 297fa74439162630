//! Many carts that fail for one cause on our side raise one alert for the operator. The decision is made in the
//! transaction of a cart's change with the row of the cause locked, so that concurrent replicas decide once.
//!
//! A problem is shared when at least [`SHARED_CARTS_MIN`] active carts began to fail for its cause within an hour, or
//! at least [`SHARED_CARTS_MIN_OF_FEW`] if they are half of the active carts. It ends when no cart fails for the cause
//! any more.

use std::time::Duration;

use super::{Class, HealthChange, history::code};
use crate::{
    alerts::{self, Alert, SharedCause, SharedProblem},
    database::{Connection, transaction},
    ecommerce::{Ecommerce, Status, sql},
};

/// Failing carts that share a problem, however many carts there are.
const SHARED_CARTS_MIN: i64 = 5;
/// Failing carts that share a problem if they are at least half of all active carts.
const SHARED_CARTS_MIN_OF_FEW: i64 = 3;
/// The carts must have begun to fail within this time.
const WINDOW: Duration = Duration::from_hours(1);
/// Carts made due when one fails for a cause on our side, to find out whether others fail as well.
const RECHECKED_CARTS_MAX: i64 = 20;

/// The cause on our side for checks that end with this class; `None` if the cause is the store, its owner or Shopify.
pub const fn cause_of(class: Class) -> Option<SharedCause> {
    match class {
        Class::NetworkDns
        | Class::NetworkUnreachable
        | Class::NetworkTimeout
        | Class::TlsUntrusted
        | Class::NotShopify => Some(SharedCause::Network),
        Class::AddressRefused => Some(SharedCause::Address),
        Class::OurKey => Some(SharedCause::Key),
        Class::OurBug => Some(SharedCause::Program),
        Class::Connected
        | Class::ScopesMissing
        | Class::CustomerDetailsHidden
        | Class::Expires
        | Class::ApiVersionOld
        | Class::StoreNotFound
        | Class::StoreMoved
        | Class::StoreFrozen
        | Class::StoreLocked
        | Class::RateLimited
        | Class::RequestRejected
        | Class::ShopifyDown
        | Class::TokenRefused
        | Class::TokenStopped
        | Class::TokenKindRefused
        | Class::NotAllowed
        | Class::WrongStore
        | Class::Duplicate
        | Class::CcWrongOrg
        | Class::CcNotInstalled
        | Class::CcRefused
        | Class::TestLimit => None,
    }
}

const fn is_shared(failing: i64, active: i64) -> bool {
    failing >= SHARED_CARTS_MIN || failing >= SHARED_CARTS_MIN_OF_FEW && failing * 2 >= active
}

fn classes_of(cause: SharedCause) -> impl Iterator<Item = Class> {
    Class::ALL.into_iter().filter(move |class| cause_of(*class) == Some(cause))
}

fn codes_of(cause: SharedCause) -> Vec<i32> {
    classes_of(cause).map(|class| i32::from(code(class))).collect()
}

/// Queues the alert for a change: its own, or the one for all carts that share the cause.
pub(super) async fn tell(work: &mut Connection, change: &HealthChange) -> sqlx::Result<()> {
    let Some(cause) = cause_of(change.class) else { return alerts::queue(work, &change.told()).await };
    let lasting = sql::lock_shared_problem(work, cause).await?;
    match (lasting, change.status) {
        (Some(lasting), Status::Connected) => end_if_resolved(work, cause, &lasting).await,
        (Some(_), _) => Ok(()),
        (None, Status::Connected) => alerts::queue(work, &change.told()).await,
        (None, _) => open_if_shared(work, cause, change).await,
    }
}

async fn open_if_shared(work: &mut Connection, cause: SharedCause, change: &HealthChange) -> sqlx::Result<()> {
    let carts = sql::count_failing(work, &codes_of(cause), Some(WINDOW)).await?;
    let active = sql::count_active(work).await?;
    if !is_shared(carts, active) {
        sql::check_others_soon(work, RECHECKED_CARTS_MAX).await?;
        alerts::queue(work, &change.told()).await?;
        return alerts::hold(work, change.cart.0).await;
    }
    let class = change.class.as_str();
    sql::begin_shared_problem(work, cause, change.since, class, carts).await?;
    let classes: Vec<&str> = classes_of(cause).map(Class::as_str).collect();
    alerts::withdraw(work, &classes).await?;
    metrics::counter!("cartwright_shared_problems_total", "cause" => cause.as_str()).increment(1);
    tracing::error!(
        cause = cause.as_str(),
        class,
        carts,
        active,
        "many carts fail for one reason on our side; run cartwright doctor and see docs/operating.md"
    );
    let since = change.since;
    let problem = SharedProblem { cause, class: class.to_owned(), carts, active, still_failing: 0, since };
    alerts::queue_alert(work, &Alert::ServerProblem(problem)).await
}

/// Ends a shared problem once no cart fails; after an hour, also once fewer than [`SHARED_CARTS_MIN_OF_FEW`] do.
async fn end_if_resolved(
    work: &mut Connection,
    cause: SharedCause,
    lasting: &sql::OpenSharedProblem,
) -> sqlx::Result<()> {
    let still_failing = sql::count_failing(work, &codes_of(cause), None).await?;
    let is_over = still_failing == 0 || still_failing < SHARED_CARTS_MIN_OF_FEW && lasting.is_old;
    if !is_over {
        return Ok(());
    }
    sql::end_shared_problem(work, cause).await?;
    tracing::info!(cause = cause.as_str(), still_failing, "a shared problem has ended");
    let problem = SharedProblem {
        cause,
        class: lasting.class.clone(),
        carts: lasting.carts,
        active: sql::count_active(work).await?,
        still_failing,
        since: lasting.began_at,
    };
    alerts::queue_alert(work, &Alert::ServerRecovered(problem)).await
}

impl Ecommerce {
    /// Ends shared problems whose last carts were turned off, were deleted, or now fail for another reason.
    pub async fn end_shared_problems(&self) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                for cause in SharedCause::ALL {
                    if let Some(lasting) = sql::lock_shared_problem(work, cause).await? {
                        end_if_resolved(work, cause, &lasting).await?;
                    }
                }
                Ok(())
            })
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problem_is_shared_by_five_carts_or_by_three_that_are_half() {
        let table = [
            (1, 1, false),
            (2, 2, false),
            (3, 3, true),
            (3, 6, true),
            (3, 7, false),
            (4, 8, true),
            (4, 9, false),
            (5, 1_000, true),
        ];
        for (failing, active, many) in table {
            assert_eq!(is_shared(failing, active), many, "{failing} of {active}");
        }
    }

    #[test]
    fn only_causes_on_our_side_are_shared() {
        assert_eq!(cause_of(Class::NetworkDns), Some(SharedCause::Network));
        assert_eq!(cause_of(Class::NetworkTimeout), Some(SharedCause::Network));
        assert_eq!(cause_of(Class::AddressRefused), Some(SharedCause::Address));
        assert_eq!(cause_of(Class::OurKey), Some(SharedCause::Key));
        assert_eq!(cause_of(Class::OurBug), Some(SharedCause::Program));
        for class in [Class::StoreFrozen, Class::ShopifyDown, Class::TokenStopped, Class::RateLimited] {
            assert_eq!(cause_of(class), None, "{class:?}");
        }
    }
}

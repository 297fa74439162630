//! Many carts that fail for one cause on our side are one piece of news for the operator. Decided with the row of the cause
//! locked, in the transaction of a cart's change, so that any number of replicas decide once.
//!
//! A problem is shared when at least [`MANY`] active carts began to fail for its cause within an hour, or at least half of them
//! where that is [`MANY_OF_FEW`] or more. It is over when no cart fails for it any more.

use std::time::Duration;

use super::{Class, StatusChange, history::code};
use crate::{
    alerts::{self, Alert, SharedCause, SharedProblem},
    database::{Connection, transaction},
    ecommerce::{Ecommerce, Status, sql},
};

/// So many failing carts are many, however many there are.
const MANY: i64 = 5;
/// So many are, where they are half of all active carts.
const MANY_OF_FEW: i64 = 3;
/// Within this time they must have begun to fail.
const WINDOW: Duration = Duration::from_hours(1);
/// Carts that are checked at once when one fails for a cause of ours, to find out whether others do.
const OTHERS: i64 = 20;

/// What is wrong on our side where checks end with this class; `None` where the cause is the store's, its owner's or Shopify's.
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

const fn is_many(failing: i64, active: i64) -> bool {
    failing >= MANY || failing >= MANY_OF_FEW && failing * 2 >= active
}

fn classes_of(cause: SharedCause) -> impl Iterator<Item = Class> {
    Class::ALL.into_iter().filter(move |class| cause_of(*class) == Some(cause))
}

fn codes_of(cause: SharedCause) -> Vec<i32> {
    classes_of(cause).map(|class| i32::from(code(class))).collect()
}

/// Tells a change: by an alert of its own, or, where many carts share its cause, by the one for all of them.
pub(super) async fn tell(work: &mut Connection, change: &StatusChange) -> sqlx::Result<()> {
    let Some(cause) = cause_of(change.class) else { return alerts::queue(work, &change.told()).await };
    let lasting = sql::lock_shared_problem(work, cause).await?;
    match (lasting, change.status) {
        (Some(lasting), Status::Connected) => end_if_over(work, cause, &lasting).await,
        (Some(_), _) => Ok(()),
        (None, Status::Connected) => alerts::queue(work, &change.told()).await,
        (None, _) => begin_if_many(work, cause, change).await,
    }
}

async fn begin_if_many(work: &mut Connection, cause: SharedCause, change: &StatusChange) -> sqlx::Result<()> {
    let carts = sql::count_failing(work, &codes_of(cause), Some(WINDOW)).await?;
    let active = sql::count_active(work).await?;
    if !is_many(carts, active) {
        sql::check_others_soon(work, OTHERS).await?;
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

/// Ends a problem that no cart has any more; after an hour also one that too few have to be many.
async fn end_if_over(work: &mut Connection, cause: SharedCause, lasting: &sql::Lasting) -> sqlx::Result<()> {
    let still_failing = sql::count_failing(work, &codes_of(cause), None).await?;
    let is_over = still_failing == 0 || still_failing < MANY_OF_FEW && lasting.is_old;
    if !is_over {
        return Ok(());
    }
    sql::end_shared_problem(work, cause).await?;
    tracing::info!(cause = cause.as_str(), still_failing, "the problem that many carts shared is over");
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
    /// Ends shared problems whose last carts were turned off, deleted, or fail for another reason by now.
    pub async fn end_shared_problems(&self) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                for cause in SharedCause::ALL {
                    if let Some(lasting) = sql::lock_shared_problem(work, cause).await? {
                        end_if_over(work, cause, &lasting).await?;
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
    fn five_carts_are_many_and_three_are_where_they_are_half() {
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
            assert_eq!(is_many(failing, active), many, "{failing} of {active}");
        }
    }

    #[test]
    fn only_what_this_server_causes_is_shared() {
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

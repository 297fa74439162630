//! Many carts that fail for one cause on our side raise one alert for the operator. The decision is made in the
//! transaction of a cart's change with the row of the cause locked, so that concurrent replicas decide once.
//!
//! A problem is shared when at least [`SHARED_CARTS_MIN`] active carts began to fail for its cause within an hour, or
//! at least [`SHARED_CARTS_MIN_OF_FEW`] if they are half of the active carts. It ends when no cart fails for the cause
//! any more.

use std::time::Duration;

use super::HealthChange;
use crate::{
    alerts::{self, Alert, SharedProblem},
    carts::{Status, sql},
    causes::{Class, SharedCause},
    database::{Connection, Pool, transaction},
};

/// Failing carts that share a problem, however many carts there are.
const SHARED_CARTS_MIN: i64 = 5;
/// Failing carts that share a problem if they are at least half of all active carts.
const SHARED_CARTS_MIN_OF_FEW: i64 = 3;
/// The carts must have begun to fail within this time.
const WINDOW: Duration = Duration::from_hours(1);
/// Carts made due when one fails for a cause on our side, to find out whether others fail as well.
const RECHECKED_CARTS_MAX: i64 = 20;

const fn is_shared(failing: i64, active: i64) -> bool {
    failing >= SHARED_CARTS_MIN || failing >= SHARED_CARTS_MIN_OF_FEW && failing * 2 >= active
}

fn classes_of(cause: SharedCause) -> impl Iterator<Item = Class> {
    Class::ALL.into_iter().filter(move |class| class.cause().shared == Some(cause))
}

fn codes_of(cause: SharedCause) -> Vec<i32> {
    classes_of(cause).map(|class| i32::from(class.code())).collect()
}

/// Queues the alert for a change: its own, or the one for all carts that share the cause.
pub(super) async fn tell(work: &mut Connection, change: &HealthChange) -> sqlx::Result<()> {
    let Some(cause) = change.class.cause().shared else { return alerts::queue(work, &change.told()).await };
    let lasting = sql::shared_problems::lock(work, cause).await?;
    match (lasting, change.status) {
        (Some(lasting), Status::Connected) => end_if_resolved(work, cause, &lasting).await,
        (Some(_), _) => Ok(()),
        (None, Status::Connected) => alerts::queue(work, &change.told()).await,
        (None, _) => open_if_shared(work, cause, change).await,
    }
}

async fn open_if_shared(work: &mut Connection, cause: SharedCause, change: &HealthChange) -> sqlx::Result<()> {
    let carts = sql::shared_problems::count_failing(work, &codes_of(cause), Some(WINDOW)).await?;
    let active = sql::shared_problems::count_active(work).await?;
    if !is_shared(carts, active) {
        sql::shared_problems::check_others_soon(work, RECHECKED_CARTS_MAX).await?;
        alerts::queue(work, &change.told()).await?;
        return alerts::hold(work, change.cart.0).await;
    }
    let class = change.class.as_str();
    sql::shared_problems::begin(work, cause, change.since, class, carts).await?;
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
    lasting: &sql::shared_problems::OpenSharedProblem,
) -> sqlx::Result<()> {
    let still_failing = sql::shared_problems::count_failing(work, &codes_of(cause), None).await?;
    let is_over = still_failing == 0 || still_failing < SHARED_CARTS_MIN_OF_FEW && lasting.is_old;
    if !is_over {
        return Ok(());
    }
    sql::shared_problems::end(work, cause).await?;
    tracing::info!(cause = cause.as_str(), still_failing, "a shared problem has ended");
    let problem = SharedProblem {
        cause,
        class: lasting.class.clone(),
        carts: lasting.carts,
        active: sql::shared_problems::count_active(work).await?,
        still_failing,
        since: lasting.began_at,
    };
    alerts::queue_alert(work, &Alert::ServerRecovered(problem)).await
}

/// Ends shared problems whose last carts were turned off, were deleted, or now fail for another reason.
pub(super) async fn end_resolved(pool: &Pool) -> sqlx::Result<()> {
    transaction(pool, move |work| {
        Box::pin(async move {
            for cause in SharedCause::ALL {
                if let Some(lasting) = sql::shared_problems::lock(work, cause).await? {
                    end_if_resolved(work, cause, &lasting).await?;
                }
            }
            Ok(())
        })
    })
    .await
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
}

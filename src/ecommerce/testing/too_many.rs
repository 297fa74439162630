//! How many tests are too many, and the verdict that says so. Shopify locks a store that is asked too often.

use std::time::Duration;

use super::{Run, stopped};
use crate::{
    audit::By,
    database::throttle::{Bucket, BucketKind, Throttle},
    ecommerce::{
        sql,
        verdict::{Class, TESTS_A_MINUTE, Verdict},
    },
};

const MINUTE: Duration = Duration::from_mins(1);
/// Tests a minute: of one store by one person, and by one person.
const PER_STORE: Throttle = Throttle { limit: TESTS_A_MINUTE, window: MINUTE };
const PER_PERSON: Throttle = Throttle { limit: 100, window: MINUTE };

/// One test at a time for each person, ten a minute for each store, a hundred a minute in all. The person's count comes first: it
/// holds the row until the transaction ends, so two presses at once, on whatever replica, see each other.
pub(super) async fn too_many(work: &mut crate::database::Connection, run: &Run) -> sqlx::Result<Option<Verdict>> {
    let person = run.visitor.by.actor.id().unwrap_or_default();
    let in_all = PER_PERSON.count(work, Bucket::of(BucketKind::PersonTest, &[person.as_bytes()])).await?;
    if sql::is_testing(work, person).await? {
        return Ok(Some(limited(None)));
    }
    let of_store = too_many_of_store(work, &run.visitor.by, &run.address.host()).await?;
    let waits = [(PER_STORE.limit, of_store), (PER_PERSON.limit, in_all)];
    Ok(waits.into_iter().find_map(|(limit, wait)| Some(limited(Some((limit, wait?))))))
}

/// Counts one test of a store: ten a minute for each person, by hand and in bulk together. How long to wait where that is too
/// many.
pub(in crate::ecommerce) async fn too_many_of_store(
    work: &mut crate::database::Connection,
    by: &By,
    host: &str,
) -> sqlx::Result<Option<Duration>> {
    let person = by.actor.id().unwrap_or_default();
    PER_STORE.count(work, Bucket::of(BucketKind::StoreTest, &[person.as_bytes(), host.as_bytes()])).await
}

/// So many tests in a minute are too many, and how long to wait; without that, one is still running.
fn limited(too_many: Option<(u32, Duration)>) -> Verdict {
    let whole = |wait: Duration| u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(60).clamp(1, 60);
    let mut verdict = stopped(Class::TestLimit);
    verdict.tests_a_minute = too_many.map(|(limit, _)| limit);
    verdict.wait_seconds = too_many.map(|(_, wait)| whole(wait));
    verdict
}

//! The limits of tests, and the verdict that reports them. Shopify locks a store that gets too many requests.

use std::time::Duration;

use super::run::{Run, stopped};
use crate::{
    audit::By,
    carts::sql,
    causes::{Class, TESTS_A_MINUTE, Verdict},
    database::throttle::{Bucket, BucketKind, Throttle},
};

const MINUTE: Duration = Duration::from_mins(1);
/// Tests per minute of one store by one user.
const PER_STORE: Throttle = Throttle { limit: TESTS_A_MINUTE, window: MINUTE };
/// Tests per minute by one user.
const PER_PERSON: Throttle = Throttle { limit: 100, window: MINUTE };

/// One test at a time per user, 10 per minute for each store, 100 per minute in all. The user's count comes first: it
/// locks the row until the transaction ends, so that two concurrent submissions, on any replica, see each other.
pub(super) async fn too_many(work: &mut crate::database::Connection, run: &Run) -> sqlx::Result<Option<Verdict>> {
    let person = run.visitor.by.actor.id().unwrap_or_default();
    let in_all = PER_PERSON.count(work, Bucket::of(BucketKind::PersonTest, &[person.as_bytes()])).await?;
    if sql::connection_tests::is_testing(work, person).await? {
        return Ok(Some(limited(None)));
    }
    let of_store = too_many_of_store(work, &run.visitor.by, &run.address.host()).await?;
    let waits = [(PER_STORE.limit, of_store), (PER_PERSON.limit, in_all)];
    Ok(waits.into_iter().find_map(|(limit, wait)| Some(limited(Some((limit, wait?))))))
}

/// Counts one test of a store: 10 per minute per user, manual and bulk tests together. Returns how long to wait if that
/// is too many.
pub(super) async fn too_many_of_store(
    work: &mut crate::database::Connection,
    by: &By,
    host: &str,
) -> sqlx::Result<Option<Duration>> {
    let person = by.actor.id().unwrap_or_default();
    PER_STORE.count(work, Bucket::of(BucketKind::StoreTest, &[person.as_bytes(), host.as_bytes()])).await
}

/// The verdict for too many tests: the exceeded limit per minute and the wait; `None` if another test is still running.
fn limited(too_many: Option<(u32, Duration)>) -> Verdict {
    let whole = |wait: Duration| u32::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(60).clamp(1, 60);
    let mut verdict = stopped(Class::TestLimit);
    verdict.tests_a_minute = too_many.map(|(limit, _)| limit);
    verdict.wait_seconds = too_many.map(|(_, wait)| whole(wait));
    verdict
}

//! Records one check: health state, status, history, problem, and the status change if there is one. Always runs in the
//! caller's transaction, with the cart's row locked.

use std::time::Duration;

use crate::database::Connection;
use time::OffsetDateTime;

use super::{Finding, HealthChange, PastCheck, announce, schedule};
use crate::carts::{
    CartId, Status, TestReport, sql,
    status::{Facts, HealthState},
};
use crate::causes::{Class, Severity};

/// Records a finding for the locked cart.
pub(in crate::carts) async fn record(
    work: &mut Connection,
    now: &sql::health::LockedHealth,
    finding: &Finding,
) -> sqlx::Result<()> {
    // A test that was not sent says nothing about the store and is not a check.
    if finding.class.severity() == Severity::NotACheck {
        return Ok(());
    }
    let (at, before) = (now.at, now.health);
    let after = if now.has_passed { before.after(finding.class, at) } else { HealthState::of_draft(finding.class) };
    let status = Facts { has_passed: now.has_passed, is_active: now.is_active, last: after.class }.status();
    let status = status.with_locations(now.locations_gone);
    // The list changes only with the health state; one transient failure does not change it.
    let stands = after.class == Some(finding.class);
    let missing = i32::try_from(finding.missing.len()).unwrap_or(i32::MAX);
    let finding_title = if now.has_passed { reported_title(finding) } else { &finding.title };
    let says_more = stands && (now.title.as_deref() != Some(finding_title) || now.missing_count != missing);
    if status != now.status || after.class != before.class || after.since != before.since || says_more {
        let (title, missing) =
            if stands { (Some(finding_title), missing) } else { (now.title.as_deref(), now.missing_count) };
        sql::health::update_state(work, now.cart, &after, title, missing, status).await?;
    }
    if let Some(granted) = &finding.granted
        && now.granted.as_ref() != Some(granted)
    {
        sql::health::update_granted(work, now.cart, granted).await?;
    }
    let failing_for = after.since.map_or(Duration::ZERO, |since| (at - since).try_into().unwrap_or_default());
    let wait = finding.wait_seconds.map(|seconds| Duration::from_secs(seconds.into()));
    let check = PastCheck { at, class: finding.class, took_ms: finding.took_ms };
    let pause = schedule::pause(finding.class, after.streak, failing_for, wait);
    sql::health::update(work, now.cart, &after, &check, pause, finding).await?;
    let title = if stands { Some(finding_title) } else { now.title.as_deref() };
    let trouble = OpenProblem::of(status, &after, title, at);
    update_problem(work, now, status, trouble, &finding.missing, None).await
}

/// Records the test that a credential was saved with as its first check, so that the list, the badge and the Health tab
/// show it. The next check counts from that test, so that nothing is shown as connected for longer than the interval.
pub(in crate::carts) async fn record_saved_with(
    work: &mut Connection,
    cart: CartId,
    report: &TestReport,
) -> sqlx::Result<()> {
    let Some(mut now) = sql::health::lock(work, cart).await? else { return Ok(()) };
    sql::connection_tests::update_tested(work, cart, report).await?;
    now.at = report.tested_at;
    record(work, &now, &Finding::of(&report.verdict, report.title())).await
}

/// The title to report. A fault on our side is reported only if the store cannot be checked because of it.
fn reported_title(finding: &Finding) -> &str {
    match finding.class.severity() {
        Severity::Ours => "We cannot check this store",
        Severity::Well | Severity::Limited | Severity::Transient | Severity::Refused | Severity::NotACheck => {
            &finding.title
        }
    }
}

/// Applies a user's change: ends the problem if none is left, and announces a change of the status.
pub(in crate::carts) async fn apply_user_change(
    work: &mut Connection,
    cart: CartId,
    previous: Status,
    by: &str,
) -> sqlx::Result<()> {
    let Some(mut now) = sql::health::lock(work, cart).await? else { return Ok(()) };
    let status = std::mem::replace(&mut now.status, previous);
    let trouble = OpenProblem::of(status, &now.health, now.title.as_deref(), now.at);
    update_problem(work, &now, status, trouble, &[], Some(by)).await
}

/// The problem that a cart has now.
struct OpenProblem {
    class: Class,
    title: String,
    since: OffsetDateTime,
}

impl OpenProblem {
    fn of(status: Status, stands: &HealthState, title: Option<&str>, at: OffsetDateTime) -> Option<Self> {
        matches!(status, Status::NeedsAttention | Status::NotConnected).then_some(())?;
        let title = title.unwrap_or_default().to_owned();
        Some(Self { class: stands.class?, title, since: stands.since.unwrap_or(at) })
    }
}

/// Opens and ends the problem, and announces a transition between the three statuses of an active cart.
async fn update_problem(
    work: &mut Connection,
    now: &sql::health::LockedHealth,
    status: Status,
    trouble: Option<OpenProblem>,
    missing: &[String],
    ended_by: Option<&str>,
) -> sqlx::Result<()> {
    let over = replace_problem(work, now, trouble.as_ref(), ended_by).await?;
    let is_live = |status| matches!(status, Status::Connected | Status::NeedsAttention | Status::NotConnected);
    if now.status == status || !is_live(now.status) || !is_live(status) {
        return Ok(());
    }
    let (class, title, since) = match (trouble, over) {
        (Some(trouble), _) => (trouble.class, trouble.title, trouble.since),
        (None, Some(over)) => (over.class, over.title, over.began_at),
        (None, None) => return Ok(()),
    };
    let change = HealthChange {
        cart: now.cart,
        website_name: now.website_name.clone(),
        store: now.store_host.clone(),
        previous: now.status,
        status,
        class,
        title,
        credential: now.kind,
        missing_permissions: missing.to_vec(),
        since,
        last_good_at: now.last_good_at,
        at: now.at,
    };
    announce(work, &change).await
}

/// Ends the open problem if the new finding is another problem or none, and opens the new one. Returns the problem that
/// ended.
async fn replace_problem(
    work: &mut Connection,
    now: &sql::health::LockedHealth,
    trouble: Option<&OpenProblem>,
    ended_by: Option<&str>,
) -> sqlx::Result<Option<sql::history::EndedProblem>> {
    if trouble.is_none() && now.problem.is_none()
        || trouble.zip(now.problem).is_some_and(|(one, class)| one.class.is_same_problem(class))
    {
        return Ok(None);
    }
    let over = match now.problem {
        Some(_) => sql::history::end_problem(work, now.cart, ended_by).await?,
        None => None,
    };
    if let Some(trouble) = trouble {
        // A problem that replaces another one begins when it was found.
        let began_at = if over.is_some() { now.at } else { trouble.since };
        sql::history::insert_problem(work, now.cart, began_at, trouble.class, &trouble.title).await?;
    }
    Ok(over)
}

//! Records a test: the report, its changes to the cart, its audit event. One transaction.
#![deny(clippy::wildcard_enum_match_arm)]

use std::sync::Arc;

use super::{
    super::{
        Cart, CartId, TestReport, changes,
        health::{self, Finding},
        sql,
    },
    ConnectionTests,
    run::Run,
};
use crate::{
    audit::{self, CartRef, Event},
    causes::{Class, Limit, SharedCause, Verdict},
    database::{Connection, transaction},
    vault::Fingerprints,
};

impl ConnectionTests {
    /// Completes the verdict with facts that only the database has, and records it with its audit event. Returns the
    /// report even if it could not be recorded.
    pub(super) async fn finish(&self, run: Run, verdict: Verdict) -> TestReport {
        let draft = run.report(verdict, self.clock.now());
        self.try_finish(run, draft.clone()).await.unwrap_or_else(|error| {
            tracing::error!(test = %draft.id, %error, "a test could not be recorded");
            report_fault(&draft);
            draft
        })
    }

    /// Same as `finish`, for callers that continue only with a recorded report.
    pub(super) async fn try_finish(&self, run: Run, draft: TestReport) -> sqlx::Result<TestReport> {
        let run = Arc::new(run);
        let mut recorded = self.record(&run, draft.clone()).await;
        // Two carts can find the same store concurrently: the second attempt sees the other cart.
        if recorded.as_ref().is_err_and(is_same_shop) {
            recorded = self.record(&run, draft).await;
        }
        recorded.inspect(report_fault)
    }

    async fn record(&self, run: &Arc<Run>, mut report: TestReport) -> sqlx::Result<TestReport> {
        let run = Arc::clone(run);
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                complete(work, &run, &mut report.verdict).await?;
                sql::connection_tests::finish(work, &report).await?;
                let own = run.cart.as_ref().map(Cart::reference);
                // The tested credential may have been saved while the test ran, by this form or by another one.
                let holder = if run.was_saved {
                    own.clone()
                } else {
                    let own = run.cart.as_ref().map(|cart| cart.id);
                    sql::carts::find_holder(work, &report.address.store_ref(), &run.fingerprints, own).await?
                };
                let is_turned_on = match &holder {
                    Some(holder) => record_saved(work, CartId(holder.id), &run.fingerprints, &report).await?,
                    None => false,
                };
                let cart = own.or(holder);
                audit::record(work, &run.visitor.by, cart.as_ref(), &tested(&report)).await?;
                if is_turned_on && let Some(cart) = &cart {
                    changes::record(work, &run.visitor.by, cart, &Event::CartTurnedOn).await?;
                }
                Ok(report)
            })
        })
        .await
    }
}

/// Adds facts from the database: the same credential worked before and has stopped, another cart has this store, or
/// another cart uses this token.
async fn complete(work: &mut Connection, run: &Run, verdict: &mut Verdict) -> sqlx::Result<()> {
    let own = run.cart.as_ref().map(|cart| cart.id);
    if verdict.class == Class::TokenRefused {
        let tested = sql::connection_tests::find_last_worked(work, &run.fingerprints).await?;
        let checked = match own {
            Some(own) => sql::history::find_last_good(work, own, &run.fingerprints).await?,
            None => None,
        };
        if let Some(at) = tested.max(checked) {
            verdict.class = Class::TokenStopped;
            verdict.last_worked_at = Some(at);
        } else if let Some(other) = sql::cart_refs::find_by_token(work, &run.token_fingerprints, own).await? {
            name_other(verdict, other);
        }
    }
    if verdict.class == Class::WrongStore {
        verdict.other_name = run.cart.as_ref().and_then(|cart| cart.shop_name.clone());
    }
    if verdict.outcome().passes()
        && let Some(store) = &verdict.store
        && let Some(other) =
            sql::cart_refs::find_by_shop(work, run.address.store_ref().platform, &store.shop_id, own).await?
    {
        verdict.class = Class::Duplicate;
        verdict.limits.clear();
        name_other(verdict, other);
    }
    Ok(())
}

/// Applies a test of the saved credential to its cart, unless the cart was changed in the meantime. It counts as a
/// check. Returns whether it activated the cart, because *Active* had been ticked before.
async fn record_saved(
    work: &mut Connection,
    cart: CartId,
    tested: &Fingerprints,
    report: &TestReport,
) -> sqlx::Result<bool> {
    let Some(mut now) = sql::health::lock(work, cart).await? else { return Ok(false) };
    if !tested.is(now.fingerprint.as_ref()) {
        return Ok(false);
    }
    let mut is_turned_on = false;
    if let Some(pass) = sql::connection_tests::PassFacts::of(report) {
        sql::connection_tests::update_pass(work, cart, &pass).await?;
        is_turned_on = sql::carts::turn_on_after_pass(work, cart).await?;
        now.has_passed = true;
        now.is_active |= is_turned_on;
    }
    sql::connection_tests::update_tested(work, cart, report).await?;
    health::record(work, &now, &Finding::of(&report.verdict, report.title())).await?;
    Ok(is_turned_on)
}

/// Whether the error is the constraint that one store has one cart.
fn is_same_shop(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(|error| error.constraint() == Some("carts_shop_id_key"))
}

/// Reports a fault on our side to the operator, as the page says: in the log and in the metrics, without the name of
/// the store.
pub(super) fn report_fault(report: &TestReport) {
    let details = &report.verdict.details;
    let (test, status) = (report.id, details.status.unwrap_or_default());
    let request = details.shopify_request_id.as_deref().unwrap_or_default();
    match report.verdict.class.cause().shared {
        Some(SharedCause::Program) => {
            let remark = details.remark.as_deref().unwrap_or_default();
            metrics::counter!("cartwright_our_mistakes_total").increment(1);
            tracing::error!(%test, status, request, remark, "a test ended with OUR_BUG: Shopify rejected our request, or its answer was not understood");
        }
        Some(SharedCause::Key) => {
            tracing::error!(%test, "a saved secret cannot be opened: the key has changed, or the row was tampered with");
        }
        Some(SharedCause::Network | SharedCause::Address) | None => {}
    }
    for limit in &report.verdict.limits {
        if let Limit::ApiVersionOld { asked, answered } = limit {
            metrics::counter!("cartwright_api_version_differs_total").increment(1);
            tracing::warn!(%test, request, asked, answered, "Shopify answered with another API version than we asked for");
        }
    }
}

fn tested(report: &TestReport) -> Event {
    let (store, class) = (report.address.host(), report.verdict.class.as_str());
    Event::Tested { store, class, title: report.title(), test: Some(report.id) }
}

fn name_other(verdict: &mut Verdict, other: CartRef) {
    verdict.other_name = Some(other.name);
    verdict.other_cart = Some(other.id);
}

//! The webhook part of a delivery run.

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    Alerts, DeliveryRun, InternalError, SigningSecret, WebhookAddress,
    delivery::{GIVE_UP_AFTER, LEASE, pause},
    email_text, payload, sql,
    webhook::WebhookResponse,
};
use crate::{
    audit::{self, By, Event},
    database::{Connection, transaction},
};

/// Concurrent calls of one process.
const CALL_CONCURRENCY: i64 = 8;
pub(super) const UNREADABLE: WebhookResponse =
    WebhookResponse::Not("was not called: its address or signing secret cannot be read");

impl Alerts {
    pub(super) async fn deliver_calls(&self) -> Result<DeliveryRun, InternalError> {
        let Some(row) = self.find_webhook().await?.filter(|webhook| webhook.gone_at.is_none()) else {
            return Ok(DeliveryRun::default());
        };
        let calls = sql::webhooks::lease_calls(&self.pool, CALL_CONCURRENCY, LEASE).await?;
        // Address and secret come from one row that is read once, so a concurrent change takes effect in the next run.
        let target = self.target_of(&row);
        let answers = join_all(calls.iter().map(|call| self.call(target.as_ref(), call))).await;
        let mut round = DeliveryRun::default();
        for (call, answered) in calls.into_iter().zip(answers) {
            round.add(self.record_call(&row, call, answered).await?);
        }
        Ok(round)
    }

    /// The webhook. If an earlier version stored its address as plain text, seals the address first.
    async fn find_webhook(&self) -> Result<Option<sql::settings::WebhookRow>, InternalError> {
        let mut connection = self.pool.acquire().await?;
        let found = sql::settings::find_webhook(&mut connection).await?;
        drop(connection);
        if found.is_some() || !self.seal_addresses().await? {
            return Ok(found);
        }
        Ok(sql::settings::find_webhook(&mut *self.pool.acquire().await?).await?)
    }

    async fn call(
        &self,
        target: Option<&(WebhookAddress, SigningSecret)>,
        call: &sql::webhooks::LeasedCall,
    ) -> WebhookResponse {
        let Some((address, secret)) = target else { return UNREADABLE };
        let body = payload::body(&call.waiting.alert, call.waiting.at, &self.house);
        let id = format!("msg_{}", call.waiting.id.as_simple());
        self.senders().webhooks.post(address, secret, &id, self.clock.now().unix_timestamp(), body).await
    }

    async fn record_call(
        &self,
        row: &sql::settings::WebhookRow,
        call: sql::webhooks::LeasedCall,
        answered: WebhookResponse,
    ) -> Result<DeliveryRun, InternalError> {
        let pause = pause(call.attempts, call.waiting.id);
        let mut told = CallResult {
            webhook: row.id,
            recipient: row.host.clone(),
            subject: email_text::subject(&call.waiting.alert, &self.house),
            outcome: answered.words(),
            is_delivered: answered.is_success(),
        };
        let is_over = call.age_seconds + pause > GIVE_UP_AFTER && !answered.is_success() && !answered.is_gone();
        if is_over {
            told.outcome.push_str("; given up after a day");
        }
        Ok(transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                match answered {
                    _ if answered.is_success() => told.delivered(work, &call).await,
                    _ if answered.is_gone() => told.gone(work).await,
                    _ => told.failed(work, &call, is_over, pause).await,
                }
            })
        })
        .await?)
    }
}

/// The result of a call and its line in the log.
struct CallResult {
    webhook: Uuid,
    recipient: String,
    subject: String,
    outcome: String,
    is_delivered: bool,
}

impl CallResult {
    async fn note(&self, work: &mut Connection) -> sqlx::Result<()> {
        let Self { recipient, outcome, subject, is_delivered, .. } = self;
        let line = sql::deliveries::DeliveryRecord {
            channel: "webhook",
            recipient,
            outcome,
            is_delivered: *is_delivered,
            is_uncertain: false,
            subject,
        };
        sql::deliveries::insert_line(work, &line).await
    }

    async fn delivered(&self, work: &mut Connection, call: &sql::webhooks::LeasedCall) -> sqlx::Result<DeliveryRun> {
        // Locks the webhook's row first, as changes of the settings do, to avoid deadlocks.
        sql::webhooks::end_failing(work).await?;
        sql::deliveries::delete(work, &[call.waiting.id]).await?;
        self.note(work).await?;
        Ok(DeliveryRun { delivered: 1, ..DeliveryRun::default() })
    }

    /// Handles 410 Gone, by which the receiver rejects further calls: turns the webhook off, unless its address was
    /// changed meanwhile.
    async fn gone(&self, work: &mut Connection) -> sqlx::Result<DeliveryRun> {
        if sql::webhooks::turn_off(work, self.webhook).await? {
            self.note(work).await?;
            audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
        }
        sql::settings::delete_unwanted(work).await?;
        Ok(DeliveryRun { given_up: 1, ..DeliveryRun::default() })
    }

    /// Logs the first failure of a series and the last one, when the delivery is given up. Logging those between would
    /// fill the log.
    async fn failed(
        &self,
        work: &mut Connection,
        call: &sql::webhooks::LeasedCall,
        is_over: bool,
        pause: f64,
    ) -> sqlx::Result<DeliveryRun> {
        let is_first = sql::webhooks::begin_failing(work).await?;
        if is_first || is_over {
            self.note(work).await?;
        }
        if !is_over {
            sql::webhooks::retry_call(work, call.waiting.id, call.leased_until, pause).await?;
            return Ok(DeliveryRun { failed: 1, ..DeliveryRun::default() });
        }
        sql::deliveries::delete(work, &[call.waiting.id]).await?;
        audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
        Ok(DeliveryRun { given_up: 1, ..DeliveryRun::default() })
    }
}

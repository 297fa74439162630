//! The button *Try it*: sends a test alert to every saved address at once, and returns the results. Bypasses the
//! outbox, because a user waits for the results.

use std::time::Duration;

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    Alert, Alerts, InternalError, email_text,
    mail::{EmailRefusedKind, EmailThread, TEST_CONFIRM_TIMEOUT},
    payload, sql,
    webhook_delivery::UNREADABLE,
};
use crate::{
    audit::{self, By, Event, RequiredRole},
    database::{
        throttle::{Bucket, BucketKind, Throttle},
        transaction,
    },
};

/// Rate limit of test alerts per user, because each one calls a third party's server.
const TEST_ALERT_LIMIT: Throttle = Throttle { limit: 10, window: Duration::from_mins(1) };

/// Result of a test alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestAlerts {
    /// No address is saved.
    Nothing,
    TooMany(Duration),
    Told(Vec<TestAlertResult>),
}

/// The result for one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestAlertResult {
    pub channel: &'static str,
    pub recipient: String,
    /// Phrase that continues a sentence starting with the recipient: "answered 200", "was sent the mail".
    pub words: String,
    pub is_delivered: bool,
    /// Whether the mail server received the whole message but did not confirm it.
    pub is_uncertain: bool,
}

impl Alerts {
    /// Sends a test alert. Takes little more than 35 s at most: 10 s for the webhook, plus 25 s for a mail server that
    /// is slow to confirm.
    pub async fn send_test_alert(&self, by: By) -> Result<TestAlerts, InternalError> {
        if let Some(wait) = self.count_test_alert(by.clone()).await? {
            return Ok(TestAlerts::TooMany(wait));
        }
        let by = by.started();
        let mut connection = self.pool.acquire().await?;
        let webhook = sql::settings::find_webhook(&mut connection).await?;
        drop(connection);
        let settings = sql::settings::find(&self.pool).await?;
        let emails = if settings.email_on { settings.email_addresses } else { Vec::new() };
        let call = async { Some(self.try_webhook(&webhook?).await) };
        let mails = join_all(emails.iter().map(|address| self.try_mail(address)));
        let (called, mailed) = tokio::join!(call, mails);
        let told: Vec<TestAlertResult> = called.into_iter().chain(mailed.into_iter().flatten()).collect();
        if told.is_empty() {
            return Ok(TestAlerts::Nothing);
        }
        self.record_test_alert(by, told.clone()).await?;
        Ok(TestAlerts::Told(told))
    }

    /// Counts a test alert before anything is sent. Returns the time to wait if the limit is exceeded.
    async fn count_test_alert(&self, by: By) -> sqlx::Result<Option<Duration>> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                let who = by.actor.id().unwrap_or_default();
                let wait = TEST_ALERT_LIMIT.count(work, Bucket::of(BucketKind::TestAlert, &[who.as_bytes()])).await?;
                audit::demand(work, &by, RequiredRole::Change).await?;
                Ok(wait)
            })
        })
        .await
    }

    async fn try_webhook(&self, row: &sql::settings::WebhookRow) -> TestAlertResult {
        let told = |words: String, is_delivered| TestAlertResult {
            channel: "webhook",
            recipient: row.host.clone(),
            words,
            is_delivered,
            is_uncertain: false,
        };
        let Some((address, secret)) = self.target_of(row) else {
            return told(UNREADABLE.words(), false);
        };
        let now = self.clock.now();
        let (id, body) =
            (format!("msg_{}", Uuid::now_v7().as_simple()), payload::body(&Alert::Trial, now, &self.house));
        let answered = self.senders().webhooks.post(&address, &secret, &id, now.unix_timestamp(), body).await;
        told(answered.words(), answered.is_success())
    }

    async fn try_mail(&self, address: &str) -> Option<TestAlertResult> {
        let senders = self.senders();
        let mail = senders.mail.as_ref()?;
        let now = self.clock.now();
        let letter = email_text::write(&[(now, &Alert::Trial)], 0, &self.house)?;
        let thread = EmailThread { id: mail.id_of(Uuid::now_v7()), goes_on_from: None };
        let outcome = mail.send(address, &letter, &thread, now, TEST_CONFIRM_TIMEOUT).await;
        let is_delivered = outcome.is_ok();
        let is_uncertain = outcome.as_ref().is_err_and(|refused| refused.kind == EmailRefusedKind::Uncertain);
        let words = match outcome {
            Ok(()) => "was sent the mail".to_owned(),
            Err(refused) if is_uncertain => format!("was sent the mail, but the mail server {}", refused.phrase),
            Err(refused) => format!("was not reached: the mail server {}", refused.phrase),
        };
        Some(TestAlertResult { channel: "email", recipient: address.to_owned(), words, is_delivered, is_uncertain })
    }

    async fn record_test_alert(&self, by: By, told: Vec<TestAlertResult>) -> sqlx::Result<()> {
        let subject = email_text::subject(&Alert::Trial, &self.house);
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                for one in &told {
                    let line = sql::deliveries::DeliveryRecord {
                        channel: one.channel,
                        recipient: &one.recipient,
                        outcome: &one.words,
                        is_delivered: one.is_delivered,
                        is_uncertain: one.is_uncertain,
                        subject: &subject,
                    };
                    sql::deliveries::insert_line(work, &line).await?;
                }
                let addresses = told.iter().filter(|one| one.is_delivered).count();
                let event = if addresses > 0 { Event::AlertSent { addresses } } else { Event::AlertNotDelivered };
                audit::record(work, &by, None, &event).await
            })
        })
        .await
    }
}

//! The e-mail part of a delivery run: each address gets all of its queued alerts in one message, then none for five
//! minutes.

use std::collections::HashMap;

use futures_util::future::join_all;
use uuid::Uuid;

use super::{
    Alert, Alerts, DeliveryRun, InternalError,
    delivery::{GIVE_UP_AFTER, MAIL_LEASE, pause},
    email_text::{self, DatedAlert, EmailText},
    mail::{CONFIRM_TIMEOUT, EmailRefused, EmailRefusedKind, EmailThread, Mail},
    sql::{self, deliveries::QueuedAlert, mails::LeasedAddress},
};
use crate::{
    audit::{self, By, Event},
    database::transaction,
};

/// Maximum number of addresses per run; there are never more alert recipients.
const EMAIL_CONCURRENCY: i64 = 20;
/// Maximum number of alerts per message; the rest goes into the next message.
const EMAIL_BATCH_MAX: i64 = 2_000;
/// How long the first alert waits for others, in seconds: carts that fail together are detected within moments of each
/// other.
const COLLECT_TIME: f64 = 20.0;
/// Minimum time between messages to one address, in seconds.
const EMAIL_INTERVAL: f64 = 300.0;
/// Pause in seconds before a message that may have arrived is sent a second time.
const UNCERTAIN_PAUSE: f64 = 3_600.0;

/// A message to one address, with its result.
struct SendResult {
    leased: LeasedAddress,
    waiting: Vec<QueuedAlert>,
    subject: String,
    message_id: String,
    outcome: Result<(), EmailRefused>,
}

impl Alerts {
    pub(super) async fn deliver_mails(&self) -> Result<DeliveryRun, InternalError> {
        let senders = self.senders();
        let Some(mail) = &senders.mail else { return self.expire_mails().await };
        let addresses =
            sql::mails::lease_addresses(&self.pool, EMAIL_CONCURRENCY, COLLECT_TIME, MAIL_LEASE.as_secs_f64()).await?;
        if addresses.is_empty() {
            return Ok(DeliveryRun::default());
        }
        let of = sql::deliveries::count_carts(&mut *self.pool.acquire().await?).await?;
        let sent = join_all(addresses.into_iter().map(|leased| self.send(mail, leased, of))).await;
        let sent: Vec<SendResult> =
            sent.into_iter().collect::<Result<Vec<_>, InternalError>>()?.into_iter().flatten().collect();
        let reached = sent.iter().filter(|one| one.outcome.is_ok()).count();
        Ok(transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                let mut round = DeliveryRun::default();
                for one in sent {
                    round.add(record(work, one).await?);
                }
                if reached > 0 {
                    audit::record(work, &By::system(), None, &Event::AlertSent { addresses: reached }).await?;
                }
                if round.given_up > 0 {
                    audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
                }
                Ok(round)
            })
        })
        .await?)
    }

    async fn send(&self, mail: &Mail, leased: LeasedAddress, of: i64) -> Result<Option<SendResult>, InternalError> {
        let mut waiting = sql::mails::list_waiting(&self.pool, &leased.address, EMAIL_BATCH_MAX).await?;
        // A message with notices about the user's own account contains nothing else; other alerts wait for the next
        // message.
        if waiting.iter().any(QueuedAlert::is_notice) {
            waiting.retain(QueuedAlert::is_notice);
        }
        let news: Vec<DatedAlert<'_>> = waiting.iter().map(|one| (one.at, &one.alert.0)).collect();
        let Some((letter, first)) = email_text::write(&news, of, &self.house).zip(waiting.first()) else {
            return Ok(None);
        };
        let thread = self.thread(mail, &waiting, first.id, &leased.address).await?;
        let EmailText { subject, .. } = &letter;
        let outcome = mail.send(&leased.address, &letter, &thread, self.clock.now(), CONFIRM_TIMEOUT).await;
        Ok(Some(SendResult { subject: subject.clone(), message_id: thread.id, waiting, outcome, leased }))
    }

    /// A message about one cart replies to the message that reported the cart's problem.
    async fn thread(
        &self,
        mail: &Mail,
        waiting: &[QueuedAlert],
        first: Uuid,
        address: &str,
    ) -> sqlx::Result<EmailThread> {
        let mut carts: Vec<Uuid> = waiting.iter().filter_map(|one| one.alert.cart()).collect();
        carts.dedup();
        let goes_on_from = match carts[..] {
            [cart] => sql::mails::find_thread(&self.pool, cart, address).await?,
            _ => None,
        };
        Ok(EmailThread { id: mail.id_of(first), goes_on_from })
    }

    /// Handles the queue without a mail server, when nothing can be sent: alerts older than a day are logged as not
    /// delivered.
    async fn expire_mails(&self) -> Result<DeliveryRun, InternalError> {
        Ok(transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                sql::mails::delete_expired_notices(work, GIVE_UP_AFTER).await?;
                let expired = sql::mails::delete_expired_mails(work, GIVE_UP_AFTER).await?;
                for address in &expired {
                    let line = sql::deliveries::DeliveryRecord {
                        channel: "email",
                        recipient: address,
                        outcome: "was not sent: this server has no mail server",
                        is_delivered: false,
                        is_uncertain: false,
                        subject: "Alerts of a day",
                    };
                    sql::deliveries::insert_line(work, &line).await?;
                }
                if !expired.is_empty() {
                    audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
                }
                Ok(DeliveryRun { given_up: expired.len(), ..DeliveryRun::default() })
            })
        })
        .await?)
    }
}

async fn record(work: &mut crate::database::Connection, sent: SendResult) -> sqlx::Result<DeliveryRun> {
    let ids: Vec<Uuid> = sent.waiting.iter().map(|one| one.id).collect();
    let address = sent.leased.address.clone();
    let line = |outcome: &str, is_delivered| {
        let (recipient, subject, outcome) = (address.clone(), sent.subject.clone(), outcome.to_owned());
        (recipient, subject, outcome, is_delivered)
    };
    let refused = match &sent.outcome {
        Ok(()) => {
            if !sql::mails::release_address(work, &sent.leased, EMAIL_INTERVAL, true).await? {
                return Ok(DeliveryRun::default());
            }
            sql::mails::delete_superseded(work, &address, &ids).await?;
            sql::deliveries::delete(work, &ids).await?;
            file(work, &sent.waiting, &address, &sent.message_id).await?;
            insert(work, line("sent", true)).await?;
            return Ok(DeliveryRun { delivered: 1, ..DeliveryRun::default() });
        }
        Err(uncertain) if uncertain.kind == EmailRefusedKind::Uncertain => {
            return record_uncertain(work, &sent, &ids, &uncertain.phrase).await;
        }
        Err(refused) => refused.clone(),
    };
    let is_for_good = refused.kind == EmailRefusedKind::Permanent;
    let pause = pause(sent.leased.attempts, ids.first().copied().unwrap_or_default());
    sql::mails::release_address(work, &sent.leased, pause, is_for_good).await?;
    let outcome = format!("the mail server {}", refused.phrase);
    let over = if is_for_good { ids } else { sql::mails::list_expired(work, &ids, GIVE_UP_AFTER - pause).await? };
    if over.is_empty() {
        if sent.leased.attempts == 1 {
            insert(work, line(&outcome, false)).await?;
        }
        return Ok(DeliveryRun { failed: 1, ..DeliveryRun::default() });
    }
    sql::deliveries::delete(work, &over).await?;
    let given_up = if is_for_good { "given up" } else { "given up after a day" };
    insert(work, line(&format!("{outcome}; {given_up}"), false)).await?;
    Ok(DeliveryRun { given_up: 1, ..DeliveryRun::default() })
}

/// Records a message that the server received completely but did not confirm. It may have arrived, so it is sent only
/// once more, an hour later.
async fn record_uncertain(
    work: &mut crate::database::Connection,
    sent: &SendResult,
    ids: &[Uuid],
    phrase: &str,
) -> sqlx::Result<DeliveryRun> {
    let address = &sent.leased.address;
    if !sql::mails::release_address(work, &sent.leased, EMAIL_INTERVAL, true).await? {
        return Ok(DeliveryRun::default());
    }
    file(work, &sent.waiting, address, &sent.message_id).await?;
    let next = match sql::mails::defer_once(work, ids, UNCERTAIN_PAUSE).await? {
        0 => {
            sql::deliveries::delete(work, ids).await?;
            "it is not sent again"
        }
        _ => "it is sent once more in an hour",
    };
    let line = sql::deliveries::DeliveryRecord {
        channel: "email",
        recipient: address,
        outcome: &format!("the mail server {phrase}; {next}"),
        is_delivered: false,
        is_uncertain: true,
        subject: &sent.subject,
    };
    sql::deliveries::insert_line(work, &line).await?;
    Ok(DeliveryRun { failed: 1, ..DeliveryRun::default() })
}

/// Stores a thread for each failing cart, and deletes the threads of recovered carts.
async fn file(
    work: &mut crate::database::Connection,
    waiting: &[QueuedAlert],
    address: &str,
    id: &str,
) -> sqlx::Result<()> {
    let latest: HashMap<Uuid, bool> = waiting
        .iter()
        .filter_map(|one| Some((one.alert.cart()?, matches!(&*one.alert, Alert::NeedsAttention(_)))))
        .collect();
    let carts = |in_trouble: bool| -> Vec<Uuid> {
        latest.iter().filter(|(_, trouble)| **trouble == in_trouble).map(|(cart, _)| *cart).collect()
    };
    sql::mails::insert_threads(work, &carts(true), address, id).await?;
    sql::mails::delete_threads(work, &carts(false), address).await
}

async fn insert(
    work: &mut crate::database::Connection,
    (recipient, subject, outcome, is_delivered): (String, String, String, bool),
) -> sqlx::Result<()> {
    let line = sql::deliveries::DeliveryRecord {
        channel: "email",
        recipient: &recipient,
        outcome: &outcome,
        is_delivered,
        is_uncertain: false,
        subject: &subject,
    };
    sql::deliveries::insert_line(work, &line).await
}

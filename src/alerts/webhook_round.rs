//! The webhook's half of a round.

use futures_util::future::join_all;

use super::{
    Alerts, Broken, Round, SigningSecret, WebhookAddress,
    delivery::{GIVE_UP, LEASE, pause},
    letter, payload, sql,
    webhook::Answered,
};
use crate::{
    audit::{self, By, Event},
    database::transaction,
};

/// Calls at once in one process.
const AT_ONCE: i64 = 8;
const UNREADABLE: Answered = Answered::Not("was not called: the signing secret cannot be read");

impl Alerts {
    pub(super) async fn deliver_calls(&self) -> Result<Round, Broken> {
        let mut connection = self.pool.acquire().await?;
        let webhook = sql::find_webhook(&mut connection).await?.filter(|webhook| webhook.gone_at.is_none());
        drop(connection);
        let Some(row) = webhook else { return Ok(Round::default()) };
        let calls = sql::lease_calls(&self.pool, AT_ONCE, LEASE).await?;
        // Address and secret come from one row that was read once; whoever changes it meanwhile changes the next round.
        let target = WebhookAddress::from_stored(&row.address).zip(self.secret_of(&row));
        let answers = join_all(calls.iter().map(|call| self.call(target.as_ref(), call))).await;
        let mut round = Round::default();
        for (call, answered) in calls.into_iter().zip(answers) {
            round.add(self.record_call(&row, call, answered).await?);
        }
        Ok(round)
    }

    async fn call(&self, target: Option<&(WebhookAddress, SigningSecret)>, call: &sql::LeasedCall) -> Answered {
        let Some((address, secret)) = target else { return UNREADABLE };
        let body = payload::body(&call.waiting.alert, call.waiting.at, &self.house);
        let id = format!("msg_{}", call.waiting.id.as_simple());
        self.webhooks.post(address, secret, &id, self.clock.now().unix_timestamp(), body).await
    }

    async fn record_call(
        &self,
        row: &sql::WebhookRow,
        call: sql::LeasedCall,
        answered: Answered,
    ) -> Result<Round, Broken> {
        let (id, recipient) = (row.id, row.host.clone());
        let subject = letter::subject(&call.waiting.alert, &self.house);
        let pause = pause(call.attempts, call.waiting.id);
        let is_over = call.age_seconds + pause > GIVE_UP;
        Ok(transaction::<_, sqlx::Error, _>(&self.pool, move |work| {
            Box::pin(async move {
                let outcome = if is_over && !answered.is_success() && !answered.is_gone() {
                    format!("{}; given up after a day", answered.words())
                } else {
                    answered.words()
                };
                let line = sql::Line {
                    channel: "webhook",
                    recipient: &recipient,
                    outcome: &outcome,
                    is_delivered: answered.is_success(),
                    subject: &subject,
                };
                if answered.is_success() {
                    // The webhook's row first, as whoever changes the settings does: two that wait for each other end both.
                    sql::end_failing(work).await?;
                    sql::delete_deliveries(work, &[call.waiting.id]).await?;
                    sql::insert_line(work, &line).await?;
                    return Ok(Round { delivered: 1, ..Round::default() });
                }
                if answered.is_gone() {
                    if sql::turn_off_webhook(work, id).await? {
                        sql::insert_line(work, &line).await?;
                        audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
                    }
                    sql::delete_unwanted(work).await?;
                    return Ok(Round { given_up: 1, ..Round::default() });
                }
                let is_first = sql::begin_failing(work).await?;
                if is_first || is_over {
                    sql::insert_line(work, &line).await?;
                }
                if is_over {
                    sql::delete_deliveries(work, &[call.waiting.id]).await?;
                    audit::record(work, &By::system(), None, &Event::AlertNotDelivered).await?;
                    return Ok(Round { given_up: 1, ..Round::default() });
                }
                sql::retry_call(work, call.waiting.id, call.leased_until, pause).await?;
                Ok(Round { failed: 1, ..Round::default() })
            })
        })
        .await?)
    }
}

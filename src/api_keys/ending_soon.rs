//! Notifies the recipients of alerts before a key ends, once per key, so that no sync stops by surprise.

use super::{ApiKeys, sql};
use crate::{
    alerts::{self, Alert, EndingApiKey},
    database::transaction,
};

impl ApiKeys {
    /// Queues an alert for each live key that ends within [`super::ENDS_SOON_DAYS`] and has none yet. A key that was made
    /// for a shorter time gets none. Returns how many were queued.
    pub async fn notify_ending_soon(&self) -> sqlx::Result<usize> {
        transaction(&self.pool, |work| {
            Box::pin(async move {
                let ending = sql::keys::claim_ending_soon(work).await?;
                for key in &ending {
                    let alert = Alert::ApiKeyEndsSoon(EndingApiKey {
                        key: key.id,
                        name: key.name.clone(),
                        ending: key.ending.clone(),
                        ends_at: key.ends_at,
                    });
                    alerts::queue_alert(work, &alert).await?;
                }
                Ok(ending.len())
            })
        })
        .await
    }
}

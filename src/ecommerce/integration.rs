//! The *Active* switch of the whole integration. While it is off, nothing is synced or checked, and settings are kept.

use super::{Ecommerce, sql};
use crate::{
    audit::{self, By, Event},
    database::transaction,
};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Integration {
    pub is_active: bool,
}

impl Ecommerce {
    pub async fn integration(&self) -> sqlx::Result<Integration> {
        sql::find_integration(&self.pool).await
    }

    /// Turns the whole integration on or off; does nothing if it is in that state already.
    pub async fn switch(&self, by: By, on: bool) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::update_integration(work, on, by.name()).await? {
                    let event = if on { Event::IntegrationTurnedOn } else { Event::IntegrationTurnedOff };
                    audit::record(work, &by, None, &event).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

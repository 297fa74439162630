//! The *Active* switch of the whole integration. While it is off, nothing is synced or checked, and settings are kept.

use super::{
    changes::{self, ChangeFacts, ChangeKind},
    sql,
};
use crate::{
    audit::{self, By, Event},
    database::{Pool, transaction},
};

/// The switch of the whole integration.
#[derive(Clone, Debug)]
pub struct Integration {
    pub(super) pool: Pool,
}

impl Integration {
    pub async fn is_active(&self) -> sqlx::Result<bool> {
        sql::integration::is_active(&self.pool).await
    }

    /// Turns the whole integration on or off; does nothing if it is in that state already.
    pub async fn switch(&self, by: By, on: bool) -> sqlx::Result<()> {
        transaction(&self.pool, move |work| {
            Box::pin(async move {
                if sql::integration::update(work, on, by.name()).await? {
                    let event = if on { Event::IntegrationTurnedOn } else { Event::IntegrationTurnedOff };
                    audit::record(work, &by, None, &event).await?;
                    let kind = if on { ChangeKind::IntegrationTurnedOn } else { ChangeKind::IntegrationTurnedOff };
                    changes::note(work, kind, None, &ChangeFacts::default()).await?;
                }
                Ok(())
            })
        })
        .await
    }
}

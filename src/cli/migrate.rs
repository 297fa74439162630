//! `cartwright migrate`: migrates the schema separately from a start.

use crate::{config::DatabaseFlags, telemetry};

pub async fn migrate(flags: &DatabaseFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.log());
    let opened = super::database::open(&flags.check()?).await?;
    opened.close().await;
    super::say(format_args!("The database is up to date."));
    Ok(())
}

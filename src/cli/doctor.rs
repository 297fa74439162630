//! `cartwright doctor`: looks at everything that a server leans on and says what to mend. Changes nothing but the schema.

use time::OffsetDateTime;

use super::{database, say};
use crate::{
    clock::Clock,
    config::{Database, ServeConfig, ServeFlags},
    ecommerce::shopify::{API_VERSION, API_VERSION_ENDS_AT, API_VERSION_WARNING, client::Client},
    telemetry,
};

/// One line of the findings.
enum Finding {
    Well(String),
    Mind(String),
    Mend(String),
}

pub async fn doctor(flags: ServeFlags) -> anyhow::Result<()> {
    telemetry::start_logging(flags.database.log.as_deref().unwrap_or("error"));
    let config = flags.check()?;
    let mut findings =
        vec![Finding::Well("The settings can be read.".into()), keys(&config), version(Clock::System.now())];
    if let Some(mail) = &config.alerts.mail {
        findings.push(Finding::Well(format!("Alerts by mail go through {mail}, encrypted.")));
    }
    match database::open(&config.database).await {
        Ok(opened) => {
            findings.extend(stored(&opened).await);
            opened.close().await;
        }
        Err(error) => findings.push(Finding::Mend(format!("The database: {error:#}"))),
    }
    findings.push(way_out(&config).await);
    let mut mend = 0;
    for finding in findings {
        match finding {
            Finding::Well(line) => say(format_args!("ok    {line}")),
            Finding::Mind(line) => say(format_args!("mind  {line}")),
            Finding::Mend(line) => {
                mend += 1;
                say(format_args!("mend  {line}"));
            }
        }
    }
    anyhow::ensure!(mend == 0, "{mend} to mend");
    Ok(())
}

fn keys(config: &ServeConfig) -> Finding {
    match (&config.keys, &config.database) {
        (Some(ring), _) => {
            let names: Vec<_> = ring.keys().iter().map(crate::vault::key_ring::Key::name).collect();
            Finding::Well(format!("The key file holds {}; the first seals.", names.join(", ")))
        }
        #[cfg(feature = "embedded")]
        (None, Database::Embedded { data_dir, .. }) => Finding::Mind(format!(
            "Key and data lie together in {}: whoever takes the folder can open every secret. Move the key and name it in \
             CARTWRIGHT_KEY_FILE.",
            data_dir.display()
        )),
        (None, Database::Url(_)) => Finding::Mend("CARTWRIGHT_KEY_FILE is not set.".into()),
    }
}

/// Shopify answers from another version without an error once ours has ended.
fn version(now: OffsetDateTime) -> Finding {
    let until = format!("Shopify supports API version {API_VERSION} until {}", API_VERSION_ENDS_AT.date());
    if now >= API_VERSION_ENDS_AT {
        Finding::Mend(format!("{until}, which is over. Use a newer Cartwright."))
    } else if now + API_VERSION_WARNING >= API_VERSION_ENDS_AT {
        Finding::Mind(format!("{until}. Plan for a newer Cartwright."))
    } else {
        Finding::Well(format!("{until}."))
    }
}

async fn stored(opened: &database::Opened) -> Vec<Finding> {
    let mut findings =
        vec![Finding::Well("The database answers, keeps what it acknowledges, and is up to date.".into())];
    match crate::database::clock_difference(&opened.pool, Clock::System.now()).await {
        Ok(difference) if difference.unsigned_abs().as_secs() > 30 => findings.push(Finding::Mind(format!(
            "This machine's clock differs from the database's by {} seconds.",
            difference.whole_seconds()
        ))),
        Ok(_) => findings.push(Finding::Well("This machine's clock agrees with the database's.".into())),
        Err(error) => findings.push(Finding::Mend(format!("The database's clock could not be read: {error:#}"))),
    }
    findings
}

/// Whether anything answers at Shopify over verified TLS. No secret is sent: the address is Shopify's own.
async fn way_out(config: &ServeConfig) -> Finding {
    let way = match &config.egress.proxy {
        Some(proxy) => format!(" through {proxy}"),
        None => String::new(),
    };
    let client = match Client::new(&config.egress) {
        Ok(client) => client,
        Err(error) => return Finding::Mend(format!("The way out to Shopify: {error:#}")),
    };
    match client.reach().await {
        Ok(took) => Finding::Well(format!("Shopify answers{way} in {} ms.", took.as_millis())),
        Err(failure) => {
            Finding::Mend(format!("Shopify cannot be reached{way}: {}, {}.", failure.class.as_str(), failure.remark))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_our_version_is_told_before_it_comes() {
        let days = |days| API_VERSION_ENDS_AT - time::Duration::days(days);
        assert!(matches!(version(days(200)), Finding::Well(_)));
        assert!(matches!(version(days(100)), Finding::Mind(_)));
        assert!(matches!(version(days(0)), Finding::Mend(_)));
    }
}

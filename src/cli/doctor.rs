//! `cartwright doctor`: checks everything that a server depends on and says what to fix. Changes nothing but the
//! schema.

mod keys;

use time::OffsetDateTime;

use super::{database, say};
use crate::{
    carts::health::{self, schedule::CHECK_INTERVAL},
    clock::Clock,
    config::{KeyFlags, ServeConfig, ServeFlags},
    database::roles::RoleFacts,
    outbound::egress_addresses::EgressAddresses,
    platforms::shopify::{API_VERSION, API_VERSION_ENDS_AT, API_VERSION_WARNING, client::ShopifyClient},
    telemetry,
};

/// One line of the report.
enum DoctorFinding {
    Well(String),
    Mind(String),
    Mend(String),
}

pub async fn doctor(flags: ServeFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.database.log_or("error"));
    let config = flags.check()?;
    let key_flags = KeyFlags { database: flags.database, key_file: flags.key_file };
    // Includes the key that the first start created with the data.
    let (_, ring) = key_flags.check()?;
    let mut findings = vec![DoctorFinding::Well("The settings can be read.".into()), version(Clock::System.now())];
    findings.extend(
        config.trusted_proxies.unnamed(config.public_url.is_https).map(|line| DoctorFinding::Mind(line.into())),
    );
    findings.extend(keys::file(&key_flags, &config.database, ring.as_ref()));
    if let Some(mail) = &config.alerts.mail {
        findings.push(DoctorFinding::Well(format!("Alerts by mail go through {mail}, encrypted.")));
    }
    match database::open(&config.database).await {
        Ok(opened) => {
            findings.extend(stored(&opened).await);
            findings.extend(keys::stored(&opened.pool, ring.as_ref()).await);
            findings.push(checks(&opened, config.practice).await);
            opened.close().await;
        }
        Err(error) => findings.push(DoctorFinding::Mend(super::format_error_chain(&error))),
    }
    findings.push(addresses(&config.egress_addresses, config.egress.proxy.is_some()));
    findings.push(way_out(&config).await);
    let mut mend = 0;
    for finding in findings {
        match finding {
            DoctorFinding::Well(line) => say(format_args!("ok    {line}")),
            DoctorFinding::Mind(line) => say(format_args!("mind  {line}")),
            DoctorFinding::Mend(line) => {
                mend += 1;
                say(format_args!("mend  {line}"));
            }
        }
    }
    anyhow::ensure!(mend == 0, "{mend} to mend");
    Ok(())
}

/// Checks the API version: once ours has ended, Shopify answers with another version and without an error.
fn version(now: OffsetDateTime) -> DoctorFinding {
    let until = format!("Shopify supports API version {API_VERSION} until {}", API_VERSION_ENDS_AT.date());
    if now >= API_VERSION_ENDS_AT {
        DoctorFinding::Mend(format!("{until}, which is over. Use a newer Cartwright."))
    } else if now + API_VERSION_WARNING >= API_VERSION_ENDS_AT {
        DoctorFinding::Mind(format!("{until}. Plan for a newer Cartwright."))
    } else {
        DoctorFinding::Well(format!("{until}."))
    }
}

async fn stored(opened: &database::OpenDatabase) -> Vec<DoctorFinding> {
    let mut findings =
        vec![DoctorFinding::Well("The database answers, keeps what it acknowledges, and is up to date.".into())];
    match crate::database::clock_difference(&opened.pool, Clock::System.now()).await {
        Ok(difference) if difference.unsigned_abs().as_secs() > 30 => findings.push(DoctorFinding::Mind(format!(
            "This machine's clock differs from the database's by {} seconds.",
            difference.whole_seconds()
        ))),
        Ok(_) => findings.push(DoctorFinding::Well("This machine's clock agrees with the database's.".into())),
        Err(error) => findings.push(DoctorFinding::Mend(format!("The database's clock could not be read: {error:#}"))),
    }
    findings.extend(letters(crate::database::start::folds_case(&opened.pool).await));
    findings.push(match RoleFacts::read(&opened.pool).await {
        Ok(facts) => role(&facts),
        Err(error) => DoctorFinding::Mend(format!("The database's role could not be read: {error:#}")),
    });
    findings
}

/// Checks that the search matches É with é, which depends on the database's locale.
fn letters(folds: sqlx::Result<bool>) -> Option<DoctorFinding> {
    match folds {
        Ok(true) => None,
        Ok(false) => Some(DoctorFinding::Mind(
            "The database's locale knows capital letters of ASCII alone, so the search does not find É by é. A database \
             made with the locale C.UTF-8 does."
                .into(),
        )),
        Err(error) => Some(DoctorFinding::Mend(format!("The database's locale could not be read: {error}"))),
    }
}

/// Checks whether the serving role can change recorded activity.
fn role(facts: &RoleFacts) -> DoctorFinding {
    let RoleFacts { name, superuser_by_membership, .. } = facts;
    if facts.is_superuser {
        return DoctorFinding::Mend(format!(
            "The role {name} in DATABASE_URL is a superuser, so nothing in the database keeps a taken-over server from rewriting the \
             activity. {TWO_ROLES}"
        ));
    }
    if let Some(superuser) = superuser_by_membership {
        return DoctorFinding::Mend(format!(
            "The role {name} in DATABASE_URL may become the superuser {superuser}. Take that away: revoke {superuser} from {name};"
        ));
    }
    if facts.may_change_activity {
        return DoctorFinding::Mend(format!(
            "The role {name} in DATABASE_URL owns the activity or may change it, so a taken-over server could rewrite it. {TWO_ROLES}"
        ));
    }
    DoctorFinding::Well(format!("The role {name} may add to the activity and change nothing that it recorded."))
}

/// Instructions for splitting one role into two.
const TWO_ROLES: &str = "Let the owner of the tables migrate only, and an ordinary role serve. In Postgres: \
    create role cartwright_runtime login password '…'; In the settings: CARTWRIGHT_MIGRATE_DATABASE_URL with the owner's address, \
    DATABASE_URL with cartwright_runtime in it. Then restart. docs/operating.md says more under \"Two roles\".";

/// Checks that a worker is checking the carts that are due.
async fn checks(opened: &database::OpenDatabase, practices: bool) -> DoctorFinding {
    match health::lag(&opened.pool, practices).await {
        Ok(lag) if lag >= 2 * CHECK_INTERVAL => DoctorFinding::Mend(format!(
            "The oldest check is overdue by {} minutes. Run a server without CARTWRIGHT_NO_WORKER, or cartwright worker.",
            lag.as_secs() / 60
        )),
        Ok(lag) => DoctorFinding::Well(format!("No check is overdue by more than {} seconds.", lag.as_secs())),
        Err(error) => DoctorFinding::Mend(format!("The checks could not be read: {error:#}")),
    }
}

/// The addresses that Shopify sees, according to the settings; nothing is looked up.
fn addresses(listed: &EgressAddresses, is_behind_proxy: bool) -> DoctorFinding {
    if listed.is_empty() {
        let whose = if is_behind_proxy {
            "The addresses that count are those of the proxy in CARTWRIGHT_EGRESS_PROXY: ask whoever runs it."
        } else {
            "They are the public addresses of this machine, or of the NAT gateway that it goes out through: ask whoever runs the \
             network. The sync service may have its own."
        };
        return DoctorFinding::Mind(format!(
            "Our outgoing addresses are not set. Apps in Shopify's Dev Dashboard may let in listed addresses only. {whose} List them \
             in CARTWRIGHT_EGRESS_ADDRESSES, so that guide and alerts can show them."
        ));
    }
    let whose = if is_behind_proxy { " They must be those of the proxy in CARTWRIGHT_EGRESS_PROXY." } else { "" };
    DoctorFinding::Well(format!(
        "Our outgoing addresses, as set: {listed}. Put them into the IP allowlist of each app that has one: Dev Dashboard, app, \
         Settings, IP allowlist.{whose}"
    ))
}

/// Checks that Shopify answers over verified TLS. Sends no secret; the address is Shopify's own.
async fn way_out(config: &ServeConfig) -> DoctorFinding {
    let way = match &config.egress.proxy {
        Some(proxy) => format!(" through {proxy}"),
        None => String::new(),
    };
    let client = match ShopifyClient::new(&config.egress) {
        Ok(client) => client,
        Err(error) => return DoctorFinding::Mend(format!("The way out to Shopify: {error:#}")),
    };
    match client.reach().await {
        Ok(took) => DoctorFinding::Well(format!("Shopify answers{way} in {} ms.", took.as_millis())),
        Err(failure) => DoctorFinding::Mend(format!(
            "Shopify cannot be reached{way}: {}, {}.",
            failure.class.as_str(),
            failure.remark
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_that_can_change_the_activity_is_to_mend() {
        let runtime = RoleFacts {
            name: "cartwright_runtime".into(),
            is_superuser: false,
            superuser_by_membership: None,
            may_change_activity: false,
        };
        let said = |facts: RoleFacts| match role(&facts) {
            DoctorFinding::Well(line) => format!("ok {line}"),
            DoctorFinding::Mind(line) => format!("mind {line}"),
            DoctorFinding::Mend(line) => format!("mend {line}"),
        };
        assert!(said(runtime.clone()).starts_with("ok The role cartwright_runtime may add"));
        let owner = said(RoleFacts { may_change_activity: true, ..runtime.clone() });
        assert!(owner.starts_with("mend ") && owner.contains("create role cartwright_runtime login"), "{owner}");
        let superuser = said(RoleFacts { is_superuser: true, may_change_activity: true, ..runtime.clone() });
        assert!(superuser.starts_with("mend ") && superuser.contains("is a superuser"), "{superuser}");
        let member = said(RoleFacts { superuser_by_membership: Some("postgres".into()), ..runtime });
        assert!(member.starts_with("mend ") && member.contains("revoke postgres from cartwright_runtime"), "{member}");
    }

    #[test]
    fn ascii_only_locale_is_reported() {
        assert!(letters(Ok(true)).is_none());
        assert!(matches!(letters(Ok(false)), Some(DoctorFinding::Mind(line)) if line.contains("É")));
    }

    #[test]
    fn egress_addresses_are_reported_with_advice() {
        let listed = EgressAddresses::parse("8.8.4.4, 1.1.1.0/24").expect("public addresses");
        let said = |listed: &EgressAddresses, proxy| match addresses(listed, proxy) {
            DoctorFinding::Well(line) => format!("ok {line}"),
            DoctorFinding::Mind(line) => format!("mind {line}"),
            DoctorFinding::Mend(line) => format!("mend {line}"),
        };
        let direct = said(&listed, false);
        assert!(
            direct.starts_with("ok ") && direct.contains("8.8.4.4, 1.1.1.0/24. Put them into the IP allowlist"),
            "{direct}"
        );
        assert!(said(&listed, true).contains("those of the proxy in CARTWRIGHT_EGRESS_PROXY"));
        let none = EgressAddresses::default();
        let unset = said(&none, false);
        assert!(
            unset.starts_with("mind ")
                && unset.contains("NAT gateway")
                && unset.contains("List them in CARTWRIGHT_EGRESS_ADDRESSES"),
            "{unset}"
        );
        assert!(said(&none, true).contains("those of the proxy"));
    }

    #[test]
    fn end_of_our_api_version_is_reported_in_advance() {
        let days = |days| API_VERSION_ENDS_AT - time::Duration::days(days);
        assert!(matches!(version(days(200)), DoctorFinding::Well(_)));
        assert!(matches!(version(days(100)), DoctorFinding::Mind(_)));
        assert!(matches!(version(days(0)), DoctorFinding::Mend(_)));
    }
}

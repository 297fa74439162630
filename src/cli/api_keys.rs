//! `cartwright api-keys`: makes, lists and revokes the keys of programs from the server's command line.

use clap::Subcommand;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{complain, say};
use crate::{
    api_keys::{
        ApiKeyName, ApiKeyState, ApiKeys, FindKeyError, KEY_CARTS_MAX, KeyLifetime, KeyNetworks, KeyScopes,
        KnownApiKey, NewApiKey,
    },
    carts,
    config::DatabaseFlags,
    database::Pool,
    telemetry,
};

#[derive(Debug, Subcommand)]
pub enum ApiKeysCommand {
    /// Make a key and print it, alone, on standard output. It is shown this once: the database keeps only its hash.
    #[command(after_help = "For a sync service that reads carts and takes their tokens:\n  \
        cartwright api-keys add --name sync-prod --scopes carts:read,tokens:issue > /run/secrets/cartwright_key")]
    Add(Box<AddKeyFlags>),
    /// List every key: its id, name, last four characters, scopes, end and last use. Never the key itself.
    List(ListKeysFlags),
    /// Revoke a key at once. A program that uses it is refused from its next request on.
    Revoke(RevokeKeyFlags),
}

#[derive(Debug, clap::Args)]
pub struct AddKeyFlags {
    /// What the activity calls the program that uses the key.
    #[arg(long)]
    name: String,
    /// What the key allows, separated by commas: carts:read, carts:write, carts:check, tokens:issue.
    #[arg(long)]
    scopes: String,
    /// The only carts that the key sees, by id or store, separated by commas [default: all].
    #[arg(long, value_name = "ID,…")]
    carts: Option<String>,
    /// The only addresses and networks that the key works from, separated by commas [default: all].
    #[arg(long, value_name = "CIDR,…")]
    networks: Option<String>,
    /// Days until the key ends: 1 to 365.
    #[arg(long, default_value_t = KeyLifetime::DEFAULT.days())]
    days: i32,
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Debug, clap::Args)]
pub struct ListKeysFlags {
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Debug, clap::Args)]
pub struct RevokeKeyFlags {
    /// The key's id, as `cartwright api-keys list` shows it.
    #[arg(value_name = "ID")]
    key: Uuid,
    #[command(flatten)]
    database: DatabaseFlags,
}

pub async fn run(command: ApiKeysCommand) -> anyhow::Result<()> {
    match command {
        ApiKeysCommand::Add(flags) => add(*flags).await,
        ApiKeysCommand::List(flags) => list(flags).await,
        ApiKeysCommand::Revoke(flags) => revoke(flags).await,
    }
}

async fn add(flags: AddKeyFlags) -> anyhow::Result<()> {
    let name = ApiKeyName::parse(&flags.name).map_err(|error| anyhow::anyhow!("--name: {error}"))?;
    let scopes = KeyScopes::parse(&flags.scopes).map_err(|error| anyhow::anyhow!("--scopes: {error}"))?;
    let networks = KeyNetworks::parse(flags.networks.as_deref().unwrap_or_default())
        .map_err(|error| anyhow::anyhow!("--networks: {error}"))?;
    let lifetime = KeyLifetime::of_days(flags.days).map_err(|error| anyhow::anyhow!("--days: {error}"))?;
    let listed = flags.carts.unwrap_or_default();
    let made = with(&flags.database, async |pool| {
        let carts = carts::find_listed(pool, &listed, KEY_CARTS_MAX).await;
        let carts = carts.map_err(|error| anyhow::Error::from(error).context("--carts"))?;
        let new = NewApiKey { name, scopes, carts, networks, lifetime };
        Ok(ApiKeys::new(pool.clone()).create_as_operator(new).await?)
    })
    .await?;
    say(format_args!("{}", made.text.expose()));
    complain(format_args!("The key works until {}. It is not shown again.", date_time(made.ends_at)));
    Ok(())
}

async fn list(flags: ListKeysFlags) -> anyhow::Result<()> {
    let keys = with(&flags.database, async |pool| Ok(ApiKeys::new(pool.clone()).list().await?)).await?;
    if keys.is_empty() {
        say(format_args!("No API keys yet."));
    }
    for key in &keys {
        say(format_args!("{}", line(key)));
    }
    Ok(())
}

async fn revoke(flags: RevokeKeyFlags) -> anyhow::Result<()> {
    let key = flags.key;
    let done = with(&flags.database, async |pool| match ApiKeys::new(pool.clone()).revoke_as_operator(key).await {
        Err(FindKeyError::Unknown) => anyhow::bail!("no key has the id {}", key.as_simple()),
        outcome => Ok(outcome?),
    });
    let words = if done.await? { "is revoked" } else { "did not work any more" };
    say(format_args!("The key {} {words}.", key.as_simple()));
    Ok(())
}

/// One key in columns: id, ending, state, last use, scopes, and the name last, since only its length varies much.
fn line(key: &KnownApiKey) -> String {
    let state = match key.state {
        ApiKeyState::Live => format!("ends {}", date_time(key.ends_at)),
        ApiKeyState::EndsSoon => format!("ends soon, {}", date_time(key.ends_at)),
        ApiKeyState::Ended => format!("ended {}", date_time(key.ends_at)),
        ApiKeyState::Revoked => "revoked".into(),
    };
    let used = match &key.last_used {
        Some((at, Some(ip))) => format!("used {} from {ip}", date_time(*at)),
        Some((at, None)) => format!("used {}", date_time(*at)),
        None => "not used yet".into(),
    };
    let carts = match key.carts.as_ref().map(Vec::len) {
        None => "all carts".into(),
        Some(1) => "1 cart".into(),
        Some(count) => format!("{count} carts"),
    };
    let networks = key.networks.as_ref().map_or_else(|| "all addresses".into(), |networks| networks.join(","));
    let name: String = key.name.chars().filter(|c| !c.is_control()).collect();
    let (id, ending, scopes) = (key.id.as_simple(), &key.ending, key.scopes.join(","));
    format!("{id}  …{ending}  {state}  {used}  {scopes}  {carts}  {networks}  {name}")
}

/// "2026-11-21 08:14 UTC".
fn date_time(at: OffsetDateTime) -> String {
    let at = at.to_offset(UtcOffset::UTC);
    format!("{} {:02}:{:02} UTC", at.date(), at.hour(), at.minute())
}

/// Opens the database for one operation, and closes it whatever the result.
async fn with<T>(flags: &DatabaseFlags, work: impl AsyncFnOnce(&Pool) -> anyhow::Result<T>) -> anyhow::Result<T> {
    telemetry::start_logging(&flags.log_or("warn"));
    let opened = super::database::open(&flags.check()?).await?;
    let done = work(&opened.pool).await;
    opened.close().await;
    done
}

#[cfg(test)]
mod tests {
    use super::*;
    use time::macros::datetime;

    #[test]
    fn key_is_listed_in_one_line() {
        let key = KnownApiKey {
            id: Uuid::from_u128(0x98f3),
            name: "sync \u{1b}[2Jprod".into(),
            ending: "77ab".into(),
            scopes: vec!["carts:read".into(), "tokens:issue".into()],
            carts: Some(vec![Uuid::nil()]),
            networks: None,
            created_at: datetime!(2026-11-01 08:14 UTC),
            created_by: "Priya Shah".into(),
            ends_at: datetime!(2026-12-05 08:14 UTC),
            revoked: None,
            last_used: Some((datetime!(2026-11-21 09:14 +1), Some("198.51.100.7".into()))),
            state: ApiKeyState::EndsSoon,
        };
        assert_eq!(
            line(&key),
            "000000000000000000000000000098f3  …77ab  ends soon, 2026-12-05 08:14 UTC  \
             used 2026-11-21 08:14 UTC from 198.51.100.7  carts:read,tokens:issue  1 cart  all addresses  sync [2Jprod"
        );
    }
}

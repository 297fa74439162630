//! `cartwright keys list`: shows the state of each key.

use time::{OffsetDateTime, macros::format_description};

use super::{database, grouped, say, secrets};
use crate::{
    config::KeyFlags,
    keys::{self, KeyLine, KeyState},
    telemetry,
};

pub async fn list(flags: &KeyFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.database.log_or("error"));
    let (config, ring) = flags.check()?;
    let opened = database::open(&config).await?;
    let lines = keys::list(&opened.pool, ring.as_ref()).await;
    opened.close().await;
    let lines = lines?;
    if lines.is_empty() {
        say(format_args!("There is no key yet: the first start makes one."));
    }
    for line in &lines {
        say(format_args!("{}  {}", line.name, standing(line)));
        say(format_args!("  secrets now  {}", now(line)));
        if line.is_registered {
            say(format_args!("  last check   {}", checked(line.checked_at)));
        }
    }
    Ok(())
}

fn standing(line: &KeyLine) -> String {
    let at = line.line.map_or_else(String::new, |line| format!("line {line} of the key file"));
    match line.standing {
        KeyState::Seals => format!("{at}: seals and opens"),
        KeyState::Opens if line.total() == 0 && line.retired_at.is_some() => {
            format!("{at}: retired on {}; the line may be removed", date(line.retired_at))
        }
        KeyState::Opens => format!("{at}: opens"),
        KeyState::IsAnother => format!("{at}: NOT the key that sealed here under this id; no server starts"),
        KeyState::Missing => "not in the key file: no server starts without it. Put its line back".into(),
        KeyState::Retired if line.total() > 0 => {
            format!("not in the key file, retired on {}; what it sealed is asked for again", date(line.retired_at))
        }
        KeyState::Retired => format!("not in the key file, retired on {}; not needed", date(line.retired_at)),
        KeyState::Unknown => "no key of ours: these secrets are damaged and are asked for again".into(),
    }
}

/// "3 secrets: 2 in carts.secret, 1 in carts.minted_token". Lists every column, so that none seems missing.
fn now(line: &KeyLine) -> String {
    let columns: Vec<_> = keys::columns()
        .iter()
        .map(|column| format!("{}.{}", column.table(), column.column()))
        .map(|name| format!("{} in {name}", grouped(line.secrets.get(&name).copied().unwrap_or(0))))
        .collect();
    format!("{}: {}", secrets(line.total()), columns.join(", "))
}

fn checked(at: Option<OffsetDateTime>) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute] UTC");
    at.and_then(|at| at.format(&format).ok()).unwrap_or_else(|| "not since this version".into())
}

fn date(at: Option<OffsetDateTime>) -> String {
    at.map_or_else(|| "an unknown day".into(), |at| at.date().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(standing: KeyState) -> KeyLine {
        KeyLine {
            name: "00ff10abcdef0102".into(),
            standing,
            line: matches!(standing, KeyState::Seals | KeyState::Opens | KeyState::IsAnother).then_some(2),
            is_registered: true,
            checked_at: None,
            retired_at: None,
            secrets: [("carts.secret".to_owned(), 2)].into(),
        }
    }

    #[test]
    fn each_key_state_has_its_sentence() {
        let said = |standing: KeyState| super::standing(&line(standing));
        assert_eq!(said(KeyState::Seals), "line 2 of the key file: seals and opens");
        assert_eq!(said(KeyState::Opens), "line 2 of the key file: opens");
        assert!(said(KeyState::IsAnother).contains("NOT the key"));
        assert!(said(KeyState::Missing).contains("no server starts without it"));
        assert!(said(KeyState::Retired).contains("asked for again"));
        assert!(said(KeyState::Unknown).contains("damaged"));
    }

    #[test]
    fn every_column_is_shown() {
        let line = line(KeyState::Seals);
        assert_eq!(
            now(&line),
            "2 secrets: 2 in carts.secret, 0 in carts.minted_token, 0 in unsaved_credentials.secret, 0 in alert_webhooks.secret, 0 in alert_webhooks.sealed_address"
        );
    }
}

//! `cartwright keys`: the lines of the key file and the secrets sealed with each.

#![expect(clippy::doc_markdown, reason = "the doc comments here are what --help prints")]

mod list;
mod rotate;

use clap::Subcommand;

use super::{RefusedStart, complain, database, say};
use crate::{config::KeyFlags, keys, telemetry, vault::KeyRing};

#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    /// Make a new key: one line for CARTWRIGHT_KEY_FILE. It is kept nowhere else.
    #[command(after_help = "For a first start:\n  cartwright keys generate --file /etc/cartwright/keys\n\n\
        To change keys later, see `cartwright keys rotate --help`.")]
    Generate {
        /// Write it to a new file that only this account may read, instead of printing it. A file that exists is left alone.
        #[arg(long, value_name = "FILE")]
        file: Option<std::path::PathBuf>,
    },
    /// Show every key: which one seals, how many secrets rest under each, when it was last found in the key file.
    /// Changes nothing; also says what is wrong when a server refuses to start.
    #[command(after_help = "A key is shown by its id, 16 hex digits that are made from it and tell nothing about it.")]
    List(KeyFlags),
    /// Seal every secret again under the first key of the file, beside the running servers. Killed anywhere, it is run again
    /// and goes on.
    #[command(after_help = "To change keys:\n  \
        1. Add the new key as the second line of every server's key file; restart them in turn. All can open it now.\n  \
        2. Make it the first line everywhere; restart them in turn. It seals from now on.\n  \
        3. cartwright keys rotate\n  \
        4. At \"0 secrets left\" take the old line out. Keep the old key offline as long as backups from before exist.\n\n\
        Secrets that do not open are listed and left as they are, and the exit code is then 1: open those carts and enter \
        their secret again.\n\
        A stolen key and database need more: replace the tokens at Shopify too.")]
    Rotate(KeyFlags),
    /// Go on without a key that is truly lost: servers start again, and the secrets that only it could open are asked for again.
    #[command(
        after_help = "Nothing is deleted: if the key is found, its line in the key file opens everything as before.\n\
        Refused while the key is in the file and secrets need it; for that there is `cartwright keys rotate`."
    )]
    Forget {
        /// The key's id: 16 hex digits, as `cartwright keys list` and a refused start show it.
        #[arg(value_name = "ID")]
        key: String,
        #[command(flatten)]
        flags: KeyFlags,
    },
}

pub async fn run(command: KeysCommand) -> anyhow::Result<()> {
    match command {
        KeysCommand::Generate { file: None } => {
            say(format_args!("{}", KeyRing::generate_line()));
            Ok(())
        }
        KeysCommand::Generate { file: Some(file) } => {
            KeyRing::write_new(&file)
                .map_err(|error| RefusedStart(format!("{} was not made: {error}", file.display())))?;
            say(format_args!("Made {}. Keep a copy of it apart from the database.", file.display()));
            Ok(())
        }
        KeysCommand::List(flags) => list::list(&flags).await,
        KeysCommand::Rotate(flags) => rotate::rotate(&flags).await,
        KeysCommand::Forget { key, flags } => forget(&key, &flags).await,
    }
}

async fn forget(key: &str, flags: &KeyFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.database.log_or("warn"));
    let (config, ring) = flags.check()?;
    let opened = database::open(&config).await?;
    let forgotten = keys::forget(&opened.pool, ring.as_ref(), key).await;
    opened.close().await;
    let forgotten = forgotten?;
    if forgotten.was_retired {
        say(format_args!("That key was given up before; nothing has changed."));
    } else {
        say(format_args!("Servers start without that key now."));
    }
    match forgotten.secrets {
        0 => say(format_args!("No secret rests under it.")),
        n => say(format_args!(
            "{} that it sealed cannot be opened any more. Within minutes of the next start the list shows those carts as \
             Needs attention, and each asks for its secret again. If the key is found, put its line back: everything opens as before.",
            secrets(n)
        )),
    }
    Ok(())
}

/// "1 secret", "4,200 secrets".
pub(super) fn secrets(n: i64) -> String {
    if n == 1 { "1 secret".to_owned() } else { format!("{} secrets", grouped(n)) }
}

/// A number with a comma at every thousand.
pub(super) fn grouped(n: i64) -> String {
    let digits = n.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_numbers_have_thousands_separators() {
        let read = [(0, "0 secrets"), (1, "1 secret"), (999, "999 secrets"), (4_294_967_296, "4,294,967,296 secrets")];
        for (n, words) in read {
            assert_eq!(secrets(n), words);
        }
    }
}

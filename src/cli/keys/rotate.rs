//! `cartwright keys rotate`: a progress bar on a terminal, otherwise one line per second for a log.

use std::{
    io::IsTerminal,
    sync::Arc,
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use super::{RefusedStart, complain, database, grouped, say, secrets};
use crate::{
    config::KeyFlags,
    keys::{self, RotationReport},
    telemetry,
    vault::{KeyRing, Vault, sql},
};

/// Maximum number of rows that are listed; a longer list does not help at a terminal.
const LISTED: usize = 1_000;

pub async fn rotate(flags: &KeyFlags) -> anyhow::Result<()> {
    telemetry::start_logging(&flags.database.log_or("warn"));
    let (config, ring) = flags.check()?;
    let Some(ring) = ring else {
        say(format_args!("There is no key yet, so there is nothing to rotate: the first start makes one."));
        return Ok(());
    };
    let opened = database::open(&config).await?;
    let outcome = rotate_in(&opened, ring).await;
    opened.close().await;
    let rotated = outcome?;
    report(&rotated);
    anyhow::ensure!(rotated.left == 0, "{} left under other keys or in earlier formats", secrets(rotated.left));
    Ok(())
}

async fn rotate_in(opened: &database::OpenDatabase, ring: KeyRing) -> anyhow::Result<RotationReport> {
    let active = ring.active().name();
    // Running servers without this key could not open what it seals.
    if !keys::is_known(&opened.pool, &ring).await? && sql::is_served(&opened.pool).await? {
        return Err(RefusedStart(format!(
            "CARTWRIGHT_KEY_FILE: no server has started with the key {active} yet, and one is running: it could not open what is \
             sealed from now on. Restart every server with this key file, then run this again."
        ))
        .into());
    }
    let vault = Vault::open_with(ring, opened.pool.clone()).await;
    let vault = vault.map_err(|error| {
        if crate::database::is_away(&error) { error } else { RefusedStart(format!("{error:#}")).into() }
    })?;
    let mut meter = RotationProgress::start();
    let rotated = keys::rotate(&Arc::new(vault), &opened.pool, |done, whole| meter.tell(done, whole)).await;
    meter.end();
    Ok(rotated?)
}

fn report(rotated: &RotationReport) {
    match rotated.secrets {
        0 => say(format_args!("Nothing had to be sealed again.")),
        n => say(format_args!("Sealed {} again under the first key.", secrets(n))),
    }
    for left in rotated.unreadable.iter().take(LISTED) {
        complain(format_args!("cannot be opened: {} {}", left.column, left.row));
    }
    if rotated.unreadable.len() > LISTED {
        complain(format_args!("and {} more", rotated.unreadable.len() - LISTED));
    }
    say(format_args!("{} left.", secrets(rotated.left)));
    for (line, key) in &rotated.spare {
        say(format_args!(
            "Line {line} of the key file (key {key}) opens nothing any more: remove it from every key file."
        ));
    }
    if !rotated.spare.is_empty() {
        say(format_args!("Keep the removed keys offline as long as backups from before today exist."));
    }
}

/// Progress output.
enum RotationProgress {
    Bar(ProgressBar),
    Lines { told_at: Option<Instant> },
}

impl RotationProgress {
    fn start() -> Self {
        if std::io::stderr().is_terminal() { Self::Bar(ProgressBar::new(0)) } else { Self::Lines { told_at: None } }
    }

    fn tell(&mut self, done: i64, whole: i64) {
        match self {
            Self::Bar(bar) => {
                if bar.length() == Some(0) {
                    let style =
                        ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} secrets, {eta} to go");
                    bar.set_style(style.expect("the template is a constant"));
                }
                bar.set_length(whole.unsigned_abs());
                bar.set_position(done.unsigned_abs());
            }
            Self::Lines { told_at } => {
                let is_time = told_at.is_none_or(|told_at| told_at.elapsed() >= Duration::from_secs(1));
                if whole > 0 && (is_time || done == whole) {
                    *told_at = Some(Instant::now());
                    say(format_args!("{} of {} secrets", grouped(done), grouped(whole)));
                }
            }
        }
    }

    fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

//! `cartwright activity`: verifies that the activity is what was recorded, and that the secrets of carts are those that it
//! recorded.

use clap::Subcommand;
use indicatif::{ProgressBar, ProgressStyle};

use super::{complain, database, say};
use crate::{
    audit::{self, ChainHead, ChainReport},
    carts::{self, GenerationReport},
    config::DatabaseFlags,
    telemetry,
};

#[derive(Debug, Subcommand)]
pub enum ActivityCommand {
    /// Read the whole activity and its hash chain, and name each row that was changed, removed, inserted or reordered, and each
    /// cart whose secret is an earlier one than was recorded. Runs beside the servers.
    #[command(
        after_help = "It prints the head of the chain as POSITION:HASH, as servers write it to their log and the webhook once \
        a day.\nWhoever owns the database can write a whole new chain: a head that was kept elsewhere shows it. Give as many as \
        you like:\n  cartwright activity verify --head 1204:6f0c…\n\
        Exit code 0: the activity and the secrets are what was recorded. 1: they are not, or could not be read."
    )]
    Verify(VerifyFlags),
}

#[derive(Debug, clap::Args)]
pub struct VerifyFlags {
    /// A head that was reported earlier, which must still be in the chain.
    #[arg(long, value_name = "POSITION:HASH")]
    head: Vec<ChainHead>,
    #[command(flatten)]
    database: DatabaseFlags,
}

pub async fn run(command: ActivityCommand) -> anyhow::Result<()> {
    let ActivityCommand::Verify(flags) = command;
    telemetry::start_logging(&flags.database.log_or("warn"));
    let opened = database::open(&flags.database.check()?).await?;
    let verified = verify(&opened, &flags.head).await;
    let compared = carts::verify_generations(&opened.pool).await;
    opened.close().await;
    report(&verified?, &compared?)
}

async fn verify(opened: &database::OpenDatabase, heads: &[ChainHead]) -> sqlx::Result<ChainReport> {
    // Rows that are not linked yet are recorded all the same: link them here, since no server may be running that does.
    while audit::link_new_rows(&opened.pool).await? > 0 {}
    // The progress bar is on standard error, and only at a terminal.
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len}, {eta} to go");
    let bar = ProgressBar::new(0).with_style(style.expect("the template is a constant"));
    let progress = |done: i64, whole: i64| {
        bar.set_length(whole.max(done).unsigned_abs());
        bar.set_position(done.unsigned_abs());
    };
    let verified = audit::verify(&opened.pool, heads, progress).await;
    bar.finish_and_clear();
    verified
}

/// Maximum number of carts that are listed.
const LISTED: usize = 100;

fn report(report: &ChainReport, secrets: &GenerationReport) -> anyhow::Result<()> {
    if let Some(month) = &report.dropped_until {
        say(format_args!("The activity up to {month} was dropped; what is kept is verified from the next month on."));
    }
    for head in &report.too_old {
        say(format_args!("The head {head} is of a dropped month and cannot be checked any more."));
    }
    for fault in &report.faults {
        complain(format_args!("{fault}"));
    }
    if report.more_faults > 0 {
        complain(format_args!("and {} more", report.more_faults));
    }
    match &report.head {
        Some(head) => {
            say(format_args!("{} rows are what was recorded. Head: {head}", super::keys::grouped(report.rows)));
        }
        None => say(format_args!("Nothing was recorded yet.")),
    }
    for fault in secrets.faults.iter().take(LISTED) {
        complain(format_args!("{fault}"));
    }
    if secrets.faults.len() > LISTED {
        complain(format_args!("and {} more carts", secrets.faults.len() - LISTED));
    }
    if secrets.unrecorded > 0 {
        say(format_args!(
            "Secrets not compared, because the kept activity does not say when they were entered: {}.",
            secrets.unrecorded
        ));
    }
    let faults = report.faults.len() + report.more_faults + secrets.faults.len();
    anyhow::ensure!(faults == 0, "{faults} to look at");
    Ok(())
}

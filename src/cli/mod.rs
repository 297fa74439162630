//! The command line. The only module that prints.

#![expect(clippy::doc_markdown, reason = "the doc comments here are what --help prints")]

mod activity;
mod api_keys;
mod database;
mod doctor;
mod key_file;
mod keys;
mod migrate;
mod ready;
mod reload;
mod serve;
mod stop;
mod users;
mod worker;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{DatabaseFlags, ReadyFlags, ServeFlags, SettingProblems};

/// `EX_CONFIG` of sysexits.h: a setting is wrong, and a retry changes nothing.
const EXIT_CONFIG: u8 = 78;

/// Connects online stores to an order system: tests their credentials, seals them, keeps them working.
///
/// Settings are CARTWRIGHT_* variables, each also a flag. Without DATABASE_URL a private Postgres is kept in the data folder.
#[derive(Debug, Parser)]
#[command(
    version,
    after_help = "A first start:\n  cartwright serve\nand open the set-up link that it prints.\n\n\
    With a database of your own:\n  cartwright keys generate --file /etc/cartwright/keys\n  \
    DATABASE_URL=postgres://… CARTWRIGHT_KEY_FILE=/etc/cartwright/keys cartwright serve"
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the pages. Migrates the database first, and prints a set-up link while there is no user.
    Serve(Box<ServeFlags>),
    /// Check carts in a process of its own, beside servers that were started with --no-worker. Takes the settings of serve and
    /// opens no port; run as many as you like, they share the work.
    Worker(Box<ServeFlags>),
    /// Bring the database up to date and stop.
    Migrate(DatabaseFlags),
    /// List, add, disable and let in the people who may sign in; works before the server runs and beside it.
    #[command(subcommand)]
    Users(users::UsersCommand),
    /// Make, list and revoke the keys of programs that use the API; works before the server runs and beside it.
    #[command(subcommand)]
    ApiKeys(api_keys::ApiKeysCommand),
    /// Look at settings, keys, database, clock and the way to Shopify, and say what to mend. Changes nothing but the schema.
    Doctor(Box<ServeFlags>),
    /// Ask a running server whether it can serve: exit code 0 if so, 1 if not. For the health check of a container.
    Ready(ReadyFlags),
    /// Verify that the activity is what was recorded.
    #[command(subcommand)]
    Activity(activity::ActivityCommand),
    /// Make keys for the key file, see what rests under each, change to a new one, go on without a lost one.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
}

/// Runs the program.
pub fn main() -> ExitCode {
    protect_memory();
    let command = Cli::parse().command;
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let outcome = runtime.block_on(async {
        match command {
            Command::Serve(flags) => serve::serve(*flags).await,
            Command::Worker(flags) => worker::worker(*flags).await,
            Command::Doctor(flags) => doctor::doctor(*flags).await,
            Command::Migrate(flags) => migrate::migrate(&flags).await,
            Command::Ready(flags) => ready::ready(&flags),
            Command::Users(command) => users::run(command).await,
            Command::ApiKeys(command) => api_keys::run(command).await,
            Command::Activity(command) => activity::run(command).await,
            Command::Keys(command) => keys::run(command).await,
        }
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

/// Protects the secrets in this process: no core dump, no debugger of the same user.
fn protect_memory() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    set_dumpable_behavior(DumpableBehavior::NotDumpable).ok();
    setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) }).ok();
}

/// Prints one line for the operator. Ignores a closed output, where `println!` would panic.
fn say(line: std::fmt::Arguments<'_>) {
    use std::io::Write;
    writeln!(std::io::stdout(), "{line}").ok();
}

fn fail(error: &anyhow::Error) -> ExitCode {
    if let Some(SettingProblems(problems)) = error.downcast_ref::<SettingProblems>() {
        for problem in problems {
            complain(format_args!("{problem}"));
        }
        return ExitCode::from(EXIT_CONFIG);
    }
    complain(format_args!("{}", format_error_chain(error)));
    if error.downcast_ref::<RefusedStart>().is_some() { ExitCode::from(EXIT_CONFIG) } else { ExitCode::FAILURE }
}

/// Formats an error with its causes, each once: many errors repeat their cause in their own message.
fn format_error_chain(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.contains(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

fn complain(line: std::fmt::Arguments<'_>) {
    use std::io::Write;
    writeln!(std::io::stderr(), "{line}").ok();
}

/// A start that would do harm, such as with the wrong key. Reported in one line, with exit code 78.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RefusedStart(String);

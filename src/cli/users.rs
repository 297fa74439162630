//! `cartwright users`: people, from the command line of the server.

use std::path::PathBuf;

use clap::Subcommand;

use crate::{
    accounts::{Accounts, Email, NewUser, PersonName, Role, password},
    audit::By,
    config::{DatabaseFlags, read_password},
    telemetry,
};

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// Add an administrator.
    Add(AddFlags),
}

#[derive(Debug, clap::Args)]
pub struct AddFlags {
    /// The address to sign in with.
    #[arg(long)]
    email: String,
    /// What the pages call this person.
    #[arg(long)]
    name: String,
    /// A file whose first line is the password: 8 characters or more.
    #[arg(long, value_name = "FILE")]
    password_file: PathBuf,
    /// Add somebody who looks and changes nothing.
    #[arg(long)]
    viewer: bool,
    #[command(flatten)]
    database: DatabaseFlags,
}

pub async fn run(command: UsersCommand) -> anyhow::Result<()> {
    match command {
        UsersCommand::Add(flags) => add(flags).await,
    }
}

async fn add(flags: AddFlags) -> anyhow::Result<()> {
    telemetry::start_logging(flags.database.log.as_deref().unwrap_or("warn"));
    let config = flags.database.check()?;
    let email = Email::parse(&flags.email).map_err(|error| anyhow::anyhow!("--email: {error}"))?;
    let name = PersonName::parse(&flags.name).map_err(|error| anyhow::anyhow!("--name: {error}"))?;
    let password = read_password(&flags.password_file).map_err(|error| anyhow::anyhow!("--password-file: {error}"))?;
    password::judge(&password).map_err(|error| anyhow::anyhow!("--password-file: {error}"))?;
    let role = if flags.viewer { Role::Viewer } else { Role::Administrator };
    let opened = super::database::open(&config).await?;
    let new = NewUser { email: email.clone(), name, role, password };
    let added = Accounts::new(opened.pool.clone()).add(By::operator(), new).await;
    opened.close().await;
    added?;
    super::say(format_args!("{} can sign in now.", email.as_str()));
    Ok(())
}

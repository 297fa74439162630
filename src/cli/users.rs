//! `cartwright users`: manages users from the server's command line, also for a user who is locked out of the pages.

mod output;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use secrecy::SecretString;

use crate::{
    accounts::{
        Accounts, Email, FindUserError, KnownUser, NewUser, PersonName, Role,
        password::{self, PasswordContext},
    },
    audit::By,
    config::{DEFAULT_PRODUCT_NAME, DatabaseFlags},
    pasted::without_bom,
    telemetry, urls,
};

#[derive(Debug, Subcommand)]
pub enum UsersCommand {
    /// List everybody who can sign in, or could.
    List(ListFlags),
    /// Add an administrator.
    Add(AddFlags),
    /// Print a one-time link for somebody who is locked out: they choose a new password, and every browser of theirs is signed out.
    Link(LinkFlags),
    /// Sign somebody out at once, and let them in no more. Nobody is deleted, since the activity names them.
    Disable(UserFlags),
    /// Let somebody sign in again who was disabled.
    Enable(UserFlags),
}

#[derive(Debug, clap::Args)]
pub struct ListFlags {
    #[command(flatten)]
    database: DatabaseFlags,
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

#[derive(Debug, clap::Args)]
pub struct UserFlags {
    /// The address they sign in with.
    #[arg(long)]
    email: String,
    #[command(flatten)]
    database: DatabaseFlags,
}

#[derive(Debug, clap::Args)]
pub struct LinkFlags {
    #[command(flatten)]
    person: UserFlags,
    /// The address in the browser, so that the link can be opened as it is printed [default: http://127.0.0.1:8080].
    #[arg(long, env = "CARTWRIGHT_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
}

pub async fn run(command: UsersCommand) -> anyhow::Result<()> {
    match command {
        UsersCommand::List(flags) => list(flags).await,
        UsersCommand::Add(flags) => add(flags).await,
        UsersCommand::Link(flags) => link(flags).await,
        UsersCommand::Disable(flags) => disable(flags).await,
        UsersCommand::Enable(flags) => enable(flags).await,
    }
}

async fn list(flags: ListFlags) -> anyhow::Result<()> {
    let people = with(&flags.database, async |accounts| Ok(accounts.list().await?)).await?;
    if people.is_empty() {
        super::say(format_args!("Nobody can sign in yet. The server prints a set-up link when it starts."));
    }
    for line in output::table(&people) {
        super::say(format_args!("{line}"));
    }
    Ok(())
}

async fn add(flags: AddFlags) -> anyhow::Result<()> {
    let email = address(&flags.email)?;
    let name = PersonName::parse(&flags.name).map_err(|error| anyhow::anyhow!("--name: {error}"))?;
    let password = read_password(&flags.password_file).map_err(|error| anyhow::anyhow!("--password-file: {error}"))?;
    let role = if flags.viewer { Role::Viewer } else { Role::Administrator };
    let context =
        PasswordContext { role, email: email.as_str(), name: name.as_str(), product: DEFAULT_PRODUCT_NAME, host: "" };
    password::judge(&password, &context).map_err(|error| anyhow::anyhow!("--password-file: {error}"))?;
    let new = NewUser { email: email.clone(), name, role, password };
    with(&flags.database, async |accounts| Ok(accounts.add(By::operator(), new).await?)).await?;
    super::say(format_args!("{} can sign in now.", email.as_str()));
    Ok(())
}

/// Reads the first line of a password file, without a byte order mark: editors and `echo` add a mark and a line end.
fn read_password(path: &Path) -> anyhow::Result<SecretString> {
    let text = std::fs::read_to_string(path);
    let text = text.map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?;
    let text = zeroize::Zeroizing::new(text);
    Ok(SecretString::from(without_bom(&text).lines().next().unwrap_or_default()))
}

async fn link(flags: LinkFlags) -> anyhow::Result<()> {
    let email = address(&flags.person.email)?;
    let made = async |accounts: &Accounts| {
        let user = find(accounts, &email).await?;
        match accounts.make_link_as_operator(user.id).await {
            Ok(code) => Ok((user, code)),
            Err(FindUserError::Nobody) => {
                anyhow::bail!("{} is disabled: `cartwright users enable` lets them in first", email.as_str())
            }
            Err(broken) => Err(broken.into()),
        }
    };
    let (user, code) = with(&flags.person.database, made).await?;
    let given = flags.public_url.as_deref().map(str::trim).filter(|url| !url.is_empty());
    let origin = given.unwrap_or("http://127.0.0.1:8080").trim_end_matches('/');
    super::say(format_args!("{origin}{}", urls::set_up_link(code.to_cookie())));
    super::say(format_args!(
        "It lets {} choose a new password, once, within the hour. Every browser of theirs is signed out.",
        user.name
    ));
    Ok(())
}

async fn disable(flags: UserFlags) -> anyhow::Result<()> {
    let email = address(&flags.email)?;
    let done = with(&flags.database, async |accounts| {
        let user = find(accounts, &email).await?;
        Ok(accounts.turn_off_as_operator(user.id).await?)
    });
    let (word, email) = (if done.await? { "cannot sign in any more" } else { "was disabled already" }, email.as_str());
    super::say(format_args!("{email} {word}."));
    Ok(())
}

async fn enable(flags: UserFlags) -> anyhow::Result<()> {
    let email = address(&flags.email)?;
    let done = with(&flags.database, async |accounts| {
        let user = find(accounts, &email).await?;
        Ok(accounts.turn_on_as_operator(user.id).await?)
    });
    let (word, email) = (if done.await? { "can sign in again" } else { "was not disabled" }, email.as_str());
    super::say(format_args!("{email} {word}."));
    Ok(())
}

fn address(typed: &str) -> anyhow::Result<Email> {
    Email::parse(typed).map_err(|error| anyhow::anyhow!("--email: {error}"))
}

async fn find(accounts: &Accounts, email: &Email) -> anyhow::Result<KnownUser> {
    let found = accounts.find_by_email(email).await?;
    found.ok_or_else(|| anyhow::anyhow!("--email: nobody has the address {}", email.as_str()))
}

/// Opens the database for one operation, and closes it whatever the result.
async fn with<T>(flags: &DatabaseFlags, work: impl AsyncFnOnce(&Accounts) -> anyhow::Result<T>) -> anyhow::Result<T> {
    telemetry::start_logging(&flags.log_or("warn"));
    let opened = super::database::open(&flags.check()?).await?;
    let done = work(&Accounts::new(opened.pool.clone())).await;
    opened.close().await;
    done
}

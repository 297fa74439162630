//! Database and log settings.

#[cfg(feature = "embedded")]
use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;

use super::{DatabaseFlags, SettingProblems, database_url, given, secret};

/// The configured database.
#[derive(Clone, Debug)]
pub enum Database {
    /// One server, or several of which one is writable. `owner` is the same database accessed by the role that applies
    /// migrations.
    Url { servers: Vec<PgConnectOptions>, owner: Option<Vec<PgConnectOptions>> },
    /// A private cluster in the data folder.
    #[cfg(feature = "embedded")]
    Embedded { data_dir: PathBuf, places: crate::database::embedded::SearchPaths },
}

/// The variable with the URL of the owner role.
pub const MIGRATE_URL: &str = "CARTWRIGHT_MIGRATE_DATABASE_URL";

/// Parses the database URL from a variable or a file into its servers. `None` if neither is set, or if a problem was
/// reported.
fn address(
    variable: &'static str,
    value: Option<&String>,
    file: Option<&String>,
    problems: &mut SettingProblems,
) -> Option<Vec<PgConnectOptions>> {
    let url = secret(variable, value, file, problems)?;
    database_url::parse(&url).map_err(|wrong| problems.tell(variable, wrong)).ok()
}

impl DatabaseFlags {
    /// Validates the database flags.
    pub fn check(&self) -> Result<Database, SettingProblems> {
        let mut problems = SettingProblems::default();
        let database = self.database(&mut problems);
        problems.unless_told(database)
    }

    /// The log filter; `info` if none is set.
    pub fn log(&self) -> String {
        self.log_or("info")
    }

    /// The log filter; `otherwise` if none is set or the file cannot be read.
    pub fn log_or(&self, otherwise: &str) -> String {
        let in_file = given(self.log_file.as_ref()).and_then(|file| std::fs::read_to_string(file).ok());
        let said = in_file.as_deref().map(str::trim).or_else(|| given(self.log.as_ref()));
        said.unwrap_or(otherwise).to_owned()
    }

    pub(super) fn check_log(&self, problems: &mut SettingProblems) {
        let file = given(self.log_file.as_ref());
        if let Some(Err(error)) = file.map(std::fs::read_to_string) {
            return problems.tell("CARTWRIGHT_LOG_FILE", format!("it cannot be read: {error}"));
        }
        if tracing_subscriber::EnvFilter::try_new(self.log()).is_err() {
            let variable = if file.is_some() { "CARTWRIGHT_LOG_FILE" } else { "CARTWRIGHT_LOG" };
            problems.tell(variable, "it is no level and no list of targets with levels");
        }
    }

    pub(super) fn database(&self, problems: &mut SettingProblems) -> Option<Database> {
        let servers = address("DATABASE_URL", self.database_url.as_ref(), self.database_url_file.as_ref(), problems);
        let owner = self.owner(problems);
        if let Some(servers) = servers {
            let role = servers[0].get_username();
            if owner.as_ref().is_some_and(|owner| owner[0].get_username() == role) {
                problems.tell(
                    MIGRATE_URL,
                    format!("it names the role {role}, as DATABASE_URL does; name the role that owns the tables"),
                );
            }
            return Some(Database::Url { servers, owner });
        }
        if given(self.database_url.as_ref()).or(given(self.database_url_file.as_ref())).is_some() {
            return None;
        }
        if owner.is_some() {
            problems.tell("DATABASE_URL", format!("it is not set, and {MIGRATE_URL} is; name the role that serves"));
            return None;
        }
        #[cfg(not(feature = "embedded"))]
        {
            problems.tell("DATABASE_URL", "it is not set, and this build has no private database");
            None
        }
        #[cfg(feature = "embedded")]
        Some(self.embedded())
    }

    /// The database accessed by the role that applies migrations, if that is a different role.
    fn owner(&self, problems: &mut SettingProblems) -> Option<Vec<PgConnectOptions>> {
        let (value, file) = (&self.migrate_database_url, &self.migrate_database_url_file);
        address(MIGRATE_URL, value.as_ref(), file.as_ref(), problems)
    }

    /// The private database, in the given folder or in the default folder of this account.
    #[cfg(feature = "embedded")]
    fn embedded(&self) -> Database {
        use crate::database::embedded::{SearchPaths, default_data_dir, is_root};
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let (data_home, home) = (variable("XDG_DATA_HOME"), variable("HOME"));
        let usual = || default_data_dir(is_root(), data_home.as_deref(), home.as_deref());
        let data_dir = given(self.data_dir.as_ref()).map_or_else(usual, PathBuf::from);
        let places = SearchPaths { pg_bin: given(self.pg_bin.as_ref()).map(PathBuf::from), path: variable("PATH") };
        Database::Embedded { data_dir, places }
    }
}

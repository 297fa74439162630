//! Database and log settings.

#[cfg(feature = "embedded")]
use std::path::PathBuf;

use sqlx::postgres::PgConnectOptions;

use super::{DatabaseFlags, Problems, database_url, given, secret};

/// The configured database.
#[derive(Clone, Debug)]
pub enum Database {
    /// One server, or several, of which the writable one is used.
    Url(Vec<PgConnectOptions>),
    /// A private cluster in the data folder.
    #[cfg(feature = "embedded")]
    Embedded { data_dir: PathBuf, places: crate::database::embedded::Places },
}

impl DatabaseFlags {
    /// Validates the database flags.
    pub fn check(&self) -> Result<Database, Problems> {
        let mut problems = Problems::default();
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

    pub(super) fn check_log(&self, problems: &mut Problems) {
        let file = given(self.log_file.as_ref());
        if let Some(Err(error)) = file.map(std::fs::read_to_string) {
            return problems.tell("CARTWRIGHT_LOG_FILE", format!("it cannot be read: {error}"));
        }
        if tracing_subscriber::EnvFilter::try_new(self.log()).is_err() {
            let variable = if file.is_some() { "CARTWRIGHT_LOG_FILE" } else { "CARTWRIGHT_LOG" };
            problems.tell(variable, "it is no level and no list of targets with levels");
        }
    }

    pub(super) fn database(&self, problems: &mut Problems) -> Option<Database> {
        if let Some(url) = secret("DATABASE_URL", self.database_url.as_ref(), self.database_url_file.as_ref(), problems)
        {
            let servers = database_url::parse(&url).map_err(|wrong| problems.tell("DATABASE_URL", wrong));
            return servers.ok().map(Database::Url);
        }
        if given(self.database_url_file.as_ref()).is_some() {
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

    /// The private database in the configured folder, or in this account's default folder.
    #[cfg(feature = "embedded")]
    fn embedded(&self) -> Database {
        use crate::database::embedded::{Places, default_data_dir, is_root};
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let (data_home, home) = (variable("XDG_DATA_HOME"), variable("HOME"));
        let usual = || default_data_dir(is_root(), data_home.as_deref(), home.as_deref());
        let data_dir = given(self.data_dir.as_ref()).map_or_else(usual, PathBuf::from);
        let places = Places { pg_bin: given(self.pg_bin.as_ref()).map(PathBuf::from), path: variable("PATH") };
        Database::Embedded { data_dir, places }
    }
}

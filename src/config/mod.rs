//! Settings: `CARTWRIGHT_*` variables and command-line flags. The only module that reads the environment. All settings
//! are checked before the port opens, and every problem is reported at once with its variable.

mod database;
mod database_url;
mod flags;
mod keys;
mod outbound;
mod problems;
mod serve;
mod site;

use crate::pasted;

pub use database::{Database, MIGRATE_URL};
pub use database_url::is_unverified;
pub use flags::{DatabaseFlags, KeyFlags, ReadyFlags, ServeFlags};
pub use problems::{SettingProblem, SettingProblems};
pub use serve::ServeConfig;
pub use site::{DEFAULT_PRODUCT_NAME, PublicUrl};

/// Treats an empty variable as unset, because Compose files set unset variables to an empty string.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(|value| pasted::trim(value)).filter(|value| !value.is_empty())
}

/// Reads a setting that may be a secret: its value, or the content of the file that `…_FILE` names. `None` if neither
/// is set, or if a problem was reported.
fn secret(
    variable: &'static str,
    value: Option<&String>,
    file: Option<&String>,
    problems: &mut SettingProblems,
) -> Option<String> {
    let file_variable = match variable {
        "DATABASE_URL" => "DATABASE_URL_FILE",
        database::MIGRATE_URL => "CARTWRIGHT_MIGRATE_DATABASE_URL_FILE",
        "CARTWRIGHT_EGRESS_PROXY" => "CARTWRIGHT_EGRESS_PROXY_FILE",
        _ => "CARTWRIGHT_SMTP_URL_FILE",
    };
    match (given(value), given(file)) {
        (Some(_), Some(_)) => {
            problems.tell(file_variable, format!("it is set, and {variable} is as well; set one of them"));
            None
        }
        (value, None) => value.map(str::to_owned),
        (None, Some(path)) => match std::fs::read_to_string(path) {
            Ok(text) => given(Some(&text)).map(str::to_owned).or_else(|| {
                problems.tell(file_variable, format!("{path} is empty"));
                None
            }),
            Err(error) => {
                problems.tell(file_variable, format!("{path} cannot be read: {error}"));
                None
            }
        },
    }
}

#[cfg(test)]
mod tests;

//! Messages for a database that cannot be used: what happened, and the setting or statement that fixes it.

use std::{io, time::Duration};

use sqlx::{
    error::DatabaseError,
    postgres::{PgConnectOptions, PgDatabaseError, PgSslMode},
};

/// Why the program does not start and how to fix it, in one or two sentences.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub struct StartError {
    pub sentence: String,
    /// Whether a later start may succeed without any change by the operator.
    pub may_pass: bool,
}

/// The database that was tried, in the form in which messages name it.
pub(super) struct Target {
    /// `db.example.com:5432`, or the path of a socket.
    place: String,
    role: String,
    database: String,
    asks_for_tls: bool,
}

impl Target {
    pub fn new(options: &PgConnectOptions) -> Self {
        let (host, port) = (options.get_host(), options.get_port());
        let folder = options.get_socket().map(|path| path.display().to_string());
        let folder = folder.or_else(|| host.starts_with('/').then(|| host.to_owned()));
        let place = match folder {
            Some(folder) => format!("{folder}/.s.PGSQL.{port}"),
            None if host.contains(':') => format!("[{host}]:{port}"),
            None => format!("{host}:{port}"),
        };
        Self {
            place: one_line(&place),
            role: identifier(options.get_username()),
            database: identifier(options.get_database().unwrap_or_else(|| options.get_username())),
            asks_for_tls: matches!(
                options.get_ssl_mode(),
                PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull
            ),
        }
    }

    /// Explains an error of a connection or a statement.
    pub fn explain(&self, error: &sqlx::Error) -> StartError {
        let place = &self.place;
        match error {
            sqlx::Error::Io(error) => self.unreachable(error),
            sqlx::Error::Tls(error) if error.to_string() == "server does not support TLS" => setting(format!(
                "DATABASE_URL asks for TLS by its sslmode, and Postgres at {place} does not offer it. Turn on ssl in postgresql.conf, or leave sslmode out where nobody else is on the network"
            )),
            sqlx::Error::Tls(error) => {
                setting(format!("TLS with Postgres at {place} failed: {}", one_line(&error.to_string())))
            }
            sqlx::Error::Database(refusal) => self.refused(refusal.as_ref()),
            sqlx::Error::PoolTimedOut => {
                passing(format!("Postgres at {place} did not answer in time. Check that it is not overloaded"))
            }
            sqlx::Error::Protocol(_) => setting(format!(
                "What answers at {place} does not speak as Postgres does. Check host and port in DATABASE_URL"
            )),
            other => passing(format!("Postgres at {place} cannot be used: {}", one_line(&other.to_string()))),
        }
    }

    /// The server did not answer.
    pub fn silent(&self, waited: Duration) -> StartError {
        passing(format!(
            "{} did not answer in {} seconds. Check host and port in DATABASE_URL, and any firewall on the way",
            self.place,
            waited.as_secs()
        ))
    }

    pub fn too_old(&self, version: &str, oldest: i32) -> StartError {
        setting(format!(
            "Postgres at {} is version {}. Cartwright needs {oldest} or newer",
            self.place,
            one_line(version)
        ))
    }

    pub fn wrong_encoding(&self, encoding: &str, locale: &str) -> StartError {
        let Self { role, database, .. } = self;
        // Postgres truncates names at 63 bytes, so a longer name could become identical to the old one.
        let old: String = database.trim_matches('"').chars().filter(char::is_ascii).take(58).collect();
        let new = identifier(&format!("{old}_utf8"));
        setting(format!(
            "The database {database} has the encoding {}, which cannot hold every name. Make another and name it in DATABASE_URL: \
             create database {new} owner {role} encoding 'UTF8' {locale} template template0",
            one_line(encoding)
        ))
    }

    /// The role may not create or change tables. `has_tables`: another role has already created them.
    pub fn no_privilege(&self, schema: Option<&str>, has_tables: bool) -> StartError {
        let Self { role, database, .. } = self;
        setting(match schema.map(identifier) {
            None => format!(
                "The role {role} may use no schema of the database {database}. As its owner: grant usage, create on schema public to {role}"
            ),
            Some(schema) if !has_tables => format!(
                "The role {role} may not make tables in the database {database}. As its owner: grant create on schema {schema} to {role}"
            ),
            Some(_) => format!(
                "The tables in the database {database} have to be brought up to date, and the role {role} does not own them. Name their owner in CARTWRIGHT_MIGRATE_DATABASE_URL, here or for `cartwright migrate`"
            ),
        })
    }

    fn unreachable(&self, error: &io::Error) -> StartError {
        let place = &self.place;
        if let Some(error) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
            return self.distrusted(error);
        }
        let is_socket = place.starts_with('/');
        match error.kind() {
            io::ErrorKind::ConnectionRefused => passing(format!(
                "Nothing listens at {place}. Check that Postgres runs there, and host and port in DATABASE_URL"
            )),
            io::ErrorKind::NotFound if is_socket => passing(format!(
                "There is no socket {place}. Check that Postgres runs, and host and port in DATABASE_URL"
            )),
            io::ErrorKind::NotFound => {
                setting("A file of sslrootcert, sslcert or sslkey in DATABASE_URL does not exist".to_owned())
            }
            io::ErrorKind::ReadOnlyFilesystem => passing(self.read_only()),
            io::ErrorKind::PermissionDenied if is_socket => setting(format!(
                "This account may not use the socket {place}. Run as another, or change the permissions of its folder"
            )),
            io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
                passing(format!(
                    "{place} closed the connection at once. Check that it is Postgres, and host and port in DATABASE_URL"
                ))
            }
            _ if error.to_string().contains("lookup address") => passing(format!(
                "The host of {place} cannot be looked up. Check how it is written in DATABASE_URL, and the DNS here"
            )),
            _ => passing(format!("{place} cannot be reached: {}", one_line(&error.to_string()))),
        }
    }

    fn read_only(&self) -> String {
        format!("Postgres at {} takes no changes, as a standby does not. Name the primary in DATABASE_URL", self.place)
    }

    fn distrusted(&self, error: &rustls::Error) -> StartError {
        use rustls::CertificateError::{
            Expired, ExpiredContext, NotValidForName, NotValidForNameContext, UnknownIssuer,
        };
        let place = &self.place;
        setting(match error {
            rustls::Error::InvalidCertificate(UnknownIssuer) => format!(
                "The certificate of Postgres at {place} comes from an authority that is not trusted here. Name it in DATABASE_URL: sslrootcert=/path/to/ca.pem"
            ),
            rustls::Error::InvalidCertificate(NotValidForName | NotValidForNameContext { .. }) => format!(
                "The certificate of Postgres at {place} is for another name. Use the name that it is for in DATABASE_URL"
            ),
            rustls::Error::InvalidCertificate(Expired | ExpiredContext { .. }) => {
                format!("The certificate of Postgres at {place} has expired. Renew it")
            }
            other => format!("TLS with Postgres at {place} failed: {}", one_line(&other.to_string())),
        })
    }

    fn refused(&self, refusal: &dyn DatabaseError) -> StartError {
        let Self { place, role, database, .. } = self;
        let code = refusal.code().unwrap_or_default();
        let routine = refusal.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
        match (&*code, routine) {
            ("28P01", _) => setting(format!(
                "Postgres at {place} does not accept the password of the role {role}. Check both in DATABASE_URL; write characters such as @ : / ? # % in a password as %40 %3A %2F %3F %23 %25"
            )),
            ("28000", Some("InitializeSessionUserId")) => setting(format!(
                "Postgres at {place} has no role {role} that may log in. As an administrator there: create role {role} login"
            )),
            ("28000", _) => setting(format!(
                "Postgres at {place} does not let the role {role} into the database {database} from here{}",
                if self.asks_for_tls {
                    ". Add it to pg_hba.conf"
                } else {
                    ". If it demands TLS, add sslmode=verify-full to DATABASE_URL; else add the role to pg_hba.conf"
                }
            )),
            ("3D000", _) => setting(format!(
                "There is no database {database} at {place}. As an administrator there: create database {database} owner {role} encoding 'UTF8' template template0"
            )),
            ("42501", Some("CheckMyDatabase" | "InitPostgres")) => setting(format!(
                "The role {role} may not connect to the database {database}. As its owner: grant connect on database {database} to {role}"
            )),
            ("53300", _) => passing(format!(
                "Postgres at {place} has no connection left for the role {role}. Close others, or raise max_connections or the limit of the role or the database"
            )),
            ("57P01" | "57P02" | "57P03", _) => passing(format!(
                "Postgres at {place} is starting up, shutting down or recovering. Try again in a moment"
            )),
            ("25006", _) => passing(self.read_only()),
            ("53100", _) => passing(format!("The disk of Postgres at {place} is full. Make room there")),
            _ => {
                let sentence =
                    format!("Postgres at {place} refused: {} ({})", one_line(refusal.message()), one_line(&code));
                StartError {
                    sentence,
                    may_pass: ["08", "53", "55", "57", "58"].iter().any(|class| code.starts_with(class)),
                }
            }
        }
    }
}

fn setting(sentence: String) -> StartError {
    StartError { sentence, may_pass: false }
}

fn passing(sentence: String) -> StartError {
    StartError { sentence, may_pass: true }
}

/// A name as an SQL identifier, quoted if needed.
fn identifier(name: &str) -> String {
    let is_plain = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if is_plain { name.to_owned() } else { format!("\"{}\"", one_line(name).replace('"', "\"\"")) }
}

fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(300).collect()
}

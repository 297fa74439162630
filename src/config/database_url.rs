//! `DATABASE_URL`, read before the driver sees it: what the driver would misread, log with its value or find out too late is told
//! here. No problem quotes the address, since a password stands in it.

use std::{fs::File, net::IpAddr};

use reqwest::Url;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

const SHAPE: &str = "it cannot be read as postgres://user:password@host:port/database; write characters such as @ : / ? # % in a \
    password as %40 %3A %2F %3F %23 %25";

/// Parameters that the driver knows. It logs any other with its value, which may be a mistyped `password`.
const KNOWN: [&str; 19] = [
    "sslmode",
    "ssl-mode",
    "sslrootcert",
    "ssl-root-cert",
    "ssl-ca",
    "sslcert",
    "ssl-cert",
    "sslkey",
    "ssl-key",
    "statement-cache-capacity",
    "host",
    "hostaddr",
    "port",
    "dbname",
    "user",
    "password",
    "application_name",
    "options",
    "options[",
];
/// Parameters that name a file.
const FILES: [&str; 7] = ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

/// Reads the address.
///
/// # Errors
/// What is wrong, to go on after the variable's name.
pub(super) fn parse(text: &str) -> Result<PgConnectOptions, String> {
    if !text.starts_with("postgres://") && !text.starts_with("postgresql://") {
        return Err("it does not begin with postgres://".to_owned());
    }
    let mut url = Url::parse(text).map_err(|_| SHAPE)?;
    let mut pairs: Vec<(String, String)> =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    // A password with one of / ? # ends the authority early, and its rest would be taken for something else.
    let is_cut =
        url.username().is_empty() && (url.path().contains('@') || pairs.iter().any(|(name, _)| name.contains('@')));
    if is_cut || url.fragment().is_some() {
        return Err(SHAPE.to_owned());
    }
    pairs.retain(|(name, _)| is_known(name));
    for (name, value) in &pairs {
        check(name, value)?;
    }
    let has =
        |pairs: &[(String, String)], names: [&str; 2]| pairs.iter().any(|(name, _)| names.contains(&name.as_str()));
    if has(&pairs, ["sslcert", "ssl-cert"]) != has(&pairs, ["sslkey", "ssl-key"]) {
        return Err("it must have both sslcert and sslkey, or none of them".to_owned());
    }
    // The driver looks up an IPv6 address with its brackets, as if it were a name.
    for (_, host) in pairs.iter_mut().filter(|(name, _)| name == "host") {
        *host = without_brackets(host).to_owned();
    }
    let numeric = url.host_str().filter(|host| host.starts_with('[')).map(|host| without_brackets(host).to_owned());
    if let Some(address) = numeric.filter(|_| !has(&pairs, ["host", "hostaddr"])) {
        pairs.push(("host".to_owned(), address));
    }
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.as_str().parse().map_err(|_| SHAPE.to_owned())
}

fn is_known(name: &str) -> bool {
    let is_known = KNOWN.contains(&name) || name.starts_with("options[");
    if !is_known {
        let is_word = name.len() < 40 && name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
        let name = if is_word { name } else { "another" };
        tracing::warn!("DATABASE_URL has a parameter that is not used here: {name}");
    }
    is_known
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if FILES.contains(&name) && !value.trim_start().starts_with("-----BEGIN") {
        File::open(value).map_err(|error| format!("the file of its {name} cannot be read: {value}: {error}"))?;
    }
    if matches!(name, "sslmode" | "ssl-mode") && value.parse::<PgSslMode>().is_err() {
        return Err(format!("its {name} is none of disable, prefer, require, verify-ca and verify-full"));
    }
    Ok(())
}

fn without_brackets(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// A database on another machine whose certificate is not checked: anybody on the way could pose as it.
pub fn is_unverified(options: &PgConnectOptions) -> bool {
    let host = without_brackets(options.get_host()).trim_end_matches('.').to_ascii_lowercase();
    let is_loopback = || host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback());
    let is_here = host.starts_with('/') || host == "localhost" || host.ends_with(".localhost") || is_loopback();
    options.get_socket().is_none() && !is_here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv6_address_is_dialled_without_its_brackets() {
        for (url, host, port) in [
            ("postgres://u:p@[::1]:5432/db", "::1", 5432),
            ("postgresql://u:p@[::1]/db", "::1", 5432),
            ("postgres://u:p@[2001:DB8::7]:6543/db?sslmode=require", "2001:db8::7", 6543),
            ("postgres://u:p@localhost/db?host=[::1]", "::1", 5432),
            ("postgres://u:p@localhost/db?hostaddr=::1&port=6543", "::1", 6543),
            ("postgres://u:p@127.0.0.1:5432/db", "127.0.0.1", 5432),
            ("postgres://u:p@db.example.com/db", "db.example.com", 5432),
        ] {
            let options = parse(url).expect(url);
            assert_eq!(
                (options.get_host(), options.get_port(), options.get_database()),
                (host, port, Some("db")),
                "{url}"
            );
        }
        let socket = parse("postgres://u@localhost:6543/db?host=/run/postgresql").expect("a socket");
        assert_eq!(socket.get_socket().map(|path| path.to_str()), Some(Some("/run/postgresql")));
        let socket = parse("postgres://u@%2Frun%2Fpostgresql/db").expect("a socket");
        assert_eq!(socket.get_socket().map(|path| path.to_str()), Some(Some("/run/postgresql")));
    }

    #[test]
    fn loopback_is_not_another_host() {
        for (url, unverified) in [
            ("postgres://x@127.0.0.1/y", false),
            ("postgres://x@127.8.9.10:5433/y", false),
            ("postgres://x@[::1]:5432/y", false),
            ("postgres://x@[::ffff:127.0.0.1]/y", false),
            ("postgres://x@LOCALHOST/y", false),
            ("postgres://x@localhost./y", false),
            ("postgres://x@db.localhost/y", false),
            ("postgres://x@%2Frun%2Fpostgresql/y", false),
            ("postgres://x@localhost/y?host=/run/postgresql", false),
            ("postgres://x@[2001:db8::7]/y", true),
            ("postgres://x@[::]/y", true),
            ("postgres://x@localhost.example.com/y", true),
            ("postgres://x@10.0.0.5/y?sslmode=require", true),
            ("postgres://x@db.example.com/y?sslmode=verify-full", false),
        ] {
            assert_eq!(is_unverified(&parse(url).expect(url)), unverified, "{url}");
        }
    }

    #[test]
    fn what_cannot_be_used_is_told_without_the_password() {
        for (url, words) in [
            ("mysql://u:canary@h/db", "does not begin with postgres://"),
            ("postgres://u:can/ary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1/canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1?canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1#canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:canary#@h/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h:port/db", "as %40 %3A %2F"),
            ("postgres://u:canary@::1/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h1:1,h2:2/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h/db?sslmode=on", "its sslmode is none of"),
            (
                "postgres://u:canary@h/db?sslmode=verify-full&sslrootcert=/does/not/exist",
                "its sslrootcert cannot be read: /does/not/exist: No such file",
            ),
            ("postgres://u:canary@h/db?sslcert=/dev/null", "both sslcert and sslkey"),
            ("postgres://u:canary@h/db?sslcert=/dev/null&sslkey=/does/not/exist", "its sslkey cannot be read"),
        ] {
            let problem = parse(url).expect_err(url);
            assert!(problem.contains(words) && !problem.contains("canary"), "{url}: {problem}");
        }
    }

    #[test]
    fn parameters_of_other_clients_are_left_out() {
        let url =
            "postgres://u:p%40%2Fw@h/db?channel_binding=require&connect_timeout=10&sslmode=require&options=-c%20a%3D1";
        let options = parse(url).expect("a database");
        assert_eq!((options.get_host(), options.get_options()), ("h", Some("-c a=1")));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
    }
}

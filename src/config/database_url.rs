//! Validates `DATABASE_URL` before the driver parses it. Reports parameters that the driver would misread, log with
//! their values, or reject too late. No message quotes the URL, because it may contain a password.

use std::{fs::File, net::IpAddr};

use reqwest::Url;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

const SHAPE: &str = "it cannot be read as postgres://user:password@host:port/database; write characters such as @ : / ? # % in a \
    password as %40 %3A %2F %3F %23 %25";

/// Parameters that the driver supports. It logs any other parameter with its value, which may be a mistyped `password`.
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
    "target_session_attrs",
];
/// libpq parameters that providers put into their URLs and that have no effect here: every connection has its own
/// deadlines, and `sslmode=verify-full` checks the certificate.
/// <https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS>
const IGNORED: [&str; 10] = [
    "channel_binding",
    "connect_timeout",
    "fallback_application_name",
    "gssencmode",
    "keepalives",
    "keepalives_count",
    "keepalives_idle",
    "keepalives_interval",
    "sslnegotiation",
    "tcp_user_timeout",
];
/// Parameters that name a file.
const FILES: [&str; 7] = ["sslrootcert", "ssl-root-cert", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];

type Parameters = Vec<(String, String)>;

/// Parses the URL. Several hosts, each with its port, are separate servers in the order in which they are tried:
/// `postgres://user@one:5432,two:5432/database`, or `host=one,two` as a parameter.
///
/// # Errors
/// A description of the problem, phrased to follow the variable's name.
pub(super) fn parse(text: &str) -> Result<Vec<PgConnectOptions>, String> {
    let rest = text.strip_prefix("postgres://").or_else(|| text.strip_prefix("postgresql://"));
    let rest = rest.ok_or("it does not begin with postgres://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let (person, hosts) = authority.rsplit_once('@').map_or(("", authority), |(person, hosts)| (person, hosts));
    let at = if person.is_empty() { "" } else { "@" };
    let urls = hosts.split(',').map(|host| {
        // A user without a host: the host is among the parameters.
        let host = if host.is_empty() && !person.is_empty() { "localhost" } else { host };
        Url::parse(&format!("postgres://{person}{at}{host}{path}"))
    });
    let urls: Vec<Url> = urls.collect::<Result<_, _>>().map_err(|_| SHAPE)?;
    let parameters = parameters(&urls[0])?;
    let servers = match listed(&parameters)? {
        Some(_) if urls.len() > 1 => return Err("it names hosts before the database and among its parameters".into()),
        Some(listed) => listed.into_iter().map(|parameters| server(urls[0].clone(), parameters)).collect(),
        None => urls.into_iter().map(|url| server(url, parameters.clone())).collect::<Result<Vec<_>, _>>(),
    };
    servers.map_err(str::to_owned)
}

/// Validates the query parameters and removes those that have no effect here.
fn parameters(url: &Url) -> Result<Parameters, String> {
    let mut pairs: Parameters =
        url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    // An unescaped / ? or # in a password ends the authority too early, and the rest would be misparsed.
    let is_cut =
        url.username().is_empty() && (url.path().contains('@') || pairs.iter().any(|(name, _)| name.contains('@')));
    if is_cut || url.fragment().is_some() {
        return Err(SHAPE.to_owned());
    }
    for (name, value) in &pairs {
        check(name, value)?;
    }
    let has = |names: [&str; 2]| pairs.iter().any(|(name, _)| names.contains(&name.as_str()));
    if has(["sslcert", "ssl-cert"]) != has(["sslkey", "ssl-key"]) {
        return Err("it must have both sslcert and sslkey, or none of them".to_owned());
    }
    // The pool chooses the server, not the driver.
    pairs.retain(|(name, _)| name != "target_session_attrs" && !IGNORED.contains(&name.as_str()));
    Ok(pairs)
}

/// The parameters of each server, if `host`, `hostaddr` or `port` is a list. A single port applies to every host.
fn listed(parameters: &Parameters) -> Result<Option<Vec<Parameters>>, String> {
    let is_list = |name: &str| matches!(name, "host" | "hostaddr" | "port");
    let lists = parameters.iter().filter(|(name, _)| is_list(name));
    let count = lists.map(|(_, value)| value.split(',').count()).max().unwrap_or(1);
    if count == 1 {
        return Ok(None);
    }
    let server = |index: usize| {
        let pick = |(name, value): &(String, String)| {
            if !is_list(name) {
                return Some((name.clone(), value.clone()));
            }
            let values: Vec<&str> = value.split(',').collect();
            let value = if values.len() == 1 { Some(&values[0]) } else { values.get(index) };
            value
                .filter(|_| values.len() == 1 || values.len() == count)
                .map(|value| (name.clone(), (*value).to_owned()))
        };
        parameters.iter().map(pick).collect::<Option<Parameters>>()
    };
    let servers: Option<Vec<Parameters>> = (0..count).map(server).collect();
    servers.map(Some).ok_or_else(|| "its lists of hosts and ports differ in length".to_owned())
}

/// The connection options of one server.
fn server(mut url: Url, mut pairs: Parameters) -> Result<PgConnectOptions, &'static str> {
    // The driver resolves a bracketed IPv6 address as if it were a host name.
    for (_, host) in pairs.iter_mut().filter(|(name, _)| name == "host") {
        *host = without_brackets(host).to_owned();
    }
    let numeric = url.host_str().filter(|host| host.starts_with('[')).map(|host| without_brackets(host).to_owned());
    let names_host = pairs.iter().any(|(name, _)| matches!(name.as_str(), "host" | "hostaddr"));
    if let Some(address) = numeric.filter(|_| !names_host) {
        pairs.push(("host".to_owned(), address));
    }
    url.set_query(None);
    if !pairs.is_empty() {
        url.query_pairs_mut().extend_pairs(pairs);
    }
    url.as_str().parse().map_err(|_| SHAPE)
}

fn check(name: &str, value: &str) -> Result<(), String> {
    if !KNOWN.contains(&name) && !IGNORED.contains(&name) && !name.starts_with("options[") {
        let is_word = name.len() < 40 && name.bytes().all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-'));
        return Err(if is_word {
            format!("it has a parameter that Cartwright does not know: {name}")
        } else {
            "it has a parameter that Cartwright does not know".to_owned()
        });
    }
    if name == "target_session_attrs" && !matches!(value, "any" | "read-write" | "primary") {
        return Err("its target_session_attrs must be read-write: Cartwright cannot work on a standby".to_owned());
    }
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

/// Whether the database is on another machine and its certificate is not verified, so that an attacker on the network
/// could impersonate the database.
pub fn is_unverified(options: &PgConnectOptions) -> bool {
    let host = without_brackets(options.get_host()).trim_end_matches('.').to_ascii_lowercase();
    let is_loopback = || host.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback());
    let is_here = host.starts_with('/') || host == "localhost" || host.ends_with(".localhost") || is_loopback();
    options.get_socket().is_none() && !is_here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses a URL with one server.
    fn one(url: &str) -> PgConnectOptions {
        let mut servers = parse(url).expect(url);
        assert_eq!(servers.len(), 1, "{url}");
        servers.remove(0)
    }

    #[test]
    fn several_hosts_are_servers_in_order() {
        for (url, expected) in [
            ("postgres://u:p@one:5433,two:5434/db", &[("one", 5433), ("two", 5434)][..]),
            ("postgres://u:p@one,two:5434/db?target_session_attrs=read-write", &[("one", 5432), ("two", 5434)]),
            ("postgres://u:p@[::1]:5433,[::2]/db", &[("::1", 5433), ("::2", 5432)]),
            ("postgres:///db?host=one,two,three&user=u", &[("one", 5432), ("two", 5432), ("three", 5432)]),
            ("postgres://u@/db?host=one,two&port=6432", &[("one", 6432), ("two", 6432)]),
            ("postgres://u@/db?host=one,two&port=6432,6433", &[("one", 6432), ("two", 6433)]),
            ("postgres://u:a,b@one/db", &[("one", 5432)]),
        ] {
            let servers = parse(url).expect(url);
            let found: Vec<_> = servers.iter().map(|server| (server.get_host(), server.get_port())).collect();
            assert_eq!(found, expected, "{url}");
            assert!(servers.iter().all(|server| server.get_database() == Some("db")), "{url}");
        }
    }

    #[test]
    fn ipv6_hosts_lose_their_brackets() {
        for (url, host, port) in [
            ("postgres://u:p@[::1]:5432/db", "::1", 5432),
            ("postgresql://u:p@[::1]/db", "::1", 5432),
            ("postgres://u:p@[2001:DB8::7]:6543/db?sslmode=require", "2001:db8::7", 6543),
            ("postgres://u:p@localhost/db?host=[::1]", "::1", 5432),
            ("postgres://u:p@localhost/db?hostaddr=::1&port=6543", "::1", 6543),
            ("postgres://u:p@127.0.0.1:5432/db", "127.0.0.1", 5432),
            ("postgres://u:p@db.example.com/db", "db.example.com", 5432),
        ] {
            let options = one(url);
            assert_eq!(
                (options.get_host(), options.get_port(), options.get_database()),
                (host, port, Some("db")),
                "{url}"
            );
        }
        let socket = one("postgres://u@localhost:6543/db?host=/run/postgresql");
        assert_eq!(socket.get_socket().map(|path| path.to_str()), Some(Some("/run/postgresql")));
        let socket = one("postgres://u@%2Frun%2Fpostgresql/db");
        assert_eq!(socket.get_socket().map(|path| path.to_str()), Some(Some("/run/postgresql")));
    }

    #[test]
    fn loopback_counts_as_local() {
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
            assert_eq!(is_unverified(&one(url)), unverified, "{url}");
        }
    }

    #[test]
    fn invalid_urls_are_reported_without_the_password() {
        for (url, words) in [
            ("mysql://u:canary@h/db", "does not begin with postgres://"),
            ("postgres://u:can/ary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1/canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1?canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:1#canary@h/db", "as %40 %3A %2F"),
            ("postgres://u:canary#@h/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h:port/db", "as %40 %3A %2F"),
            ("postgres://u:canary@::1/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h1:1,h2:x/db", "as %40 %3A %2F"),
            ("postgres://u:canary@h1,h2/db?host=h3,h4", "names hosts before the database and among its parameters"),
            ("postgres://u:canary@h/db?host=h3,h4&port=1,2,3", "differ in length"),
            ("postgres://u:canary@h/db?target_session_attrs=standby", "must be read-write"),
            ("postgres://u@h/db?passwrod=canary", "does not know: passwrod"),
            ("postgres://u@h/db?canary%3D=x", "that Cartwright does not know"),
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
    fn libpq_parameters_without_effect_are_removed() {
        let url =
            "postgres://u:p%40%2Fw@h/db?channel_binding=require&connect_timeout=10&sslmode=require&options=-c%20a%3D1";
        let options = one(url);
        assert_eq!((options.get_host(), options.get_options()), ("h", Some("-c a=1")));
        assert!(matches!(options.get_ssl_mode(), PgSslMode::Require));
    }
}

//! The settings: `CARTWRIGHT_*` variables and the flags of `cartwright serve`. The only place that reads the environment. All
//! of it is checked before the port opens, and every problem is reported at once, each with its variable.

#![expect(clippy::doc_markdown, reason = "the doc comments here are what --help prints")]
#![allow(rustdoc::bare_urls, reason = "the doc comments here are what --help prints")]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
#[cfg(feature = "embedded")]
use std::path::PathBuf;

use clap::Args;
use secrecy::SecretString;
use sqlx::postgres::{PgConnectOptions, PgSslMode};

use crate::{
    alerts,
    ecommerce::shopify::client::{Egress, EgressProxy},
    proxies::TrustedProxies,
    vault::KeyRing,
};

/// Settings of every command that needs the database.
#[derive(Args, Clone, Debug, Default)]
pub struct DatabaseFlags {
    /// A Postgres to use, such as postgres://cartwright@localhost/cartwright. Without it a private one is kept in DATA_DIR.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// The folder of the private Postgres and of the key that is made with it.
    #[arg(long, env = "CARTWRIGHT_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<String>,
    /// A folder with Postgres server programs, where they are not in a usual place.
    #[arg(long, env = "PG_BIN", value_name = "FOLDER", hide = true)]
    pub pg_bin: Option<String>,
    /// What to log: a level, or targets with levels as in RUST_LOG.
    #[arg(long, env = "CARTWRIGHT_LOG", value_name = "FILTER")]
    pub log: Option<String>,
}

/// Settings of the commands that look after keys.
#[derive(Args, Clone, Debug, Default)]
pub struct KeyFlags {
    #[command(flatten)]
    pub database: DatabaseFlags,
    /// The key file: base64 of 32 bytes a line, the first seals, all open.
    #[arg(long, env = "CARTWRIGHT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<String>,
}

/// Settings of `cartwright serve`.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeFlags {
    /// Address and port to listen on [default: 127.0.0.1:8080].
    #[arg(long, env = "CARTWRIGHT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
    #[command(flatten)]
    pub database: DatabaseFlags,
    /// The keys that seal secrets: base64 of 32 bytes a line, the first seals, all open. `cartwright keys generate` makes a line.
    #[arg(long, env = "CARTWRIGHT_KEY_FILE", value_name = "FILE")]
    pub key_file: Option<String>,
    /// The address in the browser, such as https://orders.example.com, when it differs from LISTEN.
    #[arg(long, env = "CARTWRIGHT_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<String>,
    /// Proxies in front whose X-Forwarded-For is believed: addresses and networks such as 10.0.0.7,192.168.4.0/24 [default: none].
    #[arg(long, env = "CARTWRIGHT_TRUSTED_PROXIES", value_name = "LIST")]
    pub trusted_proxies: Option<String>,
    /// What the pages call the product [default: Order Time].
    #[arg(long, env = "CARTWRIGHT_PRODUCT_NAME", value_name = "NAME")]
    pub product_name: Option<String>,
    /// Answer for stores whose name begins with practice-, so that the whole path works without Shopify.
    #[cfg_attr(
        feature = "practice",
        arg(
            long,
            env = "CARTWRIGHT_PRACTICE",
            value_parser = clap::builder::FalseyValueParser::new(),
            action = clap::ArgAction::SetTrue
        )
    )]
    #[cfg_attr(not(feature = "practice"), arg(skip))]
    pub practice: bool,
    /// An HTTP proxy for calls to Shopify, used with CONNECT: http://host:port, or http://user:password@host:port. Other proxy variables are ignored.
    #[arg(long, env = "CARTWRIGHT_EGRESS_PROXY", hide_env_values = true, value_name = "URL")]
    pub egress_proxy: Option<String>,
    /// Extra certificate authorities for calls to Shopify, as PEM.
    #[arg(long, env = "CARTWRIGHT_EGRESS_CA_FILE", value_name = "FILE")]
    pub egress_ca_file: Option<String>,
    /// A mail address or link that error pages offer.
    #[arg(long, env = "CARTWRIGHT_SUPPORT_ADDRESS", value_name = "ADDRESS")]
    pub support_address: Option<String>,
    /// Check no carts in this process: `cartwright worker` does it elsewhere.
    #[arg(
        long,
        env = "CARTWRIGHT_NO_WORKER",
        value_parser = clap::builder::FalseyValueParser::new(),
        action = clap::ArgAction::SetTrue
    )]
    pub no_worker: bool,
    /// The mail server of alerts: smtps://user:password@host:465, or smtp://user:password@host:587?tls=required. Mail is sent encrypted only.
    #[arg(long, env = "CARTWRIGHT_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// The sender of that mail, such as alerts@orders.example.com.
    #[arg(long, env = "CARTWRIGHT_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Names, with commas between them, of alert webhooks that may lead to private addresses.
    #[arg(long, env = "CARTWRIGHT_ALERT_HOSTS", value_name = "NAMES")]
    pub alert_hosts: Option<String>,
}

/// Settings of `cartwright ready`.
#[derive(Args, Clone, Debug, Default)]
pub struct ReadyFlags {
    /// Where the server listens [default: 127.0.0.1:8080].
    #[arg(long, env = "CARTWRIGHT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
}

/// One thing to mend, with its variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable}: {problem}")]
pub struct Problem {
    pub variable: &'static str,
    pub problem: String,
}

/// Every problem of the settings; never empty.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

/// Where the carts are kept.
#[derive(Clone, Debug)]
pub enum Database {
    Url(Box<PgConnectOptions>),
    /// A private cluster in the data folder.
    #[cfg(feature = "embedded")]
    Embedded {
        data_dir: PathBuf,
        places: crate::database::embedded::Places,
    },
}

/// The address that people type, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port, without a slash at the end.
    pub origin: String,
    /// `Host` as a browser sends it; `None` allows every loopback name.
    pub host: Option<String>,
    pub is_https: bool,
}

#[derive(Debug)]
pub struct ServeConfig {
    pub listen: SocketAddr,
    pub database: Database,
    /// `None` with the embedded database: a key is made in its folder.
    pub keys: Option<KeyRing>,
    pub public_url: PublicUrl,
    pub trusted_proxies: TrustedProxies,
    pub product_name: String,
    pub practice: bool,
    /// The stores of the practice mode, once it has started.
    #[cfg(feature = "practice")]
    pub practice_stores: Option<crate::practice::Stores>,
    pub egress: Egress,
    pub support: Option<String>,
    /// Whether this process checks carts.
    pub has_worker: bool,
    /// How alerts get out.
    pub alerts: alerts::Ways,
}

/// An empty variable is one that is not set: compose files write them that way.
fn given(value: Option<&String>) -> Option<&str> {
    value.map(|value| value.trim()).filter(|value| !value.is_empty())
}

fn listen_address(given_by: Option<&String>, problems: &mut Vec<Problem>) -> Option<SocketAddr> {
    let text = given(given_by).unwrap_or("127.0.0.1:8080");
    let listen = text
        .parse()
        .ok()
        .or_else(|| text.strip_prefix("localhost:")?.parse().ok().map(|port: u16| ([127, 0, 0, 1], port).into()));
    if listen.is_none() {
        problems.push(Problem {
            variable: "CARTWRIGHT_LISTEN",
            problem: format!("{text:?} is not an address and a port such as 127.0.0.1:8080"),
        });
    }
    listen
}

impl ReadyFlags {
    /// Where to ask: a server that listens everywhere is asked on loopback.
    pub fn check(&self) -> Result<SocketAddr, Problems> {
        let mut problems = Vec::new();
        let mut listen = listen_address(self.listen.as_ref(), &mut problems).ok_or(Problems(problems))?;
        match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(listen)
    }
}

impl DatabaseFlags {
    /// The database that these flags mean.
    pub fn check(&self) -> Result<Database, Problems> {
        let mut problems = Vec::new();
        let database = self.database(&mut problems);
        database.filter(|_| problems.is_empty()).ok_or(Problems(problems))
    }

    /// What to log; `info` where nothing is said.
    pub fn log(&self) -> &str {
        given(self.log.as_ref()).unwrap_or("info")
    }

    fn database(&self, problems: &mut Vec<Problem>) -> Option<Database> {
        let mut problem = |variable, problem: String| {
            problems.push(Problem { variable, problem });
            None
        };
        if let Some(url) = given(self.database_url.as_ref()) {
            if !url.starts_with("postgres://") && !url.starts_with("postgresql://") {
                return problem("DATABASE_URL", "it does not begin with postgres://".into());
            }
            return match url.parse::<PgConnectOptions>() {
                Ok(options) => Some(Database::Url(Box::new(options))),
                Err(_) => {
                    problem("DATABASE_URL", "it cannot be read as postgres://user:password@host:port/database".into())
                }
            };
        }
        #[cfg(not(feature = "embedded"))]
        return problem("DATABASE_URL", "it is not set, and this build has no private database".into());
        #[cfg(feature = "embedded")]
        Some(self.embedded())
    }

    /// The private database: the given folder, else the usual one of this account.
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

impl KeyFlags {
    /// The database and the ring that these flags mean. The key that was made with the private database is found in its folder.
    pub fn check(&self) -> Result<(Database, Option<KeyRing>), Problems> {
        let mut problems = Vec::new();
        let database = self.database.database(&mut problems);
        let keys = key_ring(self.key_file(database.as_ref()).as_deref(), database.as_ref(), &mut problems);
        match database {
            Some(database) if problems.is_empty() => Ok((database, keys)),
            _ => Err(Problems(problems)),
        }
    }

    /// The key file: the one that is named, else the one that was made with the private database.
    pub fn key_file(&self, database: Option<&Database>) -> Option<String> {
        let named = given(self.key_file.as_ref()).map(str::to_owned);
        #[cfg(feature = "embedded")]
        if let (None, Some(Database::Embedded { data_dir, .. })) = (&named, database) {
            let made = data_dir.join("keys");
            return made.exists().then(|| made.display().to_string());
        }
        let _ = database;
        named
    }
}

/// Reads the ring of a key file; without one, a database of one's own is a problem.
fn key_ring(path: Option<&str>, database: Option<&Database>, problems: &mut Vec<Problem>) -> Option<KeyRing> {
    let Some(path) = path else {
        if matches!(database, Some(Database::Url(_))) {
            problems.push(Problem {
                variable: "CARTWRIGHT_KEY_FILE",
                problem: "it is not set; with DATABASE_URL name the file that holds the key, made by `cartwright keys generate`"
                    .into(),
            });
        }
        return None;
    };
    let read = KeyRing::read(path.as_ref());
    read.map_err(|error| problems.push(Problem { variable: "CARTWRIGHT_KEY_FILE", problem: format!("{error:#}") })).ok()
}

impl ServeFlags {
    /// Everything that is wrong, at once.
    pub fn check(&self) -> Result<ServeConfig, Problems> {
        let mut problems = Vec::new();
        let database = self.database.database(&mut problems);
        let listen = listen_address(self.listen.as_ref(), &mut problems);
        let public_url = self.public_url(listen, &mut problems);
        let trusted_proxies = self.trusted_proxies(&mut problems);
        let egress = self.egress(&mut problems);
        let support = self.support(&mut problems);
        let alerts = self.alerts(&egress, &mut problems);
        let product_name = self.product_name(&mut problems);
        let keys = key_ring(given(self.key_file.as_ref()), database.as_ref(), &mut problems);
        if tracing_subscriber::EnvFilter::try_new(self.database.log()).is_err() {
            problems.push(Problem {
                variable: "CARTWRIGHT_LOG",
                problem: "it is no level and no list of targets with levels".into(),
            });
        }
        match (database, listen, public_url) {
            (Some(database), Some(listen), Some(public_url)) if problems.is_empty() => Ok(ServeConfig {
                listen,
                database,
                keys,
                public_url,
                trusted_proxies,
                product_name,
                practice: self.practice,
                #[cfg(feature = "practice")]
                practice_stores: None,
                egress,
                support,
                has_worker: !self.no_worker,
                alerts,
            }),
            _ => Err(Problems(problems)),
        }
    }

    fn public_url(&self, listen: Option<SocketAddr>, problems: &mut Vec<Problem>) -> Option<PublicUrl> {
        let mut problem = |problem: &str| {
            problems.push(Problem { variable: "CARTWRIGHT_PUBLIC_URL", problem: problem.into() });
            None
        };
        let Some(text) = given(self.public_url.as_ref()) else {
            let listen = listen?;
            if listen.ip().is_loopback() {
                return Some(PublicUrl { origin: format!("http://{listen}"), host: None, is_https: false });
            }
            return problem(
                "it is not set, and CARTWRIGHT_LISTEN is not a loopback address; say where people reach this server",
            );
        };
        let Ok(url) = reqwest::Url::parse(text) else {
            return problem("it is not an address such as https://orders.example.com");
        };
        let Some(host) = url.host_str() else { return problem("it has no host name") };
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return problem("it must be scheme, host and port alone, such as https://orders.example.com");
        }
        let is_loopback = url.host_str().is_some_and(|host| {
            let ip: Option<std::net::IpAddr> = host.trim_matches(['[', ']']).parse().ok();
            host == "localhost" || ip.is_some_and(|ip| ip.is_loopback())
        });
        match url.scheme() {
            "https" => Some(PublicUrl { origin: format!("https://{host}"), host: Some(host), is_https: true }),
            "http" if is_loopback => {
                Some(PublicUrl { origin: format!("http://{host}"), host: Some(host), is_https: false })
            }
            "http" => problem("it must begin with https://, or the sign-in could be read on the way"),
            _ => problem("it must begin with https://"),
        }
    }

    fn trusted_proxies(&self, problems: &mut Vec<Problem>) -> TrustedProxies {
        let proxies = TrustedProxies::parse(given(self.trusted_proxies.as_ref()).unwrap_or_default());
        proxies.unwrap_or_else(|wrong| {
            let told = |problem| Problem { variable: "CARTWRIGHT_TRUSTED_PROXIES", problem };
            problems.extend(wrong.into_iter().map(told));
            TrustedProxies::default()
        })
    }

    fn egress(&self, problems: &mut Vec<Problem>) -> Egress {
        let mut egress = Egress::default();
        if let Some(text) = given(self.egress_proxy.as_ref()) {
            match text.parse::<EgressProxy>() {
                Ok(proxy) => egress.proxy = Some(proxy),
                Err(problem) => {
                    problems.push(Problem { variable: "CARTWRIGHT_EGRESS_PROXY", problem: problem.to_string() });
                }
            }
            if self.practice {
                problems.push(Problem {
                    variable: "CARTWRIGHT_PRACTICE",
                    problem: "the practice store is a proxy of its own, so it cannot be used together with CARTWRIGHT_EGRESS_PROXY".into(),
                });
            }
        }
        if let Some(path) = given(self.egress_ca_file.as_ref()) {
            match std::fs::read(path) {
                Ok(pem)
                    if reqwest::Certificate::from_pem_bundle(&pem)
                        .is_ok_and(|certificates| !certificates.is_empty()) =>
                {
                    egress.extra_roots_pem = Some(pem);
                }
                Ok(_) => problems.push(Problem {
                    variable: "CARTWRIGHT_EGRESS_CA_FILE",
                    problem: format!("{path} holds no certificate in PEM"),
                }),
                Err(error) => problems.push(Problem {
                    variable: "CARTWRIGHT_EGRESS_CA_FILE",
                    problem: format!("{path} cannot be read: {error}"),
                }),
            }
        }
        egress
    }

    fn support(&self, problems: &mut Vec<Problem>) -> Option<String> {
        let text = given(self.support_address.as_ref())?;
        if text.starts_with("https://") || text.starts_with("mailto:") {
            return Some(text.to_owned());
        }
        if crate::accounts::Email::parse(text).is_ok() && !text.contains(':') {
            return Some(format!("mailto:{text}"));
        }
        problems.push(Problem {
            variable: "CARTWRIGHT_SUPPORT_ADDRESS",
            problem: format!("{text:?} is neither a mail address nor an https:// link"),
        });
        None
    }

    fn alerts(&self, egress: &Egress, problems: &mut Vec<Problem>) -> alerts::Ways {
        let mut problem = |variable, problem: String| problems.push(Problem { variable, problem });
        let mut ways = alerts::Ways { extra_roots_pem: egress.extra_roots_pem.clone(), ..alerts::Ways::default() };
        for host in given(self.alert_hosts.as_ref()).unwrap_or_default().split(',').map(str::trim) {
            let host = host.to_ascii_lowercase();
            if alerts::is_host_name(&host) {
                ways.hosts.push(host);
            } else if !host.is_empty() {
                problem("CARTWRIGHT_ALERT_HOSTS", format!("{host:?} is not a name such as hooks.internal"));
            }
        }
        match (given(self.smtp_url.as_ref()), given(self.mail_from.as_ref())) {
            (None, None) => {}
            (None, Some(_)) => problem("CARTWRIGHT_SMTP_URL", "it is not set, but CARTWRIGHT_MAIL_FROM is".into()),
            (Some(_), None) => problem("CARTWRIGHT_MAIL_FROM", "it is not set, but CARTWRIGHT_SMTP_URL is".into()),
            (Some(url), Some(from)) => match alerts::MailServer::parse(url, from) {
                Ok(server) => ways.mail = Some(server.into()),
                Err(wrong @ alerts::MailServerError::From) => problem("CARTWRIGHT_MAIL_FROM", format!("it {wrong}")),
                Err(wrong) => problem("CARTWRIGHT_SMTP_URL", format!("it {wrong}")),
            },
        }
        ways
    }

    fn product_name(&self, problems: &mut Vec<Problem>) -> String {
        let name = given(self.product_name.as_ref()).unwrap_or("Order Time");
        if name.chars().count() > 40 || name.chars().any(char::is_control) {
            problems.push(Problem {
                variable: "CARTWRIGHT_PRODUCT_NAME",
                problem: "it must be 40 characters of plain text or fewer".into(),
            });
        }
        name.to_owned()
    }
}

/// A database on another machine whose certificate is not checked: anybody on the way could pose as it.
pub fn is_unverified(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_here =
        host.starts_with('/') || host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
    options.get_socket().is_none() && !is_here && !matches!(options.get_ssl_mode(), PgSslMode::VerifyFull)
}

/// A password file's content: its first line, which is what editors and `echo` make of a password.
pub fn read_password(path: &std::path::Path) -> anyhow::Result<SecretString> {
    let text = zeroize::Zeroizing::new(
        std::fs::read_to_string(path).map_err(|error| anyhow::anyhow!("{} cannot be read: {error}", path.display()))?,
    );
    Ok(SecretString::from(text.lines().next().unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags() -> ServeFlags {
        ServeFlags {
            database: DatabaseFlags { data_dir: Some("/tmp/cartwright".into()), ..DatabaseFlags::default() },
            ..ServeFlags::default()
        }
    }

    #[test]
    fn every_problem_is_told_at_once() {
        let wrong = ServeFlags {
            listen: Some("nowhere".into()),
            public_url: Some("ftp://x".into()),
            trusted_proxies: Some("everybody, 10.0.0.1/8".into()),
            egress_proxy: Some("https://proxy:1".into()),
            egress_ca_file: Some("/does/not/exist".into()),
            support_address: Some("call us".into()),
            smtp_url: Some("smtp://sam:canary@mail.example.com".into()),
            mail_from: Some("alerts@orders.example.com".into()),
            alert_hosts: Some("hooks.internal, 10.0.0.1".into()),
            key_file: Some("/does/not/exist".into()),
            product_name: Some("x".repeat(41)),
            database: DatabaseFlags {
                database_url: Some("mysql://x".into()),
                log: Some("a=b=c".into()),
                ..DatabaseFlags::default()
            },
            ..ServeFlags::default()
        };
        let Problems(problems) = wrong.check().expect_err("nothing here is right");
        let variables: std::collections::BTreeSet<_> = problems.iter().map(|problem| problem.variable).collect();
        let expected = [
            "CARTWRIGHT_ALERT_HOSTS",
            "CARTWRIGHT_EGRESS_CA_FILE",
            "CARTWRIGHT_EGRESS_PROXY",
            "CARTWRIGHT_KEY_FILE",
            "CARTWRIGHT_LISTEN",
            "CARTWRIGHT_LOG",
            "CARTWRIGHT_PRODUCT_NAME",
            "CARTWRIGHT_PUBLIC_URL",
            "CARTWRIGHT_SMTP_URL",
            "CARTWRIGHT_SUPPORT_ADDRESS",
            "CARTWRIGHT_TRUSTED_PROXIES",
            "DATABASE_URL",
        ];
        assert_eq!(variables.into_iter().collect::<Vec<_>>(), expected);
        assert_eq!(problems.len(), expected.len() + 1, "both proxies that are none are told");
    }

    #[test]
    fn the_ways_of_alerts_are_named_and_no_password_is_told() {
        let with = |smtp: Option<&str>, from: Option<&str>, hosts: &str| {
            let (smtp_url, mail_from) = (smtp.map(str::to_owned), from.map(str::to_owned));
            ServeFlags { smtp_url, mail_from, alert_hosts: Some(hosts.into()), ..flags() }.check()
        };
        let (smtp, from) = (Some("smtps://sam:canary@mail.example.com"), Some("alerts@orders.example.com"));
        let ways = with(smtp, from, " Hooks.internal ,localhost,").expect("fine").alerts;
        assert_eq!(ways.hosts, ["hooks.internal", "localhost"]);
        let mail = ways.mail.expect("a mail server");
        assert_eq!(mail.to_string(), "mail.example.com:465");
        for (smtp, from, hosts, variable) in [
            (smtp, None, "", "CARTWRIGHT_MAIL_FROM"),
            (None, from, "", "CARTWRIGHT_SMTP_URL"),
            (smtp, Some("alerts"), "", "CARTWRIGHT_MAIL_FROM"),
            (Some("smtp://sam:canary@mail.example.com"), from, "", "CARTWRIGHT_SMTP_URL"),
            (smtp, from, "http://hooks.internal", "CARTWRIGHT_ALERT_HOSTS"),
        ] {
            let problems = with(smtp, from, hosts).expect_err(variable);
            assert_eq!(problems.0[0].variable, variable);
            assert!(!format!("{problems} {problems:?}").contains("canary"), "{problems}");
        }
    }

    #[test]
    fn a_newcomer_needs_no_setting() {
        let config = flags().check().expect("the defaults are enough");
        assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.product_name, "Order Time");
        assert_eq!(
            config.public_url,
            PublicUrl { origin: "http://127.0.0.1:8080".into(), host: None, is_https: false }
        );
        assert!(!config.practice, "practice is on only where it is asked for");
    }

    #[test]
    fn plain_http_is_for_loopback_alone() {
        let with = |listen: &str, public: Option<&str>| {
            ServeFlags { listen: Some(listen.into()), public_url: public.map(str::to_owned), ..flags() }
                .check()
                .map(|config| config.public_url.origin)
        };
        assert!(with("0.0.0.0:8080", None).is_err());
        assert!(with("0.0.0.0:8080", Some("http://orders.example.com")).is_err());
        assert!(with("127.0.0.1:8080", Some("https://orders.example.com/path")).is_err());
        assert_eq!(
            with("0.0.0.0:8080", Some("https://orders.example.com/")).expect("https"),
            "https://orders.example.com"
        );
        assert_eq!(with("0.0.0.0:9", Some("http://localhost:9")).expect("loopback"), "http://localhost:9");
        assert_eq!(with("localhost:9", None).expect("a name for loopback"), "http://127.0.0.1:9");
    }

    #[test]
    fn a_database_of_ones_own_needs_a_key_of_ones_own() {
        let with = ServeFlags {
            database: DatabaseFlags {
                database_url: Some("postgres://x@localhost/y".into()),
                ..DatabaseFlags::default()
            },
            ..ServeFlags::default()
        };
        let Problems(problems) = with.check().expect_err("two replicas would invent two keys");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].variable, "CARTWRIGHT_KEY_FILE");
    }

    #[test]
    fn a_database_elsewhere_is_trusted_only_with_its_certificate() {
        let table = [
            ("postgres://x@db.example.com/y", true),
            ("postgres://x@db.example.com/y?sslmode=require", true),
            ("postgres://x@10.0.0.5/y", true),
            ("postgres://x@db.example.com/y?sslmode=verify-full", false),
            ("postgres://x@localhost/y", false),
            ("postgres://x@127.0.0.1:5433/y", false),
            ("postgres://x@localhost/y?host=/run/postgresql", false),
        ];
        for (url, unverified) in table {
            assert_eq!(is_unverified(&url.parse().expect("a database")), unverified, "{url}");
        }
    }

    #[test]
    fn an_empty_variable_is_not_set() {
        let empty = Some(String::new());
        let config = ServeFlags { listen: empty.clone(), egress_proxy: empty.clone(), public_url: empty, ..flags() };
        assert!(config.check().is_ok());
    }

    #[cfg(feature = "practice")]
    #[test]
    fn practice_and_a_proxy_exclude_each_other() {
        let both = ServeFlags { practice: true, egress_proxy: Some("http://proxy.example:3128".into()), ..flags() };
        let Problems(problems) = both.check().expect_err("two proxies");
        assert_eq!(problems[0].variable, "CARTWRIGHT_PRACTICE");
    }
}

//! Command-line flags and `CARTWRIGHT_*` variables as raw text. The other files of this folder validate them. The doc
//! comment of a field is its `--help` text.

#![expect(clippy::doc_markdown, reason = "the doc comments here are what --help prints")]
#![allow(rustdoc::bare_urls, reason = "the doc comments here are what --help prints")]

use clap::Args;

/// Settings of every command that needs the database.
#[derive(Args, Clone, Debug, Default)]
pub struct DatabaseFlags {
    /// A Postgres to use, such as postgres://cartwright@localhost/cartwright. Without it a private one is kept in DATA_DIR.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// A file with that address, so that its password stands in no environment.
    #[arg(long, env = "DATABASE_URL_FILE", value_name = "FILE")]
    pub database_url_file: Option<String>,
    /// The same database by the role that owns the tables. It migrates and grants; the role in DATABASE_URL then serves without
    /// the right to change the activity.
    #[arg(long, env = "CARTWRIGHT_MIGRATE_DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub migrate_database_url: Option<String>,
    /// A file with that address.
    #[arg(long, env = "CARTWRIGHT_MIGRATE_DATABASE_URL_FILE", value_name = "FILE")]
    pub migrate_database_url_file: Option<String>,
    /// The folder of the private Postgres and of the key that is made with it.
    #[arg(long, env = "CARTWRIGHT_DATA_DIR", value_name = "FOLDER")]
    pub data_dir: Option<String>,
    /// A folder with Postgres server programs, where they are not in a usual place.
    #[arg(long, env = "PG_BIN", value_name = "FOLDER", hide = true)]
    pub pg_bin: Option<String>,
    /// What to log: a level, or targets with levels as in RUST_LOG.
    #[arg(long, env = "CARTWRIGHT_LOG", value_name = "FILTER")]
    pub log: Option<String>,
    /// A file with the same, read again at SIGHUP. It goes before LOG.
    #[arg(long, env = "CARTWRIGHT_LOG_FILE", value_name = "FILE")]
    pub log_file: Option<String>,
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
    /// Answer for stores whose name begins with practice-, so that the whole path works without Shopify. Refused with an https PUBLIC_URL.
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
    /// A file with that address.
    #[arg(long, env = "CARTWRIGHT_EGRESS_PROXY_FILE", value_name = "FILE")]
    pub egress_proxy_file: Option<String>,
    /// Extra certificate authorities for calls to Shopify, as PEM.
    #[arg(long, env = "CARTWRIGHT_EGRESS_CA_FILE", value_name = "FILE")]
    pub egress_ca_file: Option<String>,
    /// Public addresses and networks that calls to Shopify come from, with commas between them, such as 198.51.100.7,198.51.100.64/28.
    /// Behind EGRESS_PROXY, the proxy's. Shown wherever people must enter them in an app's IP allowlist.
    #[arg(long, env = "CARTWRIGHT_EGRESS_ADDRESSES", value_name = "LIST")]
    pub egress_addresses: Option<String>,
    /// A mail address or link that error pages and /.well-known/security.txt offer.
    #[arg(long, env = "CARTWRIGHT_SUPPORT_ADDRESS", value_name = "ADDRESS")]
    pub support_address: Option<String>,
    /// How long the activity is kept after a month ended: months such as 24, or forever [default: 24 months].
    #[arg(long, env = "CARTWRIGHT_ACTIVITY_KEEP", value_name = "MONTHS")]
    pub activity_keep: Option<String>,
    /// Start although the role in DATABASE_URL is a superuser of Postgres, whom no grant and no trigger binds.
    #[arg(
        long,
        env = "CARTWRIGHT_ALLOW_SUPERUSER",
        value_parser = clap::builder::FalseyValueParser::new(),
        action = clap::ArgAction::SetTrue
    )]
    pub allow_superuser: bool,
    /// Check no carts in this process: `cartwright worker` does it elsewhere.
    #[arg(
        long,
        env = "CARTWRIGHT_NO_WORKER",
        value_parser = clap::builder::FalseyValueParser::new(),
        action = clap::ArgAction::SetTrue
    )]
    pub no_worker: bool,
    /// An address and port of its own for /-/live, /-/ready and /-/metrics, such as 10.0.0.7:9464; the other port then has no
    /// metrics. A worker has no port without it.
    #[arg(long, env = "CARTWRIGHT_METRICS_LISTEN", value_name = "ADDRESS")]
    pub metrics_listen: Option<String>,
    /// Seconds to go on serving after SIGTERM, while /-/ready is red, so that a load balancer sends requests elsewhere [default: 5].
    #[arg(long, env = "CARTWRIGHT_DRAIN", value_name = "SECONDS")]
    pub drain: Option<String>,
    /// The mail server of alerts: smtps://user:password@host:465, or smtp://user:password@host:587?tls=required. Mail is sent encrypted only.
    #[arg(long, env = "CARTWRIGHT_SMTP_URL", hide_env_values = true, value_name = "URL")]
    pub smtp_url: Option<String>,
    /// A file with that address.
    #[arg(long, env = "CARTWRIGHT_SMTP_URL_FILE", value_name = "FILE")]
    pub smtp_url_file: Option<String>,
    /// The sender of that mail, such as alerts@orders.example.com.
    #[arg(long, env = "CARTWRIGHT_MAIL_FROM", value_name = "ADDRESS")]
    pub mail_from: Option<String>,
    /// Hosts of alert webhooks that may lead to private addresses and other ports than 443, with commas between them:
    /// hooks.internal (any port) or hooks.internal:8443.
    #[arg(long, env = "CARTWRIGHT_ALERT_HOSTS", value_name = "HOSTS")]
    pub alert_hosts: Option<String>,
}

/// Settings of `cartwright ready`.
#[derive(Args, Clone, Debug, Default)]
pub struct ReadyFlags {
    /// Where the server listens [default: 127.0.0.1:8080].
    #[arg(long, env = "CARTWRIGHT_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<String>,
}

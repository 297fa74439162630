//! Validated settings of `cartwright serve`.

use std::{net::SocketAddr, time::Duration};

use super::{Database, PublicUrl, ServeFlags, SettingProblems, given, keys::key_ring, site::listen_address};
use crate::{
    alerts, audit::ActivityKeep, outbound::egress_addresses::EgressAddresses, platforms::shopify::client::Egress,
    proxies::TrustedProxies, vault::KeyRing,
};

#[derive(Debug)]
pub struct ServeConfig {
    pub listen: SocketAddr,
    pub database: Database,
    /// `None` for the embedded database, whose key is created in its folder.
    pub keys: Option<KeyRing>,
    pub public_url: PublicUrl,
    pub trusted_proxies: TrustedProxies,
    pub product_name: String,
    pub practice: bool,
    /// The practice stores; set when practice mode has started.
    #[cfg(feature = "practice")]
    pub practice_stores: Option<crate::practice::Stores>,
    pub egress: Egress,
    /// The public addresses from which Shopify is called.
    pub egress_addresses: EgressAddresses,
    pub support: Option<String>,
    pub activity_keep: ActivityKeep,
    /// Whether the server may run as a superuser of Postgres.
    pub allow_superuser: bool,
    /// Whether this process checks carts.
    pub has_worker: bool,
    /// Address of the port for probes and metrics, if they are not served with the pages.
    pub metrics_listen: Option<SocketAddr>,
    /// How long requests are still accepted after SIGTERM.
    pub drain: Duration,
    /// Alert transports.
    pub alerts: alerts::Transports,
}

impl ServeFlags {
    /// Validates all flags. Reports every problem at once.
    pub fn check(&self) -> Result<ServeConfig, SettingProblems> {
        let mut problems = SettingProblems::default();
        let database = self.database.database(&mut problems);
        let listen = listen_address(self.listen.as_ref(), &mut problems);
        let public_url = self.public_url(listen, &mut problems);
        if self.practice && public_url.as_ref().is_some_and(|url| url.is_https) {
            problems.tell(
                "CARTWRIGHT_PRACTICE",
                "the practice store's sign-ins are known to everybody, so it cannot be used on a public server, where \
                 CARTWRIGHT_PUBLIC_URL is https://",
            );
        }
        let trusted_proxies = self.trusted_proxies(&mut problems);
        let egress = self.egress(&mut problems);
        let egress_addresses = self.egress_addresses(&mut problems);
        let support = self.support(&mut problems);
        let alerts = self.alerts(&egress, &mut problems);
        let product_name = self.product_name(&mut problems);
        let drain = self.drain(&mut problems);
        let metrics_listen = self.metrics_listen(&mut problems);
        let activity_keep = self.activity_keep(&mut problems);
        let keys = key_ring(given(self.key_file.as_ref()), database.as_ref(), &mut problems);
        self.database.check_log(&mut problems);
        match (database, listen, public_url) {
            (Some(database), Some(listen), Some(public_url)) if problems.0.is_empty() => Ok(ServeConfig {
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
                egress_addresses,
                support,
                drain,
                metrics_listen,
                activity_keep,
                allow_superuser: self.allow_superuser,
                has_worker: !self.no_worker,
                alerts,
            }),
            _ => Err(problems),
        }
    }

    fn activity_keep(&self, problems: &mut SettingProblems) -> ActivityKeep {
        let Some(text) = given(self.activity_keep.as_ref()) else { return ActivityKeep::default() };
        ActivityKeep::parse(text).unwrap_or_else(|| {
            problems.tell(
                "CARTWRIGHT_ACTIVITY_KEEP",
                "it is neither a number of months from 1 to 1200, such as 24 months, nor forever",
            );
            ActivityKeep::default()
        })
    }

    fn drain(&self, problems: &mut SettingProblems) -> Duration {
        const DEFAULT: Duration = Duration::from_secs(5);
        let Some(text) = given(self.drain.as_ref()) else { return DEFAULT };
        if let Ok(seconds @ 0..=300) = text.parse() {
            return Duration::from_secs(seconds);
        }
        problems.tell("CARTWRIGHT_DRAIN", "it is no number of seconds from 0 to 300");
        DEFAULT
    }
}

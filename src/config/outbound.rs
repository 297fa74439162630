//! Settings of outbound connections: to Shopify and for alerts.

use super::{ServeFlags, SettingProblems, given, secret};
use crate::{
    alerts,
    outbound::egress_addresses::EgressAddresses,
    platforms::shopify::client::{Egress, EgressProxy},
};

impl ServeFlags {
    pub(super) fn egress(&self, problems: &mut SettingProblems) -> Egress {
        Egress { proxy: self.egress_proxy(problems), extra_roots_pem: self.egress_roots(problems) }
    }

    fn egress_proxy(&self, problems: &mut SettingProblems) -> Option<EgressProxy> {
        let (value, file) = (self.egress_proxy.as_ref(), self.egress_proxy_file.as_ref());
        let proxy = secret("CARTWRIGHT_EGRESS_PROXY", value, file, problems)?.parse::<EgressProxy>();
        let proxy = proxy.map_err(|problem| problems.tell("CARTWRIGHT_EGRESS_PROXY", problem.to_string()));
        if self.practice {
            problems.tell(
                "CARTWRIGHT_PRACTICE",
                "the practice store is a proxy of its own, so it cannot be used together with CARTWRIGHT_EGRESS_PROXY",
            );
        }
        proxy.ok()
    }

    fn egress_roots(&self, problems: &mut SettingProblems) -> Option<Vec<u8>> {
        let path = given(self.egress_ca_file.as_ref())?;
        let holds_one =
            |pem: &[u8]| reqwest::Certificate::from_pem_bundle(pem).is_ok_and(|certificates| !certificates.is_empty());
        let problem = match std::fs::read(path).map(without_bom) {
            Ok(pem) if holds_one(&pem) => return Some(pem),
            Ok(_) => format!("{path} holds no certificate in PEM"),
            Err(error) => format!("{path} cannot be read: {error}"),
        };
        problems.tell("CARTWRIGHT_EGRESS_CA_FILE", problem);
        None
    }

    pub(super) fn egress_addresses(&self, problems: &mut SettingProblems) -> EgressAddresses {
        let addresses = EgressAddresses::parse(given(self.egress_addresses.as_ref()).unwrap_or_default());
        addresses.unwrap_or_else(|wrong| {
            for problem in wrong {
                problems.tell("CARTWRIGHT_EGRESS_ADDRESSES", problem);
            }
            EgressAddresses::default()
        })
    }

    pub(super) fn alerts(&self, egress: &Egress, problems: &mut SettingProblems) -> alerts::Transports {
        let trusted_hosts = self.trusted_hosts(problems);
        let mail = self.mail(problems).map(Into::into);
        alerts::Transports { mail, trusted_hosts, extra_roots_pem: egress.extra_roots_pem.clone() }
    }

    fn trusted_hosts(&self, problems: &mut SettingProblems) -> alerts::TrustedHosts {
        let hosts = alerts::TrustedHosts::parse(given(self.alert_hosts.as_ref()).unwrap_or_default());
        hosts.unwrap_or_else(|wrong| {
            for entry in wrong {
                let problem = format!("{entry:?} is not a name such as hooks.internal or hooks.internal:8443");
                problems.tell("CARTWRIGHT_ALERT_HOSTS", problem);
            }
            alerts::TrustedHosts::default()
        })
    }

    fn mail(&self, problems: &mut SettingProblems) -> Option<alerts::MailServer> {
        let url = secret("CARTWRIGHT_SMTP_URL", self.smtp_url.as_ref(), self.smtp_url_file.as_ref(), problems);
        if url.is_none() && given(self.smtp_url_file.as_ref()).is_some() {
            return None;
        }
        let (variable, problem) = match (url.as_deref(), given(self.mail_from.as_ref())) {
            (None, None) => return None,
            (None, Some(_)) => ("CARTWRIGHT_SMTP_URL", "it is not set, but CARTWRIGHT_MAIL_FROM is".to_owned()),
            (Some(_), None) => ("CARTWRIGHT_MAIL_FROM", "it is not set, but CARTWRIGHT_SMTP_URL is".to_owned()),
            (Some(url), Some(from)) => match alerts::MailServer::parse(url, from) {
                Ok(server) => return Some(server),
                Err(wrong @ alerts::MailServerError::From) => ("CARTWRIGHT_MAIL_FROM", format!("it {wrong}")),
                Err(wrong) => ("CARTWRIGHT_SMTP_URL", format!("it {wrong}")),
            },
        };
        problems.tell(variable, problem);
        None
    }
}

/// Removes one leading byte order mark, which would hide the first certificate.
fn without_bom(mut pem: Vec<u8>) -> Vec<u8> {
    if pem.starts_with("\u{FEFF}".as_bytes()) {
        pem.drain(.."\u{FEFF}".len());
    }
    pem
}

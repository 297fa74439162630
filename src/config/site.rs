//! Address and presentation of the server: port, public URL, product name, support address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{ReadyFlags, ServeFlags, SettingProblems, given};
use crate::proxies::TrustedProxies;

/// Default of `CARTWRIGHT_PRODUCT_NAME`.
pub const DEFAULT_PRODUCT_NAME: &str = "Order Time";

/// The URL that users open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    /// Scheme, host and port, without a trailing slash.
    pub origin: String,
    /// Expected `Host` header; `None` allows every loopback name.
    pub host: Option<String>,
    pub is_https: bool,
}

impl PublicUrl {
    /// The default public URL: the listen address, which must be a loopback address.
    fn of_port(listen: SocketAddr) -> Result<Self, &'static str> {
        if listen.ip().is_loopback() {
            return Ok(Self { origin: format!("http://{listen}"), host: None, is_https: false });
        }
        Err("it is not set, and CARTWRIGHT_LISTEN is not a loopback address; say where people reach this server")
    }

    fn parse(text: &str) -> Result<Self, &'static str> {
        let url = reqwest::Url::parse(text).map_err(|_| "it is not an address such as https://orders.example.com")?;
        let name = url.host_str().ok_or("it has no host name")?;
        if !is_origin_alone(&url) {
            return Err("it must be scheme, host and port alone, such as https://orders.example.com");
        }
        let host = url.port().map_or_else(|| name.to_owned(), |port| format!("{name}:{port}"));
        match url.scheme() {
            "https" => Ok(Self { origin: format!("https://{host}"), host: Some(host), is_https: true }),
            "http" if is_loopback(name) => {
                Ok(Self { origin: format!("http://{host}"), host: Some(host), is_https: false })
            }
            "http" => Err("it must begin with https://, or the sign-in could be read on the way"),
            _ => Err("it must begin with https://"),
        }
    }
}

fn is_origin_alone(url: &reqwest::Url) -> bool {
    url.path() == "/"
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
}

fn is_loopback(name: &str) -> bool {
    let ip: Option<IpAddr> = name.trim_matches(['[', ']']).parse().ok();
    name == "localhost" || ip.is_some_and(|ip| ip.is_loopback())
}

pub(super) fn listen_address(text: Option<&String>, problems: &mut SettingProblems) -> Option<SocketAddr> {
    address("CARTWRIGHT_LISTEN", given(text).unwrap_or("127.0.0.1:8080"), problems)
}

fn address(variable: &'static str, text: &str, problems: &mut SettingProblems) -> Option<SocketAddr> {
    let address = text
        .parse()
        .ok()
        .or_else(|| text.strip_prefix("localhost:")?.parse().ok().map(|port: u16| ([127, 0, 0, 1], port).into()));
    if address.is_none() {
        problems.tell(variable, format!("{text:?} is not an address and a port such as 127.0.0.1:8080"));
    }
    address
}

impl ReadyFlags {
    /// The address to probe: loopback if the server listens on every interface.
    pub fn check(&self) -> Result<SocketAddr, SettingProblems> {
        let mut problems = SettingProblems::default();
        let mut listen = listen_address(self.listen.as_ref(), &mut problems).ok_or(problems)?;
        match listen.ip() {
            IpAddr::V4(ip) if ip.is_unspecified() => listen.set_ip(Ipv4Addr::LOCALHOST.into()),
            IpAddr::V6(ip) if ip.is_unspecified() => listen.set_ip(Ipv6Addr::LOCALHOST.into()),
            _ => {}
        }
        Ok(listen)
    }
}

impl ServeFlags {
    pub(super) fn metrics_listen(&self, problems: &mut SettingProblems) -> Option<SocketAddr> {
        address("CARTWRIGHT_METRICS_LISTEN", given(self.metrics_listen.as_ref())?, problems)
    }

    pub(super) fn public_url(&self, listen: Option<SocketAddr>, problems: &mut SettingProblems) -> Option<PublicUrl> {
        let url = match given(self.public_url.as_ref()) {
            Some(text) => PublicUrl::parse(text),
            None => PublicUrl::of_port(listen?),
        };
        url.map_err(|problem| problems.tell("CARTWRIGHT_PUBLIC_URL", problem)).ok()
    }

    pub(super) fn trusted_proxies(&self, problems: &mut SettingProblems) -> TrustedProxies {
        let proxies = TrustedProxies::parse(given(self.trusted_proxies.as_ref()).unwrap_or_default());
        proxies.unwrap_or_else(|wrong| {
            for problem in wrong {
                problems.tell("CARTWRIGHT_TRUSTED_PROXIES", problem);
            }
            TrustedProxies::default()
        })
    }

    pub(super) fn support(&self, problems: &mut SettingProblems) -> Option<String> {
        let text = given(self.support_address.as_ref())?;
        if text.starts_with("https://") || text.starts_with("mailto:") {
            return Some(text.to_owned());
        }
        if crate::accounts::Email::parse(text).is_ok() && !text.contains(':') {
            return Some(format!("mailto:{text}"));
        }
        let problem = format!("{text:?} is neither a mail address nor an https:// link");
        problems.tell("CARTWRIGHT_SUPPORT_ADDRESS", problem);
        None
    }

    pub(super) fn product_name(&self, problems: &mut SettingProblems) -> String {
        let name = given(self.product_name.as_ref()).unwrap_or(DEFAULT_PRODUCT_NAME);
        if name.chars().count() > 40 || name.chars().any(char::is_control) {
            problems.tell("CARTWRIGHT_PRODUCT_NAME", "it must be 40 characters of plain text or fewer");
        }
        name.to_owned()
    }
}

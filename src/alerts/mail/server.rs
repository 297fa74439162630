//! Settings of the mail server and the sender. The password never appears in logs or errors.

use std::{fmt, time::Duration};

use lettre::message::Mailbox;
use reqwest::Url;
use secrecy::SecretString;

/// The operator's mail server and sender. `Display` and `Debug` omit user and password.
pub struct MailServer {
    pub(super) host: String,
    pub(super) port: u16,
    /// TLS from the first byte; otherwise STARTTLS before anything else.
    pub(super) is_wrapped: bool,
    pub(super) user: Option<(String, SecretString)>,
    pub(super) from: Mailbox,
    /// Timeout for the reply to a whole message.
    pub(super) confirm_timeout: Duration,
}

/// Error in a setting, for the operator. Continues a sentence that starts with the setting's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MailServerError {
    #[error(
        "must be smtps://user:password@host:465 or smtp://user:password@host:587?tls=required; mail is sent encrypted only"
    )]
    Shape,
    #[error("must have user:password before the @; write characters such as @ : / % as %40 %3A %2F %25")]
    User,
    #[error("must be a mail address such as alerts@orders.example.com, or Order Time <alerts@orders.example.com>")]
    From,
}

impl MailServer {
    /// # Errors
    /// The setting cannot be parsed.
    pub fn parse(url: &str, from: &str) -> Result<Self, MailServerError> {
        use MailServerError::{From, Shape};
        let from =
            Some(from).filter(|from| from.bytes().all(|b| b == b' ' || b.is_ascii_graphic()) && from.len() < 255);
        let from: Mailbox = from.and_then(|from| from.parse().ok()).ok_or(From)?;
        let url = Url::parse(url).map_err(|_| Shape)?;
        let is_wrapped = match (url.scheme(), url.query()) {
            ("smtps", None) => true,
            ("smtp", Some("tls=required")) => false,
            _ => return Err(Shape),
        };
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or(Shape)?;
        if !matches!(url.path(), "" | "/") || url.fragment().is_some() {
            return Err(Shape);
        }
        let user = match (url.username(), url.password()) {
            ("", None) => None,
            ("", Some(_)) | (_, None) => return Err(MailServerError::User),
            (user, Some(password)) => Some((decoded(user)?, decoded(password)?.into())),
        };
        let port = url.port().unwrap_or(if is_wrapped { 465 } else { 587 });
        Ok(Self {
            host: host.trim_matches(['[', ']']).to_owned(),
            port,
            is_wrapped,
            user,
            from,
            confirm_timeout: super::CONFIRM_TIMEOUT,
        })
    }

    /// Replaces the timeout for the reply to a whole message.
    #[must_use]
    pub const fn with_confirm_timeout(mut self, timeout: Duration) -> Self {
        self.confirm_timeout = timeout;
        self
    }
}

/// Percent-decodes text. Rejects control characters.
fn decoded(text: &str) -> Result<String, MailServerError> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let digit = |b: Option<u8>| b.and_then(|b| char::from(b).to_digit(16)).and_then(|d| u8::try_from(d).ok());
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'%' => digit(bytes.next())
                .zip(digit(bytes.next()))
                .map(|(high, low)| high << 4 | low)
                .ok_or(MailServerError::User)?,
            byte => byte,
        });
    }
    let text = String::from_utf8(decoded).map_err(|_| MailServerError::User)?;
    if text.chars().any(char::is_control) { Err(MailServerError::User) } else { Ok(text) }
}

impl fmt::Display for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MailServer({self}, password: {})", if self.user.is_some() { "kept" } else { "none" })
    }
}

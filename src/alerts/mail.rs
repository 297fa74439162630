//! Mail by SMTP, always inside of TLS: a server that does not offer it gets neither password nor message. Of a server's refusal
//! only its number is told.

mod server;

use std::fmt;
use std::sync::Arc;

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::Credentials,
        client::{Certificate, CertificateStore, Tls, TlsParameters},
        extension::ClientId,
    },
};
use reqwest::Url;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

pub use server::{MailServer, MailServerError};

use super::{LONGEST_CALL, Recipient, letter::Letter};
use crate::outbound::tls;

/// Where a message stands among others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Thread {
    /// Without angle brackets; the same for each retry.
    pub id: String,
    /// The message that this one goes on from.
    pub goes_on_from: Option<String>,
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotTaken {
    /// Goes on after "the mail server".
    pub phrase: String,
    /// The address itself is refused, so trying again changes nothing.
    pub is_for_good: bool,
}

/// Sends mail.
pub(super) struct Mail {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    /// The right half of our message ids, and the name that we greet with.
    host: String,
}

impl Mail {
    pub fn new(server: &Arc<MailServer>, origin: &str, extra_roots_pem: Option<&[u8]>) -> anyhow::Result<Self> {
        let mut parameters =
            TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        for root in tls::extra_roots(extra_roots_pem)? {
            parameters = parameters.add_root_certificate(Certificate::from_der(root.to_vec())?);
        }
        let parameters = parameters.build_rustls()?;
        let tls = if server.is_wrapped { Tls::Wrapper(parameters) } else { Tls::Required(parameters) };
        let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "localhost".to_owned()).trim_matches(['[', ']']).to_owned();
        let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host.clone())
            .port(server.port)
            .tls(tls)
            .timeout(Some(LONGEST_CALL))
            .hello_name(ClientId::Domain(host.clone()));
        if let Some((user, password)) = &server.user {
            builder = builder.credentials(Credentials::new(user.clone(), password.expose_secret().to_owned()));
        }
        Ok(Self { transport: builder.build(), from: server.from.clone(), host })
    }

    /// The id of a message, without angle brackets.
    pub fn id_of(&self, first: uuid::Uuid) -> String {
        format!("{}@{}", first.as_simple(), self.host)
    }

    /// Sends one message to one address; ends within 10 s.
    pub async fn send(&self, to: &str, letter: &Letter, thread: &Thread, now: OffsetDateTime) -> Result<(), NotTaken> {
        let message = self.message(to, letter, thread, now);
        let (envelope, bytes) = message.ok_or_else(|| NotTaken {
            phrase: "was not asked: the address cannot be written".into(),
            is_for_good: true,
        })?;
        match tokio::time::timeout(LONGEST_CALL, self.transport.send_raw(&envelope, &bytes)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(NotTaken::of(&error)),
            Err(_) => Err(NotTaken { phrase: "did not answer in 10 seconds".into(), is_for_good: false }),
        }
    }

    fn message(&self, to: &str, letter: &Letter, thread: &Thread, now: OffsetDateTime) -> Option<(Envelope, Vec<u8>)> {
        let to: Address = Recipient::parse(to)?.as_str().parse().ok()?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .date(now.into())
            .subject(super::letter::one_line(&letter.subject))
            .message_id(Some(format!("<{}>", thread.id)))
            .raw_header(automatic)
            .header(ContentType::TEXT_PLAIN);
        if let Some(before) = &thread.goes_on_from {
            builder = builder.in_reply_to(format!("<{before}>")).references(format!("<{before}>"));
        }
        let message = builder.body(letter.text.clone()).ok()?;
        let envelope = Envelope::new(Some(self.from.email.clone()), vec![to]).ok()?;
        Some((envelope, message.formatted()))
    }
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail")
    }
}

impl NotTaken {
    /// A server's own words may quote what it was sent, so only its number is kept.
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        let code = error.status().map(u16::from);
        let phrase = match code {
            Some(code @ 530..=539) => format!("did not accept our user name and password ({code})"),
            Some(code) => format!("refused the message ({code})"),
            None if error.is_timeout() => "did not answer in 10 seconds".into(),
            None if error.is_tls() => "could not be spoken to securely".into(),
            // lettre says so when STARTTLS is required and not offered, and when no way to sign in is.
            None if error.is_client() => "does not offer what we need (TLS, or signing in with a password)".into(),
            None => "could not be reached".into(),
        };
        let is_for_good = code.is_some_and(|code| matches!(code, 500..=599) && !matches!(code, 530..=539));
        Self { phrase, is_for_good }
    }
}

#[cfg(test)]
mod tests;

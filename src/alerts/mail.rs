//! Sends e-mail by SMTP, always over TLS: a server without TLS gets neither the password nor the message. Only the
//! reply code of a server's error is reported.

mod server;

use std::{fmt, sync::Arc, time::Duration};

use lettre::{
    Address, Message,
    address::Envelope,
    message::{
        Mailbox,
        header::{ContentType, HeaderName, HeaderValue},
    },
    transport::smtp::{
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands,
        extension::ClientId,
    },
};
use reqwest::Url;
use secrecy::ExposeSecret;
use time::OffsetDateTime;

pub use server::{MailServer, MailServerError};

use super::{CALL_TIMEOUT, Recipient, email_text::EmailText};
use crate::outbound::tls;

/// Timeout for the reply to the final dot. A server that is slow at this point already has the message, and
/// disconnecting causes a duplicate. RFC 5321, section 4.5.3.2.6, recommends ten minutes; the delivery lease allows
/// less.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(90);
/// The same timeout while a user waits for the result.
pub(super) const TEST_CONFIRM_TIMEOUT: Duration = Duration::from_secs(25);
/// Timeout for the reply to QUIT; a missing reply does not affect the message.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

/// Message ID and thread of an e-mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct EmailThread {
    /// Message ID without angle brackets; the same for each retry.
    pub id: String,
    /// The message that this one replies to.
    pub goes_on_from: Option<String>,
}

/// Why a message was not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EmailRefused {
    /// Phrase that continues a sentence starting with "the mail server".
    pub phrase: String,
    pub kind: EmailRefusedKind,
}

/// What a failure means for the next attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EmailRefusedKind {
    /// Nothing was delivered, and the next attempt may succeed.
    Transient,
    /// The address itself is rejected; a retry would be rejected as well.
    Permanent,
    /// The whole message was sent but not confirmed: it may have arrived.
    Uncertain,
}

/// Sends e-mail.
pub(super) struct Mail {
    server: Arc<MailServer>,
    tls: TlsParameters,
    from: Mailbox,
    /// The domain used in our message IDs and our EHLO.
    host: String,
}

impl Mail {
    pub fn new(server: &Arc<MailServer>, origin: &str, extra_roots_pem: Option<&[u8]>) -> anyhow::Result<Self> {
        let mut parameters =
            TlsParameters::builder(server.host.clone()).certificate_store(CertificateStore::WebpkiRoots);
        for root in tls::extra_roots(extra_roots_pem)? {
            parameters = parameters.add_root_certificate(Certificate::from_der(root.to_vec())?);
        }
        let tls = parameters.build_rustls()?;
        let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "localhost".to_owned()).trim_matches(['[', ']']).to_owned();
        Ok(Self { server: server.clone(), tls, from: server.from.clone(), host })
    }

    /// The message ID of a delivery, without angle brackets.
    pub fn id_of(&self, first: uuid::Uuid) -> String {
        format!("{}@{}", first.as_simple(), self.host)
    }

    /// Sends one message to one address. Takes at most 10 s until the server asks for the message, and at most
    /// `confirm` until it accepts it.
    pub async fn send(
        &self,
        to: &str,
        letter: &EmailText,
        thread: &EmailThread,
        now: OffsetDateTime,
        confirm: Duration,
    ) -> Result<(), EmailRefused> {
        let message = self.message(to, letter, thread, now);
        let (envelope, bytes) = message.ok_or_else(|| EmailRefused {
            phrase: "was not asked: the address cannot be written".into(),
            kind: EmailRefusedKind::Permanent,
        })?;
        let mut connection = match tokio::time::timeout(CALL_TIMEOUT, self.prepare(&envelope)).await {
            Ok(prepared) => prepared.map_err(|error| EmailRefused::of(&error))?,
            Err(_) => return Err(EmailRefused::transient("did not answer in 10 seconds")),
        };
        let confirm = confirm.min(self.server.confirm_timeout);
        let taken = tokio::time::timeout(confirm, connection.message(&bytes)).await;
        let outcome = match taken {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.status().is_some() => Err(EmailRefused::of(&error)),
            Ok(Err(_)) => Err(EmailRefused::uncertain("closed the connection without confirming the message")),
            Err(_) => {
                let seconds = confirm.as_secs().max(1);
                return Err(EmailRefused::uncertain(&format!("did not confirm the message in {seconds} seconds")));
            }
        };
        tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await.ok();
        outcome
    }

    /// Connects, authenticates, sends sender and recipient, and waits until the server asks for the message.
    async fn prepare(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let MailServer { host, port, is_wrapped, user, .. } = &*self.server;
        let hello = ClientId::Domain(self.host.clone());
        let tls = is_wrapped.then(|| self.tls.clone());
        let address = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(CALL_TIMEOUT), &hello, tls, None).await?;
        if !is_wrapped {
            connection.starttls(self.tls.clone(), &hello).await?;
        }
        if let Some((user, password)) = user {
            let credentials = Credentials::new(user.clone(), password.expose_secret().to_owned());
            connection.auth(DEFAULT_MECHANISMS, &credentials).await?;
        }
        let asked = Self::ask(&mut connection, envelope).await;
        if asked.is_err() {
            tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await.ok();
        }
        asked.map(|()| connection)
    }

    async fn ask(
        connection: &mut AsyncSmtpConnection,
        envelope: &Envelope,
    ) -> Result<(), lettre::transport::smtp::Error> {
        connection.command(commands::Mail::new(envelope.from().cloned(), Vec::new())).await?;
        for to in envelope.to() {
            connection.command(commands::Rcpt::new(to.clone(), Vec::new())).await?;
        }
        connection.command(commands::Data).await.map(drop)
    }

    fn message(
        &self,
        to: &str,
        letter: &EmailText,
        thread: &EmailThread,
        now: OffsetDateTime,
    ) -> Option<(Envelope, Vec<u8>)> {
        let to: Address = Recipient::parse(to)?.as_str().parse().ok()?;
        let automatic = HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".into());
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to.clone()))
            .date(now.into())
            .subject(super::email_text::one_line(&letter.subject))
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

impl EmailRefused {
    /// Keeps only the reply code, because the reply text may quote what was sent.
    fn of(error: &lettre::transport::smtp::Error) -> Self {
        let code = error.status().map(u16::from);
        let phrase = match code {
            Some(code @ 530..=539) => format!("did not accept our user name and password ({code})"),
            Some(code @ 400..=499) => format!("did not take the message for now ({code})"),
            Some(code) => format!("refused the message ({code})"),
            None if error.is_timeout() => "did not answer in 10 seconds".into(),
            None if error.is_tls() => "could not be spoken to securely".into(),
            // lettre returns this error if STARTTLS is required but not offered, or if no supported authentication is
            // offered.
            None if error.is_client() => "does not offer what we need (TLS, or signing in with a password)".into(),
            None => "could not be reached".into(),
        };
        let is_permanent = code.is_some_and(|code| matches!(code, 500..=599) && !matches!(code, 530..=539));
        Self { phrase, kind: if is_permanent { EmailRefusedKind::Permanent } else { EmailRefusedKind::Transient } }
    }

    fn transient(phrase: &str) -> Self {
        Self { phrase: phrase.to_owned(), kind: EmailRefusedKind::Transient }
    }

    fn uncertain(what: &str) -> Self {
        Self { phrase: format!("{what}, so it may have arrived"), kind: EmailRefusedKind::Uncertain }
    }
}

#[cfg(test)]
mod tests;

//! Mail by SMTP, always inside of TLS: a server that does not offer it gets neither password nor message. Of a server's refusal
//! only its number is told.

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

use super::{LONGEST_CALL, Recipient, letter::Letter};
use crate::outbound::tls;

/// Longest wait behind the final dot. A server that is slow there has the message already, and a client that hangs up sends it
/// twice: RFC 5321, section 4.5.3.2.6, asks for ten minutes; the lease of a delivery allows less.
pub(super) const CONFIRM_TIMEOUT: Duration = Duration::from_secs(90);
/// The same while a person waits for the answer.
pub(super) const TEST_CONFIRM_TIMEOUT: Duration = Duration::from_secs(25);
/// Longest wait for the answer to QUIT, which changes nothing any more.
const QUIT_TIMEOUT: Duration = Duration::from_secs(1);

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
    pub kind: NotTakenKind,
}

/// What a failure means for the next try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotTakenKind {
    /// Nothing was delivered, and the next try may succeed.
    Transient,
    /// The address itself is refused, so trying again changes nothing.
    Permanent,
    /// The whole message was sent and not answered: it may have arrived.
    Uncertain,
}

/// Sends mail.
pub(super) struct Mail {
    server: Arc<MailServer>,
    tls: TlsParameters,
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
        let tls = parameters.build_rustls()?;
        let host = Url::parse(origin).ok().and_then(|url| url.host_str().map(str::to_owned));
        let host = host.unwrap_or_else(|| "localhost".to_owned()).trim_matches(['[', ']']).to_owned();
        Ok(Self { server: server.clone(), tls, from: server.from.clone(), host })
    }

    /// The id of a message, without angle brackets.
    pub fn id_of(&self, first: uuid::Uuid) -> String {
        format!("{}@{}", first.as_simple(), self.host)
    }

    /// Sends one message to one address: 10 s until the server asks for it, and `confirm` at most until it has taken it.
    pub async fn send(
        &self,
        to: &str,
        letter: &Letter,
        thread: &Thread,
        now: OffsetDateTime,
        confirm: Duration,
    ) -> Result<(), NotTaken> {
        let message = self.message(to, letter, thread, now);
        let (envelope, bytes) = message.ok_or_else(|| NotTaken {
            phrase: "was not asked: the address cannot be written".into(),
            kind: NotTakenKind::Permanent,
        })?;
        let mut connection = match tokio::time::timeout(LONGEST_CALL, self.prepare(&envelope)).await {
            Ok(prepared) => prepared.map_err(|error| NotTaken::of(&error))?,
            Err(_) => return Err(NotTaken::transient("did not answer in 10 seconds")),
        };
        let confirm = confirm.min(self.server.confirm_timeout);
        let taken = tokio::time::timeout(confirm, connection.message(&bytes)).await;
        let outcome = match taken {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if error.status().is_some() => Err(NotTaken::of(&error)),
            Ok(Err(_)) => Err(NotTaken::uncertain("closed the connection without confirming the message")),
            Err(_) => {
                let seconds = confirm.as_secs().max(1);
                return Err(NotTaken::uncertain(&format!("did not confirm the message in {seconds} seconds")));
            }
        };
        tokio::time::timeout(QUIT_TIMEOUT, connection.quit()).await.ok();
        outcome
    }

    /// Connects, signs in and names sender and recipient, until the server asks for the message itself.
    async fn prepare(&self, envelope: &Envelope) -> Result<AsyncSmtpConnection, lettre::transport::smtp::Error> {
        let MailServer { host, port, is_wrapped, user, .. } = &*self.server;
        let hello = ClientId::Domain(self.host.clone());
        let tls = is_wrapped.then(|| self.tls.clone());
        let address = (host.as_str(), *port);
        let mut connection =
            AsyncSmtpConnection::connect_tokio1(address, Some(LONGEST_CALL), &hello, tls, None).await?;
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
            Some(code @ 400..=499) => format!("did not take the message for now ({code})"),
            Some(code) => format!("refused the message ({code})"),
            None if error.is_timeout() => "did not answer in 10 seconds".into(),
            None if error.is_tls() => "could not be spoken to securely".into(),
            // lettre says so when STARTTLS is required and not offered, and when no way to sign in is.
            None if error.is_client() => "does not offer what we need (TLS, or signing in with a password)".into(),
            None => "could not be reached".into(),
        };
        let is_permanent = code.is_some_and(|code| matches!(code, 500..=599) && !matches!(code, 530..=539));
        Self { phrase, kind: if is_permanent { NotTakenKind::Permanent } else { NotTakenKind::Transient } }
    }

    fn transient(phrase: &str) -> Self {
        Self { phrase: phrase.to_owned(), kind: NotTakenKind::Transient }
    }

    fn uncertain(what: &str) -> Self {
        Self { phrase: format!("{what}, so it may have arrived"), kind: NotTakenKind::Uncertain }
    }
}

#[cfg(test)]
mod tests;

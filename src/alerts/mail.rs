//! Mail by SMTP, always inside of TLS: a server that does not offer it gets neither password nor message. The password is a
//! secret in logs and errors; of a server's refusal only its number is told.

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
use secrecy::{ExposeSecret, SecretString};
use time::OffsetDateTime;

use super::{LONGEST_CALL, Recipient, letter::Letter};
use crate::outbound::tls;

/// The operator's mail server and sender. `Display` and `Debug` leave user and password out.
pub struct MailServer {
    host: String,
    port: u16,
    /// TLS from the first byte; otherwise STARTTLS before anything else.
    is_wrapped: bool,
    user: Option<(String, SecretString)>,
    from: Mailbox,
}

/// What is wrong with a setting, in words for the operator; goes on after the setting's name.
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
    /// The setting of the server cannot be read.
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
        Ok(Self { host: host.trim_matches(['[', ']']).to_owned(), port, is_wrapped, user, from })
    }
}

/// Percent-decoded, and fit to be sent as one line.
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
mod tests {
    use time::macros::datetime;

    use super::*;

    fn server(url: &str) -> Result<MailServer, MailServerError> {
        MailServer::parse(url, "Order Time <alerts@orders.example.com>")
    }

    #[test]
    fn a_server_is_understood_and_its_password_never_shown() {
        let wrapped = server("smtps://sam%40acme:c%40nary@mail.example.com").expect("fine");
        assert_eq!((wrapped.to_string().as_str(), wrapped.is_wrapped), ("mail.example.com:465", true));
        let (user, password) = wrapped.user.as_ref().expect("a user");
        assert_eq!((user.as_str(), password.expose_secret()), ("sam@acme", "c@nary"));
        let started = server("smtp://sam:canary@mail.example.com:2525?tls=required").expect("fine");
        assert_eq!((started.to_string().as_str(), started.is_wrapped), ("mail.example.com:2525", false));
        let mail = Mail::new(&Arc::new(started), "https://orders.example.com", None).expect("a transport");
        let printed = format!("{wrapped:?} {mail:?}");
        assert!(!printed.contains("nary") && !printed.contains("sam"), "{printed}");
    }

    #[test]
    fn mail_is_never_sent_in_clear_and_no_sentence_has_the_password() {
        use MailServerError::{From, Shape, User};
        for (url, error) in [
            ("smtp://sam:canary@mail.example.com", Shape),
            ("smtp://sam:canary@mail.example.com?tls=opportunistic", Shape),
            ("smtp://sam:canary@mail.example.com?tls=required&x=1", Shape),
            ("https://sam:canary@mail.example.com", Shape),
            ("mail.example.com:25", Shape),
            ("smtps://sam:canary@mail.example.com/inbox", Shape),
            ("smtps://", Shape),
            ("smtps://canary@mail.example.com", User),
            ("smtps://sam:canary%0d%0aRSET@mail.example.com", User),
            ("smtps://sam:canary%4@mail.example.com", User),
        ] {
            let found = server(url).expect_err(url);
            assert_eq!(found, error, "{url}");
            assert!(!format!("{found} {found:?}").contains("canary"));
        }
        for from in ["", "alerts", "a@b\r\nBcc: x@y", "Ordér <alerts@orders.example.com>"] {
            assert_eq!(MailServer::parse("smtps://mail.example.com", from).map(drop), Err(From), "{from:?}");
        }
    }

    #[test]
    fn a_name_with_a_line_end_becomes_no_header() {
        let mail =
            Mail::new(&Arc::new(server("smtps://mail.example.com").expect("fine")), "http://127.0.0.1:8080", None);
        let mail = mail.expect("a transport");
        let letter = Letter { subject: "Tea\r\nBcc: evil@example.com\r\n\r\nx".into(), text: "Hello.\nBye.".into() };
        let thread = Thread { id: "a@b".into(), goes_on_from: Some("c@d".into()) };
        let at = datetime!(2026-11-21 08:54:40 UTC);
        let (_, bytes) = mail.message("priya@northwind.example", &letter, &thread, at).expect("a message");
        let text = String::from_utf8(bytes).expect("ASCII");
        let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
        for line in [
            "To: priya@northwind.example",
            "Subject: Tea Bcc: evil@example.com x",
            "Message-ID: <a@b>",
            "In-Reply-To: <c@d>",
            "References: <c@d>",
            "Auto-Submitted: auto-generated",
            "Content-Type: text/plain; charset=utf-8",
            "Date: Sat, 21 Nov 2026 08:54:40 +0000",
        ] {
            assert!(head.lines().any(|found| found == line), "{line} in {head}");
        }
        assert_eq!(body.trim_end(), "Hello.\r\nBye.");
        for to in ["a@b\r\nRCPT TO:<x@y>", "a", ""] {
            assert!(mail.message(to, &letter, &thread, at).is_none(), "{to:?}");
        }
    }
}

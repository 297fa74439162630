//! A mail server that accepts everything and delivers nothing: a real SMTP session on loopback, with STARTTLS or
//! implicit TLS.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufStream},
    net::TcpListener,
};

use super::tls::Localhost;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Implicit TLS.
    Wrapped,
    StartTls,
    /// No TLS.
    Clear,
}

/// An accepted message.
#[derive(Clone, Debug)]
pub struct Mail {
    pub from: String,
    pub to: String,
    /// Headers and body, dot-unstuffed.
    pub text: String,
}

impl Mail {
    /// The value of a header, unfolded.
    #[track_caller]
    pub fn header(&self, name: &str) -> String {
        let head = self.text.split("\r\n\r\n").next().unwrap_or_default().replace("\r\n ", " ");
        let prefix = format!("{name}: ");
        let mut found = head.lines().filter_map(|line| line.strip_prefix(&prefix));
        let value = found.next().unwrap_or_else(|| panic!("no {name} in {head}")).to_owned();
        assert_eq!(found.next(), None, "{name} twice in {head}");
        value
    }

    pub fn has_header(&self, name: &str) -> bool {
        self.text
            .split("\r\n\r\n")
            .next()
            .unwrap_or_default()
            .lines()
            .any(|line| line.starts_with(&format!("{name}: ")))
    }

    /// The body, decoded from quoted-printable if needed.
    pub fn body(&self) -> String {
        let body = self.text.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default();
        body.replace("=\r\n", "").replace("=3D", "=").replace("\r\n", "\n").trim_end().to_owned()
    }
}

#[derive(Default)]
struct State {
    taken: Vec<Mail>,
    /// Lines received before TLS was established.
    in_clear: Vec<String>,
    /// `user:password` of each sign-in.
    signed_in: Vec<String>,
    /// Recipients that are refused, with the reply code.
    refuses: Vec<(String, u16)>,
    after_dot: AfterDot,
}

/// Behaviour after the final dot of a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AfterDot {
    #[default]
    Taken,
    /// Keep the message and never reply.
    Silence,
    /// Keep the message and close the connection.
    Closed,
    /// Reply with this code.
    Refused(u16),
}

#[derive(Clone)]
pub struct MailServer {
    pub port: u16,
    pub ca_pem: String,
    speaks: Speaks,
    state: Arc<Mutex<State>>,
}

impl MailServer {
    pub async fn start(speaks: Speaks) -> Self {
        let (listener, localhost) = (TcpListener::bind("127.0.0.1:0").await.expect("a port"), Localhost::new());
        let port = listener.local_addr().expect("an address").port();
        let server = Self { port, ca_pem: localhost.ca_pem.clone(), speaks, state: Arc::default() };
        let mine = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, mine) = (localhost.acceptor.clone(), mine.clone());
                tokio::spawn(async move {
                    if speaks == Speaks::Wrapped {
                        let Ok(stream) = acceptor.accept(stream).await else { return };
                        mine.talk(&mut BufStream::new(stream), true).await.ok();
                        return;
                    }
                    let mut stream = BufStream::new(stream);
                    if let Ok(true) = mine.talk(&mut stream, false).await {
                        let Ok(stream) = acceptor.accept(stream.into_inner()).await else { return };
                        mine.talk(&mut BufStream::new(stream), true).await.ok();
                    }
                });
            }
        });
        server
    }

    /// The `CARTWRIGHT_SMTP_URL` of this server.
    pub fn url(&self) -> String {
        match self.speaks {
            Speaks::Wrapped => format!("smtps://sam:{}@localhost:{}", self.password(), self.port),
            _ => format!("smtp://sam:{}@localhost:{}?tls=required", self.password(), self.port),
        }
    }

    pub fn password(&self) -> String {
        format!("mail-canary-{}", self.port)
    }

    pub fn taken(&self) -> Vec<Mail> {
        self.state.lock().expect("not poisoned").taken.clone()
    }

    pub fn in_clear(&self) -> String {
        self.state.lock().expect("not poisoned").in_clear.join("\n")
    }

    pub fn signed_in(&self) -> Vec<String> {
        self.state.lock().expect("not poisoned").signed_in.clone()
    }

    pub fn refuse(&self, address: &str, code: u16) {
        self.state.lock().expect("not poisoned").refuses.push((address.to_owned(), code));
    }

    pub fn after_dot(&self, what: AfterDot) {
        self.state.lock().expect("not poisoned").after_dot = what;
    }

    pub fn accept_all(&self) {
        let mut state = self.state.lock().expect("not poisoned");
        state.refuses.clear();
        state.after_dot = AfterDot::Taken;
    }

    /// Handles one session; returns true to continue with TLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufStream<S>,
        in_tls: bool,
    ) -> std::io::Result<bool> {
        if in_tls && self.speaks == Speaks::StartTls {
            // No second greeting after STARTTLS.
        } else {
            say(stream, "220 localhost").await?;
        }
        let (mut from, mut to) = (String::new(), String::new());
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(false);
            }
            let line = line.trim_end().to_owned();
            if !in_tls {
                self.state.lock().expect("not poisoned").in_clear.push(line.clone());
            }
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let offer = if in_tls { "250 AUTH PLAIN" } else { "250 STARTTLS" };
                    let offer = if self.speaks == Speaks::Clear { "250 AUTH PLAIN" } else { offer };
                    say(stream, &format!("250-localhost\r\n{offer}")).await?;
                }
                "STARTTLS" => {
                    say(stream, "220 go on").await?;
                    return Ok(true);
                }
                "AUTH" => {
                    let plain = STANDARD.decode(line.rsplit(' ').next().unwrap_or_default()).unwrap_or_default();
                    let plain = String::from_utf8_lossy(&plain).trim_start_matches('\0').replace('\0', ":");
                    let is_right = plain == format!("sam:{}", self.password());
                    self.state.lock().expect("not poisoned").signed_in.push(plain);
                    say(stream, if is_right { "235 welcome" } else { "535 no" }).await?;
                }
                "MAIL" => {
                    from = between(&line);
                    say(stream, "250 fine").await?;
                }
                "RCPT" => {
                    to = between(&line);
                    let refused = self.state.lock().expect("not poisoned").refuses.clone();
                    match refused.iter().find(|(address, _)| *address == to) {
                        Some((_, code)) => say(stream, &format!("{code} no such {to}")).await?,
                        None => say(stream, "250 fine").await?,
                    }
                }
                "DATA" => {
                    say(stream, "354 go on").await?;
                    let mut text = String::new();
                    loop {
                        let mut line = String::new();
                        if stream.read_line(&mut line).await? == 0 {
                            return Ok(false);
                        }
                        if line == ".\r\n" {
                            break;
                        }
                        text.push_str(line.strip_prefix("..").map_or(line.as_str(), |_| &line[1..]));
                    }
                    let mail = Mail { from: from.clone(), to: to.clone(), text };
                    let after_dot = {
                        let mut state = self.state.lock().expect("not poisoned");
                        state.taken.push(mail);
                        state.after_dot
                    };
                    match after_dot {
                        AfterDot::Taken => say(stream, "250 taken").await?,
                        AfterDot::Refused(code) => say(stream, &format!("{code} no")).await?,
                        AfterDot::Silence => std::future::pending().await,
                        AfterDot::Closed => return Ok(false),
                    }
                }
                "QUIT" => {
                    say(stream, "221 bye").await?;
                    return Ok(false);
                }
                _ => say(stream, "250 fine").await?,
            }
        }
    }
}

fn between(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap_or_default().to_owned()
}

async fn say<S: AsyncWrite + AsyncRead + Unpin>(stream: &mut BufStream<S>, words: &str) -> std::io::Result<()> {
    stream.write_all(format!("{words}\r\n").as_bytes()).await?;
    stream.flush().await
}

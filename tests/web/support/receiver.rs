//! A webhook receiver: a real TLS server on loopback that records calls and replies as configured.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use super::tls::Localhost;

/// How the next call is answered; 200 by default.
#[derive(Clone, Debug)]
pub enum Reply {
    Status(u16),
    Redirect(u16, String),
    /// 200 and an endless body.
    Endless,
    /// No response.
    Silent,
}

/// One recorded call.
#[derive(Clone, Debug)]
pub struct Heard {
    pub line: String,
    /// Header names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Heard {
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {self:?}"))
    }

    #[track_caller]
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

#[derive(Clone)]
pub struct Receiver {
    pub port: u16,
    pub ca_pem: String,
    heard: Arc<Mutex<Vec<Heard>>>,
    replies: Arc<Mutex<VecDeque<Reply>>>,
    arrived: Arc<tokio::sync::Notify>,
}

impl Receiver {
    pub async fn start() -> Self {
        Self::start_as(Localhost::new()).await
    }

    pub async fn start_as(localhost: Localhost) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let receiver = Self {
            port: listener.local_addr().expect("an address").port(),
            ca_pem: localhost.ca_pem.clone(),
            heard: Arc::default(),
            replies: Arc::default(),
            arrived: Arc::default(),
        };
        let mine = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (acceptor, mine) = (localhost.acceptor.clone(), mine.clone());
                tokio::spawn(async move {
                    if let Ok(stream) = acceptor.accept(stream).await {
                        mine.serve(stream).await.ok();
                    }
                });
            }
        });
        receiver
    }

    /// The receiver's own secret, which it expects in the path.
    pub const KEY: &str = "receiver-key-5c1e9a04b7d84f3ab2c6e1f0";

    pub fn address(&self) -> String {
        format!("https://localhost:{}/hooks/{}", self.port, Self::KEY)
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.heard.lock().expect("not poisoned").clone()
    }

    pub fn will(&self, replies: impl IntoIterator<Item = Reply>) {
        self.replies.lock().expect("the replies").extend(replies);
    }

    /// Waits for the next call.
    pub async fn next(&self) {
        self.arrived.notified().await;
    }

    async fn serve(&self, mut stream: tokio_rustls::server::TlsStream<tokio::net::TcpStream>) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        let end = loop {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).await?;
            bytes.extend_from_slice(&part[..read]);
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if read == 0 {
                return Ok(());
            }
        };
        let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
        let mut lines = head.lines();
        let line = lines.next().unwrap_or_default().to_owned();
        let headers: BTreeMap<String, String> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        let length: usize = headers.get("content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
        let mut body = bytes[end + 4..].to_vec();
        while body.len() < length {
            let mut part = [0; 4096];
            let read = stream.read(&mut part).await?;
            body.extend_from_slice(&part[..read]);
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        self.heard.lock().expect("not poisoned").push(Heard { line, headers, body });
        self.arrived.notify_one();
        let reply = self.replies.lock().expect("the replies").pop_front().unwrap_or(Reply::Status(200));
        match reply {
            Reply::Status(status) => {
                let answer = format!("HTTP/1.1 {status} Well\r\ncontent-length: 5\r\n\r\nhello");
                stream.write_all(answer.as_bytes()).await?;
            }
            Reply::Redirect(status, to) => {
                let answer = format!("HTTP/1.1 {status} There\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n");
                stream.write_all(answer.as_bytes()).await?;
            }
            Reply::Endless => {
                stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
                while stream.write_all(&[b'x'; 4096]).await.is_ok() {}
            }
            Reply::Silent => std::future::pending::<()>().await,
        }
        stream.shutdown().await
    }
}

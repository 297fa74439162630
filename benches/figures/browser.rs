//! A connection that is kept alive between requests, so that a benchmark measures the server and not the connecting.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::kit::http::{self, Answer, Cookies};

/// One keep-alive connection.
pub struct Browser {
    stream: TcpStream,
    address: SocketAddr,
    pub cookies: Cookies,
    read: Vec<u8>,
}

impl Browser {
    pub async fn open(address: SocketAddr, cookies: &str) -> anyhow::Result<Self> {
        Self::open_from(Ipv4Addr::LOCALHOST, address, cookies).await
    }

    /// Connects from the given loopback address.
    pub async fn open_from(from: Ipv4Addr, address: SocketAddr, cookies: &str) -> anyhow::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket.connect(address).await?;
        stream.set_nodelay(true)?;
        let cookies = cookies.split("; ").filter_map(|one| one.split_once('='));
        let cookies = Cookies(cookies.map(|(name, value)| (name.to_owned(), value.to_owned())).collect());
        Ok(Self { stream, address, cookies, read: Vec::with_capacity(64 << 10) })
    }

    /// Serializes a request.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let (address, cookies) = (self.address, self.cookies.line());
        let body = match method {
            "POST" => format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            ),
            _ => "\r\n".to_owned(),
        };
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookies}\r\n{headers}{body}").into_bytes()
    }

    pub async fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        let request = self.request("GET", path, "", "");
        self.send(&request).await
    }

    /// Posts a form and stores the cookies of the response.
    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
        let request = self.request("POST", path, "", &serde_urlencoded::to_string(fields)?);
        let answer = self.send(&request).await?;
        self.keep_cookies(&answer);
        Ok(answer)
    }

    pub fn keep_cookies(&mut self, answer: &Answer) {
        self.cookies.keep(answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    }

    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        let began = Instant::now();
        self.stream.write_all(request).await?;
        self.read.clear();
        loop {
            let count = self.stream.read_buf(&mut self.read).await?;
            ensure!(count > 0, "the server closed the connection");
            if let Some(answer) = http::parse(&self.read, began.elapsed()) {
                return Ok(answer);
            }
        }
    }
}

/// Returns the value of the hidden field `name` in a page, or of any attribute that follows it.
pub fn hidden<'a>(page: &'a str, name: &str) -> anyhow::Result<&'a str> {
    let (_, rest) =
        page.split_once(&format!("name=\"{name}\" value=\"")).with_context(|| format!("no field {name}"))?;
    Ok(rest.split('"').next().unwrap_or_default())
}

/// Requests one page repeatedly over several connections and returns the latency of each response.
pub async fn load(
    address: SocketAddr,
    request: Arc<Vec<u8>>,
    clients: usize,
    time: Duration,
) -> anyhow::Result<Vec<Duration>> {
    let end = Instant::now() + time;
    let clients: Vec<_> = (0..clients)
        .map(|_| {
            let request = Arc::clone(&request);
            tokio::spawn(async move {
                let mut browser = Browser::open(address, "").await?;
                let mut times = Vec::new();
                while Instant::now() < end {
                    let began = Instant::now();
                    let answer = browser.send(&request).await?;
                    ensure!(answer.status == 200, "{answer:?}");
                    times.push(began.elapsed());
                }
                Ok(times)
            })
        })
        .collect();
    let mut all = Vec::new();
    for client in clients {
        all.extend(client.await??);
    }
    Ok(all)
}

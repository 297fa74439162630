//! A minimal HTTP/1.1 client, so that a benchmark measures the server: keep-alive, no parsing beyond the end of the
//! response. Handles cookies and forms only as far as the benchmarks need them.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::{Context, bail, ensure};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

/// One keep-alive connection.
pub struct Browser {
    stream: TcpStream,
    address: SocketAddr,
    /// `name=value; name=value`
    pub cookies: String,
    read: Vec<u8>,
}

pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
    /// Length of head and body on the wire, in bytes.
    pub weight: usize,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
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
        Ok(Self { stream, address, cookies: cookies.to_owned(), read: Vec::with_capacity(64 << 10) })
    }

    /// Serializes a request.
    pub fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Vec<u8> {
        let Self { address, cookies, .. } = self;
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
        let lines = answer.head.lines().filter_map(|line| line.split_once(": "));
        for (_, cookie) in lines.filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")) {
            let (name, _) = cookie.split_once('=').unwrap_or_default();
            let others = self.cookies.split("; ").filter(|one| !one.is_empty() && one.split('=').next() != Some(name));
            let set = cookie.split(';').next().unwrap_or_default();
            let mut kept: Vec<&str> = others.collect();
            if !cookie.contains("Max-Age=0") {
                kept.push(set);
            }
            self.cookies = kept.join("; ");
        }
    }

    pub async fn send(&mut self, request: &[u8]) -> anyhow::Result<Answer> {
        self.stream.write_all(request).await?;
        self.read.clear();
        let head_end = loop {
            if let Some(end) = find(&self.read, b"\r\n\r\n", 0) {
                break end + 4;
            }
            self.more().await?;
        };
        let head = String::from_utf8_lossy(&self.read[..head_end]).into_owned();
        let status = head.get(9..12).and_then(|status| status.parse().ok()).context("response has no status")?;
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse::<usize>().ok());
        let body = match length {
            Some(length) => {
                while self.read.len() < head_end + length {
                    self.more().await?;
                }
                self.read[head_end..head_end + length].to_vec()
            }
            None if lower.contains("transfer-encoding: chunked") => self.chunks(head_end).await?,
            None if matches!(status, 204 | 304) => Vec::new(),
            None => bail!("response has no content-length and is not chunked: {head}"),
        };
        Ok(Answer { status, head, body, weight: self.read.len() })
    }

    async fn chunks(&mut self, mut at: usize) -> anyhow::Result<Vec<u8>> {
        let mut body = Vec::new();
        loop {
            let line_end = loop {
                if let Some(end) = find(&self.read, b"\r\n", at) {
                    break end;
                }
                self.more().await?;
            };
            let size = std::str::from_utf8(&self.read[at..line_end])?;
            let size = usize::from_str_radix(size, 16).context("chunk has no size")?;
            let (begin, end) = (line_end + 2, line_end + 2 + size);
            while self.read.len() < end + 2 {
                self.more().await?;
            }
            if size == 0 {
                return Ok(body);
            }
            body.extend_from_slice(&self.read[begin..end]);
            at = end + 2;
        }
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        let count = self.stream.read_buf(&mut self.read).await?;
        ensure!(count > 0, "the server closed the connection");
        Ok(())
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
                    ensure!(answer.status == 200, "{}", answer.head);
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

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
}

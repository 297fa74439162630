//! A minimal HTTP/1.1 client: one exchange over one TCP connection, and the cookies of a browser. Exposes the raw
//! response and distinguishes a complete response from a truncated one.

use std::{
    collections::BTreeMap,
    io,
    net::SocketAddr,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// A test fails if a response takes longer.
const PATIENCE: Duration = Duration::from_secs(40);

/// A complete response.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub took: Duration,
    /// Length of head and body on the wire, in bytes.
    pub weight: usize,
}

impl Answer {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|(known, value)| known.eq_ignore_ascii_case(name).then_some(value.as_str()))
    }
}

/// Sends a request and reads until the server closes. An incomplete response is an error: `InvalidData` if any of it
/// arrived, another kind otherwise.
pub async fn send(address: SocketAddr, request: &[u8]) -> io::Result<Answer> {
    send_over(TcpStream::connect(address), request).await
}

/// As [`send`], over the connection that the future opens.
pub async fn send_over<S>(connecting: impl Future<Output = io::Result<S>>, request: &[u8]) -> io::Result<Answer>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let begun = Instant::now();
    let exchange = async {
        let mut stream = connecting.await?;
        stream.write_all(request).await?;
        let mut bytes = Vec::new();
        match stream.read_to_end(&mut bytes).await {
            Err(error) if bytes.is_empty() => Err(error),
            // The connection was reset during or after the response.
            _ => Ok(bytes),
        }
    };
    let bytes = timeout(PATIENCE, exchange).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
    let broken = if bytes.is_empty() { io::ErrorKind::UnexpectedEof } else { io::ErrorKind::InvalidData };
    parse(&bytes, begun.elapsed()).ok_or_else(|| broken.into())
}

/// Sends `GET path` without cookies.
pub async fn get(address: SocketAddr, path: &str) -> io::Result<Answer> {
    send(address, format!("GET {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n").as_bytes()).await
}

/// Parses a response; `None` if it is incomplete.
pub fn parse(bytes: &[u8], took: Duration) -> Option<Answer> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers = lines.filter_map(header).collect();
    let mut answer = Answer { status, headers, body: Vec::new(), took, weight: bytes.len() };
    let rest = &bytes[end + 4..];
    answer.body = match (answer.header("transfer-encoding"), answer.header("content-length")) {
        (Some(_), _) => unchunk(rest)?,
        (None, Some(length)) => rest.get(..length.parse().ok()?)?.to_vec(),
        (None, None) => rest.to_vec(),
    };
    Some(answer)
}

fn unchunk(mut rest: &[u8]) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n")?;
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?.split(';').next()?.trim(), 16).ok()?;
        rest = &rest[end + 2..];
        if size == 0 {
            return Some(body);
        }
        body.extend_from_slice(rest.get(..size)?);
        rest = rest.get(size + 2..)?;
    }
}

/// The cookies of a browser.
#[derive(Clone, Debug, Default)]
pub struct Cookies(pub BTreeMap<String, String>);

impl Cookies {
    /// The value of a `Cookie` header; empty without cookies.
    pub fn line(&self) -> String {
        self.0.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    /// Stores what a response sets, and removes what it ends.
    pub fn keep<'a>(&mut self, headers: impl Iterator<Item = (&'a str, &'a str)>) {
        let headers: Vec<_> = headers.collect();
        let values = |wanted: &'static str| {
            headers.iter().filter(move |(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, value)| *value)
        };
        if values("clear-site-data").any(|what| what.contains("\"cookies\"")) {
            self.0.clear();
        }
        for line in values("set-cookie") {
            let cookie = cookie::Cookie::parse(line).expect("a cookie");
            if cookie.max_age().is_some_and(|age| age <= time::Duration::ZERO) {
                self.0.remove(cookie.name());
            } else {
                self.0.insert(cookie.name().to_owned(), cookie.value().to_owned());
            }
        }
    }
}

//! The only entrance: an HTTP CONNECT proxy on loopback. Cannot be misused to reach this machine or its network,
//! because it tunnels to public addresses and port 443 only. Does not proxy plain HTTP, so nothing is sent in clear.

use std::{io, sync::Arc, time::Duration};

use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use secrecy::SecretString;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{
    Handles, Wire,
    admin_api::{self, Caller},
    journal::ConnectionOutcome,
    reply::SLOW_REPLY_LIMIT,
    scenario::Scenario,
    tunnel::{self, refuse},
};

/// Maximum number of concurrent connections; the next one waits.
const CROWD: usize = 1000;
/// Maximum length of a CONNECT head: 8 KiB.
const HEAD_MAX_LEN: usize = 8 << 10;
/// Timeout for a head or a handshake: 10 s.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
const ESTABLISHED: &[u8] = b"HTTP/1.1 200 Connection established\r\n\r\n";

/// Serves until it is dropped, which closes every connection.
pub(super) async fn serve(wire: Arc<Wire>, listener: TcpListener) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept(), if connections.len() < CROWD => match accepted {
                Ok((stream, _)) => { connections.spawn(connection(wire.clone(), stream)); }
                // out of file descriptors: a connection has to end first
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}

async fn connection(wire: Arc<Wire>, mut stream: TcpStream) {
    let Ok(Ok(head)) = timeout(HANDSHAKE_TIMEOUT, read_head(&mut stream)).await else { return };
    let target = head.target.as_deref().unwrap_or(&head.first_line);
    let route = head.target.as_deref().map_or(ProxyRoute::Refused, |target| route(wire.handles, target));
    let scenario = |handle: &str| wire.stores.find(handle).map(|store| store.scenario.clone());
    let (fate, route) = match route {
        ProxyRoute::Here { ref handle, .. } => match scenario(handle) {
            Some(Scenario::ConnectRefused) => (ConnectionOutcome::Refused, ProxyRoute::Refused),
            Some(Scenario::ProxySays(status)) => (ConnectionOutcome::Refused, ProxyRoute::Answered(status)),
            _ => (ConnectionOutcome::AnsweredHere, route),
        },
        ProxyRoute::Tunnel { .. } => (ConnectionOutcome::Tunnelled, route),
        ProxyRoute::Refused | ProxyRoute::Answered(_) => (ConnectionOutcome::Refused, route),
    };
    let number = wire.journal.connected(target, fate, head.authorization);
    // a peer that disconnects is not an error here
    let _ = match route {
        ProxyRoute::Here { host, handle } => here(&wire, stream, number, host, handle).await,
        ProxyRoute::Tunnel { host } => tunnel::open(stream, &host).await,
        ProxyRoute::Refused => refuse(stream, "403 Forbidden").await,
        ProxyRoute::Answered(status) => refuse(stream, &format!("{status} As asked")).await,
    };
}

#[derive(Debug, PartialEq, Eq)]
enum ProxyRoute {
    Here {
        host: String,
        handle: String,
    },
    Tunnel {
        host: String,
    },
    Refused,
    /// Refused with the status of the scenario.
    Answered(u16),
}

fn route(handles: Handles, target: &str) -> ProxyRoute {
    let Some(host) = target.strip_suffix(":443").map(str::to_ascii_lowercase) else { return ProxyRoute::Refused };
    let handle = host.strip_suffix(".myshopify.com").filter(|label| !label.is_empty() && !label.contains('.'));
    match (handles, handle.map(str::to_owned)) {
        (Handles::All, Some(handle)) => ProxyRoute::Here { host, handle },
        (Handles::Practice, Some(handle)) if super::is_practice(&handle) => ProxyRoute::Here { host, handle },
        (Handles::Practice, _) => ProxyRoute::Tunnel { host },
        (Handles::All, None) => ProxyRoute::Refused,
    }
}

struct RequestHead {
    first_line: String,
    /// Set for a CONNECT only.
    target: Option<String>,
    authorization: Option<SecretString>,
}

async fn read_head(stream: &mut TcpStream) -> io::Result<RequestHead> {
    let mut bytes = Vec::new();
    while !bytes.ends_with(b"\r\n\r\n") {
        if bytes.len() > HEAD_MAX_LEN || stream.read_buf(&mut bytes).await? == 0 {
            return Err(io::ErrorKind::InvalidData.into());
        }
    }
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let first_line = lines.next().unwrap_or_default().to_owned();
    let target = first_line.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next()).map(str::to_owned);
    let authorization = lines.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("proxy-authorization").then(|| SecretString::from(value.trim()))
    });
    Ok(RequestHead { first_line, target, authorization })
}

/// Acts as the store, or as whatever the scenario puts in its place.
async fn here(wire: &Arc<Wire>, mut stream: TcpStream, number: u64, host: String, handle: String) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(ESTABLISHED).await?;
    let scenario = wire.stores.find(&handle).map_or(Scenario::Well, |store| store.scenario.clone());
    let flaw = match scenario {
        Scenario::Reset => return stream.set_zero_linger(),
        Scenario::HangBeforeTls => return listen_only(wire, &mut stream, number).await,
        // fatal, protocol_version (RFC 8446, 6)
        Scenario::TlsTooOld => return instead_of_tls(wire, stream, number, &[21, 3, 1, 0, 2, 2, 70]).await,
        Scenario::NotTls => {
            return instead_of_tls(wire, stream, number, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
                .await;
        }
        Scenario::Certificate(flaw) => Some(flaw),
        _ => None,
    };
    let config = wire.certificates.server(&host, flaw).map_err(io::Error::other)?;
    let mut tls = timeout(HANDSHAKE_TIMEOUT, TlsAcceptor::from(config).accept(stream)).await??;
    if matches!(scenario, Scenario::Garbage | Scenario::DrippingHead) {
        return instead_of_http(&mut tls, &scenario).await;
    }
    let server_name = tls.get_ref().1.server_name().map(str::to_owned);
    let caller = Caller { connection: number, host, handle, server_name };
    let service = service_fn(|request| admin_api::answer(wire, &caller, request));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(SLOW_REPLY_LIMIT)
        .serve_connection(TokioIo::new(tls), service)
        .await
        .map_err(io::Error::other)
}

/// Records what the peer sends and answers nothing.
async fn listen_only(wire: &Wire, stream: &mut TcpStream, number: u64) -> io::Result<()> {
    let mut bytes = [0; 4096];
    let listen = async {
        loop {
            match stream.read(&mut bytes).await? {
                0 => return Ok(()),
                count => wire.journal.before_tls(number, &bytes[..count]),
            }
        }
    };
    timeout(SLOW_REPLY_LIMIT, listen).await.unwrap_or(Ok(()))
}

async fn instead_of_tls(wire: &Wire, mut stream: TcpStream, number: u64, answer: &[u8]) -> io::Result<()> {
    let mut hello = [0; 4096];
    let count = timeout(HANDSHAKE_TIMEOUT, stream.read(&mut hello)).await??;
    wire.journal.before_tls(number, &hello[..count]);
    stream.write_all(answer).await?;
    stream.shutdown().await?;
    // a close with unread bytes would be a reset, and the peer might miss the answer
    listen_only(wire, &mut stream, number).await
}

async fn instead_of_http(tls: &mut TlsStream<TcpStream>, scenario: &Scenario) -> io::Result<()> {
    let mut request = [0; 4096];
    let _ = timeout(HANDSHAKE_TIMEOUT, tls.read(&mut request)).await??;
    if *scenario == Scenario::Garbage {
        tls.write_all(b"\x00\x01\x02 this is no HTTP\r\n\r\n").await?;
        return tls.shutdown().await;
    }
    let endless = b"HTTP/1.1 200 OK\r\nx-padding: ".iter().chain(std::iter::repeat(&b'x'));
    let drip = async {
        for byte in endless {
            tls.write_all(&[*byte]).await?;
            tls.flush().await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok(())
    };
    timeout(SLOW_REPLY_LIMIT, drip).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn here(host: &str, handle: &str) -> ProxyRoute {
        ProxyRoute::Here { host: host.to_owned(), handle: handle.to_owned() }
    }

    #[test]
    fn practice_proxy_answers_for_practice_stores_and_tunnels_the_rest() {
        let practice = |target: &str| route(Handles::Practice, target);
        assert_eq!(practice("practice-tea.myshopify.com:443"), here("practice-tea.myshopify.com", "practice-tea"));
        assert_eq!(practice("Practice-Tea.MyShopify.com:443"), here("practice-tea.myshopify.com", "practice-tea"));
        for real in ["northwind-tea.myshopify.com", "a.practice-tea.myshopify.com", "practice-tea.example"] {
            assert_eq!(practice(&format!("{real}:443")), ProxyRoute::Tunnel { host: real.to_owned() });
        }
        for target in ["practice-tea.myshopify.com:80", "example.com:22", "example.com", ""] {
            assert_eq!(practice(target), ProxyRoute::Refused, "{target}");
        }
    }

    #[test]
    fn test_proxy_answers_for_every_store_and_refuses_the_rest() {
        let all = |target: &str| route(Handles::All, target);
        assert_eq!(all("northwind-tea.myshopify.com:443"), here("northwind-tea.myshopify.com", "northwind-tea"));
        for target in ["example.com:443", "myshopify.com:443", ".myshopify.com:443", "a.b.myshopify.com:443"] {
            assert_eq!(all(target), ProxyRoute::Refused, "{target}");
        }
    }
}

//! A test server: a CONNECT proxy that routes every tunnel to one TLS server, and a record of what both received.

use std::sync::{Arc, Mutex};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_rustls::TlsAcceptor;

use super::super::*;
use crate::platforms::shopify::client::Egress;

pub const HOST: &str = "northwind-tea.myshopify.com";
pub const SHORT: Duration = Duration::from_secs(1);

/// One response of the server; responses are used in order.
#[derive(Clone)]
pub enum Says {
    /// These bytes, then the connection is closed.
    Bytes(String),
    /// No response; the connection stays open.
    Silence,
    /// The head, then one byte of the body every 20 ms, without end.
    Drip,
    /// A head, then blanks without end.
    Endless,
    /// Closes the connection without a response.
    Close,
    /// Refuses the tunnel.
    NoTunnel,
}

/// What the server and the proxy received.
#[derive(Default)]
pub struct Seen {
    pub tunnels: Mutex<Vec<String>>,
    pub requests: Mutex<Vec<String>>,
}

pub struct World {
    pub client: ShopifyClient,
    pub seen: Arc<Seen>,
}

/// The certificate that the server presents.
#[derive(Clone, Copy, PartialEq)]
pub enum Certificate {
    Good,
    OtherName,
    Expired,
    UnknownIssuer,
}

impl World {
    pub async fn that_says(answers: impl IntoIterator<Item = Says>) -> Self {
        Self::with(Certificate::Good, answers).await
    }

    pub async fn with(certificate: Certificate, answers: impl IntoIterator<Item = Says>) -> Self {
        let (acceptor, root) = tls(certificate);
        let seen = Arc::new(Seen::default());
        let answers: Arc<Mutex<Vec<Says>>> = Arc::new(Mutex::new(answers.into_iter().collect()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = format!("http://sam:canary-of-proxy@{}", listener.local_addr().unwrap());
        tokio::spawn({
            let seen = Arc::clone(&seen);
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, acceptor.clone(), Arc::clone(&answers), Arc::clone(&seen)));
                }
            }
        });
        let egress = Egress { proxy: Some(proxy.parse().unwrap()), extra_roots_pem: Some(root.into()) };
        Self { client: ShopifyClient::new(&egress).unwrap(), seen }
    }

    pub async fn test(&self, credential: &Credential) -> (Verdict, Vec<Check>) {
        self.test_within(DEADLINE, credential, None).await
    }

    pub async fn test_within(
        &self,
        deadline: Duration,
        credential: &Credential,
        shop: Option<&str>,
    ) -> (Verdict, Vec<Check>) {
        let (told, heard) = unbounded_channel();
        let address = StoreAddress::from_host(HOST).unwrap();
        let subject = TestedStore { address: &address, credential, expected_shop_id: shop };
        let verdict = run_within(deadline, &self.client, subject, &told).await;
        drop(told);
        (verdict, all(heard).await)
    }

    pub fn requests(&self) -> Vec<String> {
        self.seen.requests.lock().unwrap().clone()
    }
}

async fn all(mut heard: UnboundedReceiver<Check>) -> Vec<Check> {
    let mut checks = Vec::new();
    while let Some(check) = heard.recv().await {
        checks.push(check);
    }
    checks
}

/// The server's side of TLS, and the root certificate that the client trusts.
fn tls(certificate: Certificate) -> (TlsAcceptor, String) {
    let issuer = |name: &str| {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let (ours, stranger) = (issuer("ours"), issuer("a stranger"));
    let signer = if certificate == Certificate::UnknownIssuer { &stranger } else { &ours };
    let name = if certificate == Certificate::OtherName { "other.myshopify.com" } else { HOST };
    let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
    if certificate == Certificate::Expired {
        (params.not_before, params.not_after) = (rcgen::date_time_ymd(2020, 1, 1), rcgen::date_time_ymd(2021, 1, 1));
    }
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, signer).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der())))
        .unwrap();
    (TlsAcceptor::from(Arc::new(config)), ours.pem())
}

async fn serve(mut stream: TcpStream, acceptor: TlsAcceptor, answers: Arc<Mutex<Vec<Says>>>, seen: Arc<Seen>) {
    let tunnel = read_message(&mut stream).await;
    let first_line = tunnel.lines().next().unwrap_or_default().to_owned();
    seen.tunnels.lock().unwrap().push(first_line);
    let says = {
        let mut answers = answers.lock().unwrap();
        if answers.is_empty() { Says::Close } else { answers.remove(0) }
    };
    if matches!(says, Says::NoTunnel) {
        let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n").await;
        return;
    }
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await.unwrap();
    let Ok(mut stream) = acceptor.accept(stream).await else { return };
    let request = read_message(&mut stream).await;
    if !request.is_empty() {
        seen.requests.lock().unwrap().push(request);
    }
    let _ = say(&mut stream, says).await;
    let _ = stream.shutdown().await;
}

async fn say(stream: &mut (impl AsyncWrite + Unpin), says: Says) -> std::io::Result<()> {
    let head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n";
    match says {
        Says::Bytes(bytes) => stream.write_all(bytes.as_bytes()).await,
        Says::Silence => std::future::pending().await,
        Says::Drip => {
            stream.write_all(head).await?;
            loop {
                stream.write_all(b" ").await?;
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
        Says::Endless => {
            stream.write_all(head).await?;
            // Bounded at 4 MiB, in case the client keeps reading.
            for _ in 0..1024 {
                stream.write_all(&[b' '; 4096]).await?;
            }
            Ok(())
        }
        Says::Close | Says::NoTunnel => Ok(()),
    }
}

/// Reads one HTTP message: its head, and as much body as its Content-Length says.
async fn read_message(stream: &mut (impl AsyncRead + Unpin)) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length =
                head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if body.len() >= length.unwrap_or(0) {
                return text.into_owned();
            }
        }
        let mut part = [0; 4096];
        match stream.read(&mut part).await {
            Ok(n) if n > 0 => bytes.extend_from_slice(&part[..n]),
            _ => return String::from_utf8_lossy(&bytes).into_owned(),
        }
    }
}

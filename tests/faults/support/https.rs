//! HTTPS through a TLS-terminating proxy, to a public name that does not resolve, from an address other than the
//! proxy's.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer, pki_types::ServerName};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::http::{Answer, send_over};

/// The clients' source address. All of 127.0.0.0/8 is loopback on Linux, and the proxy itself uses 127.0.0.1.
pub const CLIENT: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 2);

#[derive(Clone, Debug)]
pub struct Https {
    pub proxy: SocketAddr,
    /// The public host name.
    pub host: String,
    client: Ipv4Addr,
    tls: Arc<ClientConfig>,
}

impl Https {
    /// Trusts only this certificate.
    pub fn new(proxy: SocketAddr, host: &str, certificate: CertificateDer<'static>) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(certificate).expect("a certificate");
        let mut tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("TLS 1.2 and 1.3")
            .with_root_certificates(roots)
            .with_no_client_auth();
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        Self { proxy, host: host.to_owned(), client: CLIENT, tls: Arc::new(tls) }
    }

    /// Offers HTTP/2 in ALPN, as browsers do.
    #[must_use]
    pub fn offering_http_2(mut self) -> Self {
        Arc::make_mut(&mut self.tls).alpn_protocols.insert(0, b"h2".to_vec());
        self
    }

    /// The same from another client address.
    #[must_use]
    pub fn at(self, client: Ipv4Addr) -> Self {
        Self { client, ..self }
    }

    pub async fn connect(&self) -> io::Result<TlsStream<TcpStream>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind((self.client, 0).into())?;
        let stream = socket.connect(self.proxy).await?;
        let name = ServerName::try_from(self.host.clone()).expect("a host name");
        TlsConnector::from(self.tls.clone()).connect(name, stream).await
    }

    pub async fn send(&self, request: &[u8]) -> io::Result<Answer> {
        send_over(self.connect(), request).await
    }

    /// Sends `GET path` without cookies.
    pub async fn get(&self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.host);
        self.send(request.as_bytes()).await.expect("complete response")
    }
}

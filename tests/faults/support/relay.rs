//! A TCP relay to Postgres's Unix socket that can freeze, drop all traffic or switch to another server, as proxies and
//! DNS do.

use std::path::PathBuf;

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt},
    net::{TcpListener, UnixStream},
    sync::watch,
};

#[derive(Clone)]
struct Way {
    /// The target socket of new connections.
    socket: PathBuf,
    /// Connections with a lower number stay open but forward nothing.
    frozen_below: u64,
    /// New connections are accepted but forward nothing.
    is_dark: bool,
    opened: u64,
}

/// Dropping it stops accepting; existing connections continue.
pub struct Relay {
    pub port: u16,
    way: watch::Sender<Way>,
    accepting: tokio::task::JoinHandle<()>,
}

impl Relay {
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let (way, _) = watch::channel(Way { socket, frozen_below: 0, is_dark: false, opened: 0 });
        let sender = way.clone();
        let accepting = tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let mut number = 0;
                sender.send_modify(|way| {
                    number = way.opened;
                    way.opened += 1;
                });
                let sender = sender.clone();
                tokio::spawn(async move {
                    let mut way = sender.subscribe();
                    let socket = {
                        let Ok(way) = way.wait_for(|way| !way.is_dark || way.frozen_below > number).await else {
                            return;
                        };
                        // The server never hears of a connection that was opened in the dark.
                        (way.frozen_below <= number).then(|| way.socket.clone())
                    };
                    let Some(socket) = socket else { return std::future::pending().await };
                    let Ok(server) = UnixStream::connect(socket).await else { return };
                    let (client_reads, client_writes) = client.into_split();
                    let (server_reads, server_writes) = server.into_split();
                    tokio::join!(
                        carry(client_reads, server_writes, sender.subscribe(), number),
                        carry(server_reads, client_writes, sender.subscribe(), number),
                    );
                });
            }
        });
        Self { port, way, accepting }
    }

    /// Freezes every open connection permanently; new ones work.
    pub fn freeze(&self) {
        self.way.send_modify(|way| way.frozen_below = way.opened);
    }

    /// Silently drops all traffic of old and new connections.
    pub fn go_dark(&self) {
        self.way.send_modify(|way| (way.frozen_below, way.is_dark) = (way.opened, true));
    }

    /// Lets new connections work again; older ones stay frozen.
    pub fn light_up(&self) {
        self.way.send_modify(|way| (way.frozen_below, way.is_dark) = (way.opened, false));
    }

    /// Leads new connections to another server; existing ones continue.
    pub fn lead_to(&self, socket: PathBuf) {
        self.way.send_modify(|way| way.socket = socket);
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn frozen(way: &mut watch::Receiver<Way>, number: u64) {
    way.wait_for(|way| way.frozen_below > number).await.ok();
}

async fn carry(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    mut way: watch::Receiver<Way>,
    number: u64,
) {
    let mut bytes = vec![0; 16_384];
    loop {
        tokio::select! {
            () = frozen(&mut way, number) => return std::future::pending().await,
            read = from.read(&mut bytes) => match read {
                Ok(count @ 1..) => if to.write_all(&bytes[..count]).await.is_err() { return },
                Ok(0) | Err(_) => return to.shutdown().await.unwrap_or_default(),
            },
        }
    }
}

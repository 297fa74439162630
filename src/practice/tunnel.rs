//! Tunnels to the real Shopify, for every host that the stand-in does not answer for. Prevents server-side request
//! forgery through the practice proxy: only public addresses are dialled, and they are exactly the addresses that were
//! checked.

use std::{io, net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use crate::outbound::public_address::is_public;

/// Timeout for a lookup, and for a connection attempt: 5 s each.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Connects the stream with port 443 of this host until one side closes.
pub(super) async fn open(stream: TcpStream, host: &str) -> io::Result<()> {
    let Ok(Ok(found)) = timeout(CONNECT_TIMEOUT, lookup_host((host, 443))).await else {
        return refuse(stream, "502 Bad Gateway").await;
    };
    let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() {
        return refuse(stream, "403 Forbidden").await;
    }
    join(stream, &public).await
}

async fn join(mut stream: TcpStream, addresses: &[SocketAddr]) -> io::Result<()> {
    let Ok(Ok(mut real)) = timeout(CONNECT_TIMEOUT, TcpStream::connect(addresses)).await else {
        return refuse(stream, "504 Gateway Timeout").await;
    };
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut real).await.map(|_| ())
}

/// Answers a CONNECT with this status and closes the connection.
pub(super) async fn refuse(mut stream: TcpStream, status: &str) -> io::Result<()> {
    stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn tunnel_carries_data_in_both_directions() {
        let (door, real) =
            (TcpListener::bind("127.0.0.1:0").await.unwrap(), TcpListener::bind("127.0.0.1:0").await.unwrap());
        let addresses = [real.local_addr().unwrap()];
        let mut peer = TcpStream::connect(door.local_addr().unwrap()).await.unwrap();
        let (stream, _) = door.accept().await.unwrap();
        let tunnel = tokio::spawn(async move { join(stream, &addresses).await });
        let (mut far, _) = real.accept().await.unwrap();
        peer.write_all(b"hello").await.unwrap();
        let mut heard = [0; 5];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hello");
        far.write_all(b"and back").await.unwrap();
        drop(far);
        peer.shutdown().await.unwrap();
        let mut answer = String::new();
        peer.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nand back"), "{answer}");
        tunnel.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn local_addresses_are_refused_in_any_notation() {
        for host in ["localhost", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "::1"] {
            let door = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut peer = TcpStream::connect(door.local_addr().unwrap()).await.unwrap();
            let (stream, _) = door.accept().await.unwrap();
            open(stream, host).await.unwrap();
            let mut answer = String::new();
            peer.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with("HTTP/1.1 403") || answer.starts_with("HTTP/1.1 502"), "{host}: {answer}");
        }
    }
}

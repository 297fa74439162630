//! The way to the real Shopify, for every host that is not played here. Stops a server-side request forgery by way of the
//! practice proxy: only public addresses are dialled, and they are the very addresses that were checked.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncWriteExt, copy_bidirectional},
    net::{TcpStream, lookup_host},
    time::timeout,
};

use super::proxy::refuse;

/// Longest look-up, and longest attempt to connect: 5 s each.
const REACHING: Duration = Duration::from_secs(5);

/// Joins the stream with port 443 of this host until one side is done.
pub(super) async fn open(stream: TcpStream, host: &str) -> io::Result<()> {
    let Ok(Ok(found)) = timeout(REACHING, lookup_host((host, 443))).await else {
        return refuse(stream, "502 Bad Gateway").await;
    };
    let public: Vec<SocketAddr> = found.filter(|address| is_public(address.ip())).collect();
    if public.is_empty() {
        return refuse(stream, "403 Forbidden").await;
    }
    join(stream, &public).await
}

async fn join(mut stream: TcpStream, addresses: &[SocketAddr]) -> io::Result<()> {
    let Ok(Ok(mut real)) = timeout(REACHING, TcpStream::connect(addresses)).await else {
        return refuse(stream, "504 Gateway Timeout").await;
    };
    stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
    copy_bidirectional(&mut stream, &mut real).await.map(|_| ())
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// All but the special ranges of IANA's registry.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224.., ..)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

/// Global unicast (`2000::/3`) without the ranges that are examples or wrap an IPv4 address.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    let is_global = first & 0xe000 == 0x2000;
    let is_special = first == 0x2002 || (first == 0x2001 && matches!(second, 0 | 0x0db8));
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncReadExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn both_sides_of_a_tunnel_hear_each_other() {
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
    async fn a_name_of_this_machine_is_refused_however_it_is_written() {
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

    #[test]
    fn nothing_of_this_machine_or_its_network_is_public() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
        for address in ["1.1.1.1", "23.227.38.74", "172.32.0.1", "100.128.0.1", "192.0.66.1", "2620:127:f00f:e::"] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
    }
}
